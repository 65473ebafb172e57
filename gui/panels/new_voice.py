"""A new voice that nobody has: how high it is, and by which chance it is drawn."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QSlider, QVBoxLayout

from voicelane.gui.look.theme import SMALL
from voicelane.gui.look.widgets import button, card, label, number_field
from voicelane.gui.model.language import tr
from voicelane.gui.panels.advanced import Advanced
from voicelane.gui.work.studio import Studio
from voicelane.gui.work.voicing import IDLE, MAKING
from voicelane.voices import GUIDANCE, STEPS

LOWEST_HZ, MIDDLE_HZ, HIGHEST_HZ = 80, 140, 300
MOST_SEED = 2**31 - 1
BY_CHANCE = -1
PERCENT = 100


class NewVoice(QFrame):
    """A slider, a name, a seed, and what engineers may change."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._voicing = studio.voicing
        frame, layout = card(tr("New voice"))
        self.pitch, self.pitch_words = QSlider(Qt.Orientation.Horizontal), label("", "quiet")
        self.pitch.setRange(LOWEST_HZ, HIGHEST_HZ)
        self.pitch.setPageStep(20)
        self.pitch.setAccessibleName(tr("Pitch of the new voice"))
        self.pitch.valueChanged.connect(lambda hz: self.pitch_words.setText(tr("{hz} Hz", hz=hz)))
        self.pitch.setValue(MIDDLE_HZ)
        self.pitch_words.setMinimumWidth(52)
        self.name, self.seed = QLineEdit(), number_field(BY_CHANCE, MOST_SEED, BY_CHANCE)
        self.name.setPlaceholderText(tr("Name (else pseudo-1, pseudo-2 …)"))
        self.name.setAccessibleName(tr("Name of the new voice"))
        self.seed.setSpecialValueText(tr("by chance"))
        self.seed.setAccessibleName(tr("Seed of the new voice"))
        self.seed.setToolTip(tr("The same number draws the same voice again"))
        self.make_button = button(tr("Make a voice"), self._make, primary=True)
        self.advanced = Advanced(tr("Advanced settings of the new voice"))
        self.steps = self.advanced.number(tr("Steps of the diffusion"), 4, 500, STEPS)
        strength = round(PERCENT * GUIDANCE)
        self.strength = self.advanced.number(tr("How strictly it keeps to the pitch"), 0, 400, strength, " %")
        layout.addWidget(label(tr("New voice of nobody"), "heading"))
        layout.addLayout(self._pitch_row())
        layout.addWidget(self.name)
        layout.addLayout(self._seed_row())
        layout.addWidget(self.advanced)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._voicing.changed.connect(self._show)
        self._show()

    def _pitch_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        row.addWidget(label(tr("low"), "quiet"))
        row.addWidget(self.pitch, 1)
        row.addWidget(label(tr("high"), "quiet"))
        row.addWidget(self.pitch_words)
        return row

    def _seed_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        row.addWidget(label(tr("Seed"), "quiet"))
        row.addWidget(self.seed, 1)
        row.addWidget(self.make_button)
        return row

    def _make(self) -> None:
        seed = None if self.seed.value() == BY_CHANCE else self.seed.value()
        guidance = self.strength.value() / PERCENT
        self._voicing.make(self.name.text(), float(self.pitch.value()), seed, guidance, self.steps.value())
        self.name.clear()

    def _show(self) -> None:
        making = self._voicing.state == MAKING
        self.make_button.setEnabled(self._voicing.state == IDLE)
        self.make_button.setText(tr("making …") if making else tr("Make a voice"))
