"""Truncated DDIM, η = 0: from a noisy embedding to a cleaner one in a few calls of a denoising network.

Song et al. 2021 (https://arxiv.org/abs/2010.02502, equation 12), begun at a small time t0 instead of at
pure noise, as SEED does (https://arxiv.org/abs/2505.16798). Every function is arithmetic alone, so numpy
arrays and torch tensors both go through; `rt_models` unrolls `sample` into one graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

T = 1000
Denoise = Callable[[Any, int, Any], Any]
"""(x_t, t, x̂0 of the step before, zeros in the first) → x̂0, all of one shape."""


def alpha_bars(first: float = 1e-4, last: float = 0.02) -> np.ndarray:
    """ᾱ_t, float64 (1000,), of the scaled-linear schedule: √β rises linearly from √first to √last."""
    beta = np.linspace(first**0.5, last**0.5, T) ** 2
    return np.cumprod(1.0 - beta)


ALPHA_BARS = alpha_bars()


def times(t0: int, n_steps: int) -> list[int]:
    """The `n_steps` falling times t0 · (1 − k / n_steps), rounded; after the last comes x̂0 itself."""
    if not 0 < t0 < T:
        raise ValueError(f"t0 = {t0}: expected 1 … {T - 1}")
    if not 0 < n_steps <= t0:
        raise ValueError(f"{n_steps} steps from t0 = {t0}: expected 1 … {t0}")
    return [round(t0 * (1 - k / n_steps)) for k in range(n_steps)]


def scales(t: int) -> tuple[float, float]:
    """√ᾱ_t of what is sampled, √(1 − ᾱ_t) of the noise."""
    return float(ALPHA_BARS[t]) ** 0.5, (1.0 - float(ALPHA_BARS[t])) ** 0.5


def noised(x: Any, noise: Any, t: int) -> Any:
    """x_t = √ᾱ_t · x + √(1 − ᾱ_t) · ε."""
    kept, added = scales(t)
    return kept * x + added * noise


def step(x_t: Any, x0: Any, t: int, t_next: int) -> Any:
    """x at `t_next` < t: the estimate x̂0 with as much of the implied noise as belongs there."""
    kept, added = scales(t)
    return noised(x0, (x_t - kept * x0) / added, t_next)


def sample(denoise: Denoise, x: Any, noise: Any, at: Sequence[int]) -> Any:
    """x̂0 of embeddings `x` (n, D), noised by `noise` (n, D; zeros for none) to at[0] and denoised at each
    of the falling times `at`."""
    x_t, before = noised(x, noise, at[0]), 0.0 * x
    for t, t_next in pairwise(at):
        before = denoise(x_t, t, before)
        x_t = step(x_t, before, t, t_next)
    return denoise(x_t, at[-1], before)


def average(denoise: Denoise, x: np.ndarray, at: Sequence[int], draws: int, seed: int) -> np.ndarray:
    """Mean x̂0 (n, D) over `draws` seeded noises; 0 draws: without noise."""
    if not draws:
        return np.asarray(sample(denoise, x, np.zeros_like(x), at))
    rng = np.random.default_rng(seed)
    noises = (rng.standard_normal(x.shape).astype(x.dtype) for _ in range(draws))
    return np.mean([sample(denoise, x, noise, at) for noise in noises], axis=0)
