"""All voices that speech can be given, or could be: those of nobody, and enrolled people."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from voicelane import Enroller, PipelineConfig, ProfileStore
from voicelane.base import ModelError, Space, StoreError
from voicelane.gui.model.language import tr
from voicelane.gui.model.wording import words_for
from voicelane.voices import PseudoVoices, Voice, VoiceLibrary, load_pseudo_voices

PSEUDO, PERSON = "pseudo", "person"
N_BACKDROP, SEED = 240, 0
"""Voices that could be drawn, behind those that are there."""
NO_VECTORS = np.zeros((0, 1), np.float32)


@dataclass(frozen=True, eq=False)
class Entry:
    """One voice."""

    name: str
    kind: str
    """`PSEUDO` or `PERSON`."""
    pitch_hz: float
    """Its mean, 0 where that is not known."""
    vector: np.ndarray | None
    """Unit vector (dim,) of the encoder that is chosen; None for a voice of another one."""
    consent: str = ""
    """When the person allowed that speech is made in their voice (ISO 8601), or nothing."""

    @property
    def whose(self) -> str:
        """For people."""
        if self.vector is None:
            return tr("of other models")
        if self.kind == PSEUDO:
            return tr("nobody's")
        return tr("consents") if self.consent else tr("no consent")


@dataclass(frozen=True, eq=False)
class Gallery:
    """All of them at a moment, people behind those who are nobody."""

    entries: tuple[Entry, ...] = ()
    backdrop: np.ndarray = field(default_factory=lambda: NO_VECTORS)
    """Other voices that could be drawn, unit vectors (n, dim); none where no network draws them."""
    problems: tuple[str, ...] = ()
    """Sentences on what could not be read."""

    def entry(self, kind: str, name: str) -> Entry | None:
        """That of a kind and name."""
        return next((e for e in self.entries if (e.kind, e.name) == (kind, name)), None)

    def nearest(self, entry: Entry, count: int = 3) -> list[tuple[str, float]]:
        """Names of the voices that are most like one, and their cosines to it."""
        others = [e for e in self.entries if e.vector is not None and e is not entry]
        if entry.vector is None:
            return []
        alike = [(other.name, float(other.vector @ entry.vector)) for other in others]
        return sorted(alike, key=lambda pair: -pair[1])[:count]


def gallery(store: ProfileStore, config: PipelineConfig) -> Gallery:
    """What there is now; raises `ModelError` where the encoder cannot be used."""
    space, problems = Enroller(config).space, list[str]()
    try:
        drawing: PseudoVoices | None = load_pseudo_voices(space.encoder_id)
    except ModelError as problem:
        drawing = None
        problems.append(words_for(problem))
    voices, refused = VoiceLibrary().voices()
    people = _people(store, space, drawing, problems)
    drawn = _drawn(drawing) if drawing else NO_VECTORS
    return Gallery((*_own(voices, space), *people), drawn, (*problems, *refused))


def _own(voices: list[Voice], space: Space) -> list[Entry]:
    return [
        Entry(v.name, PSEUDO, v.pitch_hz, v.embedding if v.encoder_id == space.encoder_id else None)
        for v in voices
    ]


def _people(
    store: ProfileStore, space: Space, drawing: PseudoVoices | None, problems: list[str]
) -> list[Entry]:
    """Everybody who is enrolled; a profile that cannot be read is a problem."""
    found = []
    try:
        for name in store.names():
            profile, consent = store.profile(name), store.consent(name) or ""
            rows = [r.embedding for r in profile.recordings] if profile.space == space else []
            vector = _mean(np.stack(rows)) if rows else None
            pitch_hz = drawing.pitch_of(vector) if drawing and vector is not None else 0.0
            found.append(Entry(name, PERSON, pitch_hz, vector, consent))
    except StoreError as problem:
        problems.append(words_for(problem))
    return found


def _mean(rows: np.ndarray) -> np.ndarray:
    """Unit vector (dim,) in the middle of unit vectors (n, dim)."""
    whole = rows.mean(axis=0)
    return np.asarray(whole / np.linalg.norm(whole), np.float32)


def _drawn(drawing: PseudoVoices) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    return drawing.draw(drawing.pitches("any", N_BACKDROP, rng), rng)
