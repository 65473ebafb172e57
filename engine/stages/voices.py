"""Speakers of a stream by what was heard of them, and whose a voice is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from engine.stages.encoder import Embedding
from engine.timebase import FRAME_SAMPLES

NEVER = -4.0


class Speaker:
    """One voice: a bounded cache of its clearest recent embeddings."""

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.spoken_samples = 0
        self._most = most
        self._kept: list[tuple[Embedding, int]] = []
        self.reached = 0  # sample up to which it was heard

    def learn(self, heard: Embedding, n_frames: int) -> None:
        """Keep an embedding of `n_frames` of speech; of two that share half their time, the longer one."""
        new = min(n_frames * FRAME_SAMPLES, max(0, heard.end - max(heard.start, self.reached)))
        self.spoken_samples += new
        self.reached = max(self.reached, heard.end)
        last, weight = self._kept[-1] if self._kept else (None, 0)
        shared = min(last.end, heard.end) - max(last.start, heard.start) if last else 0
        if last and shared > (heard.end - heard.start) // 2:
            if n_frames <= weight:
                return
            self._kept.pop()
        self._kept = [*self._kept, (heard, n_frames)][-self._most :]
        self.centroid = unit(np.sum([n * e.vector for e, n in self._kept], axis=0))


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector at length 1."""
    return vector / (np.linalg.norm(vector) + 1e-9)


def similarities(embeddings: Sequence[Embedding | None], speakers: Sequence[Speaker]) -> np.ndarray:
    """Cosines (n_voices, n_speakers); NaN where a voice has no embedding."""
    found = np.full((len(embeddings), len(speakers)), np.nan)
    if speakers:
        centroids = np.stack([s.centroid for s in speakers])
        for row, heard in zip(found, embeddings, strict=True):
            if heard is not None:
                row[:] = centroids @ heard.vector
    return found


def assign(scores: np.ndarray, threshold: float, may_be_new: np.ndarray) -> np.ndarray:
    """The speaker of each voice, no two the same: its number, n_speakers or more for new ones, −1 for nobody.

    `scores` (n_voices, n_speakers), NaN for voices nothing is known of. What falls below `threshold` is new
    if it is of `may_be_new`; other such voices take the nearest of the speakers that are left. Each time the
    sum is the largest possible (Kuhn 1955).
    """
    n_voices, n_speakers = scores.shape
    known = ~np.isnan(scores).any(axis=1)
    alone = np.where(np.eye(n_voices, dtype=bool), threshold, NEVER)
    rows, columns = linear_sum_assignment(
        np.concatenate((np.nan_to_num(scores), alone), axis=1), maximize=True
    )
    found = np.full(n_voices, -1)
    found[rows] = np.where(columns < n_speakers, columns, -1)
    found[~known] = -1
    rest = np.flatnonzero(known & ~may_be_new & (found < 0))
    free = np.setdiff1d(np.arange(n_speakers), found)
    rows, columns = linear_sum_assignment(scores[np.ix_(rest, free)], maximize=True)
    found[rest[rows]] = free[columns]
    new = known & may_be_new & (found < 0)
    found[new] = n_speakers + np.arange(new.sum())
    return found
