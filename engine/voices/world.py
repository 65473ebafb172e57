"""Speech as pitch, spectral envelope and aperiodicity, and back (WORLD, Morise et al. 2016).

The analysis is that of `pyworld`. The synthesis is our own, of the same equations: it goes on where it
stopped, so that a stream of any length is one sound.
"""

from __future__ import annotations

from types import ModuleType
from typing import NamedTuple

import numpy as np
from scipy import fft

from voicelane.base.errors import ModelError
from voicelane.base.timebase import SAMPLE_RATE

HOP_SAMPLES = 80
"""Between two frames (5 ms)."""
FFT_SAMPLES = 1_024
N_BINS = FFT_SAMPLES // 2 + 1
LOWEST_HZ, HIGHEST_HZ = 71.0, 500.0
UNVOICED_HZ = 250.0
"""Noise is renewed so often where nothing is voiced."""
QUIETEST = 1e-14
"""Power of a bin of silence."""
INSTALL = 'changing voices needs pyworld; run `pip install "voicelane[voice]"`'


class Frames(NamedTuple):
    """What is heard every 5 ms."""

    pitch_hz: np.ndarray
    """float64 (n,), 0 where nothing is voiced."""
    envelope: np.ndarray
    """Natural logarithm of the power, float64 (n, 513)."""
    aperiodicity: np.ndarray
    """Of the amplitude, 0 … 1, float64 (n, 513)."""

    def cut(self, first: int, behind: int) -> Frames:
        """Those from one to another."""
        return Frames(*(part[first:behind] for part in self))

    def n(self) -> int:
        return len(self.pitch_hz)


def world() -> ModuleType:
    """The library; raises `ModelError` where it is not installed."""
    try:
        import pyworld
    except ImportError:
        raise ModelError(INSTALL) from None
    return pyworld


def analysed(sound: np.ndarray, first: int, behind: int) -> Frames:
    """Frames `first` … `behind` of float32 (n,) at 16 kHz; the sound around them makes their pitch sure."""
    library, x = world(), np.ascontiguousarray(sound, np.float64)
    pitch_hz, at_s = pitch(x)
    chosen = slice(first, behind)
    f0, at = np.ascontiguousarray(pitch_hz[chosen]), np.ascontiguousarray(at_s[chosen])
    noise = library.d4c(x, f0, at, SAMPLE_RATE, fft_size=FFT_SAMPLES)
    return Frames(f0, envelope(x, f0, at), noise)


