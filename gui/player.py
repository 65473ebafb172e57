"""Hear what was said: a stretch of the history to the loudspeaker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine import PORTAUDIO, SAMPLE_RATE
from gui.sound import SoundHistory

BLOCK_S = 0.04


@dataclass(frozen=True)
class Stretch:
    """Samples `start` … `end` of the history, played at `rate` Hz."""

    start: int
    end: int
    rate: int = SAMPLE_RATE

    def place(self, n_played: int) -> int:
        """Sample of the history after so many samples of the loudspeaker."""
        return min(self.end, self.start + n_played * SAMPLE_RATE // self.rate)

    def length(self) -> int:
        """Samples that the loudspeaker gets in all."""
        return (self.end - self.start) * self.rate // SAMPLE_RATE


def block_of(history: SoundHistory, stretch: Stretch, n_played: int, n: int) -> np.ndarray:
    """The loudspeaker's samples `n_played` … + `n`, float32 (n,), silent behind the end; other rates than
    16 kHz are interpolated linearly."""
    left = max(0, min(n, stretch.length() - n_played))
    at = stretch.start + (n_played + np.arange(left)) * (SAMPLE_RATE / stretch.rate)
    out = np.zeros(n, np.float32)
    if left:
        first = int(at[0])
        sound = history.read(first, int(at[-1]) + 2)
        if len(sound):
            out[:left] = np.interp(at - first, np.arange(len(sound)), sound)
    return out


class Player(QObject):
    """Plays one stretch at a time; `place` moves while it does."""

    changed = Signal()
    """Playing began or ended."""
    failed = Signal(str)
    _finished = Signal(int)

    def __init__(self, open_stream: Callable[..., Any] | None = None) -> None:
        """`open_stream` takes the place of `sounddevice.OutputStream` in tests."""
        super().__init__()
        self._open = open_stream or _output_stream
        self._stream: Any = None
        self._history: SoundHistory | None = None
        self._stretch, self._played, self._number = Stretch(0, 0), 0, 0
        self._finished.connect(self._end)

    @property
    def playing(self) -> bool:
        return self._stream is not None

    @property
    def place(self) -> int:
        """Sample that is heard now."""
        return self._stretch.place(self._played)

    def play(self, history: SoundHistory, start: int, end: int | None = None) -> None:
        """From a sample to another, or to the end of the sound."""
        self.stop()
        end = history.n_samples if end is None else min(end, history.n_samples)
        if start >= end:
            return
        self._history, self._stretch, self._played = history, Stretch(start, end), 0
        self._number += 1
        try:
            with PORTAUDIO:
                self._stream = self._open(self._fill, int(SAMPLE_RATE * BLOCK_S), self._rate)
                self._stream.start()
        except Exception as problem:  # PortAudio's, or OSError where there is no PortAudio
            self.stop()
            self.failed.emit(f"no sound can be played ({problem}); is a loudspeaker connected?")
            return
        self.changed.emit()

    def stop(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
            self.changed.emit()

    def _rate(self, rate: int) -> None:
        self._stretch = Stretch(self._stretch.start, self._stretch.end, rate)

    def _fill(self, out: np.ndarray, *_: Any) -> None:
        """The loudspeaker's callback."""
        assert self._history is not None
        out[:] = block_of(self._history, self._stretch, self._played, len(out))[:, None]
        self._played += len(out)
        if self._played >= self._stretch.length():
            self._finished.emit(self._number)

    def _end(self, number: int) -> None:
        if number == self._number:
            self.stop()


def _output_stream(fill: Callable[..., None], block: int, tell_rate: Callable[[int], None]) -> Any:
    """A stream of 16 kHz, or of the device's own rate where it takes no other."""
    import sounddevice

    options = {"channels": 1, "dtype": "float32", "callback": fill}
    try:
        return sounddevice.OutputStream(samplerate=SAMPLE_RATE, blocksize=block, **options)
    except sounddevice.PortAudioError:
        rate = int(sounddevice.query_devices(kind="output")["default_samplerate"])
        tell_rate(rate)
        return sounddevice.OutputStream(samplerate=rate, **options)
