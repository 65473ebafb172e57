"""The only threads of the engine: source → ring → worker → one bounded queue per sink."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Protocol

import numpy as np

from engine.audio.resampler import Resampler, finite
from engine.audio.ring import Ring
from engine.audio.sources import PullSource, PushSource
from engine.errors import DeviceError
from engine.events import DeviceOverflow, Event, InvalidSamples, StreamStarted
from engine.label_desk import LabelDesk
from engine.outbox import Outbox, Sound
from engine.pipeline import Pipeline
from engine.timebase import SAMPLE_RATE

RING_S = 10.0
READ_S = 1.0
IDLE_S = 0.005
STALLED_S = 5.0
QUEUE_EVENTS = 10_000


class Sink(Protocol):
    """Takes events on a thread of its own; it may be slow, the sound never waits for it.

    A sink with a method `hear(sound: Sound)` gets, in order with the events, all sound that the engine hears.
    """

    def put(self, event: Event) -> None:
        """One event, in order."""

    def close(self) -> None:
        """No more events come; called exactly once, whatever happened."""


class LiveSession:
    """One source through one pipeline to any number of sinks.

    >>> with LiveSession(FileSource("talk.wav"), Pipeline(), [sink]) as session:
    ...     session.wait()
    """

    def __init__(
        self,
        source: PullSource | PushSource,
        pipeline: Pipeline,
        sinks: Iterable[Sink] = (),
        queue_events: int = QUEUE_EVENTS,
    ) -> None:
        """The pipeline should be warm (`Pipeline.warm_up`); `queue_events` bounds each sink's queue."""
        self.source, self.pipeline = source, pipeline
        self.ring = Ring(int(RING_S * source.rate), source.channels)
        self.lost_samples = 0
        """Samples of 16 kHz sound that came too fast and were overwritten unheard."""
        self._patient = not getattr(source, "realtime", True)  # nobody waits for a file: sinks may
        self._pushed = isinstance(getattr(source, "finished", None), threading.Event)
        self._closed = False
        self._taken = 0  # samples of the source, lost ones included
        self._overflows = 0
        self._began: float | None = None
        self._announced = False
        self._desk = LabelDesk()
        self._resampler = Resampler(source.rate)
        self._sinks = [_SinkThread(sink, queue_events) for sink in sinks]
        self._stopping, self._fed = threading.Event(), threading.Event()
        self._problem: BaseException | None = None
        self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
        self._feeder: threading.Thread | None = None

    def start(self) -> None:
        """Open the source and begin; raises `AudioError` where the source cannot be opened."""
        for sink in self._sinks:
            sink.start()
        try:
            if self._pushed:
                self.source.start(self._write)  # type: ignore[union-attr]
        except BaseException:
            self._stopping.set()
            self._end_sinks()
            self._close()
            raise
        if not self._pushed:
            self._feeder = threading.Thread(target=self._feed, name="source", daemon=True)
            self._feeder.start()
        self._worker.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until the source has ended and all is heard; False when `timeout_s` passed first.

        Raises what went wrong in the source or in a sink, after everything else was written.
        """
        self._worker.join(timeout_s)
        if self._worker.is_alive():
            return False
        self._close()
        return True

    def stop(self) -> None:
        """End now: what the ring holds is still heard, every sink is closed, then as `wait`."""
        self._stopping.set()
        if self._worker.ident is not None:
            if self._pushed:
                self.source.close()
            self.wait()
        elif not self._closed:
            for sink in self._sinks:
                sink.start()
            self._end_sinks()
            self._close()

    def rename(self, speaker: str, name: str) -> None:
        """Show `name` for a speaker from now on; any thread may ask, every sink is told."""
        self._desk.rename(speaker, name)

    def merge(self, speaker: str, into: str) -> None:
        """Take `speaker` for `into` from now on."""
        self._desk.merge(speaker, into)

    def undo(self) -> None:
        """Take back the latest renaming or merging that still holds."""
        self._desk.undo()

    def __enter__(self) -> LiveSession:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _feed(self) -> None:
        """A pulled source into the ring: paced by the clock, or by the room in the ring."""
        source: PullSource = self.source  # type: ignore[assignment]
        try:
            began, written = time.monotonic(), 0
            for block in source.blocks():
                written += len(block)
                while not source.realtime and self.ring.waiting > self.ring.capacity // 2:
                    if self._stopping.wait(IDLE_S):
                        return
                late = began + written / source.rate - time.monotonic()
                if self._stopping.wait(max(0.0, late) if source.realtime else 0.0):
                    return
                self._write(block)
        except BaseException as problem:  # kept for wait(), which raises it where somebody listens
            self._problem = problem
        finally:
            self._fed.set()

    def _write(self, block: np.ndarray) -> None:
        if self._began is None:
            self._began = time.monotonic() - len(block) / self.source.rate
        self.ring.write(block)

    def _work(self) -> None:
        """The ring through the pipeline to the sinks, until the source ends."""
        ended = getattr(self.source, "finished", self._fed)
        most, heard_at = max(1, int(READ_S * self.source.rate)), time.monotonic()
        try:
            while True:
                self._publish(self._desk.take(self.pipeline.heard_samples))
                last = ended.is_set() or self._stopping.is_set()
                block, lost = self.ring.read(most)
                if len(block):
                    heard_at = time.monotonic()
                    self._announce()
                if lost:
                    self._skip(lost)
                if len(block):
                    self._take(block)
                elif last:
                    break
                elif self._pushed and time.monotonic() - heard_at > STALLED_S:
                    raise DeviceError(
                        f"{self.source.name}: no sound has come for {STALLED_S:.0f} s; is it connected? "
                        "What was heard before is kept"
                    )
                else:
                    time.sleep(IDLE_S)
            if self._pushed and not self._stopping.is_set():
                raise DeviceError(
                    f"{self.source.name}: the device has stopped; connect it again and start anew. "
                    "What was heard before is kept"
                )
        except BaseException as problem:
            self._problem = self._problem or problem
        try:
            self._push(self._resampler.flush())
            self._publish(self.pipeline.flush())
        except BaseException as problem:
            self._problem = self._problem or problem
        finally:
            self._publish(self._desk.take(self.pipeline.heard_samples, last=True))
            self._stopping.set()
            self._end_sinks()

    def _announce(self) -> None:
        if self._began is not None and not self._announced:
            self._announced = True
            self._publish([StreamStarted(0, self.source.name, self.source.rate, self._began)])

    def _take(self, block: np.ndarray) -> None:
        """A block of the source, after the losses and bad samples that go with it."""
        self._taken += len(block)
        overflows = getattr(self.source, "device_overflows", 0)
        if overflows > self._overflows:
            self._publish([DeviceOverflow(self.pipeline.heard_samples, overflows - self._overflows)])
            self._overflows = overflows
        block, n_invalid = finite(block)
        if n_invalid:
            self._publish([InvalidSamples(self.pipeline.heard_samples, n_invalid)])
        self._push(self._resampler.process(block))

    def _skip(self, lost: int) -> None:
        """A gap: what the resampler holds comes before it, and the stream goes on at its true place."""
        self._push(self._resampler.flush())
        self._resampler.reset()
        self._taken += lost
        n_samples = round(self._taken * SAMPLE_RATE / self.source.rate) - self.pipeline.heard_samples
        self.lost_samples += n_samples
        self._publish(self.pipeline.skip(n_samples))

    def _push(self, block: np.ndarray) -> None:
        """Sound into the pipeline, and to the sinks that record it."""
        sound = Sound(self.pipeline.heard_samples, block)
        for sink in self._sinks:
            if sink.hears and len(block):
                sink.offer(sound, self._patient)
        self._publish(self.pipeline.push(block))

    def _publish(self, events: list[Event]) -> None:
        self._desk.see(events)
        for sink in self._sinks:
            for event in events:
                sink.offer(event, self._patient)

    def _end_sinks(self) -> None:
        for sink in self._sinks:
            sink.end()

    def _close(self) -> None:
        self._closed = True
        self.source.close()
        if self._feeder is not None:
            self._feeder.join()
        for sink in self._sinks:
            sink.join()
        problem = self._problem or next((s.problem for s in self._sinks if s.problem), None)
        self._problem = None
        for sink in self._sinks:
            sink.problem = None
        if problem is not None:
            raise problem


class _SinkThread:
    """A sink behind its outbox."""

    def __init__(self, sink: Sink, most: int) -> None:
        self.problem: BaseException | None = None
        self._sink, self._outbox = sink, Outbox(most)
        self._hear: Callable[[Sound], None] | None = getattr(sink, "hear", None)
        self.hears = self._hear is not None
        self.offer, self.end = self._outbox.offer, self._outbox.end
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)
        self.join = self._thread.join

    def start(self) -> None:
        """Once; a second call changes nothing, so that an interrupted start can be stopped."""
        if self._thread.ident is None:
            self._thread.start()

    def _run(self) -> None:
        for item in self._outbox.items():
            if isinstance(item, Event):
                self._guarded(self._sink.put, item)
            elif self._hear:
                self._guarded(self._hear, item)
        closing = self.problem
        self.problem = None
        self._guarded(self._sink.close)
        self.problem = closing or self.problem

    def _guarded(self, action: Callable[..., None], *item: Event | Sound) -> None:
        """A sink that fails gets no more events and stops no other; its problem is raised at the end."""
        if self.problem is None:
            try:
                action(*item)
            except BaseException as problem:
                self.problem = problem
