"""Turns as they are drawn: one lane for each speaker, after all corrections, ready to be searched."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from voicelane import SpeakerTurn
from voicelane.base import seconds
from voicelane.gui.model.state import State
from voicelane.labels import Relabelling
from voicelane.sessions import colour_numbers

SURE = 0.6
"""Confidence of a turn that nobody needs to look at again."""


@dataclass(eq=False)
class Lane:
    """One speaker: confirmed turns in order of time, and tentative ones."""

    speaker: str
    colour: int
    """Number of its colour, which no other lane has; behind the last the colours come again."""
    turns: list[SpeakerTurn] = field(default_factory=list)
    tentative: list[SpeakerTurn] = field(default_factory=list)
    talk_samples: int = 0
    longest: int = 0
    unsure: list[SpeakerTurn] = field(default_factory=list)
    """Those of the confirmed ones that are less than `SURE`."""
    _spans: np.ndarray | None = None

    def add(self, turn: SpeakerTurn) -> None:
        """One more confirmed turn."""
        insort(self.turns, turn, key=lambda t: t.start)
        self.talk_samples += turn.end - turn.start
        self.longest = max(self.longest, turn.end - turn.start)
        if turn.confidence < SURE:
            insort(self.unsure, turn, key=lambda t: t.start)
        self._spans = None

    def spans(self) -> np.ndarray:
        """Starts and ends of the confirmed turns, int64 (2, n)."""
        if self._spans is None:
            self._spans = np.array([(t.start, t.end) for t in self.turns], np.int64).reshape(-1, 2).T
        return self._spans

    def between(self, start: int, end: int) -> np.ndarray:
        """Starts and ends (2, n) of the confirmed turns that touch samples `start` … `end`."""
        spans = self.spans()
        first = int(np.searchsorted(spans[0], start - self.longest))
        behind = int(np.searchsorted(spans[0], end))
        near = spans[:, first:behind]
        return near[:, near[1] > start]

    def unsure_between(self, start: int, end: int) -> list[SpeakerTurn]:
        """Uncertain turns that touch samples `start` … `end`."""
        first = bisect_left(self.unsure, start - self.longest, key=lambda t: t.start)
        behind = bisect_left(self.unsure, end, key=lambda t: t.start)
        return [turn for turn in self.unsure[first:behind] if turn.end > start]

    def at(self, sample: int) -> SpeakerTurn | None:
        """The turn that holds a sample, confirmed or not."""
        first = bisect_left(self.turns, sample - self.longest, key=lambda t: t.start)
        behind = bisect_left(self.turns, sample + 1, key=lambda t: t.start)
        for turn in (*self.tentative, *reversed(self.turns[first:behind])):
            if turn.start <= sample < turn.end:
                return turn
        return None


class Lanes:
    """The lanes of the latest state; only what is new is worked on."""

    def __init__(self) -> None:
        self.all: list[Lane] = []
        """In order of first appearance."""
        self._by_root: dict[str, Lane] = {}
        self._labels: Relabelling | None = None
        self._speakers: tuple[str, ...] = ()
        self._colours: dict[str, int] = {}
        """Of each speaker, in order of first appearance."""
        self._last: SpeakerTurn | None = None
        self._n_finals = 0
        self._speech = np.zeros((2, 0), np.int64)

    def update(self, state: State) -> None:
        """Follow the state."""
        anew = not self._follows(state)
        if anew:
            self._by_root, self._n_finals = {}, 0
        fresh = state.finals[self._n_finals :]
        moved = anew or state.speakers != self._speakers
        self._labels, self._speakers = state.labels, state.speakers
        if moved:
            self._colour()
        self._n_finals, self._last = len(state.finals), state.finals[-1] if state.finals else None
        for turn in state.labels.whole(fresh) if anew else state.labels.turns(fresh):
            self._lane(turn.speaker).add(turn)
        for lane in self._by_root.values():
            lane.tentative = []
        for turn in state.labels.turns(state.tentative):
            self._lane(turn.speaker).tentative.append(turn)
        if len(state.speech) != self._speech.shape[1]:
            self._speech = np.array(state.speech, np.int64).reshape(-1, 2).T
        shown = (lane for lane in self._by_root.values() if lane.turns or lane.tentative)
        places = {speaker: place for place, speaker in enumerate(self._colours)}
        self.all = sorted(shown, key=lambda lane: places.get(lane.speaker, len(places)))

    def of(self, speaker: str) -> Lane | None:
        """The lane that a label is shown in."""
        root = self._labels.now.root(speaker) if self._labels else speaker
        return next((lane for lane in self.all if lane.speaker == root), None)

    def speech_between(self, start: int, end: int) -> np.ndarray:
        """Starts and ends (2, n) of the stretches of speech that touch samples `start` … `end`."""
        first = int(np.searchsorted(self._speech[1], start))
        return self._speech[:, first : int(np.searchsorted(self._speech[0], end))]

    def _follows(self, state: State) -> bool:
        """Whether the state only has more turns than the one before."""
        n = self._n_finals
        same = state.labels is self._labels and len(state.finals) >= n
        return same and (n == 0 or state.finals[n - 1] is self._last)

    def _lane(self, speaker: str) -> Lane:
        assert self._labels is not None
        root = self._labels.now.root(speaker)
        if root not in self._by_root:
            self._by_root[root] = Lane(root, self._colours.get(root, len(self._colours)))
        return self._by_root[root]

    def _colour(self) -> None:
        """Everybody's colour, by the names that are shown now; who was merged into another has none."""
        assert self._labels is not None
        root, shown = self._labels.now.root, self._labels.shown
        names = [shown(s) if root(s) == s else "" for s in self._speakers]
        self._colours = dict(zip(self._speakers, colour_numbers(names), strict=True))
        for speaker, lane in self._by_root.items():
            lane.colour = self._colours.get(speaker, len(self._colours))


def talk_seconds(lane: Lane) -> float:
    """Seconds of speech, tentative speech included."""
    return seconds(lane.talk_samples + sum(t.end - t.start for t in lane.tentative))


def spoken_samples(lane: Lane, spans: np.ndarray) -> np.ndarray:
    """How much of each of some spans (n, 2) the lane's speaker speaks, int64 (n,)."""
    turns = np.array([(t.start, t.end) for t in (*lane.turns, *lane.tentative)], np.int64).reshape(-1, 2)
    if lane.tentative:
        turns = turns[np.argsort(turns[:, 0])]
    before = np.concatenate(([0], np.cumsum(turns[:, 1] - turns[:, 0])))

    def until(samples: np.ndarray) -> np.ndarray:
        started = np.searchsorted(turns[:, 0], samples, side="right")
        last = np.maximum(started - 1, 0)
        unspoken = np.where(started > 0, np.maximum(0, turns[last, 1] - samples), 0) if len(turns) else 0
        return before[started] - unspoken

    found: np.ndarray = until(spans[:, 1]) - until(spans[:, 0])
    return found


def neighbour(lanes: Iterable[Lane], sample: int, step: int) -> SpeakerTurn | None:
    """The next turn that starts behind `sample` (`step` 1), or the last that starts before it (−1)."""
    turns = [t for lane in lanes for t in (*lane.turns, *lane.tentative)]
    if step > 0:
        return min((t for t in turns if t.start > sample), key=lambda t: t.start, default=None)
    return max((t for t in turns if t.start < sample), key=lambda t: t.start, default=None)
