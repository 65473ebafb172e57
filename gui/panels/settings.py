"""Choices that are kept: appearance, device, models, speed."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from voicelane.base import home_folder
from voicelane.config import preset
from voicelane.gui.look.theme import GAP
from voicelane.gui.look.widgets import Picker, card, label, number_field, page
from voicelane.gui.model.language import LANGUAGES, SYSTEM, later, tr
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.studio import Studio
from voicelane.inference import PACKS, added

THEMES = later({"system": "as the system", "light": "light", "dark": "dark"})
PRESET_WORDS = later(
    {
        "quick": "quick: labels are final after {s} s, and more often wrong",
        "default": "default: labels are final after {s} s",
        "careful": "careful: labels are final after {s} s",
    }
)
ENHANCERS = later(
    {
        "off": "off",
        "mlp": "mlp: a small network for noisy speech",
        "seed": "seed: diffusion, slower",
    }
)
MODELS = later(
    {
        "light": "light: what comes with voicelane",
        "strong": "strong: CAM++ and segmentation-3.0, better in meetings, five times the CPU",
    }
)
NOT_ADDED = later(" (run `voicelane models add strong`)")
NEXT_START = later("the language changes with the next start")
DEFAULT_DEVICE = later("the system's default")
FIELD, CAPTION = 350, 150
"""Pixels."""


class SettingsPage(QWidget):
    """A form; every change holds at once, those of the engine from the next start on."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        inner, self._layout = page(
            tr("Settings"),
            tr("Every change is kept at once. What concerns the engine holds from the next start on."),
        )
        now = studio.preferences.now
        self.theme = self._choice(tr("Theme"), "theme", translated(THEMES))
        self.device = self._choice(tr("Microphone"), "device", {"": tr(DEFAULT_DEVICE)})
        self.models = self._choice(tr("Models"), "models", {"light": tr(MODELS["light"])})
        self.enhancer = self._choice(tr("Enhancer"), "enhancer", translated(ENHANCERS))
        self.preset = self._choice(tr("Latency against accuracy"), "preset", presets())
        self.most = number_field(1, 100, now.max_speakers)
        self.most.setAccessibleName(tr("Most speakers"))
        self.most.valueChanged.connect(studio.preferences.setter("max_speakers"))
        self.recognise = self._switch("recognise", tr("Show enrolled people by name"))
        self.record = self._switch("record", tr("Keep a recording of everything that is heard"))
        self.clean = self._switch("clean", tr("Take noise off what is heard; a recording keeps both sounds"))
        self.realtime = self._switch("realtime_files", tr("Analyse files at their own speed"))
        self.interface = self._choice(tr("Language"), "interface", {SYSTEM: tr(THEMES[SYSTEM]), **LANGUAGES})
        self.interface.activated.connect(lambda: studio.told.emit(tr(NEXT_START)))
        self._group(tr("Appearance"), [(tr("Theme"), self.theme), (tr("Language"), self.interface)])
        self._group(
            tr("Sound"),
            [(tr("Microphone"), self.device), ("", self.record), ("", self.clean), ("", self.realtime)],
        )
        models = [(tr("Models"), self.models), (tr("Enhancer"), self.enhancer)]
        choices = [(tr("Latency against accuracy"), self.preset), (tr("Most speakers"), self.most)]
        self.captions = self._switch("captions", tr("Write down what is said, while it is said"))
        self.words_model = self._text("words_model", tr("Model of the words"), "base")
        self.language = self._text("language", tr("Language of the words"), tr("found out"))
        words = [("", self.captions), (tr("Model"), self.words_model), (tr("Language"), self.language)]
        self._group(tr("Words"), words)
        self._engine = self._group(tr("Engine"), [*models, *choices, ("", self.recognise)])
        self.lab = self._switch("lab", tr("Lab view: curves, map, numbers, and switches for engineers"))
        self._group(tr("For engineers"), [("", self.lab)])
        folder = label(
            tr("Profiles, sessions and these settings lie in {folder}", folder=home_folder()),
            "quiet",
            wrap=True,
        )
        folder.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._layout.addWidget(folder)
        self._layout.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(inner)
        self.device.opened.connect(studio.devices.ask)
        studio.devices.changed.connect(self._fill_devices)
        studio.preferences.changed.connect(self._follow)
        self._fill_devices()
        self._follow()
        Job(packs, self._fill_models)

    @property
    def home(self) -> QWidget:
        """Where the keyboard focus may rest."""
        return self.theme

    def _group(self, title: str, rows: list[tuple[str, QWidget]]) -> QFormLayout:
        """Settings that belong together."""
        frame, inside = card(title)
        inside.addWidget(label(title, "heading"))
        form = QFormLayout()
        form.setHorizontalSpacing(2 * GAP)
        form.setVerticalSpacing(GAP)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        for name, widget in rows:
            widget.setMinimumWidth(FIELD)
            caption = label(name, "quiet")
            caption.setMinimumWidth(CAPTION)
            form.addRow(caption, widget)
        inside.addLayout(form)
        self._layout.addWidget(frame)
        return form

    def _text(self, setting: str, name: str, hint: str) -> QLineEdit:
        """A line of text for a setting."""
        found = QLineEdit(str(getattr(self._studio.preferences.now, setting)))
        found.setAccessibleName(name)
        found.setPlaceholderText(hint)
        change = self._studio.preferences.setter(setting)
        found.editingFinished.connect(lambda: change(found.text().strip()))
        return found

    def _choice(self, name: str, setting: str, choices: dict[str, str]) -> Picker:
        """A list of choices for a setting."""
        found = Picker()
        found.setAccessibleName(name)
        _fill(found, choices, str(getattr(self._studio.preferences.now, setting)))
        found.activated.connect(lambda i: self._studio.preferences.change(**{setting: found.itemData(i)}))
        return found

    def _switch(self, setting: str, words: str) -> QCheckBox:
        found = QCheckBox(words)
        found.setAccessibleName(words)
        found.setChecked(bool(getattr(self._studio.preferences.now, setting)))
        found.toggled.connect(self._studio.preferences.setter(setting))
        return found

    def _fill_devices(self) -> None:
        now = self._studio.preferences.now.device
        names = [d["name"] for d in self._studio.devices.found]
        names += [now] if now and now not in names else []
        _fill(self.device, {"": tr(DEFAULT_DEVICE)} | {n: n for n in names}, now)
        self.device.fill_again()

    def _fill_models(self, there: list[str]) -> None:
        now = self._studio.preferences.now.models
        words = {name: tr(MODELS[name]) + ("" if name in there else tr(NOT_ADDED)) for name in MODELS}
        _fill(self.models, words, now)
        for row, name in enumerate(words):
            if name not in there:
                self.models.setItemData(row, 0, Qt.ItemDataRole.UserRole - 1)  # cannot be chosen

    def _follow(self) -> None:
        """What was changed elsewhere."""
        now = self._studio.preferences.now
        self.record.setChecked(now.record)
        self.clean.setChecked(now.clean)
        self.lab.setChecked(now.lab)
        for widget in (self.models, self.enhancer):
            self._engine.setRowVisible(widget, now.lab)
        self.device.setCurrentIndex(max(0, self.device.findData(now.device)))


def presets() -> dict[str, str]:
    """Every preset of the engine in words."""
    return {name: tr(words, s=after_s(name)) for name, words in PRESET_WORDS.items()}


def after_s(name: str) -> str:
    """Seconds until a label is final, by a preset."""
    return QLocale().toString(preset(name).segmentation.confirm_s)


def translated(choices: dict[str, str]) -> dict[str, str]:
    return {value: tr(words) for value, words in choices.items()}


def packs() -> list[str]:
    """Names of the packs whose models are all there."""
    return ["light", *(name for name, pack in PACKS.items() if added(pack))]


def _fill(box: QComboBox, choices: dict[str, str], now: str) -> None:
    box.clear()
    for value, words in choices.items():
        box.addItem(words, value)
    box.setCurrentIndex(max(0, box.findData(now)))
