"""Speech in another voice: its pitch and its formants moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voicelane.voices.world import HOP_SAMPLES, QUIETEST, Frames, Synthesis, analysed, warped

BLOCK_FRAMES, AROUND_FRAMES = 40, 24
"""Frames of 5 ms that are changed at once, and those that are heard on each side of them for their pitch."""
BLOCK_SAMPLES, AROUND_SAMPLES = BLOCK_FRAMES * HOP_SAMPLES, AROUND_FRAMES * HOP_SAMPLES
NEEDED_SAMPLES = BLOCK_SAMPLES + AROUND_SAMPLES
"""Heard from the beginning of a block on, before it is changed (320 ms)."""


@dataclass(frozen=True, eq=False)
class Change:
    """From one voice to another."""

    pitch: float = 1.0
    """How many times as high."""
    warp: float = 1.0
    """The same of the formants."""
    gain: float = 1.0
    """Of the amplitude."""

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int, Change | None]]:
        """The same for all sound."""
        yield start, end, self


class Plan(Protocol):
    """Which change holds when."""

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int, Change | None]]:
        """All of the samples from `start` to `end`, in order; None is silence."""


def changed(frames: Frames, change: Change | None) -> Frames:
    """Frames as the other voice says them."""
    if change is None:
        silence = np.full_like(frames.envelope, np.log(QUIETEST))
        return Frames(np.zeros_like(frames.pitch_hz), silence, frames.aperiodicity)
    envelope = warped(frames.envelope, change.warp) + 2.0 * np.log(change.gain)
    return Frames(frames.pitch_hz * change.pitch, envelope, frames.aperiodicity)


class Converter:
    """A stream in other voices: sound of any length in, as much out, `latency_samples` late."""

    latency_samples = NEEDED_SAMPLES - 1

    def __init__(self, plan: Plan, seed: int = 0) -> None:
        """`seed` is of the noise in consonants and breath."""
        self._plan, self._synthesis = plan, Synthesis(seed)
        self.reset()

    def reset(self) -> None:
        """Then as new."""
        self._synthesis.reset()
        self._sound, self._start, self._heard, self._told = np.zeros(0, np.float32), 0, 0, 0
        self._done = 0
        """Samples that were changed."""

    def process(self, sound: np.ndarray) -> np.ndarray:
        """Float32 (n,) at 16 kHz in; what is ready comes out."""
        self._sound = np.concatenate((self._sound, np.asarray(sound, np.float32)))
        self._heard += len(sound)
        return self._told_of(self._ready(self._heard))

    def flush(self) -> np.ndarray:
        """The stream ends; the rest of it, so that as much came out as went in."""
        end = self._heard + NEEDED_SAMPLES
        self._sound = np.concatenate((self._sound, np.zeros(end - self._heard, np.float32)))
        rest = self._told_of(self._ready(end))
        left = rest[: max(0, len(rest) - (self._told - self._heard))]
        self.reset()
        return left

    def _told_of(self, blocks: Iterator[np.ndarray]) -> np.ndarray:
        found = np.concatenate([np.zeros(0, np.float32), *blocks])
        self._told += len(found)
        return found

    def _ready(self, until: int) -> Iterator[np.ndarray]:
        """The sound of all blocks whose surroundings were heard up to the sample `until`."""
        while self._done + NEEDED_SAMPLES <= until:
            yield self._spoken(self._done)
            self._done += BLOCK_SAMPLES
            forgotten = max(0, self._done - AROUND_SAMPLES - self._start)
            self._sound, self._start = self._sound[forgotten:], self._start + forgotten

    def _spoken(self, start: int) -> np.ndarray:
        """The sound of the block that begins at sample `start`."""
        before = min(start, AROUND_SAMPLES)
        cut = self._sound[start - before - self._start : start + NEEDED_SAMPLES - self._start]
        first = before // HOP_SAMPLES
        heard = analysed(cut, first, first + BLOCK_FRAMES + 1)
        return self._synthesis.process(self._planned(heard, start))

    def _planned(self, heard: Frames, start: int) -> Frames:
        """The frames from sample `start` on, each by the change that holds at it."""
        parts = []
        for a, b, change in self._plan.spans(start, start + heard.n() * HOP_SAMPLES):
            first, behind = (-(-(edge - start) // HOP_SAMPLES) for edge in (a, b))
            parts += [changed(heard.cut(first, behind), change)] if behind > first else []
        return joined(parts)


def joined(parts: list[Frames]) -> Frames:
    return Frames(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


def converted(sound: np.ndarray, plan: Plan) -> np.ndarray:
    """A recording in other voices, float32 (n,)."""
    converter = Converter(plan)
    return np.concatenate((converter.process(sound), converter.flush()))
