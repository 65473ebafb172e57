"""Where each voice lies among those that could be drawn: nobody's and people's in one picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QFrame

from voicelane.gui.look.widgets import label
from voicelane.gui.model.gallery import PERSON, Entry
from voicelane.gui.model.language import later, tr
from voicelane.gui.model.projection import StableMap
from voicelane.gui.panels.plot import framed, plot_widget
from voicelane.gui.work.studio import Studio

EMPTY = later("Voices appear here as points once there are some.")
LEGEND = later("● nobody's   ◆ people   · could be drawn")
SIZE, CHOSEN = 12, 18
"""Pixels of a point."""


class VoicePicture(QFrame):
    """Principal components of all embeddings, real and drawn, together; a click selects a voice."""

    clicked = Signal(str, str)
    """Kind and name of a voice."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._voicing = studio, studio.voicing
        self.setProperty("card", True)
        self.plot = plot_widget(studio, tr("Map of the voices that can speak"))
        self.plot.setAspectLocked(True)
        for side in ("left", "bottom"):
            self.plot.hideAxis(side)
        self.backdrop = pyqtgraph.ScatterPlotItem(size=4, pen=None)
        self.points = pyqtgraph.ScatterPlotItem(hoverable=True, tip=lambda x, y, data: data[1])
        self.points.sigClicked.connect(self._clicked)
        for item in (self.backdrop, self.points):
            self.plot.addItem(item)
        self._names = list[pyqtgraph.TextItem]()
        self._chosen, self._map = ("", ""), StableMap()
        legend = label(tr(LEGEND), "quiet")
        self._stack = framed(self, [label(tr("Map"), "heading"), legend], self.plot, tr(EMPTY))
        self._voicing.listed.connect(self.refresh)
        studio.themed.connect(self.refresh)
        self.refresh()

    def choose(self, kind: str, name: str) -> None:
        """Draw a voice larger than the others."""
        self._chosen = (kind, name)
        self.refresh()

    def refresh(self) -> None:
        """Draw all voices of the models that are chosen."""
        gallery = self._voicing.gallery
        shown = [e for e in gallery.entries if e.vector is not None]
        vectors = [e.vector for e in shown if e.vector is not None]
        every = np.stack([*gallery.backdrop, *vectors]) if len(gallery.backdrop) + len(vectors) else None
        if every is not None:
            self._learn(every)
        self._stack.setCurrentIndex(1 if every is not None and self._map.ready else 0)
        if every is None or not self._map.ready:
            return
        places = self._map.points(every)
        n = len(gallery.backdrop)
        self.backdrop.setData(x=places[:n, 0], y=places[:n, 1], brush=QColor(self._studio.theme.gap))
        self._draw(shown, places[n:])

    def _learn(self, vectors: np.ndarray) -> None:
        """The map of those models; another one where others are chosen."""
        if self._map.ready and self._map.dim != vectors.shape[1]:
            self._map = StableMap()
        self._map.learn(vectors)

    def _draw(self, shown: list[Entry], places: np.ndarray) -> None:
        theme = self._studio.theme
        colours = [theme.good if e.kind == PERSON else theme.accent for e in shown]
        chosen = [(e.kind, e.name) == self._chosen for e in shown]
        outline = pyqtgraph.mkPen(theme.text, width=2)
        self.points.setData(
            x=places[:, 0],
            y=places[:, 1],
            symbol=["d" if e.kind == PERSON else "o" for e in shown],
            size=[CHOSEN if is_chosen else SIZE for is_chosen in chosen],
            brush=[pyqtgraph.mkBrush(colour) for colour in colours],
            pen=[outline if is_chosen else pyqtgraph.mkPen(theme.panel) for is_chosen in chosen],
            data=[(e.kind, e.name) for e in shown],
        )
        self._write(shown, places)

    def _write(self, shown: list[Entry], places: np.ndarray) -> None:
        """Names of people, and of the selected voice, beside their points."""
        for old in self._names:
            self.plot.removeItem(old)
        self._names = []
        for entry, (x, y) in zip(shown, places.tolist(), strict=True):
            if entry.kind == PERSON or (entry.kind, entry.name) == self._chosen:
                self._names.append(pyqtgraph.TextItem(entry.name, self._studio.theme.text, anchor=(0.5, 1.3)))
                self._names[-1].setPos(x, y)
                self.plot.addItem(self._names[-1])

    def _clicked(self, _plot: object, points: list[Any], _event: object) -> None:
        if len(points):
            self.clicked.emit(*points[0].data())
