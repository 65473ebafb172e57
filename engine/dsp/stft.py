"""Streaming short-time Fourier transform and its weighted overlap-add inverse.

Column k covers the samples 160k − 240 … 160k + 160 (25 ms, zeros before the start), so that it is
final as soon as its last sample is there and every 20 ms frame gives exactly two columns.
"""

from __future__ import annotations

import numpy as np

from voicelane.base.timebase import HOP_SAMPLES

WINDOW_SAMPLES = 400
N_FFT = 512
N_BINS = N_FFT // 2 + 1
OVERLAP_SAMPLES = WINDOW_SAMPLES - HOP_SAMPLES
FRONT_END = f"hamming {WINDOW_SAMPLES}/{HOP_SAMPLES}, fft {N_FFT}"
"""What a network has to have been trained on that takes these columns."""


def window() -> np.ndarray:
    """Periodic Hamming window, float32 (400,)."""
    phase = 2 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES
    return (0.54 - 0.46 * np.cos(phase)).astype(np.float32)


def columns(signal: np.ndarray) -> np.ndarray:
    """Spectra complex64 (n_columns, 257) of a signal that starts with 240 samples of history."""
    cut = np.lib.stride_tricks.sliding_window_view(signal, WINDOW_SAMPLES)[::HOP_SAMPLES]
    return np.fft.rfft(cut * window(), N_FFT)


class Stft:
    """Frames float32 (n, 320) in, spectra complex64 (2n, 257) out, with no delay."""

    latency_samples = 0

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._history = np.zeros(OVERLAP_SAMPLES, np.float32)

    def process(self, frames: np.ndarray) -> np.ndarray:
        signal = np.concatenate((self._history, frames.reshape(-1)))
        self._history = signal[-OVERLAP_SAMPLES:].copy()
        return columns(signal) if len(frames) else np.zeros((0, N_BINS), np.complex64)

    def flush(self) -> np.ndarray:
        """Nothing waits: every column leaves with its last sample."""
        return np.zeros((0, N_BINS), np.complex64)


class Istft:
    """Spectra (n, 257) in, samples (160 n,) out, delayed by exactly 240 samples.

    Weighted overlap-add (Griffin & Lim 1984): Σ w·x̂ / Σ w², exact where the spectra are unchanged.
    """

    latency_samples = OVERLAP_SAMPLES

    def __init__(self) -> None:
        self._window = window()
        self.reset()

    def reset(self) -> None:
        self._sum = np.zeros(WINDOW_SAMPLES, np.float32)
        self._mass = np.zeros(WINDOW_SAMPLES, np.float32)

    def process(self, spectra: np.ndarray) -> np.ndarray:
        pieces = np.fft.irfft(spectra, N_FFT)[:, :WINDOW_SAMPLES] * self._window
        out = np.empty((len(pieces), HOP_SAMPLES), np.float32)
        for k, piece in enumerate(pieces):
            self._sum += piece
            self._mass += self._window**2
            out[k] = self._leave()
        return out.reshape(-1)

    def flush(self) -> np.ndarray:
        """The last 240 samples, from the columns that there are."""
        tail = np.divide(self._sum, self._mass, out=np.zeros_like(self._sum), where=self._mass > 0)
        self.reset()
        return tail[:OVERLAP_SAMPLES]

    def _leave(self) -> np.ndarray:
        done = self._sum[:HOP_SAMPLES] / self._mass[:HOP_SAMPLES]
        for state in (self._sum, self._mass):
            state[:-HOP_SAMPLES] = state[HOP_SAMPLES:]
            state[-HOP_SAMPLES:] = 0
        return done
