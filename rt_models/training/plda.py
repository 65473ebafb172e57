"""How an encoder's embeddings differ between people and within one, fitted to perturbed pieces of speech."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rt_models.training.pairs import Pairs

DIM = 128
SHORTER = 1.3
"""How much more than the pieces that the model is fitted to, live pieces of speech differ within a person."""


def fit_plda(pairs: Pairs, speakers: Sequence[str], dim: int = DIM) -> dict[str, np.ndarray]:
    """`mean` (D,), `transform` (D, dim) and `between` (dim,) that make the covariance within a speaker 1.

    People of whom there is one recording tell nothing of how a voice differs between recordings; those whose
    name is not known are left out.
    """
    vectors = np.concatenate([pairs.clean, *pairs.noisy]).astype(np.float64)
    known = np.array([not name.startswith("unknown:") for name in speakers])
    _, number = np.unique(np.array(speakers), return_inverse=True)
    several = known & (np.bincount(number)[number] >= 2)
    if several.sum() <= vectors.shape[1]:
        raise ValueError(
            f"{int(several.sum())} recordings of people with two or more; a PLDA model needs more than "
            f"{vectors.shape[1]}"
        )
    n_versions = 1 + len(pairs.noisy)
    kept, owner = vectors[np.tile(several, n_versions)], np.tile(number[several], n_versions)
    _, owner, counts = np.unique(owner, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), vectors.shape[1]))
    np.add.at(sums, owner, kept)
    means = sums / counts[:, None]
    within = SHORTER * np.cov((kept - means[owner]).T)
    between = np.cov(means.T) - within / counts.mean()
    spread, axes = np.linalg.eigh(within)
    whiten = axes / np.sqrt(spread)
    power, turn = np.linalg.eigh(whiten.T @ between @ whiten)
    best = np.argsort(-power)[:dim]
    mean = vectors[np.tile(known, n_versions)].mean(axis=0)
    return {
        "mean": mean.astype(np.float32),
        "transform": (whiten @ turn[:, best]).astype(np.float32),
        "between": power[best].clip(1e-4).astype(np.float32),
    }
