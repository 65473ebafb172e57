"""An inaudible mark in all speech that voicelane makes or changes, and the detector that hears it.

Bands of 190 Hz become a little louder and softer by a pattern of signs (spread spectrum) that repeats every
2.6 s. What a codec keeps of a spectrum it keeps of the mark. The detector correlates the levels of the bands
with the pattern at every shift, and with decoys, whose spread says what chance makes of speech without a
mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
from scipy import fft

from voicelane.base.timebase import SAMPLE_RATE

WINDOW_SAMPLES, HOP_SAMPLES = 512, 256
CELL_HOPS, PERIOD_CELLS = 5, 32
PERIOD_HOPS = CELL_HOPS * PERIOD_CELLS
FIRST_BIN, BAND_BINS, N_BANDS = 14, 6, 30
"""From 440 to 6,060 Hz; over a telephone half of them are left."""
DEPTH_DB = 1.4
"""By so much a band is louder or softer."""
KEY, N_DECOYS = 0x70C1A2E, 15
BLOCK_PERIODS = 8
"""The detector judges so much at once (20 s); it hears a mark in a part of a long recording too."""
LEAST_HOPS = PERIOD_HOPS // 4
FOUND = 5.5
"""Standard deviations of the decoys from which a mark is heard; see `python -m voicelane.bench mark`."""
MOST_RESIDUAL = 2.0
"""Of a level, in standard deviations: louder surprises count no more."""
SILENT_DB = 75.0
"""A band so far below the loudest is no evidence."""


@cache
def pattern(number: int = 0) -> np.ndarray:
    """Signs of the cells, float64 (32, 30), as many of each kind in every band; 0 is ours, others are
    decoys."""
    rng = np.random.default_rng((KEY, number))
    half = np.repeat((1.0, -1.0), PERIOD_CELLS // 2)
    return np.stack([rng.permutation(half) for _ in range(N_BANDS)], axis=1)


@cache
def gains() -> np.ndarray:
    """Amplitude of each bin at each hop of a period, float64 (160, 257), smooth from cell to cell."""
    signs = np.repeat(pattern(), CELL_HOPS, axis=0)
    signs = (np.roll(signs, 1, axis=0) + 2.0 * signs + np.roll(signs, -1, axis=0)) / 4.0
    found = np.zeros((PERIOD_HOPS, WINDOW_SAMPLES // 2 + 1))
    found[:, FIRST_BIN : FIRST_BIN + N_BANDS * BAND_BINS] = np.repeat(signs, BAND_BINS, axis=1)
    return 10.0 ** (DEPTH_DB * found / 20.0)


@cache
def window() -> np.ndarray:
    """Whose square adds up to 1 at every hop."""
    return np.sin(np.pi * (np.arange(WINDOW_SAMPLES) + 0.5) / WINDOW_SAMPLES)


class Marker:
    """A stream of 16 kHz sound that gets the mark: as much out as in, `latency_samples` late."""

    latency_samples = WINDOW_SAMPLES - 1

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Then as new."""
        self._waiting = np.zeros(HOP_SAMPLES)  # the first window begins before the sound
        self._tail, self._hops = np.zeros(HOP_SAMPLES), 0

    def process(self, sound: np.ndarray) -> np.ndarray:
        """Float32 (n,) in; what is ready comes out."""
        self._waiting = np.concatenate((self._waiting, sound))
        done = [np.zeros(0)]
        while len(self._waiting) >= WINDOW_SAMPLES:
            done.append(self._hop(self._waiting[:WINDOW_SAMPLES]))
            self._waiting = self._waiting[HOP_SAMPLES:]
        return np.concatenate(done).astype(np.float32)

    def flush(self) -> np.ndarray:
        """The stream ends; the rest of it."""
        left = len(self._waiting) - (0 if self._hops else HOP_SAMPLES)
        rest = self.process(np.zeros(WINDOW_SAMPLES))[:left]
        self.reset()
        return rest

    def _hop(self, heard: np.ndarray) -> np.ndarray:
        """The half of a window that is complete; the very first is before the sound and left out."""
        spectrum = fft.rfft(heard * window()) * gains()[self._hops % PERIOD_HOPS]
        whole = fft.irfft(spectrum) * window()
        ready, self._tail = whole[:HOP_SAMPLES] + self._tail, whole[HOP_SAMPLES:]
        self._hops += 1
        return ready if self._hops > 1 else np.zeros(0)


