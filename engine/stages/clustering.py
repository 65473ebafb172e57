"""Clusters of the speech of some minutes: average linkage, then VBx, among known speakers and new ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from voicelane.base.timebase import SAMPLE_RATE, samples
from voicelane.config import ReclusteringConfig
from voicelane.stages.plda import Statistics, vbx
from voicelane.stages.scale import Scale, centred
from voicelane.stages.voices import rarity, unit

STARTS = (0.0, 1.0, 2.0)
"""How far above `ahc_llr` links end where VBx begins; of what it makes of each, the likeliest stays."""


class Past:
    """What is kept for good of speakers whose speech is too long ago to be compared stretch by stretch."""

    def __init__(self, dim: int, most: int) -> None:
        """Of unit vectors of `dim` numbers, as if each speaker had said `most` stretches at most."""
        self.names: tuple[str, ...] = ()
        self.totals, self.counts = np.zeros((0, dim)), np.zeros(0)
        """Of each one's stretches: the sum of the unit vectors (m, dim), and how many these are (m,)."""
        self.weights = np.zeros(0)
        """Samples of speech behind them (m,)."""
        self._most = most

    @property
    def means(self) -> np.ndarray:
        """Mean embeddings (m, dim)."""
        return self.totals / self.counts[:, None]

    def learn(self, name: str, vectors: np.ndarray, weight: float) -> None:
        """Add unit vectors (n, dim) of `weight` samples to what is known of a speaker, new or not."""
        if name not in self.names:
            self.names = (*self.names, name)
            self.totals = np.pad(self.totals, ((0, 1), (0, 0)))
            self.counts, self.weights = np.append(self.counts, 0.0), np.append(self.weights, 0.0)
        k = self.names.index(name)
        total, count = self.totals[k] + vectors.sum(axis=0), self.counts[k] + len(vectors)
        scale = min(1.0, self._most / count)
        self.totals[k], self.counts[k] = scale * total, scale * count
        self.weights[k] += weight


class Voiced(NamedTuple):
    """What is compared, in order of time."""

    vectors: np.ndarray
    """Unit vectors (n, dim)."""
    weights: np.ndarray
    """Samples behind each (n,)."""
    known: np.ndarray
    """Which speaker of the past each was taken for (n,), −1 for any other."""

    def part(self, which: np.ndarray) -> Voiced:
        """Those under the mask (n,)."""
        return Voiced(*(column[which] for column in self))


class Clustering:
    """Clusters of the speech of one moment, among speakers of the past and new ones."""

    def __init__(self, past: Past, scale: Scale, config: ReclusteringConfig, most: int) -> None:
        """Of `most` speakers in all."""
        self._past, self._scale, self._config, self._most = past, scale, config, most
        self._n_known = len(past.names)

    def __call__(self, heard: Voiced, firm: np.ndarray) -> np.ndarray:
        """Cluster numbers (n,), first those of the past.

        Clusters form among the `firm` ones (n,): average linkage over log-likelihood ratios gives more than
        there are, of which VBx leaves those that are needed. One of little speech may be another one's, and
        what is clearly somebody of the past is that speaker. A new cluster of less than `least_s` is none.
        What is left goes to the nearest cluster.
        """
        if not firm.any():
            firm = heard.weights == heard.weights.max()
        sure = heard.part(firm)
        offset = self._offset(sure)
        parted = self._taken_in(self._likeliest(sure, offset), sure, offset)
        clusters = self._recognised(parted, sure, offset)
        return self._joined(heard, firm, clusters, offset)

    def _offset(self, sure: Voiced) -> np.ndarray:
        (groups,) = _linked(sure, self._scale, (self._config.ahc_llr,), self._scale.plda.mean)
        return self._scale.offset(np.concatenate((self._past.means, _means(sure.vectors, groups))))

    def _likeliest(self, sure: Voiced, offset: np.ndarray) -> np.ndarray:
        """What VBx makes of links down to several ratios: the likeliest by its bound, wherever it began."""
        begun = _linked(sure, self._scale, [self._config.ahc_llr + more for more in STARTS], offset)
        starts = (self._recognised(groups + self._n_known, sure, offset) for groups in begun)
        return max((self._parted(s, sure, offset) for s in starts), key=lambda partition: partition[1])[0]

    def _parted(self, begun: np.ndarray, sure: Voiced, offset: np.ndarray) -> tuple[np.ndarray, float]:
        """What VBx makes of clusters to begin with, and how likely that is."""
        c, plda, past = self._config, self._scale.plda, self._past
        before = Statistics(past.counts, (past.totals - past.counts[:, None] * offset) @ plda.transform)
        projected = (sure.vectors - offset) @ plda.transform
        chance, bound = vbx(projected, plda.between, begun, c.loop_probability, c.fa, c.fb, before)
        return chance.argmax(axis=1), bound

    def _taken_in(self, clusters: np.ndarray, sure: Voiced, offset: np.ndarray) -> np.ndarray:
        """The clusters, where each new one of little speech that is clearly another one is that one."""
        c, clusters = self._config, clusters.copy()
        while len(kinds := np.unique(clusters)) > 1:
            means = np.stack([sure.vectors[clusters == k].mean(axis=0) for k in kinds])
            lengths_s = np.array([sure.weights[clusters == k].sum() for k in kinds]) / SAMPLE_RATE
            ratios = self._scale.ratios(*(2 * (centred(means, offset), lengths_s)))
            ratios[(lengths_s >= c.little_s) | (kinds < self._n_known)] = -np.inf
            np.fill_diagonal(ratios, -np.inf)
            a, b = np.unravel_index(ratios.argmax(), ratios.shape)
            if ratios[a, b] < c.same_llr:
                break
            clusters[clusters == kinds[a]] = kinds[b]
        return clusters

    def _recognised(self, clusters: np.ndarray, sure: Voiced, offset: np.ndarray) -> np.ndarray:
        """The clusters, where each new one that is clearly somebody of the past is that speaker.

        Among many people somebody is always alike, so that more is asked of those whom nobody heard in it.
        """
        n, clusters = self._n_known, clusters.copy()
        known, known_s = centred(self._past.means, offset), self._past.weights / SAMPLE_RATE
        for k in np.unique(clusters[clusters >= n]) if n else ():
            mine = clusters == k
            mean, lengths_s = sure.vectors[mine].mean(axis=0), sure.weights[mine].sum() / SAMPLE_RATE
            ratios = self._scale.ratios(centred(mean[None], offset), np.array([lengths_s]), known, known_s)[0]
            ratios = ratios - rarity(np.arange(n) != _commonest(sure.known[mine]))
            if ratios.max() >= self._config.ahc_llr:
                clusters[mine] = ratios.argmax()
        new = clusters >= n
        clusters[new] = n + np.unique(clusters[new], return_inverse=True)[1]
        return clusters

    def _joined(
        self, heard: Voiced, firm: np.ndarray, clusters: np.ndarray, offset: np.ndarray
    ) -> np.ndarray:
        """Cluster numbers of all: what is not firm, or of a cluster that is none, goes to the nearest."""
        sizes = np.bincount(clusters, heard.weights[firm], minlength=self._n_known)
        kept = _large(sizes, self._n_known, samples(self._config.least_s), self._most)
        moved = centred(heard.vectors, offset)
        weighted = (heard.weights[:, None] * moved)[firm]
        known = centred(self._past.means, offset)
        means = [unit(weighted[clusters == k].sum(axis=0)) if sizes[k] else known[k] for k in kept]
        nearest = kept[np.argmax(moved @ np.stack(means).T, axis=1)]
        stays = np.isin(clusters, kept)
        nearest[np.flatnonzero(firm)[stays]] = clusters[stays]
        return nearest


