"""Mel pictures of short words and the sound that belongs to one: Griffin and Lim 1984 in its fast form."""

from __future__ import annotations

import numpy as np
from scipy.signal import get_window

from voicelane.dsp.features import mel_matrix
from voicelane.dsp.stft import N_BINS, N_FFT

BANDS, COLUMNS = 64, 64
HOP = 200
"""Samples at 16 kHz, 12.5 ms: a picture holds 0.8 s."""
DEPTH = 9.0
"""Nepers of power (39 dB) below the loudest band that a picture shows; the rest is its floor, −1."""
LEAD = 400
"""Samples of silence before the first column."""
ITERATIONS, MOMENTUM = 48, 0.99
SHARPENING = 30


def mel_picture(samples: np.ndarray) -> np.ndarray:
    """Log-mel of a word, 16 kHz mono (n,), as float32 (64, 64) of bands and columns: 1 at its loudest band,
    −1 at `DEPTH` below it and where nothing is. What is longer than 0.8 s is cut."""
    length = HOP * (COLUMNS - 1) + N_FFT
    heard = np.zeros(length, np.float64)
    part = np.asarray(samples, np.float64)[: length - LEAD]
    heard[LEAD : LEAD + len(part)] = part
    power = np.abs(_stft(heard)) ** 2 @ mel_matrix(BANDS).T
    level = np.log(power + 1e-12)
    picture = 2 * (level - level.max()) / DEPTH + 1
    return np.maximum(picture, -1.0).T.astype(np.float32)


def mel_sound(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A sound of peak 0.5, float32 (0.8 s,), whose mel picture is nearly the given one (64, 64).

    Phases begin as `rng` draws them.
    """
    power = np.exp((np.clip(picture.T.astype(np.float64), -1, 1) - 1) * DEPTH / 2)
    power *= (picture.T > -0.98).any(axis=1, keepdims=True)
    return _at_peak(_griffin_lim(np.sqrt(_spectrum(power)), rng)[LEAD:])


def trimmed(samples: np.ndarray, range_db: float = 35.0) -> np.ndarray:
    """The word in a recording: from the first to the last 12.5 ms within `range_db` of the loudest."""
    n = len(samples) // HOP
    if n == 0:
        return samples
    energy = (np.asarray(samples[: n * HOP], np.float64).reshape(n, HOP) ** 2).mean(axis=1)
    loud = np.flatnonzero(energy > energy.max() * 10 ** (-range_db / 10))
    return samples[loud[0] * HOP : (loud[-1] + 1) * HOP] if len(loud) else samples


def _stft(signal: np.ndarray) -> np.ndarray:
    """Spectra (columns, 257) of a signal of whole columns."""
    frames = np.lib.stride_tricks.sliding_window_view(signal, N_FFT)[::HOP]
    return np.fft.rfft(frames * get_window("hann", N_FFT), axis=1)


def _istft(spectra: np.ndarray) -> np.ndarray:
    """The signal whose spectra come nearest, by weighted overlap-add."""
    window = get_window("hann", N_FFT)
    frames = np.fft.irfft(spectra, N_FFT, axis=1) * window
    length = HOP * (len(spectra) - 1) + N_FFT
    at = HOP * np.arange(len(spectra))[:, None] + np.arange(N_FFT)
    total, mass = (
        np.bincount(at.ravel(), x.ravel(), length) for x in (frames, np.tile(window**2, (len(at), 1)))
    )
    return total / np.maximum(mass, 1e-3)


def _spectrum(power: np.ndarray) -> np.ndarray:
    """Power spectra (n, 257) ≥ 0 of mel power (n, 64), by the multiplicative rule of Lee and Seung 2001."""
    bands = mel_matrix(BANDS)
    found = power @ (bands / np.maximum(bands.sum(axis=1, keepdims=True), 1e-9))
    overlap = bands.T @ bands
    for _ in range(SHARPENING):
        found = found * (power @ bands) / np.maximum(found @ overlap, 1e-15)
    return found


def _griffin_lim(magnitude: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A signal of these magnitudes (n, 257), with the momentum of Perraudin et al. 2013."""
    angles = np.exp(2j * np.pi * rng.random((len(magnitude), N_BINS)))
    before = np.zeros_like(angles)
    for _ in range(ITERATIONS):
        again = _stft(_istft(magnitude * angles))
        ahead = again + MOMENTUM * (again - before)
        angles, before = ahead / np.maximum(np.abs(ahead), 1e-12), again
    return _istft(magnitude * angles)


def _at_peak(signal: np.ndarray, peak: float = 0.5) -> np.ndarray:
    return (peak / max(float(np.abs(signal).max()), 1e-9) * signal).astype(np.float32)
