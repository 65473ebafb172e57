"""Training of the network that draws voices: a DDPM over speaker embeddings, told of their mean pitch.

As SpeakerDiff, with a schedule that ends in noise, an exponential mean of the weights that is used, and
classifier-free guidance by pitch.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voicelane.dsp import ddpm
from voicelane.rt_models.nets.voices import VoiceNet, VoiceNetConfig
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.averaged import Averaged
from voicelane.rt_models.training.checkpoint import Run
from voicelane.rt_models.training.people import People
from voicelane.voices import pitch_input

LEAST_SPREAD = 1e-3
"""Of the widest direction; narrower ones are taken for so wide."""


class Directions(NamedTuple):
    """The leading directions of a set of vectors: x = mean + z · basis, where z has unit variance."""

    mean: np.ndarray
    """float32 (D,)."""
    basis: np.ndarray
    """float32 (K, D), each row as long as its deviation."""

    def numbers(self, x: np.ndarray) -> np.ndarray:
        """z, float32 (n, K), of vectors (n, D)."""
        lengths = (self.basis**2).sum(axis=1)
        return np.asarray((x - self.mean) @ self.basis.T / lengths, np.float32)

    def vectors(self, z: np.ndarray) -> np.ndarray:
        """x, float32 (n, D), of numbers (n, K)."""
        return np.asarray(self.mean + z @ self.basis, np.float32)


@dataclass(frozen=True)
class VoiceTrainConfig:
    """One training run."""

    net: VoiceNetConfig = field(default_factory=VoiceNetConfig)
    schedule: Literal["linear", "cosine", "sigmoid"] = "linear"
    times: int = 1000
    target: Literal["epsilon", "x0"] = "x0"
    steps: int = 1200
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up: int = 100
    untold: float = 0.2
    """Share of the pitches that the network is not told, for guidance."""
    average: float = 0.998
    """Of the mean over the weights."""
    average_used: bool = True
    """SpeakerDiff keeps a mean and exports the last weights."""
    seed: int = 0


def directions(x: np.ndarray, k: int) -> Directions:
    """The `k` leading principal directions of vectors (n, D)."""
    mean = x.mean(axis=0, dtype=np.float64)
    _, singular, rows = np.linalg.svd(x - mean, full_matrices=False)
    if k > len(rows):
        raise ValueError(
            f"{k} directions of {len(x)} vectors of {x.shape[1]} numbers: {len(rows)} are the most"
        )
    spread = np.maximum(singular[:k], LEAST_SPREAD * singular[0]) / math.sqrt(len(x))
    return Directions(mean.astype(np.float32), (spread[:, None] * rows[:k]).astype(np.float32))


def fit_pitch(vectors: np.ndarray, pitch_hz: np.ndarray, shrinkage: float = 1.0) -> np.ndarray:
    """Weights (D + 1,) of octaves over 160 Hz, linear in a unit vector; the last is constant (ridge)."""
    known = np.isfinite(pitch_hz)
    x = np.concatenate((vectors[known], np.ones((known.sum(), 1))), axis=1).astype(np.float64)
    weight = np.diag([shrinkage] * vectors.shape[1] + [0.0])
    return np.linalg.solve(x.T @ x + weight, x.T @ pitch_input(pitch_hz[known])[:, 0])


def space_of(at: Directions, vectors: np.ndarray, pitch_hz: np.ndarray) -> dict[str, np.ndarray]:
    """What the engine needs to turn numbers into vectors and to choose pitches: 41 quantiles of them."""
    quantiles = np.nanquantile(pitch_hz, np.linspace(0, 1, 41))
    return {**at._asdict(), "pitches": quantiles, "pitch_weights": fit_pitch(vectors, pitch_hz)}


def train(
    config: VoiceTrainConfig,
    numbers: np.ndarray,
    pitch_hz: np.ndarray,
    checkpoint: Path | None = None,
    stop_after: int | None = None,
) -> VoiceNet:
    """The network after `config.steps`, on numbers (n, K) of unit variance and pitches (n,)."""
    torch.manual_seed(config.seed)
    both = Averaged(VoiceNet(replace(config.net, dim=numbers.shape[1])), config.average)
    alpha_bar = torch.from_numpy(ddpm.SCHEDULES[config.schedule](config.times)).float()
    told = pitch_input(pitch_hz)

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        both.take()
        rows = rng.integers(len(numbers), size=config.batch)
        pitch = told[rows] * (rng.random((len(rows), 1)) >= config.untold)
        x, t = torch.from_numpy(numbers[rows]), torch.from_numpy(rng.integers(1, config.times + 1, len(rows)))
        own = _loss(both.net, config, alpha_bar, (x, t, torch.from_numpy(pitch.astype(np.float32))))
        return loop.Outcome(own, {}, 0.0)

    optimiser = torch.optim.AdamW(both.net.parameters(), weight_decay=config.weight_decay)
    schedule = loop.Schedule(config.steps, config.learning_rate, config.warm_up, floor=0.02, seed=config.seed)
    run = Run(both, optimiser, asdict(config) | {"dim": numbers.shape[1]}, checkpoint)
    trained = loop.train(run, schedule, lesson, stop_after=stop_after)
    return (trained.mean if config.average_used else trained.net).eval()


def _loss(
    net: VoiceNet, config: VoiceTrainConfig, alpha_bar: Tensor, batch: tuple[Tensor, Tensor, Tensor]
) -> Tensor:
    """Mean squared distance to the target of a batch of numbers, times and pitches."""
    x, t, pitch = batch
    noise = torch.randn_like(x)
    given = net(ddpm.noised(x, noise, alpha_bar[t, None]), t / config.times, pitch)
    return F.mse_loss(given, noise if config.target == "epsilon" else x)


def voices_to_train(people: People, config: VoiceTrainConfig) -> tuple[np.ndarray, np.ndarray]:
    """Vectors and pitches of those who are trained on: embeddings, or the stacked vectors where more numbers
    are wanted than an embedding has."""
    kept = people.of(~people.held_out)
    stacked = config.net.dim > kept.embedding.shape[1]
    return kept.stacked if stacked else kept.embedding, kept.pitch_hz
