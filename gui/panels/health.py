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
from voicelane.gui.panels.plot import plot_widget
from voicelane.gui.work.studio import Studio

LINE_MS, PAGE_MS = 1_000, 700
N_BINS = 40
BEHIND_S = 2.0
"""Sound that waits so long is told."""
KINDS = {
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


def counts(studio: Studio) -> dict[str, str]:
    """What went wrong so far, in words."""
    state = studio.conversation.state
    return {
        "Sound lost": f"{seconds(state.lost_samples):.2f} s",
        "Missing in the recording": f"{seconds(state.unrecorded_samples):.2f} s",
        "Losses told by the device": str(state.overflows),
        "Invalid samples": str(state.invalid_samples),
        "Events missed": str(state.dropped_events),
        "Enhancer": state.fell_back or "as chosen",
    }


def load(studio: Studio) -> dict[str, str]:
    """What it costs now."""
    session = studio.listening.session
    return {
        "Sound waiting": f"{session.waiting_s:.2f} s" if session else "–",
        "CPU": f"{studio.health.cpu_percent:.0f} % of a core",
        "Memory": f"{studio.health.memory_mb():.0f} MB",
    }


def everyday(studio: Studio) -> str:
    """How it goes, in one sentence."""
    session, lost_s = studio.listening.session, seconds(studio.conversation.state.lost_samples)
    if lost_s:
        return f"{lost_s:.1f} s of sound were lost; close other programs, or choose a quicker preset"
    if session is None:
        return "Ready"
    if session.waiting_s > BEHIND_S:
        return f"{session.waiting_s:.0f} s behind; nothing is lost"
    return "Keeping up; nothing is lost"


class StatusLine(QStatusBar):
    """Latency, losses, queue, CPU and memory; a click opens the page."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.setSizeGripEnabled(False)
        self.line = button("", lambda: studio.page_wanted.emit("health"))
        self.line.setToolTip("Show the times of every stage")
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
            parts.append(f"label after {delay[0]:.0f} ms (p99 {delay[2]:.0f})")
        if frame:
            parts.append(f"frame {frame[0]:.2f} ms (p99 {frame[2]:.2f})")
        parts.append(f"lost {seconds(self._studio.conversation.state.lost_samples):.1f} s")
        parts.append(f"waiting {session.waiting_s if session else 0:.1f} s")
        parts.append(f"CPU {health.cpu_percent:.0f} %")
        parts.append(f"{health.memory_mb():.0f} MB")
        self._say(parts)

    def _say(self, parts: list[str]) -> None:
        self.line.setText("   ·   ".join(parts))
        self.line.setAccessibleName(f"Health: {', '.join(parts)}")


class HealthPage(QWidget):
    """Histograms of the latest three thousand measurements, and all counts."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        inner, layout = page(
            "Health",
            "Times of the latest minute or so. A frame has 20 ms; what takes longer for long loses sound.",
        )
        grid = QGridLayout()
        grid.setSpacing(SMALL + 2)
        self.histograms = {kind: Histogram(studio, kind) for kind in KINDS}
        for number, histogram in enumerate(self.histograms.values()):
            grid.addWidget(histogram, number // 4, number % 4)
        layout.addLayout(grid, 1)
        frame, inside = card("Counts")
        grid.addWidget(frame, 2, 2, 1, 2)
        table = QGridLayout()
        table.setHorizontalSpacing(3 * SMALL)
        self.values: dict[str, QLabel] = {}
        for number, name in enumerate({**counts(studio), **load(studio)}):
            self.values[name] = label("", wrap=name == "Enhancer")
            self.values[name].setAccessibleName(name)
            table.addWidget(label(name, "quiet"), number // 2, 2 * (number % 2))
            table.addWidget(self.values[name], number // 2, 2 * (number % 2) + 1)
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
        self.plot = plot_widget(studio, f"Histogram: {KINDS[kind]}")
        self.plot.hideAxis("left")
        self.plot.setMinimumHeight(60)
        self.bars = pyqtgraph.BarGraphItem(x=[], height=[], width=1)
        self.plot.addItem(self.bars)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SMALL + 4, SMALL, SMALL, 2)
        layout.setSpacing(0)
        layout.addWidget(label(KINDS[kind], "heading"))
        layout.addWidget(self.words)
        layout.addWidget(self.plot, 1)

    def refresh(self) -> None:
        """The latest measurements; the slowest hundredth stays out of the picture."""
        values, found = self._studio.health.values(self._kind), self._studio.health.percentiles(self._kind)
        if found is None:
            self.words.setText("not measured yet")
            self.bars.setOpts(x0=[0.0], height=[0.0], width=1.0, pen=None)
            return
        self.words.setText("p50 {:.2f} · p95 {:.2f} · p99 {:.2f} ms".format(*found))
        low = float(values.min())
        heights, edges = np.histogram(values, N_BINS, (low, max(1.05 * found[2], low + 1e-3)))
        brush = QColor(self._studio.theme.accent)
        self.bars.setOpts(x0=edges[:-1], height=heights, width=edges[1] - edges[0], brush=brush, pen=None)
