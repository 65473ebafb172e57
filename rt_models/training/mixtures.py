"""Endless conversations of a few seconds in the mel-power domain, with who speaks when.

Powers of several voices, rooms and noise add up (they are taken as uncorrelated), so that a mixture costs
milliseconds and none is seen twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_closing, binary_opening
from scipy.signal import lfilter

from voicelane.rt_models.training.batches import NEPERS_PER_DB, speech_mask
from voicelane.rt_models.training.shards import Shard

COLUMNS_PER_S = 100


@dataclass(frozen=True)
class MixtureConfig:
    """How people talk in the mixtures, and where."""

    columns: tuple[int, ...] = (500, 500, 500, 300)
    """Lengths (10 ms each) of the windows, equally likely."""
    voices: tuple[float, ...] = (0.08, 0.22, 0.42, 0.28)
    """Chances of 0, 1, 2, 3 people in a window."""
    one_corpus: float = 0.7
    """Chance that all voices come from one corpus, so that the recording does not tell them apart."""
    turn_s: tuple[float, float] = (1.8, 0.8)
    """Median of a turn's length, and the deviation of its logarithm."""
    overlap: float = 0.25
    """Chance that a turn begins before the last one ends."""
    overlap_s: tuple[float, float] = (0.1, 1.6)
    gap_s: float = 0.35
    """Mean pause between turns otherwise."""
    long_gap: float = 0.1
    """Chance of a pause of up to 3 s."""
    backchannel: float = 0.25
    """Chance per turn that somebody else says a short word in it."""
    level_db: float = 4.0
    """Deviation of the voices' levels."""
    room: float = 0.6
    t60_s: tuple[float, float] = (0.15, 0.9)
    direct_db: tuple[float, float] = (-3.0, 12.0)
    """Direct over reverberant power."""
    noise: float = 0.7
    noise_snr_db: tuple[float, float] = (0.0, 30.0)
    distant: float = 0.2
    """Chance of somebody far away, who does not count as speaking."""
    distant_db: tuple[float, float] = (16.0, 32.0)
    """How much softer that voice is."""
    equaliser_db: float = 8.0
    floor_db: tuple[float, float] = (-70.0, -25.0)
    """White floor relative to the speech."""


class Mixture(NamedTuple):
    """log_mel float32 (n_columns, n_mels) and the voices in each 20 ms frame, bool (n_columns // 2, 3)."""

    log_mel: np.ndarray
    active: np.ndarray


def spoken(log_mel: np.ndarray) -> np.ndarray:
    """Speech per column of a clean recording; pauses under 0.3 s belong to it, clicks do not."""
    loud = np.pad(speech_mask(log_mel, 35.0, 1), 30)
    return binary_opening(binary_closing(loud, np.ones(30)), np.ones(15))[30:-30]


