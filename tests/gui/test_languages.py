"""The window in other languages: all texts are translated, numbers are written as there, nothing is cut."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QCoreApplication, QEvent, QLocale, Qt, QTranslator
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QScrollArea, QWidget

from tests.conftest import ROOT
from tests.gui.talk import TALK
from voicelane import LabelDesk
from voicelane.gui.app import application, open_window
from voicelane.gui.languages import read, texts, write
from voicelane.gui.model.language import CONTEXT, FILES, LANGUAGES, day, moment, number, percent, speak, tr
from voicelane.gui.model.preferences import Preferences
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.model.viewport import clock
from voicelane.gui.window import LEAST, PAGES, Window
from voicelane.gui.work.jobs import Job
from voicelane.live import Sound

pytestmark = pytest.mark.qt

WRITTEN = ROOT / "gui" / "assets" / "languages"
PARTS = re.compile(r"\{\w+\}|%n")
SHOWING = {
    **dict.fromkeys(("setText", "setToolTip", "setAccessibleName", "setAccessibleDescription"), (0,)),
    **dict.fromkeys(("setPlaceholderText", "setWindowTitle", "setSpecialValueText", "setPlainText"), (0,)),
    **dict.fromkeys(
        ("label", "button", "card", "Hint", "QLabel", "QPushButton", "QCheckBox", "Advanced"), (0,)
    ),
    **dict.fromkeys(("QMenu", "addAction", "addMenu", "addButton", "folder", "say", "tell"), (0, 1)),
    **dict.fromkeys(("page", "addItem", "setLabel", "plot_widget", "draw", "_action", "to_save"), (0, 1)),
    **dict.fromkeys(("confirmed", "getText", "getItem", "to_open", "IconButton"), (1, 2)),
    **dict.fromkeys(("emit",), (0,)),
}
"""What is shown by functions and methods of these names: the places of their arguments."""
IDS = {"to_save": (0,), "IconButton": (1,), "draw": (0,), "setLabel": (0,)}
"""Of those, what is not."""
NAMES = {"voicelane", "listen", "sessions", "people", "health", "en"}
"""Of the program, of its pages, and of a language: they are not translated, or not shown."""
TOGETHER = re.compile(r"[A-Za-z]{2,}[,;:]? [A-Za-z(]")
NOT_SHOWN = ("zoom in", "zoom out", "QTextBrowser {", "<", "h1{", "Hello. Nobody recorded")
"""Drawings, style sheets, markup, and what the English voice says."""
APART = {"screenshots.py", "languages.py", "command.py", "icons.py", "theme.py"}
"""What has no part in the window, or no words."""


def translated(tree: ast.AST) -> set[int]:
    """Every node that is translated, or a document of the source."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("tr", "later"):
            found |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(id(node.value))
    return found


