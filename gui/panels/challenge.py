"""Four digits to be said at once: what is asked, and how much time is left."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QComboBox, QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from voicelane.gui.look.theme import SMALL
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import button, card, label
from voicelane.gui.model.language import later, number, tr
from voicelane.gui.work.challenging import ASKING, IDLE, JUDGING, PREPARING, SPEAKING
from voicelane.gui.work.studio import Studio
from voicelane.voices import ANSWER_S

REFRESH_MS = 60
PER_S = 10
LANGUAGES = later({"en": "in English", "ar": "in Arabic"})
WORDS = later(
    {
        IDLE: "Four digits are drawn and asked for: what was recorded before cannot answer them.",
        PREPARING: "preparing …",
        SPEAKING: "Listen; then say the digits, with pauses between.",
        JUDGING: "listening to the answer …",
    }
)


class Challenge(QFrame):
    """A button, the digits, and a bar that runs down."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._challenging = studio, studio.challenging
        self.person = ""
        """Who is asked; nobody if empty."""
        frame, layout = card(tr("Challenge"))
        self.ask = button(tr("Ask for digits"), self._ask_or_end)
        self.language, self.aloud = QComboBox(), QCheckBox(tr("Say them aloud"))
        for code, words in LANGUAGES.items():
            self.language.addItem(tr(words), code)
        self.language.setAccessibleName(tr("Language of the digits"))
        self.aloud.setAccessibleName(tr("Say the digits aloud"))
        self.digits, self.words = label("", "big"), label("", "quiet", wrap=True)
        self.digits.setAccessibleName(tr("Digits to say"))
        self.bar = QProgressBar()
        self.bar.setRange(0, round(PER_S * ANSWER_S))
        self.bar.setMaximumHeight(8)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(tr("Time left to answer"))
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        for widget in (self.ask, self.language, self.aloud):
            row.addWidget(widget)
        row.addWidget(self.words, 1)
        layout.addLayout(row)
        layout.addWidget(self.digits)
        layout.addWidget(self.bar)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._timer = Ticking(self, studio, REFRESH_MS, self._tick)
        self._challenging.changed.connect(self.refresh)
        self._challenging.failed.connect(studio.noticed)
        studio.listening.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """What can be done now."""
        state = self._challenging.state
        shown = state in (ASKING, JUDGING)
        self.ask.setText(
            tr("Done") if state == ASKING else tr("Cancel") if state != IDLE else tr("Ask for digits")
        )
        self.ask.setAccessibleName(self.ask.text())
        free = self._studio.listening.state == IDLE
        self.ask.setEnabled(state != IDLE or (free and bool(self.person)))
        for widget in (self.language, self.aloud):
            widget.setEnabled(state == IDLE)
        self.digits.setText("   ".join(map(str, self._challenging.asked)) if shown else "")
        self.digits.setVisible(shown)
        self.bar.setVisible(state == ASKING)
        self._tick()

    def _ask_or_end(self) -> None:
        state = self._challenging.state
        if state == IDLE:
            self._studio.booth.challenge(self.person, self.language.currentData(), self.aloud.isChecked())
        elif state == ASKING:
            self._challenging.end()
        else:
            self._challenging.cancel()

    def _tick(self) -> None:
        state, left_s = self._challenging.state, self._challenging.left_s
        asking = tr("Say these digits, with pauses between; {left_s} s are left.", left_s=number(left_s))
        self.words.setText(asking if state == ASKING else tr(WORDS[state]))
        self.bar.setValue(round(PER_S * left_s))
