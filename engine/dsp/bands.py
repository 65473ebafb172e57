"""Levels of mel bands of complex spectra, and spectra whose bands are given other levels."""

from __future__ import annotations

from functools import cache

import numpy as np

from voicelane.dsp.features import mel_matrix

LEVEL_FLOOR = 3e-7
"""Power below which a band is silent."""
LEVEL_MIDDLE = -6.0
"""Nepers of power: about where the bands of speech lie."""
LEVEL_SPREAD = 2.5
"""Nepers by which they differ, about."""
MOST_GAIN = (-20.0, 10.0)
"""dB by which a band may become softer or louder."""


def band_levels(spectra: np.ndarray) -> np.ndarray:
    """Scaled log power of 80 mel bands, float32 (n, 80), of spectra as pairs of real numbers (n, 257, 2)."""
    power = band_products(spectra, spectra)
    return ((np.log(power + np.float32(LEVEL_FLOOR)) - LEVEL_MIDDLE) / LEVEL_SPREAD).astype(np.float32)


def band_products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Mean real part of a · b̄ in each band, float32 (n, 80), of spectra (n, 257, 2): power where a is b."""
    return np.asarray(np.multiply(a, b, dtype=np.float32).sum(-1) @ _means())


def at_levels(spectra: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Spectra (n, 257, 2) of the levels `before` (n, 80) with the levels `after`; phases stay."""
    decibels = (after - before) * np.float32(LEVEL_SPREAD * 10 / np.log(10))
    gains = 10 ** (np.clip(decibels, *MOST_GAIN) / 20)
    return (spectra * (gains @ _shares() + _outside())[..., None]).astype(np.float32)


def at_gains(spectra: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Spectra (n, 257, 2) times the gains (n, 80) of their bands; bins outside follow the nearest band."""
    return (spectra * (gains @ _nearest())[..., None]).astype(np.float32)


@cache
def _means() -> np.ndarray:
    """Weights (257, 80) of each band's mean power."""
    bands = mel_matrix()
    return (bands / np.maximum(bands.sum(axis=1, keepdims=True), 1e-9)).T.astype(np.float32)


@cache
def _shares() -> np.ndarray:
    """How much the gain of each band counts in each bin, (80, 257): sums of 1 where there are bands."""
    bands = mel_matrix()
    return (bands / np.maximum(bands.sum(axis=0), 1e-9)).astype(np.float32)


@cache
def _outside() -> np.ndarray:
    """1 for the bins (257,) that no band holds."""
    return (mel_matrix().sum(axis=0) < 1e-9).astype(np.float32)


@cache
def _nearest() -> np.ndarray:
    """As `_shares`, each bin outside counted to the first or the last band."""
    shares, inside = _shares().copy(), np.flatnonzero(_outside() == 0)
    shares[0, : inside[0]] = shares[-1, inside[-1] + 1 :] = 1.0
    return shares
