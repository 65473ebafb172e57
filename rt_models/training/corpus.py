"""Everything that training reads, prepared once in a work folder: sound, rooms, teacher, features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from voicelane import SAMPLE_RATE
from voicelane.dsp import N_MELS
from voicelane.rt_models.training.augment import AugmentConfig, Augmenter, load_noises, simulate_rooms
from voicelane.rt_models.training.batches import Copy, CropConfig, CropSampler, speech_mask
from voicelane.rt_models.training.caches import digest_arrays, keep
from voicelane.rt_models.training.data import AudioCache, change_speed, draw_speeds, read_manifest
from voicelane.rt_models.training.disturbances import disturbance
from voicelane.rt_models.training.losses import centre
from voicelane.rt_models.training.mixtures import MixtureConfig, MixtureSampler
from voicelane.rt_models.training.shards import FrameTargets, build_shard, log_mel
from voicelane.rt_models.training.teacher import MAX_SECONDS, Teacher, clean_voices, gives_frames

N_ROOMS = 400
DISTURBANCE_SAMPLES = 6 * SAMPLE_RATE


@dataclass(frozen=True)
class CopyConfig:
    """Which copies of the corpus are trained on, and their targets."""

    speeds: tuple[int, ...] = (0, 1)
    """Seeds of the speeds of clean copies, besides 0 (the original speed) and those of `perturbed`."""
    perturbed: tuple[int, ...] = (0, 0)
    """Copies with rooms, noise, codecs and all: the seed of the speeds of each."""
    speaker_mean: float = 0.5
    """Share of the speaker's mean embedding in the target, the rest is the utterance's own."""


@dataclass(frozen=True)
class Prepared:
    """A corpus ready for training."""

    cache: AudioCache
    rooms: list[np.ndarray]
    noises: list[np.ndarray]
    work: Path

    @cached_property
    def origin(self) -> dict[str, object]:
        """What it is made of, for the caches of what is made of it."""
        rooms, noises = digest_arrays(self.rooms), digest_arrays(self.noises)
        return {"corpus": self.cache.sha256, "rooms": rooms, "noises": noises}


def prepare(
    manifest: Path,
    root: Path,
    noises: Path,
    work: Path,
    n_rooms: int = N_ROOMS,
    every: int = 1,
    seed: int = 1,
) -> Prepared:
    """Decode the files of every `every`-th speaker and simulate the rooms; what is there already is kept."""
    work.mkdir(parents=True, exist_ok=True)
    utterances = read_manifest(manifest)
    kept = set(sorted({u.speaker for u in utterances})[::every])
    cache = AudioCache.build([u for u in utterances if u.speaker in kept], root, work / "audio")
    return Prepared(cache, simulate_rooms(n_rooms, seed, work / "rooms.npz"), load_noises(noises), work)


def sampler(
    data: Prepared,
    teacher: Path | None,
    choice: CopyConfig,
    config: CropConfig,
    n_mels: int = N_MELS,
    phase: bool = False,
) -> CropSampler:
    """Crops of a clean copy of the corpus at every speed and of its perturbed copies.

    Without a teacher the targets are zero, for losses on speaker labels alone.
    """
    copies = choice.perturbed
    augment = Augmenter(AugmentConfig(), data.rooms, data.noises, data.cache)
    speeds = {seed: draw_speeds(len(data.cache), seed) for seed in sorted({0, *choice.speeds, *copies})}
    targets_of = taught(data, teacher, speeds)
    speakers = _speakers(data.cache, speeds)
    suffix = ("" if n_mels == N_MELS else f"_{n_mels}") + ("_phase" if phase else "")
    made = []
    for seed, of_seed in speeds.items():
        speech = _speech(data, of_seed, f"masks_{seed}.npz")
        perturbed = [(f"perturbed_{k}_{seed}", augment, 100 + k) for k, c in enumerate(copies) if c == seed]
        frames = FrameTargets(data.work / f"frames_{seed}.f16") if gives_frames(teacher) else None
        targets = toward_mean(targets_of[seed], speakers[seed], choice.speaker_mean)
        for name, how, rng_seed in [(f"clean_{seed}", None, 0), *perturbed]:
            path = data.work / f"{name}{suffix}.f16"
            shard = build_shard(data.cache, how, of_seed, rng_seed, path, n_mels, phase)
            made.append(Copy(shard, speech, targets, speakers[seed], frames))
    corpora = [u.corpus for u in data.cache.utterances]
    return CropSampler(
        made, corpora, _noise_power(data.noises, n_mels), mean_columns(made[0]), config, n_mels
    )


def mixtures(data: Prepared, config: MixtureConfig, n_mels: int = N_MELS) -> MixtureSampler:
    """Mixtures of the clean copies of the corpus at its own and at other speeds."""
    shards = [
        build_shard(
            data.cache, None, draw_speeds(len(data.cache), seed), 0, data.work / f"clean_{seed}.f16", n_mels
        )
        for seed in (0, 1)
    ]
    heard = data.cache.utterances
    speakers, corpora = [u.speaker for u in heard], [u.corpus for u in heard]
    rng = np.random.default_rng(0)
    things = [disturbance(DISTURBANCE_SAMPLES, rng) for _ in data.noises]
    noises = _noise_power(data.noises + things, n_mels)
    return MixtureSampler(shards, speakers, corpora, noises, config)


def toward_mean(targets: np.ndarray, speakers: np.ndarray, share: float) -> np.ndarray:
    """Unit-length targets (n, D), each blended with the mean direction of its speaker's."""
    sums = np.zeros((speakers.max() + 1, targets.shape[1]), np.float32)
    np.add.at(sums, speakers, targets)
    mean = torch.nn.functional.normalize(torch.from_numpy(sums[speakers]), dim=1)
    blend = share * mean + (1.0 - share) * torch.from_numpy(targets)
    return torch.nn.functional.normalize(blend, dim=1).numpy()


