"""Is it this person? Evidence as it grows."""

from __future__ import annotations

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from engine import StoreError
from gui.listening import IDLE
from gui.panels.gauge import Gauge
from gui.panels.plot import plot_widget
from gui.panels.widgets import button, card, label, page
from gui.studio import Studio
from gui.theme import GAP

REFRESH_MS = 60
RATES = {0.1: "1 in 1,000 strangers", 1.0: "1 in 100 strangers", 5.0: "5 in 100 strangers"}
NOBODY = "Nobody is enrolled yet; go to People first."
READY = "Let one person speak alone: everything that is heard counts as one voice."


class VerificationPage(QWidget):
    """Person and false-accept rate on top, gauge and history below."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        inner, layout = page(
            "Verify",
            "Compares the voice of the source chosen above with that of an enrolled person. "
            "It is no protection against recordings or synthetic voices.",
        )
        self.person, self.rate = QComboBox(), QComboBox()
        self.person.setAccessibleName("Enrolled person")
        self.rate.setAccessibleName("False accepts")
        self.person.setMinimumWidth(220)
        for percent, words in RATES.items():
            self.rate.addItem(f"accepts {words}", percent)
        self.rate.setCurrentIndex(self.rate.findData(studio.preferences.now.false_accepts))
        self.rate.activated.connect(lambda i: studio.preferences.change(false_accepts=self.rate.itemData(i)))
        self.start = button("Verify", self._start_or_stop, primary=True)
        row = QHBoxLayout()
        for widget in (label("Is it"), self.person, self.rate, self.start):
            row.addWidget(widget)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addLayout(self._evidence(), 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(inner)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(REFRESH_MS)
        studio.listening.changed.connect(self._show)
        studio.themed.connect(self._dress)
        self._dress()

    def _evidence(self) -> QHBoxLayout:
        left, dial = card("Evidence")
        self.gauge = Gauge(self._studio)
        self.verdict, self.words = label("", "big"), label("", "quiet", wrap=True)
        self.verdict.setAccessibleName("Verdict")
        for widget in (self.verdict, self.words):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
        dial.addWidget(label("Log-likelihood ratio", "heading"))
        dial.addWidget(self.gauge, 1)
        dial.addWidget(self.verdict)
        dial.addWidget(self.words)
        right, history = card("History")
        self.plot = plot_widget(self._studio, "Log-likelihood ratio over seconds of speech")
        self.plot.setLabel("bottom", "seconds of speech")
        self.plot.getPlotItem().layout.setContentsMargins(4, 10, 10, 4)
        self.curve = self.plot.plot()
        self.border = pyqtgraph.InfiniteLine(angle=0)
        self.plot.addItem(self.border)
        history.addWidget(label("How the evidence grew", "heading"))
        history.addWidget(self.plot, 1)
        row = QHBoxLayout()
        row.setSpacing(GAP)
        row.addWidget(left, 2)
        row.addWidget(right, 3)
        return row

    def showEvent(self, event: object) -> None:
        self.fill_people()

    def fill_people(self) -> None:
        """Read who is enrolled."""
        chosen = self.person.currentText()
        self.person.clear()
        try:
            self.person.addItems(self._studio.passphrase.store().names())
        except StoreError as problem:
            self._studio.noticed.emit(str(problem))
        self.person.setCurrentIndex(max(0, self.person.findText(chosen)))
        self._show()
        self._tick()

    def _start_or_stop(self) -> None:
        if self._studio.listening.state == IDLE:
            self._studio.listen(self.person.currentText())
        else:
            self._studio.listening.stop()

    def _show(self) -> None:
        idle = self._studio.listening.state == IDLE
        self.start.setText("Verify" if idle else "Stop")
        self.start.setEnabled(not idle or self.person.count() > 0)
        self.person.setEnabled(idle)
        self.rate.setEnabled(idle)

    def _tick(self) -> None:
        """Draw the latest evidence."""
        if not self.isVisible():
            return
        verdicts = self._studio.conversation.state.verdicts
        threshold = self._studio.listening.threshold if verdicts else None
        latest = verdicts[-1] if verdicts else None
        self.gauge.show_evidence(latest.llr if latest else None, threshold)
        theme = self._studio.theme
        if latest is None:
            self.verdict.setText("")
            self.words.setText(READY if self.person.count() else NOBODY)
        else:
            self.verdict.setText("Accepted" if latest.accepted else "Rejected")
            self.verdict.setStyleSheet(f"color: {theme.good if latest.accepted else theme.bad};")
            mark = f"; {latest.name} is accepted from {threshold:+.1f} on" if threshold is not None else ""
            self.words.setText(f"{latest.heard_s:.0f} s of speech, score {latest.score:.2f}{mark}")
        if not verdicts:
            self.plot.setXRange(0, 10)
            self.plot.setYRange(-6, 6)
        self.curve.setData(np.array([v.heard_s for v in verdicts]), np.array([v.llr for v in verdicts]))
        self.border.setVisible(threshold is not None)
        if threshold is not None:
            self.border.setValue(threshold)

    def _dress(self) -> None:
        theme = self._studio.theme
        self.curve.setPen(pyqtgraph.mkPen(QColor(theme.accent), width=2))
        self.curve.setSymbol("o")
        self.curve.setSymbolSize(6)
        self.curve.setSymbolBrush(QColor(theme.accent))
        self.curve.setSymbolPen(None)
        self.border.setPen(pyqtgraph.mkPen(QColor(theme.quiet), style=Qt.PenStyle.DashLine))