def _commonest(numbers: np.ndarray) -> int:
    """The commonest of numbers (n,) from −1."""
    return int(np.bincount(numbers + 1).argmax()) - 1


def _large(sizes: np.ndarray, n_known: int, least: float, most: int) -> np.ndarray:
    """Which clusters of `sizes` samples stay, `most` with all of the past: who of those is heard, and the
    largest new ones."""
    heard, new = np.flatnonzero(sizes[:n_known]), sizes[n_known:]
    n = min(most - n_known, max(np.count_nonzero(new >= least), 0 if len(heard) else 1))
    kept = np.concatenate((heard, n_known + np.sort(np.argsort(-new, kind="stable")[:n])))
    return kept if len(kept) else np.arange(n_known)


def _linked(sure: Voiced, scale: Scale, lowest_llrs: Sequence[float], offset: np.ndarray) -> list[np.ndarray]:
    """Cluster numbers (n,) from 0 by average linkage, down to each of these mean log-likelihood ratios."""
    if len(sure.vectors) == 1:
        return [np.zeros(1, int) for _ in lowest_llrs]
    tree, highest = _tree(sure.vectors, sure.weights, scale, offset)
    return [np.asarray(fcluster(tree, highest - lowest, "distance") - 1) for lowest in lowest_llrs]


def _tree(
    vectors: np.ndarray, weights: np.ndarray, scale: Scale, offset: np.ndarray
) -> tuple[np.ndarray, float]:
    """Average linkage of vectors (n, dim), and the log-likelihood ratio from which its distances count."""
    lengths_s, moved = weights / SAMPLE_RATE, centred(vectors, offset)
    ratios = scale.ratios(moved, lengths_s, moved, lengths_s)
    ratios = (ratios + ratios.T) / 2
    distance = ratios.max() - ratios
    np.fill_diagonal(distance, 0.0)
    return linkage(squareform(distance, checks=False), "average"), float(ratios.max())


def one_voice(vectors: np.ndarray, weights: np.ndarray, scale: Scale) -> float:
    """Log-likelihood ratio that the two parts of unit vectors (n, dim) are of one person.

    Average linkage parts them, each with `weights` (n,) samples; ∞ where a part is a single vector, which
    tells nothing.
    """
    if len(vectors) < 4:
        return np.inf
    groups = fcluster(_tree(vectors, weights, scale, scale.plda.mean)[0], 2, "maxclust") == 1
    parts = [groups, ~groups]
    if min(p.sum() for p in parts) < 2:
        return np.inf
    a, b = (centred(vectors[p].mean(axis=0)[None], scale.plda.mean) for p in parts)
    a_s, b_s = (np.array([weights[p].sum() / SAMPLE_RATE]) for p in parts)
    return float(scale.ratios(a, a_s, b, b_s)[0, 0])


def _means(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The mean vector of each group (n_groups, dim)."""
    return np.stack([vectors[groups == k].mean(axis=0) for k in np.unique(groups)])
