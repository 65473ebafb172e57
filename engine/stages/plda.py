"""Voices as a Gaussian model: how embeddings differ between people and within one (PLDA), and Bayesian
clustering on top of it (VBx, Landini et al. 2022)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from voicelane.dsp.kernels import forward_backward


class Plda(NamedTuple):
    """Two-covariance model: projected, voices spread by `between` around 0, embeddings by 1 around each."""

    mean: np.ndarray
    """float64 (dim,)"""
    transform: np.ndarray
    """float64 (dim, k)"""
    between: np.ndarray
    """float64 (k,)"""


class Statistics(NamedTuple):
    """What was heard before of the first speakers of a clustering."""

    counts: np.ndarray
    """Embeddings of each (m,)."""
    sums: np.ndarray
    """Of these, projected (m, k)."""

    def filled(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Counts (n, 1) and sums (n, k) for `n` speakers; of the others nothing was heard."""
        more = n - len(self.counts)
        return np.pad(self.counts, (0, more))[:, None], np.pad(self.sums, ((0, more), (0, 0)))


def vbx(
    projected: np.ndarray,
    between: np.ndarray,
    start: np.ndarray,
    loop: float,
    acoustic: float,
    speaker: float,
    before: Statistics | None = None,
    rounds: int = 20,
) -> tuple[np.ndarray, float]:
    """Chances (n, n_speakers) of embeddings (n, k) in order of time, from labels `start` (n,), and the
    lower bound on the log-likelihood of all that they reach.

    A hidden Markov model whose states are speakers, each with a Gaussian posterior of its voice; `loop` is
    the chance to stay, `acoustic` (F_A) and `speaker` (F_B) weigh evidence and prior. A state that the
    evidence does not need loses its share. The first states are the speakers of `before`, whose evidence
    counts with what is heard now.
    """
    before = before or Statistics(np.zeros(0), np.zeros((0, len(between))))
    n_known = len(before.counts)
    n_speakers = max(n_known, int(start.max()) + 1)
    chance = _begun(start, n_known, n_speakers)
    counts, sums = before.filled(n_speakers)
    prior, last = np.full(n_speakers, 1.0 / n_speakers), -np.inf
    scaled, sums = projected * np.sqrt(between), sums * np.sqrt(between)
    ratio = acoustic / speaker
    for _ in range(rounds):
        spread = 1.0 / (1.0 + ratio * (counts + chance.sum(axis=0)[:, None]) * between)  # (S, k)
        voice = ratio * spread * (sums + chance.T @ scaled)
        power = (spread + voice**2) * between
        log_p = acoustic * (scaled @ voice.T - 0.5 * power.sum(axis=1))
        chance, prior, total = forward_backward(log_p, prior, loop)
        total += acoustic * float(np.sum(sums * voice - 0.5 * counts * power))
        bound = total + 0.5 * speaker * float(np.sum(np.log(spread) - spread - voice**2 + 1.0))
        if bound - last < 1e-3:
            break
        last = bound
    return chance, last


def _begun(start: np.ndarray, n_known: int, n_speakers: int) -> np.ndarray:
    """Chances (n, n_speakers) to begin with: near to labels `start` (n,), a little for each new speaker."""
    chance = np.tile(np.where(np.arange(n_speakers) < n_known, 0.0, 1.0), (len(start), 1))
    chance[np.arange(len(start)), start] = np.exp(5.0)
    return np.asarray(chance / chance.sum(axis=1, keepdims=True))
