"""The latest sound of a stream, and which of it is speech."""

from __future__ import annotations

from collections import deque

import numpy as np

from voicelane.base.timebase import samples
from voicelane.events import Event, SpeechEnded, SpeechStarted
from voicelane.live.outbox import Sound

LONGEST_PAUSE_SAMPLES = samples(0.5)
"""A silence so long ends a phrase."""


class Tape:
    """Sound from the sample `start` on; what is missing in it is silent."""

    def __init__(self) -> None:
        self.start = self.end = 0
        self._blocks: deque[np.ndarray] = deque()

    def append(self, sound: Sound) -> None:
        """The next sound, at its place."""
        if sound.sample > self.end:
            gap = min(sound.sample - self.end, samples(60.0))
            self._add(np.zeros(gap, np.float32), sound.sample)
        self._add(sound.samples, sound.sample + len(sound.samples))

    def _add(self, block: np.ndarray, end: int) -> None:
        if not self._blocks:
            self.start = end - len(block)
        self._blocks.append(block)
        self.end = end

    def forget(self, until: int) -> None:
        """Drop whole blocks that end before a sample."""
        while self._blocks and self.start + len(self._blocks[0]) <= until:
            self.start += len(self._blocks.popleft())

    def cut(self, start: int, end: int) -> np.ndarray:
        """The samples of a span, as far as they are kept."""
        whole = np.concatenate([np.zeros(0, np.float32), *self._blocks])
        return whole[max(0, start - self.start) : max(0, end - self.start)]


class Phrases:
    """Stretches of speech with no long pause in them, in order of time; the last one may go on."""

    def __init__(self) -> None:
        self._spans: deque[tuple[int, int | None]] = deque()

    def see(self, event: Event) -> None:
        """Take up where speech begins and ends."""
        if isinstance(event, SpeechStarted):
            last = self._spans[-1] if self._spans else None
            if last and last[1] is not None and event.start - last[1] < LONGEST_PAUSE_SAMPLES:
                self._spans[-1] = (last[0], None)
            elif not last or last[1] is not None:
                self._spans.append((event.start, None))
        elif isinstance(event, SpeechEnded) and self._spans:
            self._spans[-1] = (self._spans[-1][0], event.end)

    def first(self) -> tuple[int, int | None] | None:
        """The one to recognise next: from where to where, None where it goes on."""
        return self._spans[0] if self._spans else None

    def is_over(self, now: int) -> bool:
        """Whether nothing can join the first phrase any more."""
        end = self._spans[0][1]
        return len(self._spans) > 1 or (end is not None and now - end >= LONGEST_PAUSE_SAMPLES)

    def advance(self, until: int) -> None:
        """What lies before a sample is done."""
        while self._spans:
            start, end = self._spans[0]
            if end is None or end > until:
                self._spans[0] = (max(start, until), end)
                return
            self._spans.popleft()

    def finish(self, now: int) -> None:
        """The stream ends."""
        if self._spans and self._spans[-1][1] is None:
            self._spans[-1] = (self._spans[-1][0], now)
