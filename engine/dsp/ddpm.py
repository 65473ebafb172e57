"""Generation by diffusion in discrete time: schedules, ancestral sampling and DDIM, as functions.

Ho et al. 2020 (https://arxiv.org/abs/2006.11239) and Song et al. 2021 (https://arxiv.org/abs/2010.02502).
A schedule is ᾱ, float64 (T + 1,), with ᾱ[0] = 1 at what is sampled: time t is index t, the last step ends at
index 0, and nobody subtracts one. Every function but the schedules is arithmetic alone, so numpy arrays and
torch tensors both go through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

Target = Literal["epsilon", "x0"]
Predict = Callable[[Any, int], Any]
"""(x_t, t) → what the network was trained to give, ε or x0, of the shape of x_t."""
NOISE = 1e-4
"""ᾱ_T below which x_T is noise for all purposes: sampling may begin at N(0, I)."""
MOST_BETA = 0.999


def linear(n_times: int, first: float | None = None, last: float | None = None) -> np.ndarray:
    """ᾱ of β rising linearly from `first` to `last`; by default those of Ho et al. for T = 1000, 1e-4 … 0.02,
    scaled by 1000 / T so that any T ends in noise."""
    scale = 1000 / n_times
    rising = np.linspace(first or 1e-4 * scale, last or 0.02 * scale, n_times)
    return alpha_bars(np.minimum(rising, MOST_BETA))


def cosine(n_times: int, offset: float = 0.008) -> np.ndarray:
    """ᾱ of Nichol and Dhariwal 2021 (https://arxiv.org/abs/2102.09672, equation 17)."""
    at = (np.arange(n_times + 1) / n_times + offset) / (1 + offset)
    wanted = np.cos(at * math.pi / 2) ** 2
    return alpha_bars(np.minimum(1 - wanted[1:] / wanted[:-1], MOST_BETA))


def sigmoid(n_times: int = 100, first: float = 1e-5, last: float = 5e-3) -> np.ndarray:
    """ᾱ of SpeakerDiff: β on a sigmoid over −6 … 6. It ends at 0.778, far from noise."""
    rising = 1 / (1 + np.exp(-np.linspace(-6, 6, n_times)))
    return alpha_bars(first + (last - first) * rising)


def alpha_bars(beta: np.ndarray) -> np.ndarray:
    """ᾱ, float64 (T + 1,), of β (T,): 1, then the running product of 1 − β."""
    return np.concatenate(([1.0], np.cumprod(1.0 - np.asarray(beta, np.float64))))


SCHEDULES: dict[str, Callable[[int], np.ndarray]] = {"linear": linear, "cosine": cosine, "sigmoid": sigmoid}


def times(t0: int, n_steps: int) -> list[int]:
    """`n_steps` + 1 falling times from `t0` to 0, as evenly spaced as whole numbers are."""
    if not 0 < n_steps <= t0:
        raise ValueError(f"{n_steps} steps from t = {t0}: expected 1 … {t0}")
    return [round(t0 * (1 - k / n_steps)) for k in range(n_steps + 1)]


def noised(x: Any, noise: Any, alpha_bar: Any) -> Any:
    """x_t = √ᾱ · x + √(1 − ᾱ) · ε."""
    return alpha_bar**0.5 * x + (1 - alpha_bar) ** 0.5 * noise


def clean_of(x_t: Any, noise: Any, alpha_bar: Any) -> Any:
    """The x0 that `noised` made x_t of."""
    return (x_t - (1 - alpha_bar) ** 0.5 * noise) / alpha_bar**0.5


def noise_of(x_t: Any, x0: Any, alpha_bar: Any) -> Any:
    """The ε that `noised` made x_t with."""
    return (x_t - alpha_bar**0.5 * x0) / (1 - alpha_bar) ** 0.5


def guided(conditional: Any, unconditional: Any, weight: float) -> Any:
    """Classifier-free guidance (Ho and Salimans 2022): (1 + w) · conditional − w · unconditional."""
    return (1 + weight) * conditional - weight * unconditional


def guide(
    network: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    condition: np.ndarray,
    nothing: np.ndarray,
    last: int,
    weight: float,
) -> Predict:
    """A network of x_t (n, …), shares of the time `last` (n,) and a condition (n, …), guided by `weight` away
    from what it gives when it is told `nothing`."""

    def predict(x: np.ndarray, t: int) -> np.ndarray:
        x, at = np.asarray(x, np.float32), np.full(len(x), t / last, np.float32)
        told = network(x, at, condition)
        return np.asarray(guided(told, network(x, at, nothing), weight)) if weight else told

    return predict


def deviation(alpha_bar: float, alpha_bar_next: float, eta: float) -> float:
    """σ of the noise that a step puts back; η = 1 is ancestral sampling, 0 DDIM. None in the last step."""
    share = (1 - alpha_bar_next) / (1 - alpha_bar) * (1 - alpha_bar / alpha_bar_next)
    return eta * math.sqrt(max(0.0, share))


def step(x_t: Any, x0: Any, alpha_bar: float, alpha_bar_next: float, eta: float, fresh: Any) -> Any:
    """x at the next, smaller time, of the estimate x̂0 and `fresh` noise (equation 12 of Song et al.)."""
    sigma = deviation(alpha_bar, alpha_bar_next, eta)
    implied = noise_of(x_t, x0, alpha_bar)
    return (
        alpha_bar_next**0.5 * x0
        + math.sqrt(max(0.0, 1 - alpha_bar_next - sigma**2)) * implied
        + sigma * fresh
    )


def estimate(target: Target, given: Any, x_t: Any, alpha_bar: float) -> Any:
    """x̂0 of what a network gave for x_t."""
    return given if target == "x0" else clean_of(x_t, given, alpha_bar)


def sample(
    predict: Predict,
    x: Any,
    alpha_bar: np.ndarray,
    at: Sequence[int],
    target: Target = "epsilon",
    eta: float = 0.0,
    fresh: Callable[[], Any] | None = None,
    limit: Callable[[Any], Any] | None = None,
) -> Any:
    """x0 of `x` at time at[0], through the falling times `at`, whose last is 0.

    `fresh` draws noise of the shape of x, and is needed where η > 0; `limit` keeps an estimate x̂0 in the
    range of the data.
    """
    for t, t_next in pairwise(at):
        now, then = float(alpha_bar[t]), float(alpha_bar[t_next])
        x0 = estimate(target, predict(x, t), x, now)
        x = step(x, limit(x0) if limit else x0, now, then, eta, fresh() if fresh and eta else 0.0)
    return x
