"""Training of the segmentation network on endless mixtures."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from voicelane.rt_models.nets.segmentation import CLASSES, SegmentationConfig, SegmentationNet
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.checkpoint import Run, begin_with
from voicelane.rt_models.training.mixtures import Mixture, MixtureConfig, MixtureSampler

PERMUTATIONS = torch.tensor(
    [
        [CLASSES.index(tuple(sorted(order[v] for v in voices))) for voices in CLASSES]
        for order in itertools.permutations(range(3))
    ]
)
"""(6, 7): the class that each class becomes when the voices are renamed."""


@dataclass(frozen=True)
class SegmentationTrainConfig:
    """One training run."""

    net: SegmentationConfig = field(default_factory=SegmentationConfig)
    mixtures: MixtureConfig = field(default_factory=MixtureConfig)
    steps: int = 5500
    batch: int = 32
    learning_rate: float = 2e-3
    keep_every: int = 100
    """Steps between two checkpoints."""
    seed: int = 0


def classes(active: np.ndarray) -> np.ndarray:
    """Class numbers int64 (..., T) of voices bool (..., T, 3); of three at once the first two count."""
    first_two = active & (np.cumsum(active, axis=-1) <= 2)
    bits = first_two @ np.array([1, 2, 4])
    table = np.zeros(8, np.int64)
    for number, voices in enumerate(CLASSES):
        table[sum(1 << v for v in voices)] = number
    return table[bits]


def permutation_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """Mean cross-entropy (B, T, 7) against classes (B, T), of the best naming of the voices per window."""
    log_p = logits.log_softmax(dim=2)
    renamed = PERMUTATIONS[:, wanted]  # (6, B, T)
    found = log_p.expand(len(PERMUTATIONS), *log_p.shape).gather(3, renamed[..., None])[..., 0]
    return -found.mean(dim=2).amax(dim=0).mean()


def batch(sampler: MixtureSampler, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """log_mel (B, T, n_mels) and classes (B, T / 2)."""
    n_columns = int(rng.choice(sampler.config.columns))
    drawn: list[Mixture] = [sampler.mixture(n_columns, rng) for _ in range(size)]
    return (
        torch.from_numpy(np.stack([m.log_mel for m in drawn])),
        torch.from_numpy(classes(np.stack([m.active for m in drawn]))),
    )


def train(
    config: SegmentationTrainConfig,
    sampler: MixtureSampler,
    checkpoint: Path | None = None,
    start: Path | None = None,
    stop_after: int | None = None,
) -> SegmentationNet:
    """Fit to mixtures by `loop.train`; `start` is the checkpoint of another run whose weights this one begins
    with."""
    torch.manual_seed(config.seed)
    net = SegmentationNet(config.net)
    begin_with(net, start)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = loop.Schedule(
        config.steps,
        config.learning_rate,
        warm_up=config.steps // 10,
        save_every=config.keep_every,
        seed=config.seed,
    )

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        log_mel, wanted = batch(sampler, config.batch, rng)
        heard_s = log_mel.shape[0] * log_mel.shape[1] * 0.01
        return loop.Outcome(permutation_loss(net(log_mel), wanted), {}, heard_s)

    run = Run(net, optimiser, asdict(config), checkpoint)
    return loop.train(run, schedule, lesson, stop_after=stop_after)
