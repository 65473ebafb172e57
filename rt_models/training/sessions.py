"""Simulated sessions: several people of one corpus through one channel, in pieces as heard live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.signal import fftconvolve

from voicelane.base import HOP_SAMPLES
from voicelane.rt_models.training.augment import mix
from voicelane.rt_models.training.batches import speech_mask
from voicelane.rt_models.training.channels import Channel
from voicelane.rt_models.training.corpus import Prepared
from voicelane.rt_models.training.shards import log_mel
from voicelane.stages import SpeakerEncoder, encoder_columns

LEAST_COLUMNS = 30


@dataclass(frozen=True)
class SessionConfig:
    """How many sessions there are, and what happens in them."""

    sessions: int = 260
    people: tuple[int, int] = (3, 9)
    """Least number of people, and one more than the most."""
    utterances: int = 3
    """At most so many of each."""
    seconds: tuple[float, ...] = (0.4, 0.6, 0.9, 1.3, 1.8, 2.4)
    """Lengths of speech behind an embedding."""
    channel: float = 0.65
    room: float = 0.4
    noise: float = 0.4
    noise_snr_db: tuple[float, float] = (6.0, 25.0)
    without: tuple[str, ...] = ()
    """Corpora that are left out, to choose on them."""
    seed: int = 0


class SessionVoices(NamedTuple):
    """All pieces of one session."""

    vectors: np.ndarray
    """Unit vectors float32 (n, dim)."""
    heard_s: np.ndarray
    """Seconds of speech behind each (n,)."""
    person: np.ndarray
    """Whose each is (n,), from 0."""
    utterance: np.ndarray
    """Of which recording each is (n,)."""


class Sessions:
    """Draws sessions from a corpus and lets an encoder hear them."""

    def __init__(self, encoder: SpeakerEncoder, data: Prepared, config: SessionConfig) -> None:
        self._encoder, self._data, self.config = encoder, data, config
        self._stream = encoder.stream()
        self._channel = Channel()
        self._people = _people(data, config.without)

    def hear(self, number: int) -> SessionVoices:
        """Session `number`; every draw depends on it and on the seed alone."""
        c, rng = self.config, np.random.default_rng((self.config.seed, number))
        names = sorted(self._people)
        sizes = np.array([len(self._people[n]) for n in names], float) ** 0.5
        people = self._people[names[int(rng.choice(len(names), p=sizes / sizes.sum()))]]
        cast = rng.choice(len(people), min(int(rng.integers(*c.people)), len(people)), replace=False)
        air = _Air(self._data, c, self._channel, rng)
        self._stream = self._encoder.stream()
        rows = [
            (vector, seconds, who, utterance)
            for who, k in enumerate(cast)
            for utterance in rng.permutation(people[k])[: c.utterances].tolist()
            for vector, seconds in self._pieces(utterance, air, rng)
        ]
        vectors, *others = zip(*rows, strict=True)
        return SessionVoices(np.stack(vectors), *(np.array(column) for column in others))

    def _pieces(self, utterance: int, air: _Air, rng: np.random.Generator) -> list[tuple[np.ndarray, float]]:
        """Unit vectors of one recording, one piece after the other, and the seconds behind each."""
        clean = self._data.cache.audio(utterance)
        speech = np.flatnonzero(speech_mask(log_mel(clean)))
        columns = encoder_columns(self._encoder, air.carry(clean, rng))
        speech, found = speech[speech < len(columns)], []
        while len(speech) >= LEAST_COLUMNS:
            n = min(len(speech), int(100 * rng.choice(self.config.seconds)))
            heard = self._stream.normalise(columns[speech[:n]])
            found.append((self._encoder.embed(self._encoder.tokens(heard)), n * HOP_SAMPLES / 16_000))
            speech = speech[n:]
        return found


class _Air:
    """What lies between the people of a session and whoever hears them: the same for all but the place."""

    def __init__(self, data: Prepared, c: SessionConfig, channel: Channel, rng: np.random.Generator) -> None:
        self._data, self._channel = data, channel
        self._in_room, self._coded, self._noisy = (
            rng.random() < chance for chance in (c.room, c.channel, c.noise)
        )
        self._noise = data.noises[rng.integers(len(data.noises))]
        self._snr_db = rng.uniform(*c.noise_snr_db)
        self._line = int(rng.integers(1 << 31))

    def carry(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The sound at the far end, as long and in time."""
        out = samples
        if self._in_room:
            response = self._data.rooms[rng.integers(len(self._data.rooms))]
            out = fftconvolve(out, response)[: len(out)].astype(np.float32)
        if self._noisy:
            out = mix(out, np.roll(self._noise, -int(rng.integers(len(self._noise)))), self._snr_db)
        return self._channel(out, np.random.default_rng(self._line)) if self._coded else out


def _people(data: Prepared, without: tuple[str, ...]) -> dict[str, list[list[int]]]:
    """The recordings of everybody with two or more, by corpus; corpora of three such people or more."""
    found: dict[str, dict[str, list[int]]] = {}
    for i, u in enumerate(data.cache.utterances):
        if not u.speaker.startswith("unknown:") and u.corpus not in without:
            found.setdefault(u.corpus, {}).setdefault(u.speaker, []).append(i)
    several = {c: [p for p in people.values() if len(p) > 1] for c, people in found.items()}
    return {c: people for c, people in several.items() if len(people) > 2}
