"""Embeddings in two dimensions, where points stay put as more arrive."""

from __future__ import annotations

import numpy as np

LEAST = 8
"""Points that make the first map."""
GROWTH = 1.5
"""The map is made anew when there are so many times more points than at the last time."""
MOST = 3_000
"""Points that it is made from, evenly chosen."""


def principal_axes(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (dim,) and the two directions (dim, 2) of greatest variance of vectors (n, dim)."""
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    _, axes = np.linalg.eigh(centred.T @ centred)
    return mean, axes[:, :-3:-1]


def procrustes(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """The rotation or reflection R (2, 2) that brings points @ R nearest to `onto`, both centred (n, 2).

    Schönemann 1966.
    """
    u, _, v = np.linalg.svd(points.T @ onto)
    return u @ v


class StableMap:
    """Principal components, fitted rarely, each time turned so that the points move as little as they can."""

    def __init__(self) -> None:
        self._mean = self._axes = np.zeros(0, np.float32)
        self._fitted_on = 0

    @property
    def ready(self) -> bool:
        return self._fitted_on > 0

    @property
    def dim(self) -> int:
        """Of the vectors that it was made of."""
        return len(self._mean)

    def learn(self, vectors: np.ndarray) -> None:
        """Make the map of vectors (n, dim), or make it anew, if there are enough new ones."""
        if len(vectors) >= max(LEAST, GROWTH * self._fitted_on):
            self._fit(vectors[:: max(1, len(vectors) // MOST)])
            self._fitted_on = len(vectors)

    def points(self, vectors: np.ndarray) -> np.ndarray:
        """Places float (n, 2) of vectors (n, dim)."""
        return (vectors - self._mean) @ self._axes

    def _fit(self, vectors: np.ndarray) -> None:
        mean, axes = principal_axes(vectors)
        if self.ready:
            before = (vectors - self._mean) @ self._axes
            axes = axes @ procrustes((vectors - mean) @ axes, before - before.mean(axis=0))
            mean = mean - axes @ before.mean(axis=0)
        self._mean, self._axes = mean, axes
