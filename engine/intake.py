"""What comes from a source on its way to the engine: 16 kHz sound at its true place, and what went wrong."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.audio.pace import Pace
from engine.audio.resampler import Resampler, finite
from engine.audio.ring import Ring
from engine.audio.sources import PullSource, PushSource
from engine.errors import AudioError
from engine.events import DeviceOverflow, Event, InvalidSamples, ListeningPaused, ListeningResumed
from engine.timebase import SAMPLE_RATE, samples

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


Item = np.ndarray | Lost | LeftOut | Event


class Intake:
    """A ring that the source writes and the engine reads.

    While `paused`, silence takes the place of what the source writes: nothing of it is ever read, and time
    stays true.
    """

    def __init__(self, source: PullSource | PushSource) -> None:
        self.paused = self._silent = False
        self._marks: deque[tuple[int, bool]] = deque()
        self._attach(source)

    def _attach(self, source: PullSource | PushSource) -> None:
        self._source, self._base, self._taken = source, 0, 0  # samples of the source, lost ones included
        self.ring = Ring(int(RING_S * source.rate), source.channels)
        self._resampler = Resampler(source.rate)
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
        """Sound of a microphone; only ever called by its thread."""
        if self.paused is not self._silent:
            self._silent = not self._silent
            self._marks.append((self.ring.written, self._silent))
        self._append(np.zeros_like(block) if self._silent else block)
        if missing_s := self._pace.missing_s(len(block), self.latest_s):
            self._gaps_s.append((self.ring.written, missing_s))

    def feed(self, source: PullSource, stopping: threading.Event) -> None:
        """A pulled source into the ring, paced by the clock or by the room in it; waits while paused."""
        began, written = time.monotonic(), 0
        for block in source.blocks():
            written += len(block)
            began += self._pause_s(stopping)
            while not source.realtime and self.ring.waiting > self.ring.capacity // 2:
                if stopping.wait(IDLE_S):
                    return
            late = began + written / source.rate - time.monotonic()
            if stopping.wait(max(0.0, late) if source.realtime else 0.0):
                return
            self._append(block)

    def take(self) -> list[Item]:
        """What has come, a second of it at most, in order; empty where nothing has."""
        found: list[Item] = []
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

    def flush(self) -> np.ndarray:
        """The end of the source: what the resampler still holds."""
        rest = self._resampler.flush()
        self._given += len(rest)
        return rest

    def _append(self, block: np.ndarray) -> None:
        self.latest_s = time.monotonic()
        self.ring.write(block)
        if self.began_s is None:
            self.began_s = self.latest_s - len(block) / self._source.rate

    def _pause_s(self, stopping: threading.Event) -> float:
        """Wait until nothing is paused; tells how long that took."""
        began = time.monotonic()
        while self.paused and not stopping.wait(IDLE_S):
            pass
        return time.monotonic() - began

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
        overflows = getattr(self._source, "device_overflows", 0)
        if overflows > self._overflows:
            found.append(DeviceOverflow(self._given, overflows - self._overflows))
            self._overflows = overflows
        block, n_invalid = finite(block)
        if n_invalid:
            found.append(InvalidSamples(self._given, n_invalid))
        sound = self._resampler.process(block)
        self._given += len(sound)
        return [*found, sound]
