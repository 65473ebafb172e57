"""The sound of a conversation: kept on disk to be played, and as pictures at every zoom."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Mapping

import numpy as np

from voicelane import SAMPLE_RATE
from voicelane.base import samples
from voicelane.gui.model.growing import Growing
from voicelane.gui.model.level import Level
from voicelane.live import Sound

BIN = 160
"""Samples of the finest bin of the waveform (10 ms)."""
HOP = 320
"""Samples between two columns of the spectrogram (20 ms)."""
STEP = 8
"""Every level is so many times coarser than the one below it."""
LEVELS = 4
N_FFT, N_BANDS = 512, 64
FLOOR_DB, CEILING_DB = -78.0, -12.0
SILENCE = np.zeros(samples(1.0), np.float32)


class Pyramid:
    """Rows and their summaries, each level `STEP` times coarser."""

    def __init__(self, shape: tuple[int, ...], dtype: type, summary: np.ufunc) -> None:
        self.levels = [Growing(shape, dtype) for _ in range(LEVELS)]
        self._summary = summary

    def append(self, rows: np.ndarray) -> None:
        """Finest rows; a coarser one follows as soon as its `STEP` finer ones are there."""
        self.levels[0].append(rows)
        for fine, coarse in zip(self.levels, self.levels[1:], strict=False):
            fresh = fine.view()[coarse.n * STEP :]
            whole = len(fresh) // STEP
            if not whole:
                break
            groups = fresh[: whole * STEP].reshape(whole, STEP, *fresh.shape[1:])
            coarse.append(self._summary.reduce(groups, axis=1))

    def level(self, rows_per_pixel: float) -> int:
        """The coarsest level that has a row for every pixel."""
        return max((i for i in range(LEVELS) if STEP**i <= rows_per_pixel), default=0)


class SoundHistory:
    """Takes the sound on the engine's side; everything else is asked from the window.

    The samples lie in an unnamed temporary file as 16-bit numbers: two hours are 230 MB of disk and 30 MB
    of memory.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the history)
        self._lock = threading.Lock()
        self.n_samples = 0
        self._rest = np.zeros(0, np.float32)
        self._tail = np.zeros(N_FFT - HOP, np.float32)
        self._low = Pyramid((), np.int16, np.minimum)
        self._high = Pyramid((), np.int16, np.maximum)
        self._columns = Pyramid((N_BANDS,), np.uint8, np.maximum)
        self.level = Level()
        self.pictured = False
        """Whether all pictures are there, before the sound itself."""

    def pictures(self) -> dict[str, np.ndarray]:
        """All that is drawn of it, by name."""
        return {
            f"{name}{i}": level.view()
            for name, pyramid in self._pyramids().items()
            for i, level in enumerate(pyramid.levels)
        }

    def take_pictures(self, found: Mapping[str, np.ndarray]) -> bool:
        """What `pictures` gave, before any sound is heard; takes nothing, and says so, where it cannot be."""
        taken = []
        for name, pyramid in self._pyramids().items():
            for i, level in enumerate(pyramid.levels):
                rows, like = found.get(f"{name}{i}"), level.view()
                if rows is None or (rows.dtype, rows.shape[1:]) != (like.dtype, like.shape[1:]):
                    return False
                taken.append((level, rows))
        for level, rows in taken:
            level.fill(rows)
        self.pictured = True
        return True

    def _pyramids(self) -> dict[str, Pyramid]:
        return {"low": self._low, "high": self._high, "columns": self._columns}

    def hear_recorded(self, block: np.ndarray) -> None:
        """More of a recording: nobody looks at its level, and its pictures may be there already."""
        self._append(block)

    def hear(self, sound: Sound) -> None:
        """Sound at its place; what is missing before it is silence."""
        while self.n_samples < sound.sample:
            self._append(SILENCE[: sound.sample - self.n_samples])
        self._append(sound.samples)
        self.level.hear(sound.samples)

    def read(self, start: int, end: int) -> np.ndarray:
        """Samples float32 `start` … `end`, as far as there are any."""
        start = max(0, start)
        with self._lock:
            self._file.seek(2 * start)
            found = self._file.read(2 * max(0, min(end, self.n_samples) - start))
        return np.frombuffer(found, "<i2").astype(np.float32) / 32_768

    def close(self) -> None:
        self._file.close()

    def waveform(self, first: int, n_pixels: int, per_pixel: float) -> np.ndarray:
        """Least and greatest sample, −1 … 1 (2, n), of `n_pixels` pixels from number `first` on; fewer
        where the sound ends."""
        if per_pixel < BIN:
            return self._close_waveform(first, n_pixels, per_pixel)
        level = self._low.level(per_pixel / BIN)
        per_bin = per_pixel / (BIN * STEP**level)
        low, high = self._low.levels[level].view(), self._high.levels[level].view()
        edges = np.floor(np.arange(first, first + n_pixels) * per_bin).astype(np.int64)
        edges = edges[edges < min(len(low), len(high))]
        if not len(edges):
            return np.zeros((2, 0), np.float32)
        last = min(len(low), len(high), int(np.ceil((first + len(edges)) * per_bin)))
        at = edges - edges[0]
        found = np.stack(
            (
                np.minimum.reduceat(low[edges[0] : last], at),
                np.maximum.reduceat(high[edges[0] : last], at),
            )
        )
        return found.astype(np.float32) / 32_768

    def spectrogram(self, first: int, n_pixels: int, per_pixel: float) -> np.ndarray:
        """Loudness 0 … 255 (n, 64 bands, low to high) of pixels from number `first` on."""
        level = self._columns.level(per_pixel / HOP)
        columns = self._columns.levels[level].view()
        at = ((np.arange(first, first + n_pixels) + 0.5) * per_pixel / (HOP * STEP**level)).astype(np.int64)
        return columns[at[at < len(columns)]]

    def _close_waveform(self, first: int, n_pixels: int, per_pixel: float) -> np.ndarray:
        edges = np.floor(np.arange(first, first + n_pixels) * per_pixel).astype(np.int64)
        found = self.read(int(edges[0]), int(edges[-1] + np.ceil(per_pixel)))
        at = edges[edges < edges[0] + len(found)] - edges[0]
        if not len(at):
            return np.zeros((2, 0), np.float32)
        return np.stack((np.minimum.reduceat(found, at), np.maximum.reduceat(found, at)))

    def _append(self, block: np.ndarray) -> None:
        numbers = np.clip(np.rint(block * 32_768), -32_768, 32_767).astype("<i2")
        with self._lock:
            self._file.seek(0, 2)
            self._file.write(numbers.tobytes())
            self.n_samples += len(block)
        if self.pictured:
            return
        self._rest = np.concatenate((self._rest, block))
        n_columns = len(self._rest) // HOP
        if n_columns:
            whole, self._rest = self._rest[: n_columns * HOP], self._rest[n_columns * HOP :]
            self._picture(whole)

    def _picture(self, sound: np.ndarray) -> None:
        """Bins and columns of whole hops of sound."""
        bins = np.clip(np.rint(sound.reshape(-1, BIN) * 32_768), -32_768, 32_767).astype(np.int16)
        self._low.append(bins.min(axis=1))
        self._high.append(bins.max(axis=1))
        padded = np.concatenate((self._tail, sound))
        self._tail = padded[len(padded) - (N_FFT - HOP) :]
        frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
        self._columns.append(loudness(frames))


WINDOW = np.hanning(N_FFT).astype(np.float32)


def band_edges() -> np.ndarray:
    """First bin of each of the 64 bands, evenly spaced on the mel scale, and the end of the last (65,)."""
    mel = np.linspace(0, 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700), N_BANDS + 1)
    bins = 700 * (10 ** (mel / 2595) - 1) / SAMPLE_RATE * N_FFT
    edges = np.round(bins).astype(int)
    for i in range(1, N_BANDS + 1):
        edges[i] = max(edges[i], edges[i - 1] + 1)
    return edges


EDGES = band_edges()


def loudness(frames: np.ndarray) -> np.ndarray:
    """Levels of 64 bands, 0 (−78 dB) … 255 (−12 dB), uint8 (n, 64), of frames (n, 512)."""
    power = np.abs(np.fft.rfft(frames * WINDOW, axis=1).astype(np.complex64)) ** 2
    bands = np.maximum.reduceat(power, EDGES[:-1], axis=1) / (WINDOW.sum() / 2) ** 2
    db = 10 * np.log10(bands + 1e-12)
    scaled = (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)
    return (255 * np.clip(scaled, 0, 1)).astype(np.uint8)
