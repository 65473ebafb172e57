"""Online diarisation, first version: windows of one voice are gathered into speakers as they come.

Every window is compared with the speakers' centroids. A stretch of speech gets, piece by piece, the
speaker whose centroid is nearest to the windows over it; it is final once no later window reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from engine.config import DiariserConfig
from engine.events import Event, SpeakerTurn, SpeechEnded, SpeechStarted, VoiceMeasured
from engine.people import Person, Recogniser
from engine.stages.encoder import Embedding, Segmented, SegmentEnd, SegmentStart
from engine.timebase import samples

MAX_UNCLAIMED = 64
MAX_WEIGHT = 40.0
MARGIN = 0.1
CONFIDENCE_SLOPE = 8.0


def covered_samples(windows: Sequence[Embedding]) -> int:
    """Samples that lie in at least one window."""
    total, reached = 0, -1
    for window in sorted(windows, key=lambda w: w.start):
        total += max(0, window.end - max(window.start, reached))
        reached = max(reached, window.end)
    return total


def piece_scores(pieces: np.ndarray, windows: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    """Mean cosine (n_pieces, n_speakers) over the windows that reach into each piece.

    Pieces (n, 2) and windows (m, 2) are start and end samples, cosines (m, n_speakers). A window weighs
    more, the nearer its centre is to the piece's (triangular); a piece that no window reaches takes the
    latest one.
    """
    length = windows[:, 1] - windows[:, 0]
    away = np.abs(pieces.mean(axis=1)[:, None] - windows.mean(axis=1))
    reaches = (windows[:, 0] < pieces[:, 1:]) & (windows[:, 1] > pieces[:, :1])
    weight = np.where(reaches, np.maximum(1e-3, 1.0 - away / length), 0.0)
    weight[~reaches.any(axis=1), -1] = 1.0
    return weight @ cosines / weight.sum(axis=1, keepdims=True)


def confidence(scores: np.ndarray, chosen: int, floor: float) -> float:
    """Logistic function of the lead over the next best speaker, or over `floor` if that is higher."""
    rest = scores.copy()
    rest[chosen] = floor
    rival = max(floor, float(rest.max()))
    return float(1.0 / (1.0 + np.exp(-CONFIDENCE_SLOPE * (scores[chosen] - rival))))


class _Speaker:
    """One voice: the weighted mean of the windows that made it, older ones fading."""

    def __init__(self, name: str, windows: Sequence[Embedding]) -> None:
        self.name = name
        self.spoken_samples = covered_samples(windows)
        self._reached = max((w.end for w in windows), default=0)
        self._total = np.sum([w.vector for w in windows], axis=0)
        self._weight = float(len(windows))
        self.centroid = unit(self._total)

    def learn(self, window: Embedding) -> None:
        self.spoken_samples += window.end - max(window.start, self._reached)
        self._reached = window.end
        if self._weight >= MAX_WEIGHT:
            self._total = self._total * (1.0 - 1.0 / MAX_WEIGHT)
            self._weight *= 1.0 - 1.0 / MAX_WEIGHT
        self._total, self._weight = self._total + window.vector, self._weight + 1.0
        self.centroid = unit(self._total)


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector at length 1."""
    return vector / (np.linalg.norm(vector) + 1e-9)


@dataclass
class _Piece:
    """A stretch of speech that gets one label."""

    start: int
    end: int


class _Label(NamedTuple):
    """Who speaks in a piece, and how sure that is."""

    speaker: int
    confidence: float
    voice_confidence: float | None = None


@dataclass
class _Segment:
    """What is still open in the running stretch of speech."""

    start: int
    windows: list[Embedding] = field(default_factory=list)
    pieces: list[_Piece] = field(default_factory=list)
    turn: SpeakerTurn | None = None
    """The confirmed part of the running turn."""
    published: list[SpeakerTurn] = field(default_factory=list)

    @property
    def reached(self) -> int:
        return self.pieces[-1].end if self.pieces else self.turn.end if self.turn else self.start