def marked(sound: np.ndarray) -> np.ndarray:
    """The sound with the mark, float32 (n,)."""
    marker = Marker()
    return np.concatenate((marker.process(sound), marker.flush()))


@dataclass(frozen=True)
class Mark:
    """What the detector says of a recording."""

    score: float
    """In standard deviations of what chance makes."""
    at_s: float
    """Where the block begins that says most."""

    threshold: ClassVar[float] = FOUND

    @property
    def found(self) -> bool:
        return self.score >= self.threshold


def heard_mark(blocks: Iterable[np.ndarray]) -> Mark:
    """Whether speech of ours is in blocks (n,) at 16 kHz, in constant memory."""
    best, length = Mark(0.0, 0.0), BLOCK_PERIODS * PERIOD_HOPS * HOP_SAMPLES
    for number, sound in enumerate(_regrouped(blocks, length)):
        if (score := evidence(sound)) > best.score:
            best = Mark(score, number * length / SAMPLE_RATE)
    return best


def evidence(sound: np.ndarray) -> float:
    """How surely the mark is in (n,), in standard deviations of the decoys; 0 where it is too short."""
    levels = _levels(sound)
    if len(levels) < LEAST_HOPS:
        return 0.0
    folded = _folded(_surprises(levels))
    spread = float(np.std([_correlation(folded, pattern(k)) for k in range(1, N_DECOYS + 1)]))
    return float(_correlation(folded, pattern()).max() / max(spread, 1e-9))


def _regrouped(blocks: Iterable[np.ndarray], length: int) -> Iterator[np.ndarray]:
    """Pieces of that length; the last may be half as long again, so that none is short."""
    kept = np.zeros(0, np.float32)
    for block in blocks:
        kept = np.concatenate((kept, block))
        while len(kept) >= length + length // 2:
            yield kept[:length]
            kept = kept[length:]
    yield kept


def _levels(sound: np.ndarray) -> np.ndarray:
    """Level of each band in dB, float64 (n_hops, 30)."""
    n = max(0, (len(sound) - WINDOW_SAMPLES) // HOP_SAMPLES + 1)
    if not n:
        return np.zeros((0, N_BANDS))
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW_SAMPLES)[::HOP_SAMPLES]
    power = np.abs(fft.rfft(frames * window())) ** 2
    bands = power[:, FIRST_BIN : FIRST_BIN + N_BANDS * BAND_BINS].reshape(n, N_BANDS, BAND_BINS).sum(axis=2)
    return 10.0 * np.log10(bands + 1e-12)


def _surprises(levels: np.ndarray) -> np.ndarray:
    """By how much each level is above what is around it in time and frequency, clipped, (n_hops, 30)."""
    loud = levels > levels.max() - SILENT_DB
    flat = levels - _smooth(levels, 2 * CELL_HOPS + 1)
    flat = flat - _smooth(flat.T, 5).T
    spread = flat[loud].std() if loud.any() else 1.0
    return np.where(loud, np.clip(flat / max(spread, 1e-9), -MOST_RESIDUAL, MOST_RESIDUAL), 0.0)


def _smooth(rows: np.ndarray, width: int) -> np.ndarray:
    """Running mean over `width` rows."""
    half = width // 2
    padded = np.pad(rows, ((half + 1, half), (0, 0)), mode="edge")
    total = np.cumsum(padded, axis=0)
    return (total[width:] - total[:-width]) / width


def _folded(surprises: np.ndarray) -> np.ndarray:
    """Their sum at each hop of the period, float64 (160, 30)."""
    n = -(-len(surprises) // PERIOD_HOPS) * PERIOD_HOPS
    padded = np.pad(surprises, ((0, n - len(surprises)), (0, 0)))
    return padded.reshape(-1, PERIOD_HOPS, N_BANDS).sum(axis=0)


def _correlation(folded: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """With the pattern at each shift, float64 (160,)."""
    there = fft.rfft(np.repeat(signs, CELL_HOPS, axis=0), axis=0)
    return fft.irfft(fft.rfft(folded, axis=0) * there.conj(), n=PERIOD_HOPS, axis=0).sum(axis=1)
