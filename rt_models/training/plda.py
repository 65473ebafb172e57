"""How embeddings differ between people and within one (two-covariance model)."""

from __future__ import annotations

import numpy as np

DIM = 128
SHORTER = 1.3
"""How much more than what the model is fitted to, live pieces of speech differ within a person."""


def two_covariances(vectors: np.ndarray, owner: np.ndarray, dim: int = DIM) -> dict[str, np.ndarray]:
    """`transform` (D, dim) and `plda_between` (dim,) that make the covariance within an owner 1, of centred
    embeddings (n, D) of the people `owner` (n,).

    Raises `ValueError` for too few embeddings.
    """
    _, owner, counts = np.unique(owner, return_inverse=True, return_counts=True)
    if len(vectors) - len(counts) <= vectors.shape[1]:
        raise ValueError(
            f"{len(vectors)} embeddings of {len(counts)} people; a model of {vectors.shape[1]} numbers needs "
            "more of each"
        )
    sums = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(sums, owner, vectors)
    means = sums / counts[:, None]
    residuals = vectors - means[owner]
    within = SHORTER * residuals.T @ residuals / (len(vectors) - len(counts))
    between = np.cov(means.T) - within * np.mean(1 / counts)
    spread, axes = np.linalg.eigh(within)
    whiten = axes / np.sqrt(spread.clip(1e-9 * spread.max()))
    power, turn = np.linalg.eigh(whiten.T @ between @ whiten)
    best = np.argsort(-power)[:dim]
    return {"transform": whiten @ turn[:, best], "plda_between": power[best].clip(1e-4)}
