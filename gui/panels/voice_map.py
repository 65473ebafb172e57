"""Every stretch of speech as a point; voices that are alike lie close together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QCheckBox, QFrame

from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import label
from voicelane.gui.model.lanes import spoken_samples
from voicelane.gui.model.language import later, tr
from voicelane.gui.model.projection import StableMap
from voicelane.gui.panels.plot import framed, plot_widget
from voicelane.gui.panels.timeline.view import describe
from voicelane.gui.work.studio import Studio

REFRESH_MS = 400
MOST_POINTS = 1_500
EMPTY = later("Voices appear here as points after some seconds of speech.")


class VoiceMap(QFrame):
    """Principal components of the embeddings, coloured by speaker; a click plays the turn."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._conversation = studio, studio.conversation
        self.setProperty("card", True)
        self.plot = plot_widget(studio, tr("Map of the voices"))
        self.plot.setAspectLocked(True)
        self.plot.hideAxis("left")
        self.plot.hideAxis("bottom")
        self.points = pyqtgraph.ScatterPlotItem(size=8, hoverable=True, hoverSize=12, pxMode=True)
        self.points.sigClicked.connect(self._clicked)
        self.points.sigHovered.connect(self._hovered)
        self.plot.addItem(self.points)
        self.raw = QCheckBox(tr("before the enhancer"))
        self.raw.setAccessibleName(tr("Show voices before the enhancer"))
        self.raw.setToolTip(tr("There is nothing to compare unless an enhancer is chosen in the settings"))
        self.raw.toggled.connect(self._begin)
        self._stack = framed(self, [label(tr("Voices"), "heading"), self.raw], self.plot, tr(EMPTY))
        self._begin()
        self._timer = Ticking(self, studio, REFRESH_MS, self.refresh)
        self._conversation.replaced.connect(self._begin)
        studio.themed.connect(self._forget)

    def _begin(self) -> None:
        self._map = StableMap()
        self._forget()
        self.refresh()

    def _forget(self) -> None:
        self._drawn: tuple[object, ...] = ()

    def refresh(self) -> None:
        """Draw the latest points."""
        conversation = self._conversation
        voices = conversation.voices
        self.raw.setEnabled(voices.has_raw)
        drawn = (len(voices), conversation.state.labels, len(conversation.state.finals))
        if drawn == self._drawn:
            return
        self._drawn = drawn
        vectors = voices.vectors(self.raw.isChecked())
        self._map.learn(vectors)
        self._stack.setCurrentIndex(1 if self._map.ready else 0)
        if not self._map.ready:
            return
        kept = np.unique(np.linspace(0, len(vectors) - 1, MOST_POINTS).astype(int))
        places, owners = self._map.points(vectors[kept]), self._owners(kept)
        theme = self._studio.theme
        colours = {lane.colour: theme.speaker(lane.colour) for lane in conversation.lanes.all}
        for colour in colours.values():
            colour.setAlpha(190)
        brushes = {number: pyqtgraph.mkBrush(colour) for number, colour in colours.items()}
        brushes[-1] = pyqtgraph.mkBrush(QColor(theme.line))
        self.points.setData(
            x=places[:, 0],
            y=places[:, 1],
            brush=[brushes[number] for number in owners.tolist()],
            pen=None,
            data=kept,
            tip=self._words,
        )

    def _owners(self, kept: np.ndarray) -> np.ndarray:
        """Colour number of whoever some voices are most like, of those who speak there; −1 for nobody."""
        lanes, voices = self._conversation.lanes.all, self._conversation.voices
        if not lanes:
            return np.full(len(kept), -1)
        root, speakers = self._conversation.state.labels.now.root, self._conversation.state.speakers
        scores = []
        for lane in lanes:
            alike = voices.curve([s for s in speakers if root(s) == lane.speaker])[kept]
            spoken = spoken_samples(lane, voices.spans[kept]) > 0
            scores.append(np.where(spoken, np.nan_to_num(alike, nan=-1.0), -9.0))
        best = np.argmax(scores, axis=0)
        colours = np.array([lane.colour for lane in lanes])
        found: np.ndarray = np.where(np.max(scores, axis=0) > -9.0, colours[best], -1)
        return found

    def _turn(self, number: int) -> Any:
        """The turn behind a point."""
        start, end = self._conversation.voices.spans[number].tolist()
        colour = int(self._owners(np.array([number]))[0])
        lane = next((lane for lane in self._conversation.lanes.all if lane.colour == colour), None)
        turns = [t for t in (*lane.turns, *lane.tentative) if t.start < end and t.end > start] if lane else []
        return max(turns, key=lambda t: min(t.end, end) - max(t.start, start), default=None)

    def _words(self, x: float, y: float, data: int) -> str:
        turn = self._turn(int(data))
        return describe(self._conversation, turn) if turn else tr("no turn")

    def _clicked(self, _plot: object, points: list[Any], _event: object) -> None:
        turn = self._turn(int(points[0].data())) if len(points) else None
        if turn is not None:
            self._studio.play(turn)

    def _hovered(self, _plot: object, points: list[Any], _event: object) -> None:
        """Show the turn under the mouse in the timeline as well."""
        if len(points) and not self._studio.player.playing:
            turn = self._turn(int(points[0].data()))
            if turn is not None and turn != self._conversation.turn:
                self._conversation.select(turn)
