"""What comes from a source on its way to the engine: 16 kHz sound at its true place, and what went wrong."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from voicelane.audio.channels import MOST_CHANNELS, RunningMix
from voicelane.audio.level import ClippingWatch
from voicelane.audio.pace import Pace
from voicelane.audio.resampler import Resampler, finite
from voicelane.audio.ring import Ring
from voicelane.audio.sources import PushSource, Source
from voicelane.base.errors import AudioError
from voicelane.base.text import one_line
from voicelane.base.timebase import SAMPLE_RATE, samples
from voicelane.events import (
    DeviceOverflow,
    Event,
    InvalidSamples,
    ListeningPaused,
    ListeningResumed,
    SoundRemark,
)
from voicelane.live.feeder import Readable

RING_S = 10.0
READ_S = 1.0
IDLE_S = 0.005


@dataclass(frozen=True)
class Lost:
    """16 kHz samples that were overwritten unheard."""

    n_samples: int


@dataclass(frozen=True)
class LeftOut:
    """16 kHz samples that the device never gave, though it did not stop."""

    n_samples: int


@runtime_checkable
class Counting(Protocol):
    """A source that counts how often its device lost sound by itself."""

    device_overflows: int


@runtime_checkable
class Remarking(Protocol):
    """A source that knows something of its sound."""

    remarks: deque[str]
    """Sentences that nobody was told yet."""


Item = np.ndarray | Lost | LeftOut | Event


class Intake:
    """A ring that the source writes and the engine reads.

    While `paused`, silence takes the place of what the source writes: nothing of it is ever read, and time
    stays true.
    """

    def __init__(self, source: Source, sides: int = 1) -> None:
        """The channels become so many `sides` (n, sides), or mono (n,)."""
        self._sides = sides
        self.paused = self._silent = False
        self._marks: deque[tuple[int, bool]] = deque()
        self._attach(source)

    def _attach(self, source: Source) -> None:
        self._source, self._base, self._taken = source, 0, 0  # samples of the source, lost ones included
        self.ring = Ring(int(RING_S * source.rate), source.channels)
        self._resampler = Resampler(source.rate, self._sides)
        live = not isinstance(source, Readable)
        mixes = live and 1 < source.channels <= MOST_CHANNELS
        self._clipping = ClippingWatch() if live else None  # files look themselves
        self._mix = RunningMix(source.rate, source.channels) if mixes else None
        self._pace, self._gaps_s = Pace(source.rate), deque[tuple[int, float]]()
        self._given = self._overflows = 0
        self.began_s: float | None = None
        """`time.monotonic()` of the stream's sample 0, once there is sound."""
        self.latest_s = time.monotonic()
        """`time.monotonic()` when sound came last."""

    def reopened(
        self, reopen: Callable[[], PushSource], patience_s: float, stopping: threading.Event
    ) -> PushSource | None:
        """A microphone that is open and heard again, or None; `place` must follow before `take`."""
        try:
            source = reopen()
            self._attach(source)
            source.start(self.write)
        except AudioError:
            return None
        ends_s = time.monotonic() + patience_s
        while self.began_s is None and time.monotonic() < ends_s and not source.finished.is_set():
            if stopping.wait(IDLE_S):
                break
        if self.began_s is None:
            source.close()
            return None
        return source

    def place(self, at: int) -> None:
        """The source's first sample is the stream's sample `at`."""
        self._base = self._given = at
        if self.began_s is not None:
            self.began_s -= at / SAMPLE_RATE

    def write(self, block: np.ndarray) -> None:
        """Sound of a microphone, which waits for nobody; only ever called by its thread."""
        if self.paused is not self._silent:
            self._silent = not self._silent
            self._marks.append((self.ring.written, self._silent))
        self.append(np.zeros_like(block) if self._silent else block)
        if missing_s := self._pace.missing_s(len(block), self.latest_s):
            self._gaps_s.append((self.ring.written, missing_s))

    def append(self, block: np.ndarray) -> None:
        """Sound of a source that comes when there is room; only ever called by its thread."""
        self.latest_s = time.monotonic()
        self.ring.write(block)
        if self.began_s is None:
            self.began_s = self.latest_s - len(block) / self._source.rate

    def has_room(self) -> bool:
        """Whether half of the ring is free."""
        return self.ring.waiting <= self.ring.capacity // 2

    def take(self) -> list[Item]:
        """What has come, a second of it at most, in order; empty where nothing has."""
        found: list[Item] = [SoundRemark(self._given, sentence) for sentence in self._remarks()]
        while self._marks and self._marks[0][0] <= self._taken:
            kind = ListeningPaused if self._marks.popleft()[1] else ListeningResumed
            found.append(kind(self._place()))
        while self._gaps_s and self._gaps_s[0][0] <= self._taken:
            found += self._left_out(self._gaps_s.popleft()[1])
        most = max(1, int(READ_S * self._source.rate))
        if self._marks:
            most = min(most, self._marks[0][0] - self._taken)
        block, lost = self.ring.read(most)
        if lost:
            found += self._skipped(lost)
        return [*found, *self._heard(block)] if len(block) else found

    def _remarks(self) -> Iterator[str]:
        """What the source has to say of its sound, once."""
        while isinstance(self._source, Remarking) and self._source.remarks:
            yield one_line(self._source.remarks.popleft())

    def flush(self) -> np.ndarray:
        """The end of the source: what the resampler still holds."""
        rest = self._resampler.flush()
        self._given += len(rest)
        return rest

    def _place(self) -> int:
        return self._base + round(self._taken * SAMPLE_RATE / self._source.rate)

    def _skipped(self, lost: int) -> list[Item]:
        """The ring was overrun by so many samples of the source."""
        before = self._break_off()
        self._taken += lost
        return [before, Lost(self._go_on())]

    def _left_out(self, missing_s: float) -> list[Item]:
        """The device went on without a part of its sound."""
        before = self._break_off()
        self._base += samples(missing_s)
        return [before, LeftOut(self._go_on())]

    def _break_off(self) -> np.ndarray:
        """What the resampler holds; it comes before the gap."""
        before = self.flush()
        self._resampler.reset()
        return before

    def _go_on(self) -> int:
        """Samples up to the true place of what follows."""
        n_samples = self._place() - self._given
        self._given += n_samples
        return n_samples

    def _heard(self, block: np.ndarray) -> list[Item]:
        """A block of the source, after the losses and bad samples that go with it."""
        found: list[Item] = []
        self._taken += len(block)
        if isinstance(self._source, Counting) and self._source.device_overflows > self._overflows:
            found.append(DeviceOverflow(self._given, self._source.device_overflows - self._overflows))
            self._overflows = self._source.device_overflows
        if self._clipping and (remark := self._clipping.process(block)):
            found.append(SoundRemark(self._given, remark))
        block, n_invalid = finite(block)
        if n_invalid:
            found.append(InvalidSamples(self._given, n_invalid))
        sound = self._resampler.process(self._mix.process(block) if self._mix else block)
        self._given += len(sound)
        return [*found, sound]
