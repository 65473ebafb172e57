"""How much the voice is like each speaker, over time, under the timeline and moving with it."""

from __future__ import annotations

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame

from voicelane import SAMPLE_RATE
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import label
from voicelane.gui.model.lanes import Lane
from voicelane.gui.model.language import later, number, tr
from voicelane.gui.panels.plot import framed, plot_widget
from voicelane.gui.panels.timeline.rows import HEADER
from voicelane.gui.work.studio import Studio

REFRESH_MS = 100
MOST_POINTS = 1_500
BREAK_S = 1.0
"""Silence after which a curve begins anew."""
EMPTY = later("The likeness of the voice to every speaker is drawn here while somebody speaks.")


class Curves(QFrame):
    """A curve of cosines for each speaker."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._conversation = studio, studio.conversation
        self.setProperty("card", True)
        self.plot = plot_widget(studio, tr("Similarity to each speaker over time"))
        self.plot.setYRange(-0.3, 1.1, padding=0)
        self.plot.getAxis("left").setWidth(HEADER - 1)
        self.plot.getAxis("left").setTicks([[(0.0, "0"), (0.5, number(0.5, 1)), (1.0, "1")]])
        self.plot.getAxis("bottom").setStyle(showValues=False)
        self.plot.getAxis("bottom").setHeight(6)
        self.plot.showGrid(y=True, alpha=0.15)
        self.plot.getPlotItem().getViewBox().setDefaultPadding(0)
        self._cursor = pyqtgraph.InfiniteLine(angle=90)
        self.plot.addItem(self._cursor)
        self._curves: dict[str, pyqtgraph.PlotDataItem] = {}
        self._drawn: tuple[object, ...] = ()
        words = label(tr("cosine of the voice to each speaker"), "quiet")
        self._stack = framed(self, [label(tr("Similarity"), "heading"), words], self.plot, tr(EMPTY))
        self._timer = Ticking(self, studio, REFRESH_MS, self.refresh)
        studio.themed.connect(self._forget)

    def _forget(self) -> None:
        self._drawn = ()

    def refresh(self) -> None:
        """Draw what is visible of the latest state."""
        conversation, view = self._conversation, self._conversation.view
        self._stack.setCurrentIndex(1 if len(conversation.voices) else 0)
        if not self.isVisible() or not len(conversation.voices):
            return
        player = self._studio.player
        cursor = player.place if player.playing else conversation.cursor
        drawn = (view, cursor, len(conversation.voices), conversation.state.labels, id(conversation.voices))
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.plot.setXRange(view.sample(0) / SAMPLE_RATE, view.sample(view.width) / SAMPLE_RATE, padding=0)
        theme = self._studio.theme
        self._cursor.setValue(cursor / SAMPLE_RATE)
        self._cursor.setPen(QColor(theme.bad if player.playing else theme.quiet))
        at = conversation.voices.samples
        first, behind = np.searchsorted(at, (view.start - SAMPLE_RATE, view.end + SAMPLE_RATE))
        for speaker in self._curves.keys() - {lane.speaker for lane in conversation.lanes.all}:
            self.plot.removeItem(self._curves.pop(speaker))
        for lane in conversation.lanes.all:
            self._draw(lane, at[first:behind], int(first))

    def _draw(self, lane: Lane, at: np.ndarray, first: int) -> None:
        """The visible part of a curve, no more than 1,500 points of it; of voices that are heard at once,
        the one that is most alike."""
        root = self._conversation.state.labels.now.root
        members = [s for s in self._conversation.state.speakers if root(s) == lane.speaker]
        cosines = self._conversation.voices.curve(members)[first : first + len(at)]
        at, places = np.unique(at, return_index=True)
        cosines = np.fmax.reduceat(cosines, places) if len(at) else cosines
        step = max(1, len(at) // MOST_POINTS)
        at_s, cosines = at[::step] / SAMPLE_RATE, cosines[::step]
        if lane.speaker not in self._curves:
            self._curves[lane.speaker] = self.plot.plot()
        pen = pyqtgraph.mkPen(self._studio.theme.speaker(lane.colour), width=2, style=Qt.PenStyle.SolidLine)
        joined = np.concatenate((np.diff(at_s) < BREAK_S * step, [False])) & np.isfinite(cosines)
        self._curves[lane.speaker].setData(at_s, np.nan_to_num(cosines), connect=joined, pen=pen)
