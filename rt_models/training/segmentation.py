"""Training of the segmentation network on endless mixtures."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rt_models.nets.segmentation import CLASSES, SegmentationConfig, SegmentationNet
from rt_models.training.mixtures import Mixture, MixtureConfig, MixtureSampler

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
    config: SegmentationTrainConfig, sampler: MixtureSampler, checkpoint: Path, start: Path | None = None
) -> SegmentationNet:
    """Fit to mixtures; goes on from `checkpoint` where it exists, else from the weights in `start`."""
    torch.manual_seed(config.seed)
    net, first, curve = SegmentationNet(config.net), 0, []
    if start is not None:
        net.load_state_dict(torch.load(start, weights_only=True)["net"])
    optimiser = torch.optim.AdamW(net.parameters(), config.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, config.steps, pct_start=0.1
    )
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(kept["net"])
        optimiser.load_state_dict(kept["optimiser"])
        schedule.load_state_dict(kept["schedule"])
        first, curve = kept["step"], kept["curve"]
    net.train()
    for step in range(first, config.steps):
        rng = np.random.default_rng((config.seed, step))
        log_mel, wanted = batch(sampler, config.batch, rng)
        loss = permutation_loss(net(log_mel), wanted)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        curve.append(loss.item())
        if (step + 1) % config.keep_every == 0 or step + 1 == config.steps:
            print(f"segmentation step {step + 1} loss {np.mean(curve[-config.keep_every :]):.4f}", flush=True)
            keep(checkpoint, net, optimiser, schedule, step + 1, curve, config)
    return net.eval()


def keep(
    path: Path,
    net: SegmentationNet,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    step: int,
    curve: list[float],
    config: SegmentationTrainConfig,
) -> None:
    """A checkpoint, complete or not there at all."""
    state = {"optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(), "step": step}
    partial = path.with_suffix(".tmp")
    torch.save({"net": net.state_dict(), "curve": curve, "config": asdict(config), **state}, partial)
    partial.replace(path)
