"""Whose voice a speaker of a session may be: an enrolled person's, or somebody's of another session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from voicelane.audio.sources import ArraySource
from voicelane.base.errors import AudioError, StoreError
from voicelane.base.text import LABEL, name_key
from voicelane.base.timebase import samples
from voicelane.config import PipelineConfig
from voicelane.profiles.embedding import FileEmbedder
from voicelane.profiles.enrolment import Enroller, known_people
from voicelane.profiles.store import ProfileStore
from voicelane.sessions.session import Session, open_session, session_names
from voicelane.sessions.voices import Heard, read_heard, write_heard
from voicelane.stages.encoder import load_encoder
from voicelane.stages.recogniser import ENROLLED_S, LEAD_LLR, Person, mean_voice
from voicelane.stages.scale import Scale, centred, load_scale
from voicelane.voices.schedule import solos, stretches
from voicelane.words.recording import cut_out

WANTED_SAMPLES, LEAST_SAMPLES = samples(20.0), samples(1.0)
"""Of speech that a voice is taken from, and of a stretch of it where there are longer ones."""
ENOUGH_S = 4.0
"""Of speech without anybody else in it by which a speaker is compared."""
MOST = 3
"""Suggestions for a speaker."""


@dataclass(frozen=True, eq=False)
class Known:
    """A voice that may be somebody's."""

    name: str
    """A person's, or a speaker's label where nobody gave a name."""
    session: str
    """In which it was heard; empty for an enrolled person."""
    voice: np.ndarray
    """`centred` unit vector (dim,)."""
    spoken_s: float


@dataclass(frozen=True)
class Suggestion:
    """A speaker, and who that may be."""

    speaker: str
    """The label."""
    name: str
    session: str
    """As in `Known`."""
    llr: float
    """Natural logarithm of how much likelier they are one person than two."""

    def sentence(self) -> str:
        """For people."""
        place = f" in {self.session}" if self.session else ""
        return f"{self.speaker} sounds like {self.name}{place}"


@dataclass(frozen=True)
class Suggestions:
    """For all unnamed speakers of a session, and a sentence on each session and person left out."""

    made: tuple[Suggestion, ...]
    left_out: tuple[str, ...]


class Kin:
    """Compares the speakers of sessions with enrolled people and with one another."""

    def __init__(self, store: ProfileStore, config: PipelineConfig | None = None) -> None:
        """Raises `ModelError`, and `LockedError` where profiles are encrypted."""
        config = config or PipelineConfig()
        enroller, encoder = Enroller(config), load_encoder(config.encoder)
        self._embedder, self._encoder_id = FileEmbedder(config), encoder.id
        self._scale, self._known_llr = load_scale(config.encoder, encoder), config.diariser.known_llr
        people, self._refused = known_people(store, enroller)
        self._people = enrolled(people, self._scale)

    def suggestions(self, name: str) -> Suggestions:
        """Who may be in a session, of the enrolled people and of those in all other sessions.

        What a session's voices are is kept in its folder. Raises `StoreError` for the session.
        """
        session, known, left_out = open_session(name), [*self._people], [*self._refused]
        for other in session_names():
            try:
                known += self._voices(open_session(other)) if other != session.name else []
            except (StoreError, AudioError) as problem:
                left_out.append(str(problem))
        unnamed = [v for v in self._voices(session) if LABEL.fullmatch(v.name)]
        return Suggestions(tuple(suggested(unnamed, known, self._scale, self._known_llr)), tuple(left_out))

    def _voices(self, session: Session) -> list[Known]:
        """Of those who speak long enough alone, by the names that are shown, less what the channel adds."""
        heard = read_heard(session, self._encoder_id)
        if heard is None:
            heard = self._heard(session)
            write_heard(session, self._encoder_id, heard)
        clear = centred(heard.vectors, self._scale.offset(heard.vectors))
        rows = zip(heard.speakers, clear, heard.spoken_s, strict=True)
        return [Known(session.labels.shown(who), session.name, v, float(s)) for who, v, s in rows]

    def _heard(self, session: Session) -> Heard:
        """From the sound of what each says alone; raises `AudioError` for the sound."""
        parts = stretches(session.turns())
        speakers = dict.fromkeys(s for part in parts for s in part.speakers)
        spans = {s: solos(parts, s, WANTED_SAMPLES, LEAST_SAMPLES) for s in speakers}
        said = cut_out(session.sound(), spans, WANTED_SAMPLES)
        found = [(who, *self._voice(sound)) for who, sound in said.items() if len(sound)]
        kept = [row for row in found if row[2] >= ENOUGH_S]
        vectors = np.array([v for _, v, _ in kept], np.float32).reshape(-1, self._embedder.dim)
        return Heard(tuple(who for who, _, _ in kept), vectors, np.array([s for _, _, s in kept]))

    def _voice(self, sound: np.ndarray) -> tuple[np.ndarray, float]:
        """Unit vector (dim,), and seconds of speech; of too little sound no seconds."""
        if len(sound) < LEAST_SAMPLES:
            return np.zeros(self._embedder.dim, np.float32), 0.0
        return self._embedder.embed(ArraySource(sound)), self._embedder.speech_s


def suggested(
    unnamed: Sequence[Known], known: Sequence[Known], scale: Scale, known_llr: float
) -> list[Suggestion]:
    """Who each may be, the likeliest first, at most three of those with a log-likelihood ratio of `known_llr`
    and more; a name only where it is clearly likelier than every other name."""
    if not (unnamed and known):
        return []
    heard, others = (np.stack([v.voice for v in row]) for row in (unnamed, known))
    heard_s, known_s = (np.array([v.spoken_s for v in row]) for row in (unnamed, known))
    ratios = scale.ratios(heard, heard_s, others, known_s)
    return [s for v, row in zip(unnamed, ratios, strict=True) for s in _likely(v.name, known, row, known_llr)]


def _likely(speaker: str, known: Sequence[Known], ratios: np.ndarray, known_llr: float) -> list[Suggestion]:
    """Of one speaker; a person who is known from several places is suggested by the likeliest of them."""
    best: dict[tuple[str, str], Suggestion] = {}
    for k in np.argsort(-ratios):
        who, llr = known[k], float(ratios[k])
        best.setdefault(_identity(who), Suggestion(speaker, who.name, who.session, llr))
    found = [s for s in best.values() if s.llr >= known_llr][:MOST]
    named = [s for s in best.values() if not LABEL.fullmatch(s.name)]
    clear = len(named) == 1 or (len(named) > 1 and named[0].llr - named[1].llr >= LEAD_LLR)
    return [s for s in found if LABEL.fullmatch(s.name) or (clear and s is named[0])]


def _identity(who: Known) -> tuple[str, str]:
    """Of a name everywhere, of a label in its session."""
    return (who.session, who.name) if LABEL.fullmatch(who.name) else ("", name_key(who.name))


def enrolled(people: Iterable[Person], scale: Scale) -> list[Known]:
    """The voices of enrolled people."""
    means = ((p.name, mean_voice(p.embeddings)) for p in people)
    return [Known(name, "", centred(mean, scale.plda.mean), ENROLLED_S) for name, mean in means]
