"""Speech in another voice: its pitch moved, and its formants moved or its envelope said anew by a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voicelane.voices.network import Clone
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
    clone: Clone | None = None
    """Says the envelope anew, where formants are not moved."""

    @property
    def around_frames(self) -> int:
        """Frames that must be heard before and behind those that are changed."""
        return self.clone.around_frames if self.clone else 0

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int, Change | None]]:
        """The same for all sound."""
        yield start, end, self


class Plan(Protocol):
    """Which change holds when."""

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int, Change | None]]:
        """All of the samples from `start` to `end`, in order; None is silence."""


def changed(heard: Frames, change: Change | None) -> Frames:
    """Frames as the other voice says them, all but the change's `around_frames` at both ends."""
    if change is None:
        silence = np.full_like(heard.envelope, np.log(QUIETEST))
        return Frames(np.zeros_like(heard.pitch_hz), silence, heard.aperiodicity)
    frames = heard.cut(change.around_frames, heard.n() - change.around_frames)
    clone = change.clone
    said = clone.envelope(heard, change.pitch) if clone else warped(frames.envelope, change.warp)
    return Frames(frames.pitch_hz * change.pitch, said + 2.0 * np.log(change.gain), frames.aperiodicity)


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
        length = (BLOCK_FRAMES + 1) * HOP_SAMPLES
        spans = [*self._plan.spans(start, start + length)]
        around = max(change.around_frames if change else 0 for *_, change in spans)
        heard, parts = self._heard_around(start, around), []
        for a, b, change in spans:
            first, behind = (-(-(edge - start) // HOP_SAMPLES) for edge in (a, b))
            wider = around - (change.around_frames if change else 0)
            cut = heard.cut(first + wider, behind + 2 * around - wider)
            parts += [changed(cut, change)] if behind > first else []
        return self._synthesis.process(joined(parts))

    def _heard_around(self, start: int, around: int) -> Frames:
        """The frames of the block that begins at sample `start`, and so many on both sides of it; before the
        beginning of the stream, its first one."""
        before = min(start, AROUND_SAMPLES)
        cut = self._sound[start - before - self._start : start + NEEDED_SAMPLES - self._start]
        first = before // HOP_SAMPLES - around
        heard = analysed(cut, max(0, first), first + BLOCK_FRAMES + 1 + 2 * around)
        return padded(heard, max(0, -first), 0)


def joined(parts: list[Frames]) -> Frames:
    return Frames(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


def padded(frames: Frames, before: int, behind: int) -> Frames:
    """Frames with the first and the last of them repeated so often."""
    at = np.clip(np.arange(-before, frames.n() + behind), 0, frames.n() - 1)
    return Frames(*(part[at] for part in frames))


def converted(sound: np.ndarray, plan: Plan) -> np.ndarray:
    """A recording in other voices, float32 (n,)."""
    converter = Converter(plan)
    return np.concatenate((converter.process(sound), converter.flush()))