def envelope(x: np.ndarray, pitch_hz: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    """Natural logarithm of the power, float64 (n, 513), of sound float64 at times with their pitch (n,)."""
    power = world().cheaptrick(x, pitch_hz, at_s, SAMPLE_RATE, f0_floor=LOWEST_HZ, fft_size=FFT_SAMPLES)
    return np.log(np.maximum(power, QUIETEST))


def pitch(x: np.ndarray, hop_samples: int = HOP_SAMPLES) -> tuple[np.ndarray, np.ndarray]:
    """Pitch in Hz (n,), 0 where nothing is voiced, and the times of its frames in seconds, of float64
    (n,)."""
    library, period_ms = world(), 1_000.0 * hop_samples / SAMPLE_RATE
    f0, at_s = library.dio(x, SAMPLE_RATE, LOWEST_HZ, HIGHEST_HZ, frame_period=period_ms)
    return library.stonemask(x, f0, at_s, SAMPLE_RATE), at_s


def warped(envelope: np.ndarray, ratio: float) -> np.ndarray:
    """An envelope (n, 513) with its formants `ratio` times as high."""
    at = np.minimum(np.arange(N_BINS) / ratio, N_BINS - 1)
    low = at.astype(int)
    part = at - low
    return envelope[:, low] * (1.0 - part) + envelope[:, np.minimum(low + 1, N_BINS - 1)] * part


class Synthesis:
    """Frames in, sound out, from where it stopped: a pulse, and noise, for each period of the pitch."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """Nothing was said so far."""
        self._rng = np.random.default_rng(self._seed)
        self._next = 0.0
        """Samples from the beginning of the next frames to their first pulse."""
        self._tail = np.zeros(FFT_SAMPLES)

    def process(self, frames: Frames) -> np.ndarray:
        """Sound of all frames but the last, which says where things go: float32 ((n − 1) · 80,)."""
        length = (frames.n() - 1) * HOP_SAMPLES
        sound = np.zeros(length + 2 * FFT_SAMPLES)
        sound[:FFT_SAMPLES] += self._tail
        at, period, voiced = self._pulses(frames, length)
        if len(at):
            starts = at.astype(int)
            for start, response in zip(starts, self._responses(frames, at, period, voiced), strict=True):
                sound[start : start + FFT_SAMPLES] += response
        self._tail = sound[length : length + FFT_SAMPLES].copy()
        return sound[:length].astype(np.float32)

    def _pulses(self, frames: Frames, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where pulses lie, samples to the next one, and whether they are voiced."""
        at, periods, voiced = list[float](), list[float](), list[bool]()
        where = self._next
        while where < length:
            hz, speaks = _pitch_at(frames.pitch_hz, where / HOP_SAMPLES)
            period = SAMPLE_RATE / hz
            at.append(where)
            periods.append(period)
            voiced.append(speaks)
            where += period
        self._next = where - length
        return np.array(at), np.array(periods), np.array(voiced, bool)

    def _responses(
        self, frames: Frames, at: np.ndarray, period: np.ndarray, voiced: np.ndarray
    ) -> np.ndarray:
        """What each pulse sounds like, float32 (n, 1024)."""
        place = at / HOP_SAMPLES
        envelope = between(frames.envelope, place).astype(np.float32)
        noisy = np.clip(between(frames.aperiodicity, place), 0.001, 1.0 - 1e-6).astype(np.float32) ** 2
        noisy[~voiced] = 1.0
        spectrum = minimum_phase(envelope + np.log(noisy)) * fft.rfft(self._noise(period))
        tone = minimum_phase(envelope[voiced] + np.log(np.maximum(1.0 - noisy[voiced], 1e-6)))
        late = np.outer(at[voiced] % 1.0, np.arange(N_BINS) * (-2j * np.pi / FFT_SAMPLES))
        tone *= np.exp(late.astype(np.complex64)) * np.sqrt(period[voiced, None]).astype(np.float32)
        tone[:, 0] = 0.0
        spectrum[voiced] += tone
        return fft.irfft(spectrum)

    def _noise(self, period: np.ndarray) -> np.ndarray:
        """White noise of each pulse's period, float32 (n, 1024)."""
        noise = np.zeros((len(period), FFT_SAMPLES), np.float32)
        for row, length in zip(noise, np.maximum(period, 2.0).astype(int), strict=True):
            drawn = self._rng.standard_normal(length, np.float32)
            row[:length] = drawn - drawn.sum() / length
        return noise


def _pitch_at(pitch_hz: np.ndarray, place: float) -> tuple[float, bool]:
    """The pitch at a place between frames, and whether it is voiced there."""
    low = min(int(place), len(pitch_hz) - 2)
    a, b = float(pitch_hz[low]), float(pitch_hz[low + 1])
    if a > 0 and b > 0:
        return a + (b - a) * (place - low), True
    nearest = a if place - low < 0.5 else b
    return (nearest, True) if nearest > 0 else (UNVOICED_HZ, False)


def between(rows: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Rows (n, k) at places between them."""
    low = np.minimum(place.astype(int), len(rows) - 2)
    part = (place - low)[:, None]
    return rows[low] * (1.0 - part) + rows[low + 1] * part


def minimum_phase(log_power: np.ndarray) -> np.ndarray:
    """The spectrum of least delay with that power, complex64 (n, 513), by its cepstrum."""
    cepstrum = fft.irfft(log_power / 2)
    cepstrum[:, 1 : FFT_SAMPLES // 2] *= 2.0
    cepstrum[:, FFT_SAMPLES // 2 + 1 :] = 0.0
    return np.exp(fft.rfft(cepstrum))
