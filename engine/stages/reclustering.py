"""Everything heard so far compared anew: which of the stream's turns belong together after all.

The live labels are decided within two seconds. Here all stretches of speech heard are clustered at once,
clusters keep the names that they share most speech with, and every stretch whose name comes out different is
revised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform

from engine.config import ReclusteringConfig
from engine.events import TurnRevised
from engine.stages.plda import Plda, vbx
from engine.stages.segmenter import Piece
from engine.stages.voices import unit
from engine.timebase import FRAME_SAMPLES, samples

PAUSE = samples(2.0)
"""Longer pauses never lie within a turn."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """What one speaker said from sample `start` to `end`."""

    start: int
    end: int
    name: str
    total: np.ndarray | None
    """Sum of its embeddings (dim,), each times its samples; None where there is none."""
    weight: int
    """Samples behind that."""
    evidence: int
    """Most samples of speech behind one of its embeddings; none where somebody else speaks too."""


def cluster(
    vectors: np.ndarray,
    weights: np.ndarray,
    firm: np.ndarray,
    plda: Plda,
    config: ReclusteringConfig,
    most: int = 20,
) -> np.ndarray:
    """Cluster numbers (n,), `most` at most, of unit vectors (n, dim), in order of time, that stand for
    `weights` (n,) samples.

    Clusters form among the `firm` ones: average linkage over cosines gives more than there are, VBx leaves
    those that are needed. A cluster of less than `least_s` is none. What is left goes to the nearest cluster.
    """
    if not firm.any():
        firm = weights == weights.max()
    found = vbx(
        plda.project(vectors[firm]),
        plda.between,
        _linked(vectors[firm], config.start),
        config.loop,
        config.acoustic,
        config.speaker,
    ).argmax(axis=1)
    sizes = np.bincount(found, weights[firm])
    large = np.flatnonzero(sizes >= samples(config.least_s))
    most = min(most, max(1, len(large)))
    large = np.sort(np.argsort(-sizes, kind="stable")[:most])
    weighted = weights[:, None] * vectors
    means = np.stack([unit(weighted[firm][found == k].sum(axis=0)) for k in large])
    nearest = np.argmax(vectors @ means.T, axis=1)
    kept = np.isin(found, large)
    nearest[np.flatnonzero(firm)[kept]] = np.searchsorted(large, found[kept])
    return nearest


def _linked(vectors: np.ndarray, cosine: float) -> np.ndarray:
    """Cluster numbers (n,) from 0 by average linkage down to a mean cosine."""
    if len(vectors) == 1:
        return np.zeros(1, int)
    distance = 1.0 - vectors @ vectors.T
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform(distance.clip(0.0), checks=False), "average")
    return fcluster(tree, 1.0 - cosine, "distance") - 1


def match(shared: np.ndarray) -> dict[int, int]:
    """For each row of samples (n_clusters, n_names) that clusters and names share, the name it keeps."""
    rows, columns = linear_sum_assignment(shared, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if shared[r, c] > 0}


class Reclustering:
    """Labelled pieces in; now and then clusters with names, and `TurnRevised`, out."""

    def __init__(self, config: ReclusteringConfig, plda: Plda, max_speakers: int = 20) -> None:
        self._config, self._plda, self._max_speakers = config, plda, max_speakers
        self._longest = samples(config.stretch_s)
        self._old: list[Stretch] = []
        """Groups that stand for what is too long ago to be revised."""
        self._stretches: list[Stretch] = []

    def hear(self, piece: Piece, name: str) -> None:
        """Take a final piece; one that goes on with its speaker's last stretch becomes part of it."""
        n = piece.end - piece.start
        total = n * piece.heard.vector if piece.heard else None
        new = Stretch(
            piece.start,
            piece.end,
            name,
            total,
            n if piece.heard else 0,
            piece.n_frames * FRAME_SAMPLES * piece.first,
        )
        for k in range(len(self._stretches) - 1, max(-1, len(self._stretches) - 4), -1):
            last = self._stretches[k]
            if last.name == name and last.end == new.start and new.end - last.start <= self._longest:
                self._stretches[k] = _joined(last, new)
                return
        self._stretches.append(new)

    def revise(
        self, now: int, open_from: int, new_name: int
    ) -> tuple[list[TurnRevised], dict[str, list[tuple[np.ndarray, int]]]]:
        """What changes by all that is known at sample `now`, and the voices (unit vector, samples) of every
        speaker. Turns that run since sample `open_from` wait until they are final; `new_name` is the number
        that the next new speaker gets."""
        known = [s for s in self._old + self._stretches if s.total is not None]
        if not known:
            return [], {}
        vectors = np.stack([unit(s.total) for s in known if s.total is not None])
        weights = np.array([s.weight for s in known], float)
        sure = np.array([s.evidence >= samples(self._config.sure_s) for s in known])
        firm = thinned(sure, [s.name for s in known], self._config.each)
        found = cluster(vectors, weights, firm, self._plda, self._config, self._max_speakers)
        names = self._name(known, found, new_name)
        renamed = {id(s): names[int(k)] for s, k in zip(known, found, strict=True)}
        heirs = self._heirs(known, renamed)
        after = [
            s.name if s.end > open_from else renamed.get(id(s)) or heirs.get(s.name, s.name)
            for s in self._stretches
        ]
        changes = _changes(self._stretches, after, now)
        speakers: dict[str, list[tuple[np.ndarray, int]]] = {}
        for s, vector in zip(known, vectors, strict=True):
            speakers.setdefault(renamed[id(s)], []).append((vector, s.weight))
        self._old = [replace(s, name=renamed[id(s)]) for s in self._old]
        self._stretches = [replace(s, name=name) for s, name in zip(self._stretches, after, strict=True)]
        self._forget()
        return changes, speakers

    def _name(self, known: Sequence[Stretch], found: np.ndarray, new_name: int) -> dict[int, str]:
        """A name per cluster: the one it shares most speech with, or a new one."""
        labels = sorted({s.name for s in known})
        shared = np.zeros((int(found.max()) + 1, len(labels)))
        for s, k in zip(known, found, strict=True):
            shared[k, labels.index(s.name)] += s.weight
        kept, names = match(shared), {}
        for k in np.unique(found).tolist():
            names[k] = labels[kept[k]] if k in kept else f"S{new_name}"
            new_name += k not in kept
        return names

    def _heirs(self, known: Sequence[Stretch], renamed: dict[int, str]) -> dict[str, str]:
        """Whom most of what each speaker said went to."""
        moved: dict[str, dict[str, int]] = {}
        for s in known:
            share = moved.setdefault(s.name, {})
            share[renamed[id(s)]] = share.get(renamed[id(s)], 0) + s.weight
        return {name: max(share, key=lambda n: share[n]) for name, share in moved.items()}

    def _forget(self) -> None:
        """Let the oldest stretches stand for their speakers in groups, once there are too many."""
        most, size = self._config.most, self._config.group
        if len(self._stretches) <= most:
            return
        gone, self._stretches = self._stretches[: most // 2], self._stretches[most // 2 :]
        for name in sorted({s.name for s in gone}):
            mine = [s for s in gone if s.name == name and s.total is not None]
            self._old += [_grouped(mine[k : k + size]) for k in range(0, len(mine), size)]
        while len(self._old) > max(most // 4, len({s.name for s in self._old})):
            self._old = [_grouped(g) for g in _pairs(self._old)]


def thinned(firm: np.ndarray, names: Sequence[str], each: int) -> np.ndarray:
    """The mask (n,) with at most `each` of a name left, evenly spaced."""
    found = np.zeros_like(firm)
    for name in set(names):
        mine = np.flatnonzero(firm & (np.array(names) == name))
        found[mine[np.linspace(0, len(mine) - 1, min(each, len(mine))).round().astype(int)]] = True
    return found


def _joined(a: Stretch, b: Stretch) -> Stretch:
    total = b.total if a.total is None else a.total if b.total is None else a.total + b.total
    evidence = max(a.evidence, b.evidence)
    return replace(a, end=b.end, total=total, weight=a.weight + b.weight, evidence=evidence)


def _grouped(stretches: Sequence[Stretch]) -> Stretch:
    """One stretch for several of a speaker."""
    found = stretches[0]
    for s in stretches[1:]:
        found = _joined(found, s)
    return found


def _pairs(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    """Neighbours of one name two by two."""
    by_name: dict[str, list[Stretch]] = {}
    for s in stretches:
        by_name.setdefault(s.name, []).append(s)
    return [mine[k : k + 2] for mine in by_name.values() for k in range(0, len(mine), 2)]


def _changes(stretches: Sequence[Stretch], after: Sequence[str], now: int) -> list[TurnRevised]:
    """An event per run of stretches that go from one name to another, with the short pauses behind them."""
    found: list[TurnRevised] = []
    for (s, end), name in zip(_with_pauses(stretches), after, strict=True):
        if name == s.name:
            continue
        last = found[-1] if found else None
        if last and (last.speaker, last.into, last.end) == (s.name, name, s.start):
            found[-1] = replace(last, end=end)
        else:
            found.append(TurnRevised(now, s.name, name, s.start, end))
    return found


def _with_pauses(stretches: Sequence[Stretch]) -> list[tuple[Stretch, int]]:
    """Each stretch, and where it ends if the pause before its speaker goes on belongs to it."""
    following: dict[str, int] = {}
    found: list[tuple[Stretch, int]] = []
    for s in reversed(stretches):
        start = following.get(s.name, s.end)
        found.append((s, start if 0 < start - s.end <= PAUSE else s.end))
        following[s.name] = s.start
    return found[::-1]
