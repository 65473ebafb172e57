"""Choices that are kept: appearance, device, models, speed."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from engine import VoicelaneError, home_folder, installed, verify
from gui.jobs import Job
from gui.panels.widgets import Picker, card, label, page
from gui.studio import Studio
from gui.theme import GAP

THEMES = {"system": "as the system", "light": "light", "dark": "dark"}
SPEEDS = {
    "quick": "quick: labels are final after 0.8 s, and more often wrong",
    "balanced": "balanced: labels are final after 1.6 s",
    "careful": "careful: labels are final after 3.2 s",
}
ENHANCERS = {
    "off": "off",
    "mlp": "mlp: a small network for noisy speech",
    "seed": "seed: diffusion, slower",
}
DEFAULT_DEVICE = "the system's default"
FIELD = 380
"""Pixels."""


class SettingsPage(QWidget):
    """A form; every change holds at once, those of the engine from the next start on."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        inner, self._layout = page(
            "Settings", "Every change is kept at once. What concerns the engine holds from the next start on."
        )
        now = studio.preferences.now
        self.theme = self._choice("Theme", "theme", THEMES)
        self.device = self._choice("Microphone", "device", {"": DEFAULT_DEVICE})
        self.encoder = self._choice("Encoder", "encoder", {now.encoder: now.encoder})
        self.enhancer = self._choice("Enhancer", "enhancer", ENHANCERS)
        self.speed = self._choice("Latency against accuracy", "speed", SPEEDS)
        self.most = QSpinBox()
        self.most.setRange(1, 100)
        self.most.setValue(now.max_speakers)
        self.most.setAccessibleName("Most speakers")
        self.most.valueChanged.connect(studio.preferences.setter("max_speakers"))
        self.recognise = self._switch("recognise", "Show enrolled people by name")
        self.record = self._switch("record", "Keep a recording of everything that is heard")
        self.realtime = self._switch("realtime_files", "Analyse files at their own speed")
        self._group("Appearance", [("Theme", self.theme)])
        self._group("Sound", [("Microphone", self.device), ("", self.record), ("", self.realtime)])
        models = [("Encoder", self.encoder), ("Enhancer", self.enhancer)]
        choices = [("Latency against accuracy", self.speed), ("Most speakers", self.most)]
        self._group("Engine", [*models, *choices, ("", self.recognise)])
        folder = label(f"Profiles, sessions and these settings lie in {home_folder()}", "quiet", wrap=True)
        folder.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._layout.addWidget(folder)
        self._layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inner)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
        self.device.opened.connect(studio.devices.ask)
        studio.devices.changed.connect(self._fill_devices)
        studio.preferences.changed.connect(self._follow)
        self._fill_devices()
        Job(encoders, self._fill_encoders)

    def _group(self, title: str, rows: list[tuple[str, QWidget]]) -> None:
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
            caption.setMinimumWidth(170)
            form.addRow(caption, widget)
        inside.addLayout(form)
        self._layout.addWidget(frame)

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
        _fill(self.device, {"": DEFAULT_DEVICE} | {n: n for n in names}, now)
        self.device.fill_again()

    def _fill_encoders(self, names: list[str]) -> None:
        now = self._studio.preferences.now.encoder
        _fill(self.encoder, {n: n for n in dict.fromkeys((*names, now))}, now)

    def _follow(self) -> None:
        """What was changed elsewhere."""
        now = self._studio.preferences.now
        self.record.setChecked(now.record)
        self.device.setCurrentIndex(max(0, self.device.findData(now.device)))


def encoders() -> list[str]:
    """Names of the installed encoders that are whole."""
    found = []
    for folder in installed():
        try:
            manifest = verify(folder)
        except VoicelaneError:
            continue
        if manifest.kind == "encoder":
            found.append(manifest.name)
    return found


def _fill(box: QComboBox, choices: dict[str, str], now: str) -> None:
    box.clear()
    for value, words in choices.items():
        box.addItem(words, value)
    box.setCurrentIndex(max(0, box.findData(now)))
