"""Embeddings of clean speech beside those of perturbed pieces of it, through a frozen encoder, kept on disk.

No speaker labels are used: a pair is two versions of one recording.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from voicelane.base import HOP_SAMPLES
from voicelane.config import EncoderConfig
from voicelane.rt_models.training.augment import AugmentConfig, Augmenter
from voicelane.rt_models.training.batches import speech_mask
from voicelane.rt_models.training.caches import keep
from voicelane.rt_models.training.corpus import Prepared, taught
from voicelane.rt_models.training.data import change_speed, draw_speeds
from voicelane.rt_models.training.shards import log_mel
from voicelane.stages import SpeakerEncoder, encoder_columns, load_encoder

MIN_COLUMNS = 10
LONGEST_COLUMNS = 1000
MAY_GROW = {"speeds", "versions"}


@dataclass(frozen=True)
class PairConfig:
    """How many perturbed pieces of every recording are heard, and how hard they are perturbed."""

    speeds: tuple[int, ...] = (0,)
    """Seeds of speeds: 0 leaves the recordings as they are, each other one makes other voices of them all."""
    versions: int = 4
    """Pieces of each recording at each speed."""
    seconds: tuple[float, ...] = (1.0, 1.6, 2.0, 3.0, 4.0)
    """Lengths of a piece, drawn as `chances` say."""
    chances: tuple[float, ...] = (0.2, 0.25, 0.2, 0.2, 0.15)
    fresh: float = 0.5
    """Chance that the encoder's running mean has heard nothing yet; otherwise it has heard the last piece."""
    noise: float = 0.65
    noise_snr_db: tuple[float, float] = (-3.0, 20.0)
    babble: float = 0.35
    babble_snr_db: tuple[float, float] = (0.0, 18.0)
    codec: float = 0.25
    """Chance of a channel: bands, codecs, clipping, gain, loss."""


class Pairs(NamedTuple):
    """Unit vectors of the perturbed pieces, and of the whole clean recordings that they are from."""

    noisy: np.ndarray
    """float32 (n_versions, n_recordings, D)."""
    clean: np.ndarray
    """float32 (n_recordings, D)."""
    corpora: np.ndarray
    """Where each recording is from (n_recordings,); equal where nothing is known."""

    voices: np.ndarray
    """By which to tell whether two recordings are of one voice: unit vectors float32 (n_recordings, K)."""

    def of(self, kept: np.ndarray) -> Pairs:
        """The pairs of some recordings, by a mask (n_recordings,)."""
        return Pairs(self.noisy[:, kept], *(x[kept] for x in self[1:]))


def make_pairs(
    name: str, data: Prepared, config: PairConfig, jobs: int = 1, teacher: Path | None = None
) -> Pairs:
    """Pairs of the encoder `name` over a corpus, `jobs` versions at a time; what is kept in the work folder
    is not made again. Voices are told apart by the teacher, or by the encoder itself."""
    encoder = load_encoder(EncoderConfig(model=name))
    folder = data.work / f"pairs_{encoder.id[:12]}"
    folder.mkdir(exist_ok=True)
    origin = _origin(encoder.id, data, config)
    versions = [None, *range(config.versions)]
    tasks = [(speed, version) for speed in config.speeds for version in versions]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        found = pool.map(partial(_version, name, data, config, folder, origin), tasks, chunksize=1)
    each = [np.concatenate([x for x, (_, v) in zip(found, tasks, strict=True) if v == k]) for k in versions]
    corpora = np.array([u.corpus for u in data.cache.utterances] * len(config.speeds))
    speeds = {speed: draw_speeds(len(data.cache), speed) for speed in config.speeds}
    voices = np.concatenate(list(taught(data, teacher, speeds).values())) if teacher else each[0]
    return Pairs(np.stack(each[1:]), each[0], corpora, voices)


def _origin(encoder_id: str, data: Prepared, config: PairConfig) -> dict[str, object]:
    """What makes the pairs of every version; more versions of the same may come."""
    own = {k: v for k, v in asdict(config).items() if k not in MAY_GROW}
    augment = Augmenter(_harder(config), data.rooms, data.noises, data.cache)
    return {"encoder": encoder_id, "pieces": own, **data.origin, **augment.origin}


def _harder(config: PairConfig) -> AugmentConfig:
    return AugmentConfig(
        noise=config.noise,
        noise_snr_db=config.noise_snr_db,
        babble=config.babble,
        babble_snr_db=config.babble_snr_db,
        channel=config.codec,
    )


def _version(
    name: str,
    data: Prepared,
    config: PairConfig,
    folder: Path,
    origin: dict[str, object],
    task: tuple[int, int | None],
) -> np.ndarray:
    """One vector per recording at a speed: of the whole clean one (version None), or of a perturbed piece."""
    speed, version = task
    path = folder / f"{'clean' if version is None else f'noisy_{version}'}_{speed}.npy"

    def make() -> None:
        listener = Listener(load_encoder(EncoderConfig(model=name)), data, config, speed)
        every = tqdm(range(len(data.cache)), desc=path.stem, unit="recording", disable=None)
        found = [listener.clean(i) if version is None else listener.piece(i, version) for i in every]
        np.save(path, np.array(found, np.float32))

    keep(path, origin, make)
    return np.load(path)


class Listener:
    """An encoder that hears recordings whole and clean, or pieces of them perturbed, at drawn speeds."""

    def __init__(self, encoder: SpeakerEncoder, data: Prepared, config: PairConfig, speed: int) -> None:
        self._encoder, self._cache, self._config = encoder, data.cache, config
        self._stream = encoder.stream()
        self._speed, self._speeds = speed, draw_speeds(len(data.cache), speed)
        self._augment = Augmenter(_harder(config), data.rooms, data.noises, data.cache)

    def clean(self, index: int) -> np.ndarray:
        """Unit vector of the speech of a recording, at most its first ten seconds."""
        samples = self._samples(index)
        self._stream.reset()
        return self._embed(encoder_columns(self._encoder, samples)[_speech(samples)][:LONGEST_COLUMNS])

    def piece(self, index: int, version: int) -> np.ndarray:
        """Unit vector of a perturbed piece; every draw depends on speed, version and index alone."""
        rng, samples = np.random.default_rng((self._speed, version, index)), self._samples(index)
        if rng.random() < self._config.fresh:
            self._stream.reset()
        wanted = int(100 * rng.choice(self._config.seconds, p=self._config.chances))
        speech = _speech(samples)
        first = int(rng.integers(max(1, len(speech) - wanted + 1)))
        kept = speech[first : first + wanted]
        begin = kept[0] - kept[0] % 2
        heard = self._augment(samples[begin * HOP_SAMPLES : (kept[-1] + 3) * HOP_SAMPLES], rng)
        columns = encoder_columns(self._encoder, heard)
        return self._embed(columns[kept[kept - begin < len(columns)] - begin])

    def _samples(self, index: int) -> np.ndarray:
        return change_speed(self._cache.audio(index), self._speeds[index])

    def _embed(self, columns: np.ndarray) -> np.ndarray:
        if len(columns) < MIN_COLUMNS:
            columns = np.resize(columns, (MIN_COLUMNS, columns.shape[1]))
        return self._encoder.embed(self._encoder.tokens(self._stream.normalise(columns)))


def _speech(samples: np.ndarray) -> np.ndarray:
    """Numbers of the speech columns of a clean recording, all of them where there are hardly any."""
    mask = speech_mask(log_mel(samples))
    return np.flatnonzero(mask) if mask.sum() >= MIN_COLUMNS else np.arange(len(mask))
