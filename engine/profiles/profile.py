"""What is kept of an enrolled person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voicelane.base.errors import StoreError
from voicelane.base.space import Space
from voicelane.stages.recogniser import Person


@dataclass(frozen=True, eq=False)
class Recording:
    """One enrolment: the voice as a unit vector float32 (dim,), and how well it was recorded."""

    embedding: np.ndarray
    speech_s: float
    snr_db: float
    consistency: float
    """Mean cosine between the embeddings of its 1.6 s windows; 1 where there is only one."""
    audio: str = ""
    """Name of the FLAC file in the store's `audio` folder; empty where the sound was not kept."""
    flac: Callable[[], bytes] | None = None
    """Gives the sound that the store is to keep with it; None once it is there, and where none is wanted."""


@dataclass(frozen=True, eq=False)
class Profile:
    """An enrolled person. `version` is 1 at first and grows by one at each change."""

    id: str
    name: str
    created: str
    """ISO 8601, UTC; as `updated`."""
    updated: str
    space: Space
    version: int
    recordings: tuple[Recording, ...]

    @property
    def speech_s(self) -> float:
        return sum(r.speech_s for r in self.recordings)

    def person(self) -> Person:
        """What the pipeline needs to recognise this person."""
        return Person(self.name, np.stack([r.embedding for r in self.recordings]))


def missing(name: str) -> StoreError:
    """For a profile that is not there."""
    return StoreError(
        f"there is no profile named {name!r}", "; `voicelane profiles list` shows which there are"
    )


def foreign(profile: Profile, space: Space) -> StoreError:
    """For a profile that cannot be compared."""
    return StoreError(
        f"{profile.name}: was enrolled with {profile.space}, which cannot be compared with {space}; "
        "enrol again",
        f": `voicelane enrol {profile.name!r} FILE --replace`",
    )
