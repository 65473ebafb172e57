"""Text in a chosen voice: an engine says it, and what it says is changed to that voice as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np

from voicelane.audio.resampler import Resampler
from voicelane.base.files import home_folder
from voicelane.base.text import file_name
from voicelane.base.timebase import SAMPLE_RATE, samples
from voicelane.voices.conversion import Change, Converter
from voicelane.voices.fitting import SAMPLE_S, Fitter, Reach, Target
from voicelane.voices.speech import Engine

SAMPLE_TEXT = "The quick brown fox jumps over the lazy dog, and nobody in the village has ever asked why."
"""What an engine says once, to be measured."""
PAUSE_SAMPLES = samples(0.25)
"""Between two sentences."""


def reach_of(engine: Engine, fitter: Fitter) -> Reach:
    """Of an engine's own voice, measured once and kept in the private folder."""
    path = home_folder() / "speech" / f"{file_name(engine.name)}-{fitter.encoder_id[:12]}.npz"
    if (kept := Reach.kept(path)) is not None:
        return kept
    said = np.concatenate([*engine.say(SAMPLE_TEXT, 1.0)])
    found = fitter.reach(whole(said, engine.rate)[: samples(2 * SAMPLE_S)])
    found.keep(path)
    return found


class Speaker:
    """One engine, and the change from its voice to the one that is wanted; without a target its own."""

    def __init__(self, engine: Engine, target: Target | None, fitter: Fitter) -> None:
        """Raises `ModelError` for a target of another encoder."""
        self.engine = engine
        self.change = fitter.change(reach_of(engine, fitter), target) if target else None

    def speak(self, text: str, speed: float = 1.0) -> Iterator[np.ndarray]:
        """16 kHz float32 (n,), piece by piece as soon as each is ready; one voice from beginning to end."""
        yield from changed_sound(self._pieces(text, speed), self.change)

    def _pieces(self, text: str, speed: float) -> Iterator[np.ndarray]:
        resampler, pause = Resampler(self.engine.rate), np.zeros((0, 1), np.float32)
        for sound in self.engine.say(text, speed):
            yield resampler.process(np.concatenate((pause, sound[:, None])))
            pause = np.zeros((round(PAUSE_SAMPLES * self.engine.rate / SAMPLE_RATE), 1), np.float32)
        yield resampler.flush()


def changed_sound(pieces: Iterator[np.ndarray], change: Change | None) -> Iterator[np.ndarray]:
    """A stream after a change; as it is without one."""
    if change is None:
        yield from pieces
        return
    converter = Converter(change)
    ready = (converter.process(block) for piece in pieces for block in _short(piece))
    yield from filter(len, chain(ready, (converter.flush() for _ in range(1))))


def _short(piece: np.ndarray) -> Iterator[np.ndarray]:
    """A piece in parts of a second, so that the first of them is soon changed."""
    for start in range(0, len(piece), SAMPLE_RATE):
        yield piece[start : start + SAMPLE_RATE]


def whole(sound: np.ndarray, rate: int) -> np.ndarray:
    """Float32 (n,) at 16 kHz."""
    resampler = Resampler(rate)
    return np.concatenate((resampler.process(sound[:, None]), resampler.flush()))
