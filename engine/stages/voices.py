"""Speakers of a stream by what was heard of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.stages.encoder import Embedding


class Speaker:
    """One voice: a bounded cache of its latest confident embeddings."""

    def __init__(self, name: str, most: int, spoken_samples: int = 0) -> None:
        self.name, self.spoken_samples = name, spoken_samples
        self._most = most
        self._kept: list[np.ndarray] = []

    def learn(self, vector: np.ndarray, spoken_samples: int = 0) -> None:
        """Keep an embedding (dim,) and count the speech that it is the first to tell of."""
        self.spoken_samples += spoken_samples
        self._kept = [*self._kept, vector][-self._most :]
        self.centroid = unit(np.sum(self._kept, axis=0))


def unit(vector: np.ndarray) -> np.ndarray:
    """The vector at length 1."""
    return vector / (np.linalg.norm(vector) + 1e-9)


def similarity(heard: Embedding | None, speakers: Sequence[Speaker]) -> np.ndarray:
    """Cosine to each speaker (n_speakers,), zeros where nothing is known of the voice."""
    if heard is None or not speakers:
        return np.zeros(len(speakers))
    return np.stack([s.centroid for s in speakers]) @ heard.vector


def choose(scores: np.ndarray, before: int, continuity: float, taken: int = -1) -> int:
    """The nearest speaker, where the one `before` keeps the word unless clearly beaten and the one who has it
    `taken` already is left out; −1 for nobody."""
    scores = scores.copy()
    if 0 <= before < len(scores):
        scores[before] += continuity
    if 0 <= taken < len(scores):
        scores[taken] = -np.inf
    return int(np.argmax(scores)) if len(scores) and np.isfinite(scores).any() else -1
