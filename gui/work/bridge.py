"""The one crossing from the engine's threads to the window."""

from __future__ import annotations

import threading
from collections import deque

from PySide6.QtCore import QObject, QTimer, Signal

from voicelane import Event, SpeakerTurn
from voicelane.events import EventsDropped, StageTiming
from voicelane.gui.model.health import Health
from voicelane.gui.model.sound import SoundHistory
from voicelane.live import Sound

DRAIN_MS = 15
MOST_EVENTS = 200_000


class Bridge(QObject):
    """A sink that never waits for the window: sound goes straight into the history, events into a queue.

    Of tentative turns only the latest picture is kept while nobody comes for them.
    """

    arrived = Signal(list)
    """Events in order, in the window's thread."""
    ended = Signal()
    """No more events come."""

    def __init__(self, sound: SoundHistory, health: Health) -> None:
        super().__init__()
        self._sound, self._health = sound, health
        self._lock, self._events = threading.Lock(), deque[Event]()
        self._tentative: list[SpeakerTurn] = []  # those of the queue, all of one sample
        self._dropped, self._closed = 0, False
        self.told = False
        """Whether `ended` was emitted."""
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.drain)

    def begin(self) -> None:
        """From now on events arrive in the window; those before wait."""
        self._timer.start(DRAIN_MS)

    def hear(self, sound: Sound) -> None:
        """Called by the engine."""
        self._sound.hear(sound)

    def put(self, event: Event) -> None:
        """Called by the engine."""
        self._health.put(event)
        if isinstance(event, StageTiming):
            return
        with self._lock:
            self._coalesce(event)
            if len(self._events) < MOST_EVENTS:
                self._events.append(event)
            else:
                self._dropped += 1

    def close(self) -> None:
        """Called by the engine."""
        self._closed = True

    def drain(self) -> None:
        """Everything that waits, to whoever draws it."""
        closed = self._closed  # before the queue is emptied: nothing comes after it
        with self._lock:
            taken, self._events = list(self._events), deque()
            dropped, self._dropped, self._tentative = self._dropped, 0, []
        if dropped:
            taken.append(EventsDropped(taken[-1].sample, dropped))
        if taken:
            self.arrived.emit(taken)
        if closed and not self.told:
            self.told = True
            self._timer.stop()
            self.ended.emit()

    def _coalesce(self, event: Event) -> None:
        """Take away waiting tentative turns that `event` replaces anyway."""
        if not isinstance(event, SpeakerTurn) or event.final:
            return
        if self._tentative and self._tentative[0].sample != event.sample:
            for old in self._tentative:
                self._events.remove(old)
            self._tentative = []
        self._tentative.append(event)
