"""Enrolled people, and whose voice a speaker's is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voicelane.base.errors import VoicelaneError
from voicelane.base.timebase import samples, seconds
from voicelane.events import SpeakerIdentified
from voicelane.stages.scale import Scale, centred

LEAD_LLR = 1.0
"""By how much a person must be likelier than any other."""
ENROLLED_S = 10.0
"""Seconds of speech that an enrolment is taken for."""
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
    spoken_samples: int

    @property
    def mean(self) -> np.ndarray:
        """Mean embedding (dim,)."""

    @property
    def centroid(self) -> np.ndarray:
        """The unit vector (dim,) along it."""


class Recogniser:
    """Speakers as they become clearer in, `SpeakerIdentified` out: once, and when the person changes."""

    def __init__(self, people: Sequence[Person], scale: Scale, known_llr: float) -> None:
        """`known_llr` is the least log-likelihood ratio from which a speaker is a person."""
        self._names = [p.name for p in people]
        self._means = np.array([mean_voice(p.embeddings) for p in people])  # (P, dim)
        self._scale, self._known_llr = scale, known_llr
        self._enrolled = centred(self._means, scale.plda.mean) if people else self._means
        self.reset()

    def reset(self) -> None:
        self._known: dict[str, str] = {}
        self._trusted = True

    def distrust(self) -> None:
        """Recognise nobody until `reset`: the embeddings have left the people's space."""
        self._trusted = False

    def hear(self, sample: int, voices: Iterable[Voice], offset: np.ndarray) -> list[SpeakerIdentified]:
        """Who is recognised anew at `sample`; a speaker needs 1.6 s of speech. `offset` (dim,) is what the
        session adds to all embeddings."""
        if not (self._names and self._trusted):
            return []
        heard = [v for v in voices if v.spoken_samples >= ENOUGH_SAMPLES]
        identified = [SpeakerIdentified(sample, v.name, *who) for v in heard if (who := self._who(v, offset))]
        changed = [event for event in identified if self._known.get(event.speaker) != event.name]
        self._known |= {event.speaker: event.name for event in changed}
        return changed

    def knows(self, speaker: str) -> bool:
        """Whether the speaker of that label was recognised."""
        return speaker in self._known

    def _who(self, voice: Voice, offset: np.ndarray) -> tuple[str, float] | None:
        """The likeliest person and the cosine, if likely enough and clearly the likeliest."""
        heard, heard_s = centred(voice.mean[None], offset), np.array([seconds(voice.spoken_samples)])
        enrolled_s = np.full(len(self._names), ENROLLED_S)
        ratios = self._scale.ratios(heard, heard_s, self._enrolled, enrolled_s)[0]
        best = int(np.argmax(ratios))
        rival = np.delete(ratios, best).max(initial=-np.inf)
        near = ratios[best] >= self._known_llr and ratios[best] - rival >= LEAD_LLR
        return (self._names[best], float(self._means[best] @ voice.centroid)) if near else None


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