def taught(data: Prepared, folder: Path | None, speeds: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Centred targets of every speed; zeros where there is no teacher."""
    if folder is None:
        return {seed: np.zeros((len(s), 1), np.float32) for seed, s in speeds.items()}
    if not gives_frames(folder):
        made = {s: (v, data.work / f"teacher_{folder.name}_{s}.npy") for s, v in speeds.items()}
        found = {s: clean_voices(str(folder), data.cache, v, path) for s, (v, path) in made.items()}
        return {seed: centre(torch.from_numpy(t)).numpy() for seed, t in found.items()}
    teacher = Teacher(folder, data.cache)
    components = teacher.components(data.work / "components.npz")
    raw = {seed: teacher.teach(s, components, data.work, str(seed)) for seed, s in speeds.items()}
    return {seed: centre(torch.from_numpy(t)).numpy() for seed, t in raw.items()}


def _speakers(cache: AudioCache, speeds: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Speaker numbers; another speed makes another speaker."""
    names = [[f"{u.speaker} {v}" for u, v in zip(cache.utterances, s, strict=True)] for s in speeds.values()]
    _, numbers = np.unique(np.concatenate(names), return_inverse=True)
    return dict(zip(speeds, np.split(numbers.astype(np.int64), len(speeds)), strict=True))


def _noise_power(noises: list[np.ndarray], n_mels: int) -> list[np.ndarray]:
    """Noises as mel power columns, those of half a second and more."""
    found = [np.exp(log_mel(noise, n_mels)) for noise in noises]
    return [columns for columns in found if len(columns) >= 50]


def mean_columns(copy: Copy, every: int = 10) -> np.ndarray:
    """Mean column (n_bands,) of the speech in a copy, where the running mean starts."""
    speech = [copy.shard.columns(i)[s] for i, s in list(enumerate(copy.speech))[::every]]
    return np.concatenate(speech).astype(np.float64).mean(axis=0)


def _speech(data: Prepared, speeds: np.ndarray, name: str) -> list[np.ndarray]:
    """Numbers of the speech columns of what the teacher heard of each utterance; masks kept in `name`."""
    path = data.work / name

    def make() -> None:
        found = [speech_mask(log_mel(change_speed(data.cache.audio(i), s))) for i, s in enumerate(speeds)]
        bounds = np.concatenate(([0], np.cumsum([len(m) for m in found])))
        np.savez_compressed(path, mask=np.concatenate(found), bounds=bounds)

    keep(path, {"corpus": data.cache.sha256, "speeds": digest_arrays([speeds])}, make)
    kept = np.load(path)
    masks = np.split(kept["mask"], kept["bounds"][1:-1])
    taught = [m[: int(100 * MAX_SECONDS / speed)] for m, speed in zip(masks, speeds, strict=True)]
    return [np.flatnonzero(m) if m.any() else np.arange(len(m)) for m in taught]
