"""Who is told what the engine says: each sink on a thread of its own, and who comes or goes meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial

from voicelane.base.errors import VoicelaneError
from voicelane.events import Event, SpeakerIdentified
from voicelane.labels.corrections import BY_HAND
from voicelane.live.outbox import CleanSound, Hearing, HearingClean, Outbox, Sink, Sound, Speaking

QUEUE_OF_SPEAKERS, PATIENT_QUEUE = 1_000, 100
"""Items that wait for a sink that speaks; few, where a file would run away from it."""
ENDED = "the session has ended; nothing more comes"


class Audience:
    """The sinks of one session. Whoever comes later is told the names that were given before.

    `attach` and `detach` may be called from any thread but a sink's own. They are requests that the engine's
    thread takes in `welcome`, between two things that it says, so nothing said is lost or told twice. All
    else belongs to the engine's thread, and to those who come before and after it.
    """

    def __init__(self, sinks: Iterable[Sink], queue_items: int, patient: bool) -> None:
        """`queue_items` bounds each sink's queue; a `patient` engine waits for room in it."""
        self._queue_items, self._patient = queue_items, patient
        self._said = deque[Event]()
        self._seats = [self._seat(sink) for sink in sinks]
        self._names: list[Event] = []
        self._requests, self._lock = deque[Callable[[], None]](), threading.Lock()
        self._at_work = self._over = False

    def start(self) -> None:
        """From now on requests wait for the engine's thread."""
        with self._lock:
            self._at_work = True
            for seat in self._seats:
                seat.start()

    def tell(self, events: Iterable[Event]) -> None:
        """Give events to every sink, in order."""
        for event in events:
            if isinstance(event, (SpeakerIdentified, *BY_HAND)):
                self._names.append(event)
            for seat in self._seats:
                seat.offer(event, self._patient)

    def hear(self, sound: Sound) -> None:
        """Give sound to the sinks that take such."""
        for seat in self._seats:
            if seat.hears(sound):
                seat.offer(sound, self._patient)

    def said(self) -> list[Event]:
        """What sinks that speak have said since the last call."""
        return [self._said.popleft() for _ in range(len(self._said))]

    def silence(self) -> bool:
        """The sinks that speak get nothing more; whether they are all done. Never waits."""
        speaking = [seat for seat in self._seats if isinstance(seat.sink, Speaking)]
        for seat in speaking:
            seat.end()
        return not any(seat.is_at_work() for seat in speaking)

    def attach(self, sink: Sink) -> None:
        """Give a sink the names so far and what comes from now on; raises `VoicelaneError` after the end."""
        if not self._ask(partial(self._come, sink)):
            raise VoicelaneError(ENDED)

    def detach(self, sink: Sink) -> None:
        """Give a sink nothing more; on return all that it got is written and it is closed.

        Raises what went wrong in it.
        """
        gone, left = list[_Seat](), threading.Event()
        if self._ask(partial(self._go, sink, gone, left)):
            left.wait()
        else:
            self._go(sink, gone, left)
        for seat in gone:
            seat.end()
            seat.join()
            if seat.problem is not None:
                raise seat.problem

    def welcome(self) -> None:
        """Carry out what was asked for."""
        while self._requests:
            self._requests.popleft()()

    def failures(self) -> list[str]:
        """What went wrong since the last call, a sentence each."""
        failed = [seat for seat in self._seats if seat.problem is not None and not seat.told]
        for seat in failed:
            seat.told = True
        return [str(seat.problem) for seat in failed]

    def end(self) -> None:
        """Nobody comes any more, and nothing more is said; never waits."""
        with self._lock:
            self._over = True
        self.welcome()
        for seat in self._seats:
            seat.start()
            seat.end()

    def join(self) -> BaseException | None:
        """Wait until every sink is closed; what went wrong first in them, told once."""
        for seat in self._seats:
            seat.join()
        problem = next((seat.problem for seat in self._seats if seat.problem is not None), None)
        for seat in self._seats:
            seat.problem = None
        return problem

    def _ask(self, request: Callable[[], None]) -> bool:
        """Leave a request to the engine's thread, where there is one; False after the end."""
        with self._lock:
            if self._over:
                return False
            self._requests.append(request)
            if not self._at_work:
                self.welcome()
            return True

    def _seat(self, sink: Sink) -> _Seat:
        if not isinstance(sink, Speaking):
            return _Seat(sink, self._queue_items)
        sink.speak(self._said.append, self._patient)
        return _Seat(sink, min(self._queue_items, PATIENT_QUEUE if self._patient else QUEUE_OF_SPEAKERS))

    def _come(self, sink: Sink) -> None:
        seat = self._seat(sink)
        if self._at_work:
            seat.start()
        for event in self._names:
            seat.offer(event, self._patient and self._at_work)
        self._seats.append(seat)

    def _go(self, sink: Sink, gone: list[_Seat], left: threading.Event) -> None:
        gone += [seat for seat in self._seats if seat.sink is sink]
        self._seats = [seat for seat in self._seats if seat.sink is not sink]
        left.set()


class _Seat:
    """A sink behind its outbox."""

    def __init__(self, sink: Sink, queue_items: int) -> None:
        self.problem: BaseException | None = None
        self.told = False
        self.sink, self._outbox = sink, Outbox(queue_items)
        self._hears, self._hears_clean = isinstance(sink, Hearing), isinstance(sink, HearingClean)
        self.offer, self.end = self._outbox.offer, self._outbox.end
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)

    def hears(self, sound: Sound) -> bool:
        """Whether the sink takes such sound."""
        return self._hears_clean if isinstance(sound, CleanSound) else self._hears

    def start(self) -> None:
        """Once; a second call changes nothing, so that an interrupted start can be stopped."""
        if self._thread.ident is None:
            self._thread.start()

    def is_at_work(self) -> bool:
        """Whether the sink still has something to do."""
        return self._thread.is_alive()

    def join(self) -> None:
        """Wait until the sink is closed."""
        self.start()
        self._thread.join()

    def _run(self) -> None:
        for item in self._outbox.items():
            self._guarded(partial(self._give, item))
        before, self.problem = self.problem, None
        self._guarded(self.sink.close)
        self.problem = before or self.problem

    def _give(self, item: Event | Sound) -> None:
        if isinstance(item, Event):
            self.sink.put(item)
        elif isinstance(item, CleanSound):
            if isinstance(self.sink, HearingClean):
                self.sink.hear_clean(item)
        elif isinstance(self.sink, Hearing):
            self.sink.hear(item)

    def _guarded(self, action: Callable[[], None]) -> None:
        """A sink that fails gets no more events and stops no other; its problem is raised at the end."""
        if self.problem is None:
            try:
                action()
            except BaseException as problem:
                self.problem = problem
