"""How the engine is doing: a line at the bottom, and a page with a histogram for each stage."""

from __future__ import annotations

import numpy as np
import pyqtgraph
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QSizePolicy, QStatusBar, QVBoxLayout, QWidget

from voicelane.base import seconds
from voicelane.gui.look.theme import SMALL
from voicelane.gui.look.widgets import button, card, label, page
from voicelane.gui.model.language import later, number, tr
from voicelane.gui.panels.plot import plot_widget
from voicelane.gui.work.studio import Studio

LINE_MS, PAGE_MS = 1_000, 700
N_BINS = 40
BEHIND_S = 2.0
"""Sound that waits so long is told."""
KINDS = later(
    {
        "tentative": "From a sound to its first label",
        "confirmed": "From a sound to its final label",
        "frame": "All stages, per 20 ms frame",
        "stft": "STFT, per frame",
        "features": "Features, per frame",
        "vad": "Voice activity, per frame",
        "encoder": "Encoder, each time it runs",
        "segmentation": "Segmentation, each time it runs",
        "enhancer": "Enhancer, each time it runs",
        "diariser": "Diariser, each time it runs",
    }
)
LOSING = later("{lost_s} s of sound were lost; close other programs, or choose a quicker preset")


def in_seconds(value_s: float) -> str:
    """A time as it stands in the table."""
    return tr("{s} s", s=number(value_s, 2))


def counts(studio: Studio) -> dict[str, str]:
    """What went wrong so far, in words."""
    state = studio.conversation.state
    return {
        tr("Sound lost"): in_seconds(seconds(state.lost_samples)),
        tr("Missing in the recording"): in_seconds(seconds(state.unrecorded_samples)),
        tr("Losses told by the device"): str(state.overflows),
        tr("Invalid samples"): str(state.invalid_samples),
        tr("Events missed"): str(state.dropped_events),
        tr("Enhancer"): state.fell_back or tr("as chosen"),
    }


def load(studio: Studio) -> dict[str, str]:
    """What it costs now."""
    session = studio.listening.session
    return {
        tr("Sound waiting"): in_seconds(session.waiting_s) if session else "–",
        tr("CPU"): tr("{percent} % of a core", percent=number(studio.health.cpu_percent)),
        tr("Memory"): tr("{mb} MB", mb=number(studio.health.memory_mb())),
    }


def everyday(studio: Studio) -> str:
    """How it goes, in one sentence."""
    session, lost_s = studio.listening.session, seconds(studio.conversation.state.lost_samples)
    if lost_s:
        return tr(LOSING, lost_s=number(lost_s, 1))
    if session is None:
        return tr("Ready")
    if session.waiting_s > BEHIND_S:
        return tr("{waiting_s} s behind; nothing is lost", waiting_s=number(session.waiting_s))
    return tr("Keeping up; nothing is lost")