class MixtureSampler:
    """Draws mixtures from copies of a corpus; every draw comes from the Generator given."""

    def __init__(
        self,
        shards: Sequence[Shard],
        speakers: Sequence[str],
        corpora: Sequence[str],
        noises: list[np.ndarray],
        config: MixtureConfig,
    ) -> None:
        """Utterance i is of `speakers[i]` in every copy; `noises` are mel power (n, n_mels)."""
        self._shards, self._noises, self.config = shards, noises, config
        names = np.array(speakers)  # those without a name might be one person
        named = [k for k, name in enumerate(speakers) if not name.startswith("unknown:")]
        self._utterances = {s: np.flatnonzero(names == s) for s in np.unique(names)}
        corpus_of = {speakers[k]: corpora[k] for k in named}
        self._people = {c: sorted(s for s in corpus_of if corpus_of[s] == c) for c in set(corpora)}
        self._corpora = sorted(c for c, people in self._people.items() if len(people) >= 8)
        sizes = np.array([len(self._people[c]) for c in self._corpora], float) ** 0.5
        self._shares = sizes / sizes.sum()
        self._known: dict[tuple[int, int], np.ndarray] = {}

    def mixture(self, n_columns: int, rng: np.random.Generator) -> Mixture:
        """One window of a conversation."""
        c = self.config
        n_voices = int(rng.choice(len(c.voices), p=c.voices))
        cast = self._cast(n_voices + 1, rng)
        power = np.zeros((n_columns, self._shards[0].width), np.float32)
        active = np.zeros((n_columns, 3), bool)
        room = rng.uniform(*c.t60_s) if rng.random() < c.room else 0.0
        if n_voices:
            power += self._converse(cast[:n_voices], n_columns, room, active, rng)
        return Mixture(self._heard(power, cast[-1], rng), active[::2] | active[1::2])

    def _cast(self, n: int, rng: np.random.Generator) -> list[tuple[int, str]]:
        """`n` pairs of copy and speaker."""
        corpora = rng.choice(self._corpora, size=n, p=self._shares)
        if rng.random() < self.config.one_corpus:
            corpora[:] = corpora[0]
        copy = int(rng.integers(len(self._shards)))
        return [(copy, str(rng.choice(self._people[corpus]))) for corpus in corpora]

    def _converse(
        self,
        cast: list[tuple[int, str]],
        n_columns: int,
        room: float,
        active: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Turns of several people, from before the window to its end."""
        c = self.config
        dry = np.zeros((len(cast), n_columns, self._shards[0].width), np.float32)
        at, voice = -int(rng.uniform(0, 3 * COLUMNS_PER_S)), int(rng.integers(len(cast)))
        while at < n_columns:
            length = int(COLUMNS_PER_S * c.turn_s[0] * np.exp(c.turn_s[1] * rng.standard_normal()))
            length = min(max(length, 25), 8 * COLUMNS_PER_S)
            end = at + self._place(dry, active, cast, voice, at, length, rng)
            if len(cast) > 1 and rng.random() < c.backchannel:
                other = (voice + int(rng.integers(1, len(cast)))) % len(cast)
                self._place(dry, active, cast, other, int(rng.integers(at, max(at, end - 30) + 1)), 60, rng)
            pause = rng.uniform(0.5, 3.0) if rng.random() < c.long_gap else rng.exponential(c.gap_s)
            if rng.random() < c.overlap:
                pause = -min(rng.uniform(*c.overlap_s), 0.7 * (end - at) / COLUMNS_PER_S)
            at = max(at + 10, end + int(pause * COLUMNS_PER_S))
            voice = int(rng.integers(len(cast))) if rng.random() < 0.25 else (voice + 1) % len(cast)
        gains = 10 ** (rng.normal(0, c.level_db, len(cast)) / 10)
        return np.sum([g * self._in_room(d, room, rng) for g, d in zip(gains, dry, strict=True)], axis=0)

    def _place(
        self,
        dry: np.ndarray,
        active: np.ndarray,
        cast: list[tuple[int, str]],
        voice: int,
        at: int,
        length: int,
        rng: np.random.Generator,
    ) -> int:
        """Put up to `length` columns of a voice at column `at`; returns how many there were."""
        copy, name = cast[voice]
        index = int(rng.choice(self._utterances[name]))
        columns, mask = self._shards[copy].columns(index), self._mask(copy, index)
        on = np.flatnonzero(mask)
        if not len(on):
            return length
        first, last = int(on[0]), int(on[-1]) + 1
        start = int(rng.integers(first, max(first, last - length) + 1))
        stop = min(last, start + length)
        skip, room = max(0, -at), max(0, len(active) - at)
        start, stop, n = start + skip, min(stop, start + room), stop - start
        if stop > start:
            there = slice(at + skip, at + skip + stop - start)
            power = np.exp(columns[start:stop].astype(np.float32))
            dry[voice, there] += power / (power[mask[start:stop]].mean() if mask[start:stop].any() else 1e9)
            active[there, voice] |= mask[start:stop]
        return n

    def _mask(self, copy: int, index: int) -> np.ndarray:
        if (copy, index) not in self._known:
            self._known[copy, index] = spoken(self._shards[copy].columns(index))
        return self._known[copy, index]

    def _in_room(self, dry: np.ndarray, t60_s: float, rng: np.random.Generator) -> np.ndarray:
        """Power with an exponential reverberant tail (Lebart et al. 2001), that of a random distance."""
        if not t60_s:
            return dry
        decay = 10 ** (-6.0 / (t60_s * COLUMNS_PER_S))
        tail = lfilter([0.0, 1.0 - decay], [1.0, -decay], dry, axis=0)
        return dry + (10 ** (-rng.uniform(*self.config.direct_db) / 10) * tail).astype(np.float32)

    def _heard(self, speech: np.ndarray, far: tuple[int, str], rng: np.random.Generator) -> np.ndarray:
        """Speech (mel power) over a far voice, noise and a white floor, through a random microphone."""
        c, power = self.config, speech
        loud = speech.mean() or 1.0
        if rng.random() < c.distant:
            aside = self._converse([far], len(speech), c.t60_s[1], np.zeros((len(speech), 3), bool), rng)
            power = power + aside * (loud / (aside.mean() + 1e-9)) * 10 ** (-rng.uniform(*c.distant_db) / 10)
        if rng.random() < c.noise:
            noise = self._noises[rng.integers(len(self._noises))]
            places = np.arange(len(speech)) + rng.integers(len(noise))
            noise = np.take(noise, places, axis=0, mode="wrap")
            power = power + noise * (loud / noise.mean() * 10 ** (-rng.uniform(*c.noise_snr_db) / 10))
        power = power + loud * 10 ** (rng.uniform(*c.floor_db) / 10)
        depth = rng.uniform(-c.equaliser_db, c.equaliser_db, 8)
        response = np.interp(np.linspace(0, 7, speech.shape[1]), np.arange(8), depth)
        return (np.log(power) + NEPERS_PER_DB * response).astype(np.float32)
