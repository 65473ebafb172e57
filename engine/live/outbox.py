"""From the engine's thread to the thread of one sink, without ever waiting for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from voicelane.events import Event, EventsDropped, SoundDropped

ENDING_S = 0.05


@dataclass(frozen=True, eq=False)
class Sound:
    """16 kHz sound float32 (n,) from sample `sample` of the stream on, as the engine heard it."""

    sample: int
    samples: np.ndarray


class CleanSound(Sound):
    """The same after the denoiser, where there is one."""


class Sink(Protocol):
    """Takes events on a thread of its own; it may be slow, the sound never waits for it.

    One that is `Hearing` gets the sound as well.
    """

    def put(self, event: Event) -> None:
        """One event, in order."""

    def close(self) -> None:
        """No more events come; called exactly once, whatever happened."""


@runtime_checkable
class Hearing(Sink, Protocol):
    """A sink that also takes, in order with the events, all sound that the engine hears."""

    def hear(self, sound: Sound) -> None:
        """The next sound."""


@runtime_checkable
class HearingClean(Sink, Protocol):
    """A sink that also takes the sound as the denoiser leaves it, later than the sound itself."""

    def hear_clean(self, sound: Sound) -> None:
        """The next cleaned sound."""


@runtime_checkable
class Speaking(Sink, Protocol):
    """A sink that has something to say itself, to all sinks; it ends before the others do."""

    def speak(self, say: Callable[[Event], None], patient: bool) -> None:
        """From now on `say` takes its events, from its own thread; a `patient` source waits for it."""


class Outbox:
    """A bounded queue; what does not fit is dropped, counted and reported to the sink itself."""

    def __init__(self, most: int) -> None:
        self._queue: queue.Queue[Event | Sound] = queue.Queue(most)
        self._dropped = self._lost_samples = self._latest = 0
        self._ended = threading.Event()

    def offer(self, item: Event | Sound, patient: bool) -> None:
        """Waits for room only if `patient`."""
        self._latest = item.sample
        try:
            for notice in self._notices():
                self._queue.put(notice, patient)
                self._settle(notice)
            self._queue.put(item, patient)
        except queue.Full:
            if not isinstance(item, Sound):
                self._dropped += 1
            elif not isinstance(item, CleanSound):  # told once, for the sound as it came
                self._lost_samples += len(item.samples)

    def end(self) -> None:
        """No more items come; never waits."""
        self._ended.set()

    def items(self) -> Iterator[Event | Sound]:
        """Everything in order, as it comes, until the end."""
        while True:
            try:
                yield self._queue.get(timeout=ENDING_S)
            except queue.Empty:
                if self._ended.is_set():
                    break
        yield from self._notices()

    def _notices(self) -> list[Event]:
        """What the sink has to be told of its losses."""
        found: list[Event] = []
        if self._dropped:
            found.append(EventsDropped(self._latest, self._dropped))
        if self._lost_samples:
            found.append(SoundDropped(self._latest, self._lost_samples))
        return found

    def _settle(self, notice: Event) -> None:
        if isinstance(notice, SoundDropped):
            self._lost_samples = 0
        else:
            self._dropped = 0
