"""Everything heard so far compared anew: which of the stream's turns belong together after all.

The live labels are decided within two seconds. Here all voices heard are clustered at once (average
linkage over cosines, voices of one window apart), clusters keep the names that they share most speech
with, and every turn whose name comes out different is revised.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform

from engine.config import ReclusteringConfig
from engine.events import SpeakerTurn, TurnRevised
from engine.stages.encoder import Embedding
from engine.stages.voices import unit
from engine.timebase import FRAME_SAMPLES, samples

APART = 2.0
"""Distance of voices that cannot be one: the largest a cosine distance can be."""


@dataclass(frozen=True, eq=False)
class Point:
    """A voice in a window, and whose it was taken for."""

    heard: Embedding
    n_frames: int
    """That it speaks alone."""
    window: int
    """End of the window: two voices of one window are two people."""
    name: str


def cluster(
    vectors: np.ndarray, weights: np.ndarray, windows: np.ndarray, config: ReclusteringConfig
) -> np.ndarray:
    """Cluster numbers (n,) from 0 of unit vectors (n, dim) with their frames of speech (n,).

    Clusters form among those of `sure_s` and more; one of less than `least_s` in all is none. What is left
    goes to the nearest cluster. At least one cluster is found.
    """
    firm = np.flatnonzero(weights * FRAME_SAMPLES >= samples(config.sure_s))
    if not len(firm):
        firm = np.array([int(np.argmax(weights))])
    found = np.ones(1, int)
    if len(firm) > 1:
        distance = 1.0 - vectors[firm] @ vectors[firm].T
        distance[(windows[firm, None] == windows[firm])] = APART
        np.fill_diagonal(distance, 0.0)
        tree = linkage(squareform(distance.clip(0.0), checks=False), "average")
        found = fcluster(tree, 1.0 - config.same, "distance")
    sizes = np.bincount(found, weights[firm])
    large = np.flatnonzero(sizes * FRAME_SAMPLES >= samples(config.least_s))
    if not len(large):
        large = np.array([int(np.argmax(sizes))])
    means = np.stack([unit((weights[firm, None] * vectors[firm])[found == k].sum(axis=0)) for k in large])
    for _ in range(config.rounds):
        owner = np.argmax(vectors @ means.T, axis=1)
        sums = [
            (weights[:, None] * vectors)[(owner == k) & (weights > 0)].sum(axis=0) for k in range(len(means))
        ]
        means = np.stack([unit(s) if s.any() else m for s, m in zip(sums, means, strict=True)])
    return np.argmax(vectors @ means.T, axis=1)


def match(shared: np.ndarray) -> dict[int, int]:
    """For each row of frames (n_clusters, n_names) that clusters and names share, the name it keeps."""
    rows, columns = linear_sum_assignment(shared, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if shared[r, c] > 0}


class Reclustering:
    """Points and final turns in; now and then clusters with names, and `TurnRevised`, out."""

    def __init__(self, config: ReclusteringConfig) -> None:
        self._config = config
        self._points: list[Point] = []
        self._turns: list[SpeakerTurn] = []
        self._gone: dict[str, str] = {}

    def hear(self, point: Point) -> None:
        """Keep a voice; of two of one name that share half their time, the longer one."""
        for k in range(len(self._points) - 1, -1, -1):
            other = self._points[k]
            if other.heard.end < point.heard.start:
                break
            shared = min(other.heard.end, point.heard.end) - max(other.heard.start, point.heard.start)
            if other.name == point.name and shared > (point.heard.end - point.heard.start) // 2:
                if point.n_frames <= other.n_frames:
                    return
                del self._points[k]
                break
        self._points.append(point)

    def take(self, turn: SpeakerTurn) -> None:
        """A final turn, which may be revised."""
        self._turns.append(turn)

    def revise(self, now: int, new_name: int) -> tuple[list[TurnRevised], dict[str, list[Point]]]:
        """What changes by all that is known at sample `now`, and the points of every speaker.

        `new_name` is the number that the next new speaker gets.
        """
        if not self._points:
            return [], {}
        points = self._points
        found = cluster(
            np.stack([p.heard.vector for p in points]),
            np.array([p.n_frames for p in points], float),
            np.array([p.window for p in points]),
            self._config,
        )
        names = self._name(found, new_name)
        renamed = [replace(p, name=names[int(k)]) for p, k in zip(points, found, strict=True)]
        heirs = self._heirs(renamed)
        changes = [c for turn in self._turns for c in self._changes(turn, renamed, heirs, now)]
        self._turns = [piece for turn in self._turns for piece in _apply(turn, changes)]
        self._points = renamed
        self._forget()
        speakers: dict[str, list[Point]] = {}
        for p in renamed:
            speakers.setdefault(p.name, []).append(p)
        return changes, speakers

    def _name(self, found: np.ndarray, new_name: int) -> dict[int, str]:
        """A name per cluster: the one it shares most speech with, or a new one."""
        known = sorted({p.name for p in self._points})
        shared = np.zeros((int(found.max()) + 1, len(known)))
        for p, k in zip(self._points, found, strict=True):
            shared[k, known.index(p.name)] += p.n_frames
        kept = match(shared)
        names = {}
        for k in np.unique(found).tolist():
            names[k] = known[kept[k]] if k in kept else f"S{new_name}"
            new_name += k not in kept
        return names

    def _heirs(self, renamed: Sequence[Point]) -> dict[str, str]:
        """Whom most of a speaker's voices went to, for the speakers that are no more."""
        left = {p.name for p in self._points} - {p.name for p in renamed}
        moved = {name: Counter[str]() for name in left}
        for old, new in zip(self._points, renamed, strict=True):
            if old.name in left:
                moved[old.name][new.name] += old.n_frames
        self._gone |= {name: shares.most_common(1)[0][0] for name, shares in moved.items()}
        for name in self._gone:
            while self._gone[name] in left:
                self._gone[name] = self._gone[self._gone[name]]
        return self._gone

    def _changes(
        self, turn: SpeakerTurn, renamed: Sequence[Point], heirs: dict[str, str], now: int
    ) -> Iterator[TurnRevised]:
        """The parts of a turn that get another name; one of which no voice was kept goes to the heir."""
        inside = [
            (old.heard, new.name)
            for old, new in zip(self._points, renamed, strict=True)
            if old.name == turn.speaker and old.heard.start < turn.end and old.heard.end > turn.start
        ]
        if not inside:
            if turn.speaker in heirs:
                yield TurnRevised(now, turn.speaker, heirs[turn.speaker], turn.start, turn.end)
            return
        inside.sort(key=lambda h: h[0].start + h[0].end)
        centres = [(h.start + h.end) // 2 for h, _ in inside]
        cuts = [turn.start, *((a + b) // 2 for a, b in pairwise(centres)), turn.end]
        cuts = [min(max(c, turn.start), turn.end) for c in cuts]
        for (_, name), (start, end) in zip(inside, pairwise(cuts), strict=True):
            if name != turn.speaker and end > start:
                yield TurnRevised(now, turn.speaker, name, start, end)

    def _forget(self) -> None:
        """Let the oldest points stand for their speakers in groups, once there are too many."""
        most = self._config.most
        if len(self._points) <= most:
            return
        old, self._points = self._points[: most // 2], self._points[most // 2 :]
        horizon = self._points[0].heard.start
        self._turns = [t for t in self._turns if t.end > horizon]
        anchors: list[Point] = []
        for name in sorted({p.name for p in old}):
            mine = [p for p in old if p.name == name]
            for k in range(0, len(mine), self._config.group):
                anchors.append(_anchor(mine[k : k + self._config.group]))
        self._points = anchors + self._points


def _anchor(points: Sequence[Point]) -> Point:
    """One point for several of a speaker."""
    mean = unit(np.sum([p.n_frames * p.heard.vector for p in points], axis=0))
    first, n_frames = points[0], sum(p.n_frames for p in points)
    return replace(first, heard=replace(first.heard, vector=mean), n_frames=n_frames, window=-first.window)


def _apply(turn: SpeakerTurn, changes: Sequence[TurnRevised]) -> Iterator[SpeakerTurn]:
    """A turn in pieces, each with its name after the changes."""
    mine = sorted(
        (c for c in changes if c.speaker == turn.speaker and turn.start <= c.start and c.end <= turn.end),
        key=lambda c: c.start,
    )
    at = turn.start
    for c in mine:
        if c.start > at:
            yield replace(turn, start=at, end=c.start)
        yield replace(turn, start=c.start, end=c.end, speaker=c.into)
        at = c.end
    if turn.end > at:
        yield replace(turn, start=at)
