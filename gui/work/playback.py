"""What the loudspeaker gets: spans of a sound one after the other, faster or slower at the same pitch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from voicelane import SAMPLE_RATE
from voicelane.base import samples

Read = Callable[[int, int], np.ndarray]
"""Samples `start` … `end` of a sound, float32, fewer where there are no more."""

WINDOW, SEARCH = samples(0.04), samples(0.008)
"""Of a piece that is laid over the one before, and how far its place is looked for."""
HOP = WINDOW // 2
FADE = np.hanning(WINDOW + 1)[:WINDOW].astype(np.float32)
"""Two of them, half a window apart, are one in sum."""


@dataclass(frozen=True)
class Spans:
    """Stretches of a sound as one: place 0 … `length` of what is played."""

    starts: np.ndarray
    begins: np.ndarray
    """Place of what is played at which each stretch begins, and the end of the last (n + 1)."""

    @classmethod
    def of(cls, spans: Sequence[tuple[int, int]]) -> Spans:
        """From starts and ends in order of time."""
        pairs = np.array(spans, np.int64).reshape(-1, 2)
        lengths = pairs[:, 1] - pairs[:, 0]
        return cls(pairs[:, 0], np.concatenate(([0], np.cumsum(lengths))))

    @property
    def length(self) -> int:
        return int(self.begins[-1])

    def sample(self, place: int) -> int:
        """Which sample of the sound is at a place; behind the end, the end of the last stretch."""
        if not len(self.starts):
            return 0
        number = min(int(np.searchsorted(self.begins, place, side="right")) - 1, len(self.starts) - 1)
        return int(self.starts[number] + min(place, self.length) - self.begins[number])

    def read(self, read: Read, place: int, n: int) -> np.ndarray:
        """Sound of `n` places, float32, fewer at the end."""
        parts, end = [np.zeros(0, np.float32)], min(place + n, self.length)
        while place < end:
            number = int(np.searchsorted(self.begins, place, side="right")) - 1
            behind = min(end, int(self.begins[number + 1]))
            start = self.sample(place)
            parts.append(read(start, start + behind - place))
            place = behind
        return np.concatenate(parts)


def joined(spans: Sequence[tuple[int, int]], pad: int, start: int, end: int) -> list[tuple[int, int]]:
    """Spans with `pad` samples around each, those that touch as one, and only from `start` to `end`."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        first, last = max(start, first - pad), min(end, last + pad)
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        elif first < last:
            found.append((first, last))
    return found


class Playback:
    """Gives the sound of some spans at a speed, piece by piece; `place` says how far it is.

    At other speeds than 1, pieces of 40 ms are laid over each other where they fit best, which keeps the
    pitch (WSOLA: Verhelst and Roelands 1993).
    """

    def __init__(self, read: Read, spans: Spans, speed: float = 1.0, rate: int = SAMPLE_RATE) -> None:
        """`rate` is the loudspeaker's, in Hz."""
        self._read, self._spans, self._speed, self._rate = read, spans, speed, rate
        self._place = 0.0
        self._overlap: np.ndarray | None = None
        self._ready = np.zeros(0, np.float32)  # at 16 kHz, not yet taken
        self._phase = 0.0

    @property
    def sample(self) -> int:
        """Sample of the sound that comes next."""
        waiting = len(self._ready) * self._speed
        return self._spans.sample(max(0, round(self._place - waiting)))

    @property
    def over(self) -> bool:
        return self._place >= self._spans.length and not len(self._ready)

    def take(self, n: int) -> np.ndarray:
        """The next `n` samples for the loudspeaker, float32, silent behind the end."""
        if self._rate == SAMPLE_RATE:
            sound = self._wait_for(n)
            self._ready = sound[n:]
            return np.pad(sound[:n], (0, max(0, n - len(sound))))
        step = SAMPLE_RATE / self._rate
        at = self._phase + step * np.arange(n)
        sound = self._wait_for(int(at[-1]) + 2) if n else self._ready
        out = np.interp(at, np.arange(len(sound)), sound, right=0.0) if len(sound) else np.zeros(n)
        used = min(len(sound), int(self._phase + step * n))
        self._phase = self._phase + step * n - used if used < len(sound) else 0.0
        self._ready = sound[used:]
        return out.astype(np.float32)

    def _wait_for(self, n: int) -> np.ndarray:
        """At least `n` samples at 16 kHz, if there are so many left."""
        parts, there = [self._ready], len(self._ready)
        while there < n and self._place < self._spans.length:
            parts.append(self._next(n - there))
            there += len(parts[-1])
        self._ready = np.concatenate(parts)
        return self._ready

    def _next(self, n: int) -> np.ndarray:
        """Some more samples at 16 kHz."""
        if self._speed != 1.0:
            return self._stretched()
        sound = self._spans.read(self._read, int(self._place), n)
        self._place = self._place + len(sound) if len(sound) else self._spans.length
        return sound

    def _stretched(self) -> np.ndarray:
        """Half a window more: the end of the piece before, laid over the piece that fits it best."""
        place = int(self._place)
        near = self._spans.read(self._read, max(0, place - SEARCH), WINDOW + 2 * SEARCH)
        near = np.pad(near, (0, max(0, WINDOW + SEARCH - len(near))))
        offset = 0 if self._overlap is None else best_offset(near, self._overlap)
        piece = near[offset : offset + WINDOW]
        piece = np.pad(piece, (0, WINDOW - len(piece))) * FADE
        before = np.zeros(HOP, np.float32) if self._overlap is None else self._overlap * FADE[HOP:]
        found: np.ndarray = piece[:HOP] + before
        follows = max(0, place - SEARCH) + offset + HOP
        self._overlap = np.pad(rest := self._spans.read(self._read, follows, HOP), (0, HOP - len(rest)))
        self._place = min(float(self._spans.length), self._place + HOP * self._speed)
        return found


def best_offset(near: np.ndarray, wanted: np.ndarray) -> int:
    """Where in `near` a piece begins that is most like `wanted`, by normalised correlation."""
    scores = np.correlate(near, wanted, "valid")
    energy = np.convolve(np.square(near), np.ones(len(wanted), np.float32), "valid")
    return int(np.argmax(scores / np.sqrt(energy + 1e-6)))
