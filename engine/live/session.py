"""A live session: source → ring → engine's thread → one bounded queue per sink."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from weakref import WeakSet

import numpy as np

from voicelane.audio.sources import PullSource, PushSource
from voicelane.base.errors import DeviceError, VoicelaneError
from voicelane.base.timebase import SAMPLE_RATE, samples
from voicelane.events import DeviceLost, DeviceReturned, Event, SinkFailed, StreamStarted
from voicelane.labels.desk import LabelDesk
from voicelane.live.audience import Audience
from voicelane.live.feeder import Feeder, Readable
from voicelane.live.intake import Intake, Item, LeftOut, Lost
from voicelane.live.outbox import CleanSound, Sink, Sound
from voicelane.pipeline import Pipeline
from voicelane.sides import SidesPipeline

IDLE_S = 0.005
STALLED_S = 5.0
RETRY_S = 1.0
QUEUE_EVENTS = 10_000
AT_WORK = WeakSet[Pipeline | SidesPipeline]()
"""Pipelines that a session is hearing with."""


class LiveSession:
    """One source through one pipeline to any number of sinks.

    >>> with LiveSession(FileSource("talk.wav"), Pipeline(), [sink]) as session:
    ...     session.wait()

    The pipeline, and the verifiers in it, are reset at the start: they may have heard another stream before.
    A session is heard once, and so is a source that is used up by hearing it.
    """

    def __init__(
        self,
        source: PullSource | PushSource,
        pipeline: Pipeline | SidesPipeline,
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
        self.corrections = LabelDesk()
        """Takes corrections of the labels, from any thread; every sink is told by an event."""
        self._intake, self._reconnect = Intake(source, pipeline.sides), reconnect
        self._input = Feeder(source, self._intake.has_room) if isinstance(source, Readable) else source
        feeder = self._feeder
        self._audience = Audience(sinks, queue_events, feeder is not None and feeder.patient)
        self._announced, self._cleaned_samples = False, 0
        self._stopping = threading.Event()
        self._problem: BaseException | None = None
        self._worker = threading.Thread(target=self._work, name="engine", daemon=True)

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that have come and were not heard yet; ten are kept at most."""
        return self._intake.ring.waiting / self.source.rate

    @property
    def paused(self) -> bool:
        return (self._feeder or self._intake).paused

    def start(self) -> None:
        """Open the source and begin.

        Raises `AudioError` where the source cannot be opened, `VoicelaneError` where this session was heard
        before or another one is hearing with the same pipeline.
        """
        if self._worker.ident is not None or self._stopping.is_set():
            raise VoicelaneError("a session is heard once; make another one to listen again")
        if self.pipeline in AT_WORK:
            raise VoicelaneError("another session is hearing with this pipeline; give each one of its own")
        AT_WORK.add(self.pipeline)
        self.pipeline.reset()
        self._audience.start()
        try:
            if self._input.finished.is_set():
                raise DeviceError(f"{self.source.name}: has ended already; open it anew to listen again")
            self._input.start(self._intake.append if self._feeder else self._intake.write)
        except BaseException:
            self._give_up()
            raise
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
        if self._worker.ident is not None:
            self._stopping.set()
            self._input.close()
            self.wait()
        elif not self._stopping.is_set():
            self._give_up()

    def pause(self) -> None:
        """Listen to nothing until `resume`: a file waits, silence takes the place of a microphone's sound."""
        (self._feeder or self._intake).paused = True

    def resume(self) -> None:
        """Listen again."""
        (self._feeder or self._intake).paused = False

    def attach(self, sink: Sink) -> None:
        """Give a sink the names so far and what comes from now on, from any thread but a sink's own.

        Raises `VoicelaneError` after the end.
        """
        self._audience.attach(sink)

    def detach(self, sink: Sink) -> None:
        """Give a sink nothing more: all that it got is written and it is closed on return.

        Raises what went wrong in it.
        """
        self._audience.detach(sink)

    def __enter__(self) -> LiveSession:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _feeder(self) -> Feeder | None:
        """What reads the source, where it has to be read."""
        return self._input if isinstance(self._input, Feeder) else None

    def _work(self) -> None:
        """The ring through the pipeline to the sinks, until the source ends."""
        self._intake.latest_s = time.monotonic()
        try:
            while self._listen():
                pass
        except BaseException as problem:
            self._problem = problem
        try:
            self._push(self._intake.flush())
            self._say(self.pipeline.flush())
        except BaseException as problem:
            self._problem = self._problem or problem
        finally:
            self._publish(self.corrections.take(self.pipeline.heard_samples, last=True))
            self._stopping.set()
            self._hear_out()
            self._audience.end()
            AT_WORK.discard(self.pipeline)

    def _hear_out(self) -> None:
        """Tell the others what sinks that speak have to say at the end."""
        while not self._audience.silence():
            self._publish(self._audience.said())
            time.sleep(IDLE_S)
        self._publish(self._audience.said())

    def _listen(self) -> bool:
        """One round; False when there is nothing more to hear."""
        self._answer()
        over = self._input.finished.is_set()  # before the ring is emptied: nothing comes after it
        if items := self._intake.take():
            self._announce()
            for item in items:
                self._take(item)
        elif self._stopping.is_set() or (over and self._feeder):
            return False
        else:
            self._wait_for_sound(over)
        return True

    def _answer(self) -> None:
        """Do what other threads asked for, and tell which sinks failed."""
        self._publish(self.corrections.take(self.pipeline.heard_samples))
        self._audience.welcome()
        self._publish(self._audience.said())
        for sentence in self._audience.failures():
            self._publish([SinkFailed(self.pipeline.heard_samples, sentence)])

    def _wait_for_sound(self, over: bool) -> None:
        if over:
            self._lose_device("the device has stopped")
        elif self._feeder is None and time.monotonic() - self._intake.latest_s > STALLED_S:
            self._lose_device(f"no sound has come for {STALLED_S:.0f} s")
        else:
            time.sleep(IDLE_S)

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
            self._answer()
            self._fill(lost_at + samples(time.monotonic() - lost_at_s))
            source = self._intake.reopened(self._reconnect, STALLED_S, self._stopping)
            if source is not None:
                self.source = self._input = source
                began_s = self._intake.began_s
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
            self._say(self.pipeline.skip(item.n_samples))
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
        if len(block):
            mono = block if block.ndim == 1 else block.mean(axis=1, dtype=np.float32)
            self._audience.hear(Sound(self.pipeline.heard_samples, mono))
        self._say(self.pipeline.push(block))

    def _say(self, events: list[Event]) -> None:
        """What the engine tells of the sound that it was just given, and that sound itself, cleaned."""
        cleaned = self.pipeline.cleaned
        if cleaned is not None and len(cleaned):
            self._audience.hear(CleanSound(self._cleaned_samples, cleaned))
            self._cleaned_samples += len(cleaned)
        self._publish(events)

    def _publish(self, events: list[Event]) -> None:
        self.corrections.see(events)
        self._audience.tell(events)

    def _give_up(self) -> None:
        """End what never began."""
        self._stopping.set()
        AT_WORK.discard(self.pipeline)
        self._audience.end()
        self._close()

    def _close(self) -> None:
        """Wait for the last of it, and raise what went wrong, once."""
        self._input.close()
        unread, unwritten = self._feeder.take_problem() if self._feeder else None, self._audience.join()
        problem, self._problem = self._problem or unread or unwritten, None
        if problem is not None:
            raise problem
