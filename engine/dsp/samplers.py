"""From noise to sound, a diffusion backwards: probability-flow Euler, predictor–corrector, few-step DDIM.

All three noisings are one equation (Song et al. 2021, https://arxiv.org/abs/2011.13456, with a mean that
pulls as in Grad-TTS, https://arxiv.org/abs/2105.06337, and in https://arxiv.org/abs/2208.05830):

    dz = rate(t) · (y − z) dt + g(t) dw,    z_t = e^{−pull} z_0 + (1 − e^{−pull}) y + deviation · ε

A sampler is arithmetic over a callable, so numpy arrays and torch tensors both go through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

Denoise = Callable[[Any, float], Any]
"""(z_t, t) → ẑ_0, of one shape."""
Noise = Callable[[Any], Any]
"""Standard normal numbers of the shape of what it is given."""


class Noising(Protocol):
    """How a sound becomes noise between the times 0 and 1."""

    def pull(self, t: float) -> float:
        """∫ rate from 0 to t."""

    def power(self, t: float) -> float:
        """∫ g² from 0 to t."""

    def deviation(self, t: float) -> float:
        """Standard deviation of the noise in z_t."""


@dataclass(frozen=True)
class VP:
    """Variance preserving: β rises linearly, and the end is N(y, 1)."""

    first: float = 0.05
    last: float = 20.0

    def pull(self, t: float) -> float:
        return self.power(t) / 2

    def power(self, t: float) -> float:
        return self.first * t + (self.last - self.first) * t * t / 2

    def deviation(self, t: float) -> float:
        return math.sqrt(-math.expm1(-self.power(t)))


@dataclass(frozen=True)
class VE:
    """Variance exploding: nothing pulls, σ(t) rises geometrically."""

    smallest: float = 0.05
    largest: float = 0.5

    def pull(self, t: float) -> float:
        return 0.0

    def power(self, t: float) -> float:
        return self.smallest**2 * math.expm1(2 * t * math.log(self.largest / self.smallest))

    def deviation(self, t: float) -> float:
        return math.sqrt(self.power(t))


@dataclass(frozen=True)
class OUVE:
    """Ornstein–Uhlenbeck with exploding variance (sgmse): pulled to y at the rate θ, noise as of `VE`."""

    theta: float = 1.5
    smallest: float = 0.05
    largest: float = 0.5

    def pull(self, t: float) -> float:
        return self.theta * t

    def power(self, t: float) -> float:
        return VE(self.smallest, self.largest).power(t)

    def deviation(self, t: float) -> float:
        growth = math.log(self.largest / self.smallest)
        spread = math.exp(2 * growth * t) - math.exp(-2 * self.theta * t)
        return self.smallest * math.sqrt(spread * growth / (self.theta + growth))


class Scales(NamedTuple):
    """What z_t is made of: so much of z_0, of y, and of noise."""

    kept: float
    pulled: float
    noise: float


def scales(noising: Noising, t: float) -> Scales:
    """Those of a time 0 … 1."""
    kept = math.exp(-noising.pull(t))
    return Scales(kept, 1.0 - kept, noising.deviation(t))


def times(n_steps: int, last: float = 1.0, first: float = 0.0) -> list[float]:
    """`n_steps` + 1 evenly falling times from `last` to `first`."""
    if n_steps < 1:
        raise ValueError(f"{n_steps} steps: expected 1 or more")
    return [float(t) for t in np.linspace(last, first, n_steps + 1)]


def noised(z0: Any, y: Any, noise: Any, at: Scales) -> Any:
    """z_t."""
    return at.kept * z0 + at.pulled * y + at.noise * noise


def start(y: Any, noise: Any, noising: Noising, t: float) -> Any:
    """Where sampling begins: around y, since nothing else is known."""
    return y + noising.deviation(t) * noise


def score(z: Any, z0: Any, y: Any, at: Scales) -> Any:
    """∇ log p(z_t | ẑ_0) (Tweedie)."""
    return (at.kept * z0 + at.pulled * y - z) / at.noise**2


def ddim_step(z: Any, z0: Any, y: Any, before: Scales, after: Scales) -> Any:
    """z at an earlier time: the estimate ẑ_0 with as much of the implied noise as belongs there (η = 0)."""
    implied = (z - before.kept * z0 - before.pulled * y) / before.noise
    return noised(z0, y, implied, after)


def euler_step(z: Any, s: Any, y: Any, pull: float, power: float) -> Any:
    """Back along the probability flow: no noise is added."""
    return z - pull * (y - z) + power / 2 * s


def predictor_step(z: Any, s: Any, y: Any, noise: Any, pull: float, power: float) -> Any:
    """Back along the stochastic equation (reverse diffusion)."""
    return z - pull * (y - z) + power * s + math.sqrt(power) * noise


def corrector_step(z: Any, s: Any, noise: Any, size: float) -> Any:
    """One Langevin step at a constant time."""
    return z + size * s + math.sqrt(2 * size) * noise


def langevin_size(s: Any, noise: Any, ratio: float) -> float:
    """A step for which the noise has `ratio` times the length of the score, as Song et al. choose it;
    the arrays are (n, …), lengths the mean over n."""
    return 2 * (ratio * _length(noise) / _length(s)) ** 2


def ddim(denoise: Denoise, z: Any, y: Any, noising: Noising, at: Sequence[float]) -> Any:
    """ẑ_0 of z at the time at[0], denoised at each of the falling times but the last."""
    found = z
    for t, t_next in pairwise(at):
        found = denoise(z, t)
        z = ddim_step(z, found, y, scales(noising, t), scales(noising, t_next)) if t_next > 0 else found
    return z


def probability_flow(denoise: Denoise, z: Any, y: Any, noising: Noising, at: Sequence[float]) -> Any:
    """z at the last of the falling times, by Euler's method."""
    for t, t_next in pairwise(at):
        z = euler_step(z, score(z, denoise(z, t), y, scales(noising, t)), y, *_between(noising, t, t_next))
    return z


def predictor_corrector(
    denoise: Denoise,
    z: Any,
    y: Any,
    noising: Noising,
    at: Sequence[float],
    noise: Noise,
    corrections: int = 1,
    ratio: float = 0.5,
) -> Any:
    """z at the last of the falling times; at each the corrector works first; the last noise is left out."""
    for t, t_next in pairwise(at):
        here = scales(noising, t)
        for _ in range(corrections):
            s, drawn = score(z, denoise(z, t), y, here), noise(z)
            z = corrector_step(z, s, drawn, langevin_size(s, drawn, ratio))
        drawn = noise(z) if t_next > at[-1] else 0.0 * z
        s = score(z, denoise(z, t), y, here)
        z = predictor_step(z, s, y, drawn, *_between(noising, t, t_next))
    return z


def _between(noising: Noising, t: float, t_next: float) -> tuple[float, float]:
    """∫ rate and ∫ g² of a step back."""
    return noising.pull(t) - noising.pull(t_next), noising.power(t) - noising.power(t_next)


def _length(x: Any) -> float:
    return float((x.reshape(len(x), -1) ** 2).sum(1).__pow__(0.5).mean())
