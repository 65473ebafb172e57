"""Everything heard so far compared anew: which of the stream's turns belong together after all.

The live labels are decided within two seconds. Here all stretches of speech heard are clustered at once,
clusters keep the names that they share most speech with, and every stretch whose name comes out different is
revised.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from voicelane.base.timebase import FRAME_SAMPLES, samples
from voicelane.config import ReclusteringConfig
from voicelane.events import TurnRevised
from voicelane.stages.clustering import Clustering, Past, Voiced
from voicelane.stages.scale import Scale
from voicelane.stages.segmenter import Piece
from voicelane.stages.voices import unit

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


def match(shared: np.ndarray) -> dict[int, int]:
    """For each row of samples (n_clusters, n_names) that clusters and names share, the name it keeps."""
    rows, columns = linear_sum_assignment(shared, maximize=True)
    return {int(r): int(c) for r, c in zip(rows, columns, strict=True) if shared[r, c] > 0}


Mint = Callable[[Container[str]], str]
"""A name for a new speaker, other than those that are taken."""


class Revision(NamedTuple):
    """What comes out when all is compared."""

    changes: list[TurnRevised]
    voices: dict[str, list[tuple[np.ndarray, int]]]
    """What is known (unit vector, samples) of every speaker of the latest minutes."""
    past: tuple[str, ...]
    """Who was heard before; nobody ever leaves."""
    minted: frozenset[str]
    """Names that were given to new speakers."""


class Reclustering:
    """Labelled pieces in; now and then clusters with names, and `TurnRevised`, out."""

    def __init__(self, config: ReclusteringConfig, scale: Scale, max_speakers: int) -> None:
        self._config, self._scale, self._max_speakers = config, scale, max_speakers
        self._longest = samples(config.stretch_s)
        self._stretches: list[Stretch] = []
        """The latest ones, which may still be revised."""
        self._past = Past(scale.dim, config.max_stretches_per_speaker)

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

    def revise(self, now: int, open_from: int, mint: Mint) -> Revision:
        """What changes by all that is known at sample `now`. Turns that run since sample `open_from` wait
        until they are final; `mint` names new speakers."""
        known = [s for s in self._stretches if s.total is not None]
        if not known:
            return Revision([], {}, self._past.names, frozenset())
        heard, firm = self._heard(known)
        clusters = Clustering(self._past, self._scale, self._config, self._max_speakers)(heard, firm)
        names, minted = self._name(known, clusters, mint)
        renamed = {id(s): names[int(k)] for s, k in zip(known, clusters, strict=True)}
        heirs = self._heirs(known, renamed)
        after = [
            s.name if s.end > open_from else renamed.get(id(s)) or heirs.get(s.name, s.name)
            for s in self._stretches
        ]
        changes = _changes(self._stretches, after, now)
        voices: dict[str, list[tuple[np.ndarray, int]]] = {}
        for s, vector in zip(known, heard.vectors, strict=True):
            voices.setdefault(renamed[id(s)], []).append((vector, s.weight))
        self._stretches = [replace(s, name=name) for s, name in zip(self._stretches, after, strict=True)]
        self._forget()
        return Revision(changes, voices, self._past.names, minted)

    def _heard(self, known: Sequence[Stretch]) -> tuple[Voiced, np.ndarray]:
        """What the stretches say, and which of them are to form clusters."""
        place = {name: k for k, name in enumerate(self._past.names)}
        heard = Voiced(
            np.stack([unit(s.total) for s in known if s.total is not None]),
            np.array([s.weight for s in known], float),
            np.array([place.get(s.name, -1) for s in known]),
        )
        sure = np.array([self._sure(s) for s in known])
        return heard, thinned(sure, [s.name for s in known], self._config.max_stretches_per_speaker)

    def _sure(self, stretch: Stretch) -> bool:
        return stretch.evidence >= samples(self._config.sure_s)

    def _name(
        self, known: Sequence[Stretch], clusters: np.ndarray, mint: Mint
    ) -> tuple[dict[int, str], frozenset[str]]:
        """A name per cluster: its own of the past, the one it shares most speech with, or a new one; and the
        new ones."""
        names = dict(enumerate(self._past.names))
        new = [k for k in np.unique(clusters).tolist() if k not in names]
        labels = sorted({s.name for s in known} - set(self._past.names))
        shared = np.zeros((len(new), len(labels)))
        for s, k in zip(known, clusters, strict=True):
            if k in new and s.name in labels:
                shared[new.index(k), labels.index(s.name)] += s.weight
        names |= {new[row]: labels[column] for row, column in match(shared).items()}
        unnamed = [k for k in new if k not in names]
        for k in unnamed:
            names[k] = mint(names.values())
        return names, frozenset(names[k] for k in unnamed)

    def _heirs(self, known: Sequence[Stretch], renamed: dict[int, str]) -> dict[str, str]:
        """Whom most of what each speaker said went to."""
        moved: dict[str, dict[str, int]] = {}
        for s in known:
            share = moved.setdefault(s.name, {})
            share[renamed[id(s)]] = share.get(renamed[id(s)], 0) + s.weight
        return {name: max(share, key=lambda n: share[n]) for name, share in moved.items()}

    def _forget(self) -> None:
        """Once there are too many, the older half of the stretches becomes part of the past."""
        most = self._config.max_stretches
        if len(self._stretches) <= most:
            return
        gone, self._stretches = self._stretches[: most // 2], self._stretches[most // 2 :]
        for name in dict.fromkeys(s.name for s in gone):
            mine = [s for s in gone if s.name == name and s.total is not None]
            clear = [s for s in mine if self._sure(s)] or mine
            vectors = [unit(s.total) for s in clear if s.total is not None]
            if vectors:
                weight = sum(s.weight for s in clear)
                self._past.learn(name, np.stack(vectors), float(weight))


def thinned(firm: np.ndarray, names: Sequence[str], each: int) -> np.ndarray:
    """The mask (n,) with at most `each` of a name left, evenly spaced."""
    kept = np.zeros_like(firm)
    for name in set(names):
        mine = np.flatnonzero(firm & (np.array(names) == name))
        kept[mine[np.linspace(0, len(mine) - 1, min(each, len(mine))).round().astype(int)]] = True
    return kept


def _joined(a: Stretch, b: Stretch) -> Stretch:
    total = b.total if a.total is None else a.total if b.total is None else a.total + b.total
    evidence = max(a.evidence, b.evidence)
    return replace(a, end=b.end, total=total, weight=a.weight + b.weight, evidence=evidence)


def _changes(stretches: Sequence[Stretch], after: Sequence[str], now: int) -> list[TurnRevised]:
    """An event per run of stretches that go from one name to another, with the short pauses behind them."""
    changes: list[TurnRevised] = []
    for (s, end), name in zip(_with_pauses(stretches), after, strict=True):
        if name == s.name:
            continue
        last = changes[-1] if changes else None
        if last and (last.speaker, last.into, last.end) == (s.name, name, s.start):
            changes[-1] = replace(last, end=end)
        else:
            changes.append(TurnRevised(now, s.name, name, s.start, end))
    return changes


def _with_pauses(stretches: Sequence[Stretch]) -> list[tuple[Stretch, int]]:
    """Each stretch, and where it ends if the pause before its speaker goes on belongs to it."""
    following: dict[str, int] = {}
    spans: list[tuple[Stretch, int]] = []
    for s in reversed(stretches):
        start = following.get(s.name, s.end)
        spans.append((s, start if 0 < start - s.end <= PAUSE else s.end))
        following[s.name] = s.start
    return spans[::-1]
