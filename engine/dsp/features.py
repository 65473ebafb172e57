"""Log-mel bands, phase features per band, and a mean normalisation that never looks ahead."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.dsp import kernels
from engine.dsp.stft import N_BINS, N_FFT, WINDOW_SAMPLES, window
from engine.timebase import HOP_SAMPLES, SAMPLE_RATE

N_MELS = 80
LOW_HZ, HIGH_HZ = 20.0, 7600.0
PRE_EMPHASIS = 0.97
ENERGY_FLOOR = 1e-10


class MelBands(NamedTuple):
    """Sparse mel filterbank: band m weighs bins[first[m]:first[m + 1]] by weights[…]."""

    first: np.ndarray
    bins: np.ndarray
    weights: np.ndarray


def mel_matrix(n_mels: int = N_MELS) -> np.ndarray:
    """Triangular HTK-mel filters of peak 1, float64 (n_mels, 257), between 20 and 7600 Hz."""
    mel = np.linspace(_hz_to_mel(LOW_HZ), _hz_to_mel(HIGH_HZ), n_mels + 2)
    edges = 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    hz = np.arange(N_BINS) * SAMPLE_RATE / N_FFT
    rising = (hz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hz) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rising, falling))


def _hz_to_mel(hz: float) -> float:
    return 2595.0 * np.log10(1.0 + hz / 700.0)


def sparse(matrix: np.ndarray) -> MelBands:
    """The non-zero entries of a filterbank (n_mels, 257), band by band."""
    rows = [np.flatnonzero(row) for row in matrix]
    first = np.concatenate(([0], np.cumsum([len(r) for r in rows]))).astype(np.int64)
    bins = np.concatenate(rows).astype(np.int64)
    return MelBands(first, bins, matrix[np.repeat(np.arange(len(rows)), np.diff(first)), bins])


def pre_emphasis_power() -> np.ndarray:
    """|1 − 0.97 e^{−jω}|² per bin: pre-emphasis applied to the power spectrum, float64 (257,)."""
    omega = 2 * np.pi * np.arange(N_BINS) / N_FFT
    return np.abs(1.0 - PRE_EMPHASIS * np.exp(-1j * omega)) ** 2


class Features(NamedTuple):
    """Three float32 arrays (n_columns, 80), a column every 10 ms."""

    log_mel: np.ndarray
    frequency_deviation: np.ndarray
    delay_deviation: np.ndarray


class FeatureExtractor:
    """Spectra complex64 (n, 257) in, `Features` of n columns out, with no delay.

    `phase=False` leaves the two phase features zero and saves their arctangents.
    """

    latency_samples = 0

    def __init__(self, n_mels: int = N_MELS, phase: bool = True) -> None:
        matrix = mel_matrix(n_mels)
        self._phase_bands = sparse(matrix)
        self._mel_bands = sparse(matrix * pre_emphasis_power())
        self._scale = 1.0 / float(np.sum(window() ** 2))
        self._n_mels, self._phase = n_mels, phase
        self.reset()

    def reset(self) -> None:
        self._previous = np.zeros(N_BINS, np.complex64)

    def process(self, spectra: np.ndarray) -> Features:
        out = Features(*(np.zeros((len(spectra), self._n_mels), np.float32) for _ in range(3)))
        kernels.log_mel(spectra, *self._mel_bands, self._scale, ENERGY_FLOOR, out.log_mel)
        if self._phase:
            self._phase_features(spectra, out)
        return out

    def _phase_features(self, spectra: np.ndarray, out: Features) -> None:
        advance = 2 * np.pi * HOP_SAMPLES / N_FFT
        kernels.frequency_deviation(
            spectra, self._previous, advance, *self._phase_bands, out.frequency_deviation
        )
        slope = 2 * np.pi * (WINDOW_SAMPLES / 2) / N_FFT
        kernels.delay_deviation(spectra, slope, *self._phase_bands, out.delay_deviation)
        if len(spectra):
            self._previous = spectra[-1].copy()

    def flush(self) -> Features:
        return self.process(np.zeros((0, N_BINS), np.complex64))


class RunningMean:
    """Subtracts from every column the mean of the columns so far, the current one included.

    The mean starts at `prior` with the weight of `prior_columns`, is a plain average until
    `longest_columns` were heard, and forgets exponentially from then on.
    """

    latency_samples = 0

    def __init__(self, prior: np.ndarray, prior_columns: int = 10, longest_columns: int = 300) -> None:
        self._prior = np.asarray(prior, np.float64)
        self._prior_columns, self._longest = prior_columns, longest_columns
        self.reset()

    def reset(self) -> None:
        self._mean = self._prior.copy()
        self._count = self._prior_columns

    def process(self, columns: np.ndarray) -> np.ndarray:
        """Columns float32 (n, n_mels) with the running mean taken off."""
        out = np.empty_like(columns, dtype=np.float32)
        self._count = kernels.running_mean(columns, self._mean, self._count, self._longest, out)
        return out

    def flush(self) -> np.ndarray:
        return np.zeros((0, len(self._prior)), np.float32)
