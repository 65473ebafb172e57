"""The language of the window: texts by Qt's translation files, numbers and dates as one writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, QDateTime, QLibraryInfo, QLocale, Qt, QTranslator
from PySide6.QtGui import QGuiApplication

FILES = Path(__file__).parents[1] / "assets" / "languages"
T = TypeVar("T")
CONTEXT, SYSTEM = "voicelane", "system"
LANGUAGES = {"en": "English", "de": "Deutsch"}
"""By their codes, as they call themselves."""
LOCALES = {"en": "en_GB", "de": "de_DE"}
"""How numbers and dates are written where the system speaks another language."""


def tr(text: str, n: int = -1, /, **parts: object) -> str:
    """A text in the language of the window with all that its {names} stand for; %n is `n`, by its plural."""
    found = QCoreApplication.translate(CONTEXT, text, None, n)
    return found.format(**parts) if parts else found


def later(texts: T) -> T:
    """Marks texts, alone or as what a tuple or dictionary holds, that `tr` gets where they are shown: nothing
    is translated before a language is chosen."""
    return texts


def sentence(text: str) -> str:
    """With a capital letter."""
    return text[:1].upper() + text[1:]


def number(value: float, digits: int = 0, sign: bool = False) -> str:
    """With so many decimals, and a plus where `sign`."""
    locale = QLocale()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return ("+" if sign and value >= 0 else "") + locale.toString(float(value), "f", digits)


def percent(share: float) -> str:
    """Of 1."""
    return tr("{number} %", number=number(100 * share))


def moment(iso: str) -> str:
    """Date and time of day here of a moment in ISO 8601."""
    return QLocale().toString(_local(iso), QLocale.FormatType.ShortFormat)


def day(iso: str) -> str:
    """The date of a moment in ISO 8601."""
    return QLocale().toString(_local(iso).date(), QLocale.FormatType.ShortFormat)


def _local(iso: str) -> QDateTime:
    return QDateTime.fromString(iso, Qt.DateFormat.ISODateWithMs).toLocalTime()


def speak(choice: str) -> str:
    """Let the application have a language, or the system's where it is one of ours; gives its code."""
    code = choice if choice in LANGUAGES else _of_system()
    app = QCoreApplication.instance()
    assert isinstance(app, QGuiApplication)
    for old in app.findChildren(QTranslator):
        app.removeTranslator(old)
        old.deleteLater()
    qt = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    for name, folder in ((f"qtbase_{code}", qt), (f"{CONTEXT}_{code}", str(FILES))):
        found = QTranslator(app)
        if found.load(name, folder):
            app.installTranslator(found)
    system = QLocale.system()
    QLocale.setDefault(system if system.name()[:2] == code else QLocale(LOCALES[code]))
    app.setLayoutDirection(QLocale(code).textDirection())
    return code


def _of_system() -> str:
    wanted = (name[:2] for name in QLocale.system().uiLanguages())
    return next((code for code in wanted if code in LANGUAGES), "en")
