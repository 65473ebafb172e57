"""Log-mel bands, phase features per band, and a mean normalisation that never looks ahead."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from voicelane.base.timebase import HOP_SAMPLES, SAMPLE_RATE
from voicelane.dsp import kernels
from voicelane.dsp.stft import N_BINS, N_FFT, WINDOW_SAMPLES, window

N_MELS = 80
LOW_HZ, HIGH_HZ = 20.0, 7600.0
PRE_EMPHASIS = 0.97
ENERGY_FLOOR = 1e-18
"""Added to the power of a band: far below what any recording holds, so that no feature depends on level."""
DEPTH = 12.0
"""How far below the loudness of the speech so far a band may lie, in nepers of power (52 dB)."""


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


def _constants() -> np.ndarray:
    """Spectra complex64 (3, 257) of a constant 1 over their first bin: in the first two columns, before which
    there is silence, and in every later one."""
    heard = np.arange(WINDOW_SAMPLES) >= np.array([[WINDOW_SAMPLES - HOP_SAMPLES * k] for k in (1, 2, 3)])
    spectra = np.fft.rfft(heard * window(), N_FFT).astype(np.complex64)
    return spectra / spectra[:, :1]


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
        self._constants = _constants()
        self._n_mels, self._phase = n_mels, phase
        self.reset()

    def reset(self) -> None:
        self._previous = np.zeros(N_BINS, np.complex64)
        self._heard = 0  # columns, as far as that matters

    def process(self, spectra: np.ndarray) -> Features:
        out = Features(*(np.zeros((len(spectra), self._n_mels), np.float32) for _ in range(3)))
        which = np.minimum(self._heard + np.arange(len(spectra)), len(self._constants) - 1)
        self._heard = min(self._heard + len(spectra), len(self._constants))
        spectra = spectra - spectra[:, :1] * self._constants[which]  # an offset is no sound
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

    Level and shape are averaged apart. The level is a plain average over the columns heard; the shape over
    the bands starts at that of `prior` with the weight of `prior_columns`; so what comes out does not depend
    on how loud the sound is. Both forget exponentially once `longest_columns` were heard. Bands that lie
    more than `DEPTH` below the average loudness are raised to there: what is underneath is the floor of a
    recording, not a voice.

    Only the first `n_mels` bands are levels; what a column holds beyond them (phase) has a plain mean.
    """

    latency_samples = 0

    def __init__(
        self,
        prior: np.ndarray,
        prior_columns: int = 10,
        longest_columns: int = 300,
        level_columns: int = 0,
        n_mels: int | None = None,
    ) -> None:
        """`level_columns`: how many columns the level of `prior` was heard for."""
        self._prior, self._n_mels = np.asarray(prior, np.float64), n_mels or len(prior)
        self._counts = (prior_columns, level_columns)
        self._longest = longest_columns
        self.reset()

    def reset(self) -> None:
        mels = self._prior[: self._n_mels]
        self._shape = self._prior.copy()
        self._shape[: self._n_mels] -= mels.mean()
        self._levels = np.array([np.logaddexp.reduce(mels) - np.log(len(mels)), mels.mean()])
        self._heard = np.array(self._counts, np.int64)

    def process(self, columns: np.ndarray) -> np.ndarray:
        """Columns float32 (n, n_bands) with the running mean taken off."""
        out = np.empty_like(columns, dtype=np.float32)
        state = self._shape, self._levels, self._heard
        kernels.running_mean(columns, self._n_mels, DEPTH, self._longest, *state, out)
        return out

    def flush(self) -> np.ndarray:
        return np.zeros((0, len(self._prior)), np.float32)
