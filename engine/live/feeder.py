"""A source that is read, as one that speaks up by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable

import numpy as np

from voicelane.audio.sources import PullSource

IDLE_S = 0.005


@runtime_checkable
class Readable(PullSource, Protocol):
    """A `PullSource`, so that it can be told from a pushed one."""


@runtime_checkable
class Interruptible(Protocol):
    """A source that can wait for its own sound."""

    def interrupt(self) -> None:
        """`blocks` ends soon; from any thread."""


class Feeder:
    """Makes a pulled source a pushed one: a thread of its own reads it.

    A source of real time comes at the speed of its sound, any other as fast as there is room for it.
    """

    def __init__(self, source: PullSource, has_room: Callable[[], bool]) -> None:
        self.name, self.rate, self.channels = source.name, source.rate, source.channels
        self.duration_s = source.duration_s
        self.patient = not source.realtime
        """Whether the source waits for whoever hears it."""
        self.paused = False
        """Nothing is read meanwhile, and nothing is lost."""
        self.finished = threading.Event()
        self._source, self._has_room = source, has_room
        self._closing, self._thread = threading.Event(), threading.Thread()
        self._problem: BaseException | None = None

    def start(self, write: Callable[[np.ndarray], None]) -> None:
        """Call `write` with every block from now on."""
        self._thread = threading.Thread(target=self._feed, args=(write,), name="source", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Read no more and release the source, which nobody reads by then."""
        self._closing.set()
        if isinstance(self._source, Interruptible):
            self._source.interrupt()
        if self._thread.ident is not None:
            self._thread.join()
        self._source.close()

    def take_problem(self) -> BaseException | None:
        """What ended the reading early, told once."""
        problem, self._problem = self._problem, None
        return problem

    def _feed(self, write: Callable[[np.ndarray], None]) -> None:
        try:
            for block in self._paced():
                write(block)
        except BaseException as problem:  # kept for the session, which raises it where somebody listens
            self._problem = problem
        finally:
            self.finished.set()

    def _paced(self) -> Iterator[np.ndarray]:
        """The blocks, each at its time; time spent paused does not count."""
        began_s, n_read = time.monotonic(), 0
        for block in self._source.blocks():
            n_read += len(block)
            began_s += self._held_s(lambda: self.paused)
            if self.patient:
                self._held_s(lambda: not self._has_room())
            else:
                self._closing.wait(max(0.0, began_s + n_read / self.rate - time.monotonic()))
            if self._closing.is_set():
                return
            yield block

    def _held_s(self, held: Callable[[], bool]) -> float:
        """Wait while `held`, or until the source is closed; tells how long that took."""
        began_s = time.monotonic()
        while held() and not self._closing.wait(IDLE_S):
            pass
        return time.monotonic() - began_s
