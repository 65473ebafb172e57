"""A spectral envelope in few numbers: 64 bands evenly spaced in mel, and what is known of a speaker's."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from voicelane.base.timebase import SAMPLE_RATE
from voicelane.voices.world import N_BINS

N_BANDS = 64
SPEECH = 8.0
"""Nepers of power (35 dB) below the loud frames, to which a frame counts as speech."""
LOUD = 0.95
"""Quantile of the frames' levels that is loud."""
WIDEST = 4.0
"""Deviations from the mean that a band is told as, at most."""
NARROWEST = 0.3
"""Nepers: a band that moves less is taken to move so much."""


class Usual(NamedTuple):
    """What the bands of somebody's speech are like: float32 (64,) each, nepers of power."""

    mean: np.ndarray
    deviation: np.ndarray


def mel(hz: np.ndarray) -> np.ndarray:
    """The scale of O'Shaughnessy 1987."""
    return 2595.0 * np.log10(1.0 + hz / 700.0)


TOP_MEL = float(mel(np.array(SAMPLE_RATE / 2)))


def place_of(hz: np.ndarray) -> np.ndarray:
    """Which band, or which place between two, frequencies (n,) lie at."""
    return np.asarray(mel(np.minimum(hz, SAMPLE_RATE / 2)) / TOP_MEL * (N_BANDS - 1))


def middles_hz() -> np.ndarray:
    """Of all bands, float64 (64,)."""
    return np.asarray(700.0 * (10.0 ** (np.linspace(0.0, TOP_MEL, N_BANDS) / 2595.0) - 1.0))


def shares(place: np.ndarray) -> np.ndarray:
    """What each band counts at places (n,) between the two that are nearest: float64 (64, n)."""
    return np.maximum(0.0, 1.0 - np.abs(place - np.arange(N_BANDS)[:, None]))


@lru_cache(maxsize=1)
def between_bands() -> np.ndarray:
    """What each band counts in each bin, float64 (64, 513)."""
    return shares(place_of(np.linspace(0, SAMPLE_RATE / 2, N_BINS)))


def bands_of(envelope: np.ndarray) -> np.ndarray:
    """Means of log power (n, 513) over bands, float32 (n, 64)."""
    weights = between_bands()
    return np.asarray(envelope @ (weights / weights.sum(axis=1, keepdims=True)).T, np.float32)


def envelope_of(bands: np.ndarray) -> np.ndarray:
    """Log power float64 (n, 513), straight between the middles of bands (n, 64)."""
    return np.asarray(bands, np.float64) @ between_bands()


def spoken(bands: np.ndarray) -> np.ndarray:
    """Which frames (n, 64) are speech by their level, bool (n,)."""
    level = bands.max(axis=1)
    return np.asarray(level > np.quantile(level, LOUD) - SPEECH)


def usual(bands: np.ndarray) -> Usual:
    """Of the speech in frames (n, 64)."""
    speech = bands[spoken(bands)]
    return Usual(speech.mean(axis=0), np.maximum(speech.std(axis=0), NARROWEST))


def told(bands: np.ndarray, of: Usual) -> np.ndarray:
    """Bands as deviations from what is usual, float32 (n, 64): nothing is left of level and long-term
    spectrum (instance normalisation, with the statistics of a sample)."""
    return np.clip((bands - of.mean) / of.deviation, -WIDEST, WIDEST).astype(np.float32)