def named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def shown(node: ast.AST) -> Iterator[ast.Constant]:
    """String literals that an argument can be, but for those that are looked up or compared."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from (*shown(node.body), *shown(node.orelse))
    elif not isinstance(node, (ast.Call, ast.Compare, ast.Subscript, ast.Lambda)):
        for inner in ast.iter_child_nodes(node):
            yield from shown(inner)


def untranslated(source: str) -> list[str]:
    """Literals of a source that somebody could read as they stand."""
    tree = ast.parse(source)
    done, found = translated(tree), list[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = named(node.func)
            places = set(SHOWING.get(name, ())) - set(IDS.get(name, ()))
            args = [arg for place, arg in enumerate(node.args) if place in places]
            words = [w for arg in args for w in shown(arg) if id(w) not in done and w.value not in NAMES]
            found += [
                w.value for w in words if re.search(r"[A-Za-z]{2}", w.value) and "voicelane" not in w.value
            ]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in done:
            said = TOGETHER.search(node.value) and not node.value.strip().startswith(NOT_SHOWN)
            found += [node.value] if said else []
    return found


@pytest.mark.parametrize(
    "source",
    [
        'QLabel("Save")',
        'self.line.setText("saved" if done else tr("not saved"))',
        'self.line.setText(f"{n} turns")',
        'menu.addAction("Rename", act)',
        'IconButton(studio, "undo", "Undo")',
        'studio.told.emit(f"{name} is saved")',
        'WORDS = {IDLE: "nothing goes on"}',
        'return "nobody is here"',
    ],
)
def test_a_text_that_is_not_translated_is_found(source):
    assert untranslated(source)
    assert not untranslated('label(tr("Save"), "quiet")\nWORDS = later({IDLE: "nothing goes on"})')


def test_every_text_that_can_be_seen_is_translated():
    sources = [path for path in sorted((ROOT / "gui").rglob("*.py")) if path.name not in APART]
    assert len(sources) > 60
    found = {str(path): left for path in sources if (left := untranslated(path.read_text()))}
    assert found == {}


def wanted(code: str) -> dict[str, bool]:
    return {text: plural for text, plural in texts().items() if plural or code != "en"}


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_files_have_all_texts_of_the_sources_and_no_others_all_translated(code, tmp_path):
    path = WRITTEN / f"{CONTEXT}_{code}.ts"
    write(tmp_path / path.name, code, wanted(code), read(path))
    assert (tmp_path / path.name).read_text() == path.read_text(), "run `python -m voicelane.gui.languages`"
    for text, forms in read(path).items():
        for form in forms:
            assert form and set(PARTS.findall(form)) == set(PARTS.findall(text)), text


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_qt_reads_is_what_the_translators_wrote(code, qapp):
    translator = QTranslator()
    assert translator.load(f"{CONTEXT}_{code}.qm", str(FILES))
    for text, forms in read(WRITTEN / f"{CONTEXT}_{code}.ts").items():
        for n, form in zip((1, 3) if len(forms) > 1 else (-1,), forms, strict=True):
            assert translator.translate(CONTEXT, text, None, n) == form, text


def test_what_qt_reads_is_installed_and_what_translators_write_is_not():
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    installed = {path for pattern in data["voicelane.gui"] for path in (ROOT / "gui").glob(pattern)}
    ours = {path for path in installed if path.is_file() and path.parent.name == "languages"}
    assert {path.name for path in ours} == {f"{CONTEXT}_{code}.qm" for code in LANGUAGES}
    assert sum(path.stat().st_size for path in ours) < 100_000


@pytest.fixture
def language(qapp) -> Iterator[None]:
    """Whatever is spoken, English is afterwards."""
    yield
    speak("en")


def test_words_plurals_numbers_and_dates_are_those_of_the_language(language):
    at = "2026-03-09T14:05:00+00:00"
    assert speak("de") == "de"
    assert (tr("Settings"), tr("{title} is saved", title="A")) == ("Einstellungen", "A ist gespeichert")
    assert [tr("%n uncertain turns", n) for n in (1, 2)] == ["1 unsicherer Beitrag", "2 unsichere Beiträge"]
    assert (number(1234.56, 1), number(2.0, 1, sign=True), percent(0.5)) == ("1234,6", "+2,0", "50 %")
    assert clock(61.5, 1) == "1:01,5" and day(at) == "09.03.26" and moment(at).startswith("09.03.26")
    assert QCoreApplication.translate("QPlatformTheme", "Cancel") == "Abbrechen", "Qt's own buttons"
    assert speak("en") == "en"
    assert (tr("Settings"), number(1.5, 1), clock(61.5, 1)) == ("Settings", "1.5", "1:01.5")
    assert [tr("%n uncertain turns", n) for n in (1, 2)] == ["1 uncertain turn", "2 uncertain turns"]


@pytest.mark.parametrize(
    ("system", "code"),
    [(["de-AT", "en-US"], "de"), (["fr-FR", "de-DE"], "de"), (["fr-FR"], "en"), ([], "en")],
)
def test_the_language_follows_the_system_unless_one_is_chosen(system, code, monkeypatch, language):
    monkeypatch.setattr(QLocale, "uiLanguages", lambda _: system)
    assert speak("system") == code and speak("de") == "de" and speak("en") == "en"


def gone(window: Window, qtbot) -> None:
    """Nothing of it is left."""
    window.close()
    qtbot.waitUntil(lambda: not Job.running, timeout=20_000)
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_the_choice_is_kept_and_the_next_window_has_it(window, language, qtbot):
    choice = window.settings.interface
    choice.setCurrentIndex(choice.findData("de"))
    choice.activated.emit(choice.currentIndex())
    assert "next start" in window.toasts.words[-1]
    kept = Preferences().now.interface
    assert kept == "de" and speak(kept) == "de"


def test_the_app_opens_in_the_language_that_was_chosen(home, language, qtbot):
    home.mkdir()
    (home / "app.toml").write_text('interface = "de"\n')
    window = open_window(application([]))
    assert window.listen.welcome.start.text() == "Zuhören beginnen"
    gone(window, qtbot)


def test_a_preference_that_is_no_language_is_told(home: Path):
    home.mkdir()
    (home / "app.toml").write_text('interface = "xx"\n')
    assert "interface" in Preferences().problem


@pytest.fixture(params=["de", "rtl"])
def abroad(request, studio, language, speech, qtbot) -> Iterator[Window]:
    """A small window with a conversation in it, in German; or with that from right to left."""
    speak("de")
    if request.param == "rtl":
        QApplication.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    window = Window(studio)
    sound, conversation = SoundHistory(), studio.conversation
    sound.hear(Sound(0, speech[:128_000]))
    conversation.begin("Besprechung", sound)
    conversation.live = LabelDesk()
    conversation.take(list(TALK))
    conversation.end(None)
    window.resize(LEAST)
    window.show()
    yield window
    gone(window, qtbot)


def needs(widget: QWidget) -> tuple[int, int]:
    """Pixels that all of what it says takes."""
    if isinstance(widget, QLabel) and widget.wordWrap():
        return 0, widget.heightForWidth(widget.width())
    return widget.minimumSizeHint().width(), 0


def cut(root: QWidget) -> list[str]:
    """What is written on widgets that are too small for it, where that is not on purpose."""
    found = []
    for widget in root.findChildren(QWidget):
        if not widget.isVisible() or not isinstance(widget, (QLabel, QAbstractButton)) or not widget.text():
            continue
        width, height = needs(widget)
        elided = widget.sizePolicy().horizontalPolicy() == widget.sizePolicy().Policy.Ignored
        if (width > widget.width() and not elided) or height > widget.height() + 1:
            found.append(f"{widget.text()[:60]}: {width} x {height} in {widget.width()} x {widget.height()}")
    return found


@pytest.mark.parametrize("lab", [False, True])
def test_every_page_is_whole_in_german_and_from_right_to_left(abroad, qtbot, lab):
    abroad.studio.preferences.change(lab=lab)
    for name in PAGES:
        abroad.show_page(name)
        qtbot.wait(60)
        assert abroad.size() == LEAST, name
        assert cut(abroad) == [], name
        area = next(a for a in abroad.pages.currentWidget().findChildren(QScrollArea) if a.isVisible())
        seen, whole = area.viewport().size(), area.widget().size()
        bars = area.horizontalScrollBar().maximum(), area.verticalScrollBar().maximum()
        assert (whole.width() - seen.width(), whole.height() - seen.height()) == bars, name
        assert whole.height() >= area.widget().minimumSizeHint().height() and whole.width() >= seen.width(), (
            name
        )
    transport = abroad.transport
    for control in (transport.start, transport.stop, transport.record, transport.play):
        assert abroad.rect().contains(control.mapTo(abroad, control.rect().bottomRight()))


def test_from_right_to_left_pages_are_mirrored_and_time_is_not(abroad, qtbot):
    rtl = QApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
    rail = abroad.findChild(QWidget, "rail")
    assert (rail.mapTo(abroad, rail.rect().center()).x() > abroad.width() / 2) == rtl
    timed = (abroad.listen.timeline, abroad.transport.position, abroad.listen.curves.plot)
    assert {widget.layoutDirection() for widget in timed} == {Qt.LayoutDirection.LeftToRight}
    boxes = abroad.settings.findChildren(QComboBox)
    assert {box.layoutDirection() for box in boxes} == {QApplication.layoutDirection()}
