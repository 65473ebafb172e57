"""Is it this person? Evidence as it grows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from voicelane.base import StoreError
from voicelane.events import Verification
from voicelane.gui.look.theme import GAP
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import Stretch, button, card, label, page
from voicelane.gui.model.language import later, number, sentence, tr
from voicelane.gui.model.wording import words_for
from voicelane.gui.panels.challenge import Challenge
from voicelane.gui.panels.gauge import Gauge
from voicelane.gui.panels.plot import plot_widget
from voicelane.gui.work.listening import IDLE
from voicelane.gui.work.studio import Studio
from voicelane.voices import Outcome

REFRESH_MS = 60
LEAST_HEIGHT = 180
RATES = later({0.1: "1 in 1,000 strangers", 1.0: "1 in 100 strangers", 5.0: "5 in 100 strangers"})
NOBODY = later("Nobody is enrolled yet; go to People first.")
LEAST_S, LEAST_LLR = 10.0, 6.0
"""Of the axes: seconds of speech, and log-likelihood ratio up and down."""
NUMBER, LIKELY = later(("Log-likelihood ratio", "How likely it is this person"))
MADE = later("a computer made or changed this speech, whoever it sounds like")
BUSY = later("A conversation is being heard; when it is over, somebody can be verified.")
READY = later("Let one person speak alone: everything that is heard counts as one voice.")


class VerificationPage(QWidget):
    """Person and false-accept rate on top, gauge and history below."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        inner, layout = page(
            tr("Verify"),
            tr(
                "Compares the voice of the source chosen above with that of an enrolled person. That alone "
                "is no protection against recordings; digits that are asked for are one, through the "
                "microphone."
            ),
        )
        self.person, self.rate = QComboBox(), QComboBox()
        self.person.setAccessibleName(tr("Enrolled person"))
        self.rate.setAccessibleName(tr("False accepts"))
        self.person.setMinimumWidth(150)
        for percent, words in RATES.items():
            self.rate.addItem(tr("accepts {strangers}", strangers=tr(words)), percent)
        self.rate.setCurrentIndex(self.rate.findData(studio.preferences.now.false_accepts))
        self.rate.activated.connect(lambda i: studio.preferences.change(false_accepts=self.rate.itemData(i)))
        self.start = button(tr("Verify"), self._start_or_stop, primary=True)
        row = QHBoxLayout()
        for widget in (label(tr("Is it")), self.person, self.rate, self.start):
            row.addWidget(widget)
        row.addStretch(1)
        self.challenge = Challenge(studio)
        layout.addLayout(row)
        layout.addWidget(self.challenge)
        layout.addLayout(self._evidence(), 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(inner)
        self._timer = Ticking(self, studio, REFRESH_MS, self._tick)
        studio.challenging.changed.connect(self._timer.wake)
        studio.listening.changed.connect(self._show)
        studio.challenging.changed.connect(self._show)
        self.person.currentTextChanged.connect(self._show)
        studio.themed.connect(self._dress)
        studio.preferences.changed.connect(self._show)
        self._dress()

    def _evidence(self) -> QHBoxLayout:
        left, dial = card(tr("Evidence"))
        self.what = label("", "heading")
        self.gauge = Gauge(self._studio)
        self.verdict, self.words = label("", "big"), label("", "quiet", wrap=True)
        self.verdict.setAccessibleName(tr("Verdict"))
        for widget in (self.verdict, self.words):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
        dial.addWidget(self.what)
        dial.addWidget(Stretch(self.gauge, LEAST_HEIGHT), 1)
        dial.addWidget(self.verdict)
        dial.addWidget(self.words)
        right, history = card(tr("History"))
        self.plot = plot_widget(self._studio, tr("Log-likelihood ratio over seconds of speech"))
        self.plot.setLabel("bottom", tr("seconds of speech"))
        self.plot.getPlotItem().layout.setContentsMargins(4, 10, 10, 4)
        self.curve = self.plot.plot()
        self.border = pyqtgraph.InfiniteLine(angle=0)
        self.plot.addItem(self.border)
        history.addWidget(label(tr("How the evidence grew"), "heading"))
        history.addWidget(Stretch(self.plot, LEAST_HEIGHT), 1)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(left, 2)
        row.addWidget(right, 3)
        return row

    def showEvent(self, event: object) -> None:
        self.fill_people()
        self._timer.wake()

    @property
    def home(self) -> QWidget:
        """Where the keyboard focus may rest."""
        return self.person

    def fill_people(self) -> None:
        """Read who is enrolled."""
        chosen = self.person.currentText()
        self.person.clear()
        try:
            self.person.addItems(self._studio.passphrase.store().names())
        except StoreError as problem:
            self._studio.noticed.emit(words_for(problem))
        self.person.setCurrentIndex(max(0, self.person.findText(chosen)))
        self._show()
        self._tick()

    def _start_or_stop(self) -> None:
        if self._studio.listening.state == IDLE:
            self._studio.challenging.forget()
            self._studio.listen(self.person.currentText())
        elif self._verifies():
            self._studio.stop()

    def _verifies(self) -> bool:
        """Whether what is heard now was begun to verify somebody."""
        listening = self._studio.listening
        return listening.state != IDLE and bool(listening.request.verify)

    def _show(self) -> None:
        verifies, challenged = self._verifies(), self._studio.challenging.state != IDLE
        idle = self._studio.listening.state == IDLE and not challenged
        self.start.setText(tr("Stop verifying") if verifies else tr("Verify"))
        self.start.setAccessibleName(self.start.text())
        self.start.setEnabled(verifies or (idle and self.person.count() > 0))
        self.challenge.person = self.person.currentText()
        self.challenge.refresh()
        self.what.setText(tr(NUMBER if self._studio.preferences.now.lab else LIKELY))
        self.person.setEnabled(idle)
        self.rate.setEnabled(idle)

    def _tick(self) -> None:
        """Draw the latest evidence."""
        if not self.isVisible():
            return
        if outcome := self._studio.challenging.outcome:
            self._show_outcome(outcome)
            return
        verdicts = self._studio.conversation.state.verdicts
        threshold = self._studio.listening.threshold if verdicts else None
        latest = verdicts[-1] if verdicts else None
        self.gauge.show_evidence(latest.llr if latest else None, threshold)
        theme = self._studio.theme
        if latest is None:
            self.verdict.setText("")
            busy = self._studio.listening.state != IDLE and not self._verifies()
            self.words.setText(tr(BUSY if busy else READY if self.person.count() else NOBODY))
        else:
            self.verdict.setText(tr("Accepted") if latest.accepted else tr("Rejected"))
            self.verdict.setStyleSheet(f"color: {theme.good if latest.accepted else theme.bad};")
            numbers = self._numbers(latest, threshold) if self._studio.preferences.now.lab else ""
            self.words.setText(tr("{s} s of speech", s=number(latest.heard_s)) + numbers)
        self._show_axes([v.heard_s for v in verdicts], [v.llr for v in verdicts])
        self.curve.setData(np.array([v.heard_s for v in verdicts]), np.array([v.llr for v in verdicts]))
        self.border.setVisible(threshold is not None)
        if threshold is not None:
            self.border.setValue(threshold)

    def _numbers(self, latest: Verification, threshold: float | None) -> str:
        """For engineers."""
        found = tr(", score {score}", score=number(latest.score, 2))
        if threshold is None:
            return found
        mark = number(threshold, 1, sign=True)
        return found + tr("; {name} is accepted from {threshold} on", name=latest.name, threshold=mark)

    def _show_outcome(self, found: Outcome) -> None:
        """What the answer to the digits is worth."""
        theme, threshold = self._studio.theme, self._studio.challenging.threshold
        self.gauge.show_evidence(found.voice.llr, threshold)
        self.verdict.setText(tr("Accepted") if found.accepted else tr("Rejected"))
        self.verdict.setStyleSheet(f"color: {theme.good if found.accepted else theme.bad};")
        voice = tr("the voice fits") if found.voice.accepted else tr("the voice does not fit")
        parts = [found.answer.sentence(), voice, *([tr(MADE)] if found.synthetic else [])]
        self.words.setText(f"{sentence('; '.join(parts))}.")

    def _show_axes(self, heard_s: Sequence[float], llr: Sequence[float]) -> None:
        """Wide enough for all of the curve, and never less than for an empty one."""
        self.plot.setXRange(0, max([LEAST_S, *heard_s]))
        self.plot.setYRange(min([-LEAST_LLR, *llr]), max([LEAST_LLR, *llr]))

    def _dress(self) -> None:
        theme = self._studio.theme
        self.curve.setPen(pyqtgraph.mkPen(QColor(theme.accent), width=2))
        self.curve.setSymbol("o")
        self.curve.setSymbolSize(6)
        self.curve.setSymbolBrush(QColor(theme.accent))
        self.curve.setSymbolPen(None)
        self.border.setPen(pyqtgraph.mkPen(QColor(theme.quiet), style=Qt.PenStyle.DashLine))
