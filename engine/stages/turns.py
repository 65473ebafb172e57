"""From how surely each speaker speaks, frame by frame, to turns as events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from voicelane.base.timebase import FRAME_SAMPLES, samples
from voicelane.config import DiariserConfig
from voicelane.events import SpeakerTurn

LEAST = 0.02
"""Nobody speaks who gets fewer votes."""


@dataclass
class _Open:
    """A speaker's running turn, in frames; all of it is final."""

    start: int
    end: int
    sure: float
    """Sum of the votes of its frames."""
    n_frames: int = 0
    clear: float = 0.0
    """Sum over `n_clear` of its frames of how cleanly it is heard."""
    n_clear: int = 0


def runs(on: np.ndarray) -> list[tuple[int, int]]:
    """First and one past the last index of each run of True in (n,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False]))))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


class Votes(NamedTuple):
    """What the windows say of some frames."""

    names: Sequence[str]
    """Of the speakers."""
    first: int
    """The first of the frames."""
    each: np.ndarray
    """How surely each of them speaks (n_frames, n_speakers)."""
    people: np.ndarray
    """How many people speak (n_frames,), whoever they are."""
    clear: np.ndarray
    """How cleanly each speaker is heard, by the enhancer (n_frames, n_speakers); NaN where unknown."""

    def speakers(self, speech: float, overlap: float, most: int = 2) -> np.ndarray:
        """Who speaks, bool (n_frames, n_speakers): as many as there are, the surest ones."""
        if not self.each.size:
            return np.zeros(self.each.shape, bool)
        n = (self.people > speech).astype(int) + (self.people > 1.0 + overlap)
        rank = np.argsort(np.argsort(-self.each, axis=1, kind="stable"), axis=1)
        return (rank < np.minimum(n, most)[:, None]) & (self.each > LEAST)


class Turns:
    """Votes in, provisional and final `SpeakerTurn` events out."""

    def __init__(self, config: DiariserConfig) -> None:
        self._speech, self._overlap = config.speech_people, config.overlap_people
        self._gap, self._least = (samples(s) // FRAME_SAMPLES for s in (config.gap_s, config.shortest_s))
        self._open: dict[str, _Open] = {}
        self._published: list[SpeakerTurn] = []

    def extend(self, votes: Votes, now: int) -> Iterator[SpeakerTurn]:
        """Take up final votes ; turns that nothing can join come out."""
        active, first = votes.speakers(self._speech, self._overlap), votes.first
        for k in np.flatnonzero(active.any(axis=0)).tolist():
            name, sure, clear = votes.names[k], votes.each[:, k], votes.clear[:, k]
            for a, b in runs(active[:, k]):
                yield from self._add(name, first + a, first + b, now)
                turn, known = self._open[name], clear[a:b][~np.isnan(clear[a:b])]
                turn.sure, turn.n_frames = turn.sure + float(sure[a:b].sum()), turn.n_frames + b - a
                turn.clear, turn.n_clear = turn.clear + float(known.sum()), turn.n_clear + len(known)
        limit = first + len(votes.people)
        for name in [n for n, turn in self._open.items() if limit - turn.end > self._gap]:
            yield from self._final(name, now)

    def open_from(self, now: int) -> int:
        """Sample from which turns are open, `now` where none is."""
        return min((turn.start * FRAME_SAMPLES for turn in self._open.values()), default=now)

    def close(self, now: int) -> Iterator[SpeakerTurn]:
        """End every turn."""
        for name in list(self._open):
            yield from self._final(name, now)
        yield from self._publish([], now)

    def likely(self, votes: Votes, now: int) -> Iterator[SpeakerTurn]:
        """The running turns with the likeliest speaker of each later frame, where that is news."""
        yield from self._publish(list(self._provisional(votes, now)), now)

    def _add(self, name: str, start: int, end: int, now: int) -> Iterator[SpeakerTurn]:
        turn = self._open.get(name)
        if turn and start - turn.end > self._gap:
            yield from self._final(name, now)
            turn = None
        turn = turn or _Open(start, end, 0.0)
        turn.end = end
        self._open[name] = turn

    def _final(self, name: str, now: int) -> Iterator[SpeakerTurn]:
        turn = self._open.pop(name)
        if turn.end - turn.start >= self._least:
            self._published = [
                p for p in self._published if (p.speaker, p.start) != (name, turn.start * FRAME_SAMPLES)
            ]
            yield replace(self._turn(name, turn, turn.end, now), final=True)

    def _turn(self, name: str, turn: _Open, end: int, now: int) -> SpeakerTurn:
        confirmed, sure = turn.end * FRAME_SAMPLES, min(1.0, turn.sure / max(1, turn.n_frames))
        start, clear = turn.start * FRAME_SAMPLES, turn.clear / turn.n_clear if turn.n_clear else None
        return SpeakerTurn(now, name, start, end * FRAME_SAMPLES, confirmed, sure, False, clear)

    def _provisional(self, votes: Votes, now: int) -> Iterator[SpeakerTurn]:
        """The running turns, and the likeliest speaker of each moment that is not final yet."""
        alone, first = votes.speakers(self._speech, self._overlap, most=1), votes.first
        tails = {
            votes.names[k]: [(first + a, first + b, float(votes.each[a:b, k].mean())) for a, b in runs(mine)]
            for k, mine in enumerate(alone.T)
            if mine.any()
        }
        for name in self._open.keys() - tails.keys():
            tails[name] = []
        for name, pieces in tails.items():
            turn = self._open.get(name)
            if turn and turn.end - turn.start >= self._least:
                end = turn.end
                while pieces and pieces[0][0] - end <= self._gap:
                    end = pieces.pop(0)[1]
                yield self._turn(name, turn, end, now)
            for a, b, how in pieces:
                start = a * FRAME_SAMPLES
                yield SpeakerTurn(now, name, start, b * FRAME_SAMPLES, start, min(1.0, how), False)

    def _publish(self, turns: list[SpeakerTurn], now: int) -> Iterator[SpeakerTurn]:
        """All provisional turns anew where one differs, or an empty one where there are none any more."""
        turns.sort(key=lambda t: (t.start, t.speaker))
        if [_said(t) for t in turns] == [_said(t) for t in self._published]:
            return
        gone = self._published
        self._published = turns
        yield from turns or [replace(t, sample=now, end=t.start, confirmed_end=t.start) for t in gone[:1]]


def _said(turn: SpeakerTurn) -> tuple[str, int, int, int]:
    return turn.speaker, turn.start, turn.end, turn.confirmed_end
