"""Fitting of a scale: how embeddings of one session spread, and what a cosine of two of them is worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from voicelane.rt_models.training.plda import two_covariances
from voicelane.rt_models.training.sessions import SessionVoices
from voicelane.stages import Plda, Scale, centred, ratio_features

LENGTHS_S = (0.4, 30.0)


def fit_scale(sessions: Sequence[SessionVoices], seed: int = 0) -> dict[str, np.ndarray]:
    """The arrays of `scale.npz` but the encoder's id."""
    means = [_person_means(s) for s in sessions]
    mean = np.concatenate(means).mean(axis=0)
    between = _covariance(np.concatenate([m - m.mean(axis=0) for m in means]), len(means))
    offsets = np.stack([m.mean(axis=0) for m in means])
    crowd = float(np.mean([1 / len(m) for m in means]))
    channel = _positive(np.cov(offsets.T) - crowd * between)
    plain = {"mean": mean, "between": between, "channel": channel}
    plda = two_covariances(
        np.concatenate([s.vectors - o for s, o in zip(sessions, offsets, strict=True)]),
        np.concatenate([s.person + 100 * k for k, s in enumerate(sessions)]),
    )
    draft = as_scale({**plain, **plda, "weights": np.zeros(6), "lengths_s": np.array(LENGTHS_S)})
    features, same = _comparisons(draft, sessions, np.random.default_rng(seed))
    return {
        **plain,
        **plda,
        "weights": regression(features, same),
        "lengths_s": np.array(LENGTHS_S),
    }


def as_scale(arrays: dict[str, np.ndarray]) -> Scale:
    """The engine's object of the arrays."""
    plda = Plda(arrays["mean"], arrays["transform"], arrays["plda_between"])
    low, high = (float(x) for x in arrays["lengths_s"])
    voice = arrays.get("voice")
    return Scale(plda, arrays["weights"], (low, high), arrays["between"], arrays["channel"], voice)


def regression(features: np.ndarray, same: np.ndarray, shrinkage: np.ndarray | float = 0.0) -> np.ndarray:
    """Weights (k,) of features (n, k) by logistic regression, both classes weighing the same.

    `shrinkage`, for each weight or all of them, draws their squares towards 0.

    Raises `ValueError` where one of them is missing.
    """
    if same.all() or not same.any():
        raise ValueError("no two voices of one session to compare; calibrate on more people")
    weight = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    sign = np.where(same, 1.0, -1.0)

    def cost(w: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (features @ w)
        slope = -sign * weight * np.exp(-np.logaddexp(0, margin))
        loss = weight @ np.logaddexp(0, -margin) + 0.5 * (shrinkage * w) @ w
        return float(loss), slope @ features + shrinkage * w

    return np.asarray(minimize(cost, np.zeros(features.shape[1]), jac=True, method="L-BFGS-B").x)


def _person_means(session: SessionVoices) -> np.ndarray:
    """The mean embedding of each person (n_people, dim)."""
    return np.stack(
        [session.vectors[session.person == k].mean(axis=0) for k in np.unique(session.person)]
    ).astype(np.float64)


def _covariance(residuals: np.ndarray, n_means: int) -> np.ndarray:
    """Of residuals (n, dim) that `n_means` means were taken off, with a little in all directions."""
    found = residuals.T @ residuals / max(1, len(residuals) - n_means)
    return np.asarray(found + 0.05 * np.trace(found) / len(found) * np.eye(len(found)))


def _positive(matrix: np.ndarray) -> np.ndarray:
    """The nearest matrix without negative directions."""
    values, axes = np.linalg.eigh(matrix)
    return np.asarray((axes * values.clip(0.0)) @ axes.T)


def _comparisons(
    scale: Scale, sessions: Sequence[SessionVoices], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 6) of pieces against what else is known of each person, and whether they are one (n,)."""
    rows: list[np.ndarray] = []
    same: list[bool] = []
    for session in sessions:
        means = _person_means(session)
        for i in range(len(session.vectors)):
            n_heard = int(rng.integers(1, len(means) + 1))
            offset = scale.offset(means[rng.permutation(len(means))[:n_heard]])
            for k in range(len(means)):
                others = (session.person == k) & (session.utterance != session.utterance[i])
                if not others.any():
                    continue
                kept = rng.permutation(np.flatnonzero(others))[: int(rng.choice([1, 2, 4, 8, 16]))]
                known = session.vectors[kept].mean(axis=0)
                cosine = centred(session.vectors[i], offset) @ centred(known, offset)
                lengths = (session.heard_s[i], session.heard_s[kept].sum())
                rows.append(ratio_features(np.array(cosine), *(np.clip(x, *LENGTHS_S) for x in lengths)))
                same.append(bool(session.person[i] == k))
    return np.stack(rows), np.array(same)
