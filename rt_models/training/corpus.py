"""Everything that training reads, prepared once in a work folder: sound, rooms, teacher, features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from rt_models.training.augment import AugmentConfig, Augmenter, load_noises, simulate_rooms
from rt_models.training.batches import CropConfig, CropSampler, speech_mask
from rt_models.training.data import AudioCache, change_speed, draw_speeds, read_manifest
from rt_models.training.losses import centre
from rt_models.training.shards import Shard, build_shard, log_mel
from rt_models.training.teacher import teach

N_ROOMS = 400


@dataclass(frozen=True)
class Prepared:
    """A corpus ready for training."""

    cache: AudioCache
    rooms: list[np.ndarray]
    noises: list[np.ndarray]


def prepare(corpus: Path, work: Path, seed: int = 1) -> Prepared:
    """Decode the training split and simulate the rooms; what is there already is kept."""
    work.mkdir(parents=True, exist_ok=True)
    cache = AudioCache.build(read_manifest(corpus / "manifest.tsv"), corpus, work / "audio")
    rooms = simulate_rooms(N_ROOMS, seed, work / "rooms.npz")
    return Prepared(cache, rooms, load_noises(corpus / "noise/train"))


def sampler(
    data: Prepared, wheel: Path, work: Path, copies: Sequence[int], config: CropConfig
) -> CropSampler:
    """Crops of a clean copy of the corpus and of as many perturbed ones as `copies` has entries.

    copies[k] is the seed of the speeds of copy k, 0 for the original speed.
    """
    augment = Augmenter(AugmentConfig(), data.rooms, data.noises, data.cache)
    speeds = {seed: draw_speeds(len(data.cache), seed) for seed in {0, *copies}}
    taught = {s: teach(data.cache, wheel, v, work / f"teacher_{s}.npy") for s, v in speeds.items()}
    targets = {s: centre(torch.from_numpy(t)).numpy() for s, t in taught.items()}
    masks = {s: _masks(data.cache, v, work / f"masks_{s}.npz") for s, v in speeds.items()}
    shards = [build_shard(data.cache, None, speeds[0], 0, work / "shard_clean.f16")]
    for k, seed in enumerate(copies):
        shards.append(build_shard(data.cache, augment, speeds[seed], 100 + k, work / f"shard_{k}.f16"))
    seeds = [0, *copies]
    prior = mean_columns(shards[0], masks[0])
    return CropSampler(
        shards, [masks[s] for s in seeds], [targets[s] for s in seeds], prior, data.cache.utterances, config
    )


def mean_columns(shard: Shard, masks: list[np.ndarray], every: int = 10) -> np.ndarray:
    """Mean log-mel column (80,) of the speech in a copy, where the running mean starts."""
    speech = [shard.columns(i)[: len(m)][m] for i, m in list(enumerate(masks))[::every]]
    return np.concatenate(speech).astype(np.float64).mean(axis=0)


def _masks(cache: AudioCache, speeds: np.ndarray, path: Path) -> list[np.ndarray]:
    """Which columns of each clean utterance are speech, kept in `path`."""
    if not path.exists():
        found = [speech_mask(log_mel(change_speed(cache.audio(i), s))) for i, s in enumerate(speeds)]
        bounds = np.concatenate(([0], np.cumsum([len(m) for m in found])))
        np.savez_compressed(path, mask=np.concatenate(found), bounds=bounds)
    kept = np.load(path)
    return np.split(kept["mask"], kept["bounds"][1:-1])
