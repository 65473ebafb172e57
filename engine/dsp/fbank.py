"""Log-mel filterbank as Kaldi computes it, for speaker encoders that were trained on it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from voicelane.base.timebase import SAMPLE_RATE

FRAME_LENGTH = 400
FRAME_SHIFT = 160
N_FFT = 512
LOW_HZ = 20.0
PRE_EMPHASIS = 0.97
PCM_SCALE = 32768.0
FLOOR = float(np.finfo(np.float32).eps)


def kaldi_fbank(samples: np.ndarray, n_mels: int = 80) -> np.ndarray:
    """Samples in −1…1 at 16 kHz → log-mel energies float32 (n_frames, n_mels), 25 ms every 10 ms.

    Kaldi's `compute-fbank-feats` without dither: whole frames only, mean removed, pre-emphasis, Povey
    window, power spectrum of 16-bit values, triangular mel bands from 20 Hz to 8 kHz.
    """
    if len(samples) < FRAME_LENGTH:
        return np.zeros((0, n_mels), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_LENGTH)[::FRAME_SHIFT]
    frames = frames.astype(np.float32) * PCM_SCALE
    frames -= frames.mean(axis=1, keepdims=True)
    shifted = np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    spectrum = np.fft.rfft((frames - PRE_EMPHASIS * shifted) * _povey(), N_FFT)[:, : N_FFT // 2]
    energies = (spectrum.real**2 + spectrum.imag**2) @ mel_weights(n_mels)
    return np.log(np.maximum(energies, FLOOR)).astype(np.float32)


@lru_cache(maxsize=1)
def _povey() -> np.ndarray:
    return np.hanning(FRAME_LENGTH).astype(np.float32) ** 0.85


@lru_cache(maxsize=4)
def mel_weights(n_mels: int) -> np.ndarray:
    """Triangles that are even on the mel scale, float64 (n_fft / 2, n_mels)."""
    low, high = _mel(np.array([LOW_HZ, SAMPLE_RATE / 2]))
    edges = np.linspace(low, high, n_mels + 2)
    bins = _mel(np.arange(N_FFT // 2) * SAMPLE_RATE / N_FFT)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling))


def _mel(hz: np.ndarray) -> np.ndarray:
    return 1127.0 * np.log1p(hz / 700.0)


class KaldiFbank:
    """Frames float32 (n, 320) in, columns float32 (2n, n_mels) out: column k ends with sample 160 (k + 1)."""

    latency_samples = 0

    def __init__(self, n_mels: int = 80) -> None:
        self._n_mels = n_mels
        self.reset()

    def reset(self) -> None:
        self._history = np.zeros(FRAME_LENGTH - FRAME_SHIFT, np.float32)

    def process(self, frames: np.ndarray) -> np.ndarray:
        signal = np.concatenate((self._history, frames.reshape(-1)))
        self._history = signal[FRAME_SHIFT - FRAME_LENGTH :].copy()
        return kaldi_fbank(signal, self._n_mels)

    def flush(self) -> np.ndarray:
        """Nothing waits: every column leaves with its last sample."""
        return np.zeros((0, self._n_mels), np.float32)
