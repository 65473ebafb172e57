"""The voices of a corpus, one vector and one mean pitch a speaker, as the shipped encoder hears them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.fft import dct
from tqdm import tqdm

from voicelane.base import SAMPLE_RATE
from voicelane.dsp import mean_pitch
from voicelane.rt_models.training.batches import speech_mask
from voicelane.rt_models.training.caches import keep
from voicelane.rt_models.training.corpus import Prepared
from voicelane.rt_models.training.data import draw_speeds
from voicelane.rt_models.training.shards import Shard, build_shard
from voicelane.stages import SpeakerEncoder

LONGEST_COLUMNS = 1000
PITCH_SECONDS = 4
N_CEPSTRA = 64
ONE_VOICE = 0.7
"""Cosine from which two labels are taken for one person."""
LEAST_SPEECH_S = 3.0
"""Of all utterances of a speaker together."""
HELD_OUT = 5
"""Every fifth speaker is not trained on."""


class People(NamedTuple):
    """One row a speaker, sorted by name."""

    embedding: np.ndarray
    """Unit vectors float32 (n, dim): the mean over the utterances."""
    stacked: np.ndarray
    """float32 (n, dim + 2 · width + 128): the same, with the means and deviations of the encoder's tokens and
    of 64 cepstra behind it."""
    pitch_hz: np.ndarray
    """float32 (n,); nan where nothing voiced was heard."""
    names: np.ndarray
    held_out: np.ndarray
    """Whether somebody is not trained on, bool (n,)."""

    def of(self, kept: np.ndarray) -> People:
        """Some of them, by a mask."""
        return People(*(x[kept] for x in self))


def gather(data: Prepared, encoder: SpeakerEncoder) -> People:
    """Everybody in the corpus of whom `LEAST_SPEECH_S` are heard; utterances are kept in the work folder."""
    path = data.work / f"utterances_{encoder.id[:12]}.npz"

    def make() -> None:
        shard = build_shard(data.cache, None, draw_speeds(len(data.cache), 0), 0, data.work / "clean_0.f16")
        every = tqdm(range(len(data.cache)), desc="voices", unit="utterance", disable=None)
        rows = [_heard(data, shard, encoder, i) for i in every]
        stacked, pitch_hz, seconds = (np.array(part, np.float32) for part in zip(*rows, strict=True))
        np.savez(path, stacked=stacked, pitch_hz=pitch_hz, seconds=seconds)

    keep(path, {"encoder": encoder.id, "corpus": data.cache.sha256}, make)
    with np.load(path, allow_pickle=False) as kept:
        names = np.array([u.speaker for u in data.cache.utterances])
        return by_speaker(names, kept["stacked"], kept["pitch_hz"], kept["seconds"], encoder.dim)


def save(people: People, path: Path) -> None:
    """The voices as .npz."""
    np.savez_compressed(path, allow_pickle=False, **people._asdict())


def parted(people: People) -> People:
    """The same without doubles: labels of nearly one voice are merged, so that nobody is drawn as often as
    there are labels for him; who is not trained on is nobody who is."""
    trained, held = merged(people.of(~people.held_out)), merged(people.of(people.held_out))
    apart = (held.embedding @ trained.embedding.T).max(axis=1) < ONE_VOICE
    return People(*(np.concatenate(parts) for parts in zip(trained, held.of(apart), strict=True)))


def merged(people: People) -> People:
    """Those nearer to each other than `ONE_VOICE` made one: the first of them, at the mean of all."""
    left, groups = np.ones(len(people.names), bool), []
    for k in range(len(left)):
        if left[k]:
            group = left & (people.embedding @ people.embedding[k] > ONE_VOICE)
            groups.append(np.flatnonzero(group))
            left &= ~group
    embedding, stacked = (np.stack([x[g].mean(axis=0) for g in groups]) for x in people[:2])
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    return People(embedding, stacked, *(x[[g[0] for g in groups]] for x in people[2:]))


def by_speaker(
    names: np.ndarray, stacked: np.ndarray, pitch_hz: np.ndarray, seconds: np.ndarray, dim: int
) -> People:
    """Means over the utterances (m, …) of each speaker with enough speech; the median of the pitches."""
    people, whose = np.unique(names, return_inverse=True)
    speech_s = np.bincount(whose, seconds)
    rows = [np.flatnonzero(whose == k) for k in np.flatnonzero(speech_s >= LEAST_SPEECH_S)]
    mean = np.stack([stacked[r].mean(axis=0) for r in rows])
    mean[:, :dim] /= np.linalg.norm(mean[:, :dim], axis=1, keepdims=True)
    pitch = np.array([_median(pitch_hz[r]) for r in rows], np.float32)
    held_out = np.arange(len(rows)) % HELD_OUT == 0
    return People(mean[:, :dim], mean, pitch, people[speech_s >= LEAST_SPEECH_S], held_out)


def _median(pitches: np.ndarray) -> float:
    voiced = pitches[np.isfinite(pitches)]
    return float(np.exp(np.median(np.log(voiced)))) if len(voiced) else float("nan")


def _heard(data: Prepared, shard: Shard, encoder: SpeakerEncoder, i: int) -> tuple[np.ndarray, float, float]:
    """The stacked vector of an utterance's speech, its pitch, and the seconds of it."""
    columns = shard.columns(i).astype(np.float32)
    mask = speech_mask(columns)
    speech = columns[mask] if mask.sum() >= 10 else columns
    normal = encoder.stream().normalise(speech[:LONGEST_COLUMNS])
    tokens = encoder.tokens(normal)
    cepstra = dct(normal, norm="ortho", axis=1)[:, :N_CEPSTRA]
    moments = [m for x in (tokens, cepstra) for m in (x.mean(axis=0), x.std(axis=0))]
    samples = data.cache.audio(i)[: PITCH_SECONDS * SAMPLE_RATE]
    return np.concatenate((encoder.embed(tokens), *moments)), mean_pitch(samples), len(speech) / 100
