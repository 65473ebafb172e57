"""A conversation in English: what was translated, spoken at its old times, each speaker in a voice of their
own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from voicelane.base.timebase import samples
from voicelane.voices.speaking import Speaker
from voicelane.voices.speech import checked_text
from voicelane.words.lines import Line

HURRY = 1.4
"""Speech is made so much faster at most, where it would run into the next line."""
UNDER_GAIN = 0.15
"""Of the original where it is heard below (−16 dB)."""
BLOCK_SAMPLES = samples(1.0)


def spoken(lines: Sequence[Line], speakers: Mapping[str, Speaker]) -> Iterator[tuple[int, np.ndarray]]:
    """Each line's sound float32 (n,) and the sample where it begins: at its own time, or behind the one
    before where that is still spoken."""
    behind, last = 0, [*lines[1:], None]
    for line, then in zip(lines, last, strict=True):
        start = max(line.start, behind)
        sound = said(speakers[line.speaker], line.translation, then.start - start if then else None)
        behind = start + len(sound)
        yield start, sound


def said(speaker: Speaker, text: str, room_samples: int | None) -> np.ndarray:
    """A line, faster where there is too little room for it."""
    text = checked_text(text, speaker.engine)
    sound = np.concatenate([np.zeros(0, np.float32), *speaker.speak(text)])
    if room_samples is None or len(sound) <= room_samples:
        return sound
    speed = min(HURRY, len(sound) / max(1, room_samples))
    return np.concatenate([np.zeros(0, np.float32), *speaker.speak(text, speed)])


def laid(pieces: Iterable[tuple[int, np.ndarray]], length: int) -> Iterator[np.ndarray]:
    """Pieces in order of time with silence around them, at least `length` samples altogether."""
    at = 0
    for start, sound in pieces:
        yield from silence(start - at)
        yield sound
        at = start + len(sound)
    yield from silence(length - at)


def silence(n: int) -> Iterator[np.ndarray]:
    """So many samples, a second at a time."""
    edges = [*range(0, max(0, n), BLOCK_SAMPLES), max(0, n)]
    return (np.zeros(b - a, np.float32) for a, b in pairwise(edges))


def above(speech: Iterable[np.ndarray], original: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Speech with the original softly below it."""
    kept, blocks = np.zeros(0, np.float32), iter(original)
    for sound in speech:
        while len(kept) < len(sound) and (block := next(blocks, None)) is not None:
            kept = np.concatenate((kept, block))
        below, kept = kept[: len(sound)], kept[len(sound) :]
        yield sound + UNDER_GAIN * np.pad(below, (0, len(sound) - len(below)))
