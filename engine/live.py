"""The only threads of the engine: source → ring → worker → one bounded queue per sink."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType

import numpy as np

from engine.audio.sources import PullSource, PushSource
from engine.errors import DeviceError, VoicelaneError
from engine.events import DeviceLost, DeviceReturned, Event, SinkFailed, SpeakerIdentified, StreamStarted
from engine.intake import Intake, Item, LeftOut, Lost
from engine.label_desk import LabelDesk
from engine.outbox import Outbox, Sink, Sound
from engine.pipeline import Pipeline
from engine.relabelling import BY_HAND
from engine.timebase import SAMPLE_RATE, samples

IDLE_S = 0.005
STALLED_S = 5.0
RETRY_S = 1.0
QUEUE_EVENTS = 10_000


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
        reconnect: Callable[[], PushSource] | None = None,
    ) -> None:
        """The pipeline should be warm (`Pipeline.warm_up`); `queue_events` bounds each sink's queue.

        `reconnect` opens a microphone again that was lost (`reopen_microphone`), or raises `AudioError`
        while it is away: it is asked once a second, from the engine's thread. Without it a lost microphone
        ends the session.
        """
        self.source, self.pipeline = source, pipeline
        self.lost_samples = 0
        """Samples of 16 kHz sound that came too fast and were overwritten unheard."""
        self._patient = not getattr(source, "realtime", True)  # nobody waits for a file: sinks may
        self._pushed = isinstance(getattr(source, "finished", None), threading.Event)
        self._closed = self._announced = False
        self.corrections = LabelDesk()
        """Takes corrections of the labels, from any thread; every sink is told by an event."""
        self._intake, self._reconnect = Intake(source), reconnect
        self._sinks = [_SinkThread(sink, queue_events) for sink in sinks]
        self._queue_events, self._ended, self._lock = queue_events, False, threading.Lock()
        self._names: list[Event] = []  # what was said of names so far
        self._stopping, self._fed = threading.Event(), threading.Event()
        self._problem: BaseException | None = None
        self._worker = threading.Thread(target=self._work, name="engine", daemon=True)
        self._feeder: threading.Thread | None = None

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that have come and were not heard yet; ten are kept at most."""
        return self._intake.ring.waiting / self.source.rate

    @property
    def paused(self) -> bool:
        return self._intake.paused

    def start(self) -> None:
        """Open the source and begin; raises `AudioError` where the source cannot be opened."""
        for sink in self._sinks:
            sink.start()
        try:
            if self._pushed:
                self.source.start(self._intake.write)  # type: ignore[union-attr]
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

    def pause(self) -> None:
        """Listen to nothing until `resume`: a file waits, silence takes the place of a microphone's sound."""
        self._intake.paused = True

    def resume(self) -> None:
        """Listen again."""
        self._intake.paused = False

    def attach(self, sink: Sink) -> None:
        """Give a sink the names so far and what comes from now on, from any thread.

        Raises `VoicelaneError` after the end.
        """
        added = _SinkThread(sink, self._queue_events)
        with self._lock:
            if self._ended:
                raise VoicelaneError("the session has ended; nothing more comes")
            for event in self._names:
                added.offer(event, self._patient)
            added.start()
            self._sinks = [*self._sinks, added]

    def detach(self, sink: Sink) -> None:
        """Give a sink nothing more: all that it got is written and it is closed on return.

        Raises what went wrong in it.
        """
        with self._lock:
            gone = [s for s in self._sinks if s.sink is sink]
            self._sinks = [s for s in self._sinks if s.sink is not sink]
        for thread in gone:
            thread.end()
            thread.join()
            if thread.problem is not None:
                raise thread.problem

    def __enter__(self) -> LiveSession:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _feed(self) -> None:
        try:
            self._intake.feed(self.source, self._stopping)  # type: ignore[arg-type]
        except BaseException as problem:  # kept for wait(), which raises it where somebody listens
            self._problem = problem
        finally:
            self._fed.set()

    def _work(self) -> None:
        """The ring through the pipeline to the sinks, until the source ends."""
        self._intake.latest_s = time.monotonic()
        try:
            while self._listen():
                pass
        except BaseException as problem:
            self._problem = self._problem or problem
        try:
            self._push(self._intake.flush())
            self._publish(self.pipeline.flush())
        except BaseException as problem:
            self._problem = self._problem or problem
        finally:
            self._publish(self.corrections.take(self.pipeline.heard_samples, last=True))
            self._stopping.set()
            self._end_sinks()

    def _listen(self) -> bool:
        """One round; False when there is nothing more to hear."""
        self._publish(self.corrections.take(self.pipeline.heard_samples))
        self._tell_failures()
        last = getattr(self.source, "finished", self._fed).is_set() or self._stopping.is_set()
        items = self._intake.take()
        if items:
            self._announce()
            for item in items:
                self._take(item)
        elif self._stopping.is_set() or (last and not self._pushed):
            return False
        elif last:
            self._lose_device("the device has stopped")
        elif self._pushed and time.monotonic() - self._intake.latest_s > STALLED_S:
            self._lose_device(f"no sound has come for {STALLED_S:.0f} s")
        else:
            time.sleep(IDLE_S)
        return True

    def _lose_device(self, reason: str) -> None:
        """Wait until the microphone is there again, or end the session where nobody can open it."""
        if self._reconnect is None:
            raise DeviceError(
                f"{self.source.name}: {reason}; connect it again and start anew. "
                "What was heard before is kept"
            )
        self.source.close()
        self._push(self._intake.flush())
        lost_at_s, lost_at = self._intake.latest_s, self.pipeline.heard_samples
        self._publish([DeviceLost(lost_at, f"{self.source.name}: {reason}")])
        while not self._stopping.wait(RETRY_S):
            self._publish(self.corrections.take(self.pipeline.heard_samples))
            self._fill(lost_at + samples(time.monotonic() - lost_at_s))
            source = self._intake.reopened(self._reconnect, STALLED_S, self._stopping)
            if source is not None:
                self.source, began_s = source, self._intake.began_s
                assert began_s is not None
                self._fill(lost_at + samples(began_s - lost_at_s))
                self._intake.place(self.pipeline.heard_samples)
                self._publish([DeviceReturned(self.pipeline.heard_samples, source.name)])
                return

    def _fill(self, until: int) -> None:
        """Silence up to a sample of the stream, second by second."""
        while (missing := until - self.pipeline.heard_samples) > 0:
            self._push(np.zeros(min(missing, SAMPLE_RATE), np.float32))

    def _announce(self) -> None:
        began_s = self._intake.began_s
        if began_s is not None and not self._announced:
            self._announced = True
            self._publish([StreamStarted(0, self.source.name, self.source.rate, began_s)])

    def _take(self, item: Item) -> None:
        if isinstance(item, Lost):
            self.lost_samples += item.n_samples
            self._publish(self.pipeline.skip(item.n_samples))
        elif isinstance(item, LeftOut):
            name, place = self.source.name, self.pipeline.heard_samples
            self._publish([DeviceLost(place, f"{name}: some of its sound did not come")])
            self._fill(place + item.n_samples)
            self._publish([DeviceReturned(place + item.n_samples, name)])
        elif isinstance(item, Event):
            self._publish([item])
        else:
            self._push(item)

    def _push(self, block: np.ndarray) -> None:
        """Sound into the pipeline, and to the sinks that record it."""
        sound = Sound(self.pipeline.heard_samples, block)
        for sink in self._sinks:
            if sink.hears and len(block):
                sink.offer(sound, self._patient)
        self._publish(self.pipeline.push(block))

    def _publish(self, events: list[Event]) -> None:
        self.corrections.see(events)
        self._names += [e for e in events if isinstance(e, (SpeakerIdentified, *BY_HAND))]
        for sink in self._sinks:
            for event in events:
                sink.offer(event, self._patient)

    def _tell_failures(self) -> None:
        for sink in self._sinks:
            if sink.problem is not None and not sink.told:
                sink.told = True
                self._publish([SinkFailed(self.pipeline.heard_samples, str(sink.problem))])

    def _end_sinks(self) -> None:
        with self._lock:
            self._ended = True
        for sink in self._sinks:
            sink.end()

    def _close(self) -> None:
        self._closed = True
        if self._feeder is not None:
            self._feeder.join()  # nobody closes a file that is being read
        self.source.close()
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
        self.told = False
        self.sink, self._outbox = sink, Outbox(most)
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
                self._guarded(self.sink.put, item)
            elif self._hear:
                self._guarded(self._hear, item)
        closing = self.problem
        self.problem = None
        self._guarded(self.sink.close)
        self.problem = closing or self.problem

    def _guarded(self, action: Callable[..., None], *item: Event | Sound) -> None:
        """A sink that fails gets no more events and stops no other; its problem is raised at the end."""
        if self.problem is None:
            try:
                action(*item)
            except BaseException as problem:
                self.problem = problem
