"""Mean pitch of a voice by normalised autocorrelation (Boersma 1993), in frames of 40 ms."""

from __future__ import annotations

import numpy as np
from scipy.signal import get_window

from voicelane.base.timebase import SAMPLE_RATE

LOWEST_HZ, HIGHEST_HZ = 60.0, 420.0
FRAME, STEP = 2 * 640, 320
VOICED = 0.55
"""Least correlation of a frame with itself one period later."""
NEARLY = 0.88
"""A shorter period with so much of the best correlation is taken: a multiple of a period repeats, too."""
LEAST_FRAMES = 5


def mean_pitch(samples: np.ndarray) -> float:
    """Median pitch in Hz of the voiced frames of 16 kHz mono (n,); nan where hardly any frame is voiced."""
    pitches = pitch_track(samples)
    voiced = pitches[np.isfinite(pitches)]
    return float(np.median(voiced)) if len(voiced) >= LEAST_FRAMES else float("nan")


def pitch_track(samples: np.ndarray) -> np.ndarray:
    """Pitch in Hz every 20 ms, float64 (n_frames,); nan where nothing periodic is heard."""
    if len(samples) < FRAME:
        return np.full(0, np.nan)
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::STEP]
    loud = np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1))
    correlation = _correlation(frames - frames.mean(axis=1, keepdims=True))
    pitch, strength = _period(correlation)
    return np.where((strength > VOICED) & (loud > 0.1 * loud.max()), pitch, np.nan)


def _correlation(frames: np.ndarray) -> np.ndarray:
    """Autocorrelation (n, lags) of windowed frames over that of the window, 1 at lag 0."""
    window = get_window("hann", FRAME)
    lags = int(SAMPLE_RATE / LOWEST_HZ) + 2
    of_frames, of_window = (_autocorrelation(x)[:, :lags] for x in (frames * window, window[None]))
    found = of_frames / np.maximum(of_frames[:, :1], 1e-12)
    return found / (of_window / of_window[:, :1])


def _autocorrelation(x: np.ndarray) -> np.ndarray:
    spectra = np.abs(np.fft.rfft(x, 2 * FRAME, axis=1)) ** 2
    return np.fft.irfft(spectra, axis=1)


def _period(correlation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pitch in Hz and correlation (n,) of the first peak that is nearly the highest."""
    first = int(SAMPLE_RATE / HIGHEST_HZ)
    inner = correlation[:, first:-1]
    peak = (inner > correlation[:, first - 1 : -2]) & (inner >= correlation[:, first + 1 :])
    height = np.where(peak, inner, -1.0)
    best = height.max(axis=1)
    lag = np.argmax(height >= NEARLY * best[:, None], axis=1)
    rows = np.arange(len(lag))
    before, at, after = (correlation[rows, first + lag + d] for d in (-1, 0, 1))
    bend = 2 * at - before - after
    shift = np.where(bend > 0, 0.5 * (after - before) / np.where(bend > 0, bend, 1.0), 0.0)
    return SAMPLE_RATE / (first + lag + shift), best
