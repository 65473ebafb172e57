"""Enrolled people, and whose voice a speaker's is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from engine.errors import VoicelaneError
from engine.events import SpeakerIdentified
from engine.timebase import samples

LEAD = 0.05
ENOUGH_SAMPLES = samples(1.6)


@dataclass(frozen=True, eq=False)
class Person:
    """Somebody whose voice is known.

    The embeddings, unit vectors float32 (n, dim), must come from the encoder and the enhancer of the
    pipeline that gets them: cosines between different spaces mean nothing.
    """

    name: str
    embeddings: np.ndarray


class Voice(Protocol):
    """What the diariser knows of a speaker."""

    name: str
    """Its label."""
    centroid: np.ndarray
    """Unit vector (dim,)."""
    spoken_samples: int


class Recogniser:
    """Speakers as they become clearer in, `SpeakerIdentified` out: once, and when the person changes."""

    def __init__(self, people: Sequence[Person], threshold: float) -> None:
        """`threshold` is the least cosine between a speaker's centroid and a person's mean embedding."""
        self._names = [p.name for p in people]
        self._means = np.array([mean_voice(p.embeddings) for p in people])  # (P, dim)
        self._threshold = threshold
        self.reset()

    def reset(self) -> None:
        self._known: dict[str, str] = {}
        self._trusted = True

    def distrust(self) -> None:
        """Recognise nobody until `reset`: the embeddings have left the people's space."""
        self._trusted = False

    def hear(self, sample: int, voices: Iterable[Voice]) -> list[SpeakerIdentified]:
        """Who is recognised anew at `sample`; a speaker needs 1.6 s of speech."""
        if not (self._names and self._trusted):
            return []
        heard = [v for v in voices if v.spoken_samples >= ENOUGH_SAMPLES]
        found = [SpeakerIdentified(sample, v.name, *who) for v in heard if (who := self._who(v.centroid))]
        changed = [event for event in found if self._known.get(event.speaker) != event.name]
        self._known |= {event.speaker: event.name for event in changed}
        return changed

    def knows(self, speaker: str) -> bool:
        """Whether the speaker of that label was recognised."""
        return speaker in self._known

    def _who(self, centroid: np.ndarray) -> tuple[str, float] | None:
        """The person nearest to a centroid and the cosine, if near enough and clearly the nearest."""
        scores = self._means @ centroid
        best = int(np.argmax(scores))
        rival = np.delete(scores, best).max(initial=-1.0)
        near = scores[best] >= self._threshold and scores[best] - rival >= LEAD
        return (self._names[best], float(scores[best])) if near else None


def mean_voice(embeddings: np.ndarray) -> np.ndarray:
    """The unit vector (dim,) along the mean of embeddings (n, dim)."""
    mean = embeddings.mean(axis=0)
    return mean / (np.linalg.norm(mean) + 1e-9)


def check_people(people: Sequence[Person], dim: int) -> None:
    """Raise `VoicelaneError` for embeddings that an encoder of `dim` numbers cannot have made."""
    for person in people:
        shape = person.embeddings.shape
        if len(shape) != 2 or not shape[0] or shape[1] != dim or not np.isfinite(person.embeddings).all():
            raise VoicelaneError(
                f"{person.name}: expected finite embeddings of shape (n, {dim}), got {shape}; enrol again "
                "with the encoder in use"
            )