class Diariser:
    """Segment starts, embeddings and segment ends in, events out."""

    latency_samples = 0

    def __init__(self, config: DiariserConfig, window_samples: int, people: Sequence[Person] = ()) -> None:
        self._config = config
        self.recogniser = Recogniser(people, config.known)
        self._confirm = samples(config.confirm_s)
        self._enough = samples(config.enough_s)
        self._learn_from = window_samples * 3 // 4
        self.reset()

    def reset(self) -> None:
        self.recogniser.reset()
        self._speakers: list[_Speaker] = []
        self._unclaimed: list[Embedding] = []
        self._segment = _Segment(0)
        self._last = 0  # the speaker of the latest final piece
        self._makeshift = False  # the only speaker is a sound too short to tell a voice by

    def process(self, items: list[Segmented]) -> list[Event]:
        return [event for item in items for event in self._take(item)]

    def measure(self, window: Embedding) -> VoiceMeasured:
        """How much a window's voice is like each speaker's."""
        alike = {s.name: float(window.vector @ s.centroid) for s in self._speakers}
        raw = None if window.raw is None else tuple(window.raw.tolist())
        return VoiceMeasured(window.end, window.start, window.end, alike, tuple(window.vector.tolist()), raw)

    def flush(self) -> list[Event]:
        """Nothing waits once the last segment has ended."""
        return []

    def _take(self, item: Segmented) -> Iterator[Event]:
        if isinstance(item, SegmentStart):
            self._segment = _Segment(item.start)
            yield SpeechStarted(item.start, item.start)
        elif isinstance(item, Embedding):
            segment = self._segment
            segment.pieces.append(_Piece(segment.reached, item.end))
            segment.windows.append(item)
            self._learn(item)
            if not self._makeshift:  # which may still vanish
                yield from self.recogniser.hear(item.end, self._speakers)
            yield from self._confirm_until(item.end - self._confirm, item.end)
            yield from self._provisional(item.end)
        else:
            yield from self._finish(item)

    # Who speaks?

    def _learn(self, window: Embedding) -> None:
        """Let a window move its speaker's centroid, or gather it towards a new speaker."""
        c = self._config
        if window.end - window.start < self._learn_from:
            return
        cosines = self._cosines([window])[0]
        second, best = np.sort(np.concatenate(([-1.0, -1.0], cosines)))[-2:]
        if best >= c.update and best - second >= MARGIN:
            self._speakers[int(np.argmax(cosines))].learn(window)
            self._makeshift = False
        elif best < c.new_speaker and len(self._speakers) < c.max_speakers:
            self._gather(window)

    def _gather(self, window: Embedding) -> None:
        """Found a speaker once enough unclaimed speech agrees with `window`."""
        alike = [w for w in self._unclaimed if w.vector @ window.vector >= self._config.agreement]
        if covered_samples([*alike, window]) >= self._enough:
            self._found([*alike, window])
            self._unclaimed = [w for w in self._unclaimed if not any(w is a for a in alike)]
        else:
            self._unclaimed = [*self._unclaimed, window][-MAX_UNCLAIMED:]

    def _found(self, windows: list[Embedding]) -> None:
        """Make a speaker of `windows`; one that was made of too little speech gives its name away."""
        if self._makeshift:
            self._speakers.pop()
        self._speakers.append(_Speaker(f"S{len(self._speakers) + 1}", windows))
        self._makeshift = covered_samples(windows) < self._enough

    def _cosines(self, windows: Sequence[Embedding]) -> np.ndarray:
        """(n_windows, n_speakers)."""
        if not self._speakers or not windows:
            return np.zeros((len(windows), len(self._speakers)))
        centroids = np.stack([s.centroid for s in self._speakers])
        return np.stack([w.vector for w in windows]) @ centroids.T

    def _labels(self, pieces: Sequence[_Piece]) -> list[_Label]:
        """A label per piece; the one before keeps the word unless clearly beaten."""
        windows, before = self._segment.windows, self._last if self._segment.turn else -1
        if not windows or not pieces:
            return [_Label(min(self._last, len(self._speakers) - 1), 0.0)] * len(pieces)
        bounds = np.array([(w.start, w.end) for w in windows])
        spans = np.array([(p.start, p.end) for p in pieces])
        clarity = np.array([[w.confidence] for w in windows], float)  # None becomes NaN
        found = piece_scores(spans, bounds, np.concatenate((self._cosines(windows), clarity), axis=1))
        labels = []
        for scores, clear in zip(found[:, :-1], found[:, -1], strict=True):
            biased = scores.copy()
            if before >= 0:
                biased[before] += self._config.continuity
            before = int(np.argmax(biased))
            sure = confidence(scores, before, self._config.new_speaker)
            labels.append(_Label(before, sure, None if np.isnan(clear) else float(clear)))
        return labels

    # What is said of it?

    def _confirm_until(self, limit: int, now: int) -> Iterator[Event]:
        """Make the pieces that end by `limit` final."""
        segment = self._segment
        ready = [p for p in segment.pieces if p.end <= limit]
        if not ready:
            return
        if not self._speakers:
            self._found(segment.windows or [])
        for piece, label in zip(ready, self._labels(ready), strict=True):
            yield from self._extend(piece, label, now)
        segment.pieces = segment.pieces[len(ready) :]
        segment.windows = [w for w in segment.windows if w.end > segment.reached - self._confirm]

    def _extend(self, piece: _Piece, label: _Label, now: int) -> Iterator[Event]:
        """Add a final piece to the running turn, or close that turn and open the next."""
        turn, name = self._segment.turn, self._speakers[label.speaker].name
        self._last = label.speaker
        if turn is not None and turn.speaker == name:
            share = (piece.end - piece.start) / (piece.end - turn.start)
            self._segment.turn = replace(
                turn,
                sample=now,
                end=piece.end,
                confirmed_end=piece.end,
                confidence=(1 - share) * turn.confidence + share * label.confidence,
                voice_confidence=_blend(turn.voice_confidence, label.voice_confidence, share),
            )
            return
        if turn is not None:
            yield replace(turn, sample=now, final=True)
        self._segment.turn = _turn(now, name, piece, label, piece.end)

    def _provisional(self, now: int) -> Iterator[Event]:
        """The running turn and those that may follow it, from the first that differs from the last word."""
        segment = self._segment
        turns = [segment.turn] if segment.turn else []
        labels = self._labels(segment.pieces) if self._speakers else [_Label(0, 0.0)] * len(segment.pieces)
        for piece, label in zip(segment.pieces, labels, strict=True):
            name = self._speakers[label.speaker].name if self._speakers else "S1"
            if turns and turns[-1].speaker == name:
                turns[-1] = replace(turns[-1], end=piece.end)
            else:
                turns.append(_turn(now, name, piece, label, piece.start))
        same = [_same(a, b) for a, b in zip(turns, segment.published, strict=False)]
        first_changed = same.index(False) if False in same else len(same)
        segment.published = turns
        yield from (replace(t, sample=now) for t in turns[first_changed:])

    def _finish(self, item: SegmentEnd) -> Iterator[Event]:
        segment = self._segment
        if item.end > segment.reached:
            if segment.pieces:
                segment.pieces[-1].end = item.end
            else:
                segment.pieces.append(_Piece(segment.reached, item.end))
        if segment.windows or self._speakers:
            yield from self._confirm_until(item.end, item.end)
        if segment.turn is not None:
            yield replace(segment.turn, sample=item.end, final=True)
        yield SpeechEnded(item.end, segment.start, item.end)
        self._segment = _Segment(item.end)


def _turn(now: int, name: str, piece: _Piece, label: _Label, confirmed_end: int) -> SpeakerTurn:
    """A turn that begins with `piece`."""
    sure, clear = label.confidence, label.voice_confidence
    return SpeakerTurn(now, name, piece.start, piece.end, confirmed_end, sure, False, clear)


def _blend(a: float | None, b: float | None, share: float) -> float | None:
    """(1 − share) · a + share · b, of what is known."""
    if a is None or b is None:
        return b if a is None else a
    return (1 - share) * a + share * b


def _same(a: SpeakerTurn, b: SpeakerTurn) -> bool:
    return (a.speaker, a.start, a.end, a.confirmed_end) == (b.speaker, b.start, b.end, b.confirmed_end)