class StatusLine(QStatusBar):
    """Latency, losses, queue, CPU and memory; a click opens the page."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.setSizeGripEnabled(False)
        self.line = button("", lambda: studio.page_wanted.emit("health"))
        self.line.setToolTip(tr("Show the times of every stage"))
        self.line.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.addWidget(self.line, 1)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(LINE_MS)
        self.refresh()

    def refresh(self) -> None:
        """Say it anew."""
        health, session = self._studio.health, self._studio.listening.session
        health.measure()
        if not self._studio.preferences.now.lab:
            self._say([everyday(self._studio)])
            return
        delay, frame = health.percentiles("tentative"), health.percentiles("frame")
        parts = []
        if delay:
            parts.append(tr("label after {ms} ms (p99 {p99})", ms=number(delay[0]), p99=number(delay[2])))
        if frame:
            parts.append(tr("frame {ms} ms (p99 {p99})", ms=number(frame[0], 2), p99=number(frame[2], 2)))
        lost_s = seconds(self._studio.conversation.state.lost_samples)
        parts.append(tr("lost {s} s", s=number(lost_s, 1)))
        parts.append(tr("waiting {s} s", s=number(session.waiting_s if session else 0, 1)))
        parts.append(tr("CPU {percent} %", percent=number(health.cpu_percent)))
        parts.append(tr("{mb} MB", mb=number(health.memory_mb())))
        self._say(parts)

    def _say(self, parts: list[str]) -> None:
        self.line.setText("   ·   ".join(parts))
        self.line.setAccessibleName(tr("Health: {parts}", parts=", ".join(parts)))


class HealthPage(QWidget):
    """Histograms of the latest three thousand measurements, and all counts."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        inner, layout = page(
            tr("Health"),
            tr(
                "Times of the latest minute or so. A frame has 20 ms; what takes longer for long loses sound."
            ),
        )
        grid = QGridLayout()
        grid.setSpacing(SMALL + 2)
        self.histograms = {kind: Histogram(studio, kind) for kind in KINDS}
        for place, histogram in enumerate(self.histograms.values()):
            grid.addWidget(histogram, place // 4, place % 4)
        layout.addLayout(grid, 1)
        frame, inside = card(tr("Counts"))
        grid.addWidget(frame, 2, 2, 1, 2)
        table = QGridLayout()
        table.setHorizontalSpacing(3 * SMALL)
        self.values: dict[str, QLabel] = {}
        for place, name in enumerate({**counts(studio), **load(studio)}):
            self.values[name] = label("", wrap=name == tr("Enhancer"))
            self.values[name].setAccessibleName(name)
            table.addWidget(label(name, "quiet"), place // 2, 2 * (place % 2))
            table.addWidget(self.values[name], place // 2, 2 * (place % 2) + 1)
        table.setColumnStretch(1, 1)
        table.setColumnStretch(3, 1)
        inside.addLayout(table)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(inner)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(PAGE_MS)

    def showEvent(self, event: object) -> None:
        self.refresh()

    @property
    def home(self) -> QWidget:
        """Where the keyboard focus may rest: there is nothing to press."""
        return self.histograms["tentative"].plot

    def refresh(self) -> None:
        """Draw it anew, if anybody looks."""
        if self.isVisible():
            for histogram in self.histograms.values():
                histogram.refresh()
            for name, text in {**counts(self._studio), **load(self._studio)}.items():
                self.values[name].setText(text)


class Histogram(QFrame):
    """How often a stage took how long."""

    def __init__(self, studio: Studio, kind: str) -> None:
        super().__init__()
        self._studio, self._kind = studio, kind
        self.setProperty("card", True)
        self.words = label("", "quiet")
        self.plot = plot_widget(studio, tr("Histogram: {kind}", kind=tr(KINDS[kind])))
        self.plot.hideAxis("left")
        self.plot.setMinimumHeight(60)
        self.bars = pyqtgraph.BarGraphItem(x=[], height=[], width=1)
        self.plot.addItem(self.bars)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SMALL + 4, SMALL, SMALL, 2)
        layout.setSpacing(0)
        layout.addWidget(label(tr(KINDS[kind]), "heading"))
        layout.addWidget(self.words)
        layout.addWidget(self.plot, 1)

    def refresh(self) -> None:
        """The latest measurements; the slowest hundredth stays out of the picture."""
        values, found = self._studio.health.values(self._kind), self._studio.health.percentiles(self._kind)
        if found is None:
            self.words.setText(tr("not measured yet"))
            self.bars.setOpts(x0=[0.0], height=[0.0], width=1.0, pen=None)
            return
        p50, p95, p99 = (number(ms, 2) for ms in found)
        self.words.setText(tr("p50 {p50} · p95 {p95} · p99 {p99} ms", p50=p50, p95=p95, p99=p99))
        low = float(values.min())
        heights, edges = np.histogram(values, N_BINS, (low, max(1.05 * found[2], low + 1e-3)))
        brush = QColor(self._studio.theme.accent)
        self.bars.setOpts(x0=edges[:-1], height=heights, width=edges[1] - edges[0], brush=brush, pen=None)
