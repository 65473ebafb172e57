"""Training of a speaker encoder: its settings, and what it learns from a batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from voicelane.base import build_settings
from voicelane.rt_models.nets.registry import NETS, NetConfig, SpeakerNet, build
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.batches import CropConfig, CropSampler
from voicelane.rt_models.training.checkpoint import Run, begin_with
from voicelane.rt_models.training.corpus import CopyConfig
from voicelane.rt_models.training.objective import LossConfig, Objective

SCALAR_RATE = 0.01
"""Learning rate of the scale and bias of GE2E and its like, relative to the rest (Wan et al. 2018)."""


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    net: NetConfig = field(default_factory=NetConfig)
    crops: CropConfig = field(default_factory=CropConfig)
    losses: LossConfig = field(default_factory=LossConfig)
    copies: CopyConfig = field(default_factory=CopyConfig)
    steps: int = 6000
    batch: int = 64
    """Crops a step and process."""
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: int = 300
    clip: float = 3.0
    precision: Literal["float32", "bfloat16"] = "float32"
    """bfloat16: mixed precision through autocast, on CPU and CUDA."""
    whitening: float = 0.0
    """Power of the variance that is evened out at the end (`whitening.py`); 0 leaves the network as it is."""
    seed: int = 0
    save_every: int = 250
    """Steps between checkpoints, measurements on dev and points of the curves."""

    def problems(self) -> list[str]:
        found: list[str] = []
        build_settings(NETS[self.net.kind][0], self.net.sizes, "net.sizes.", found)
        if self.whitening and self.net.kind == "ecapa":
            found.append("whitening: ECAPA's last layer is no linear one, set it to 0")
        return found


def train(
    config: TrainConfig,
    sampler: CropSampler,
    checkpoint: Path,
    evaluate: Callable[[SpeakerNet], float] | None = None,
    stop_after: int | None = None,
    start: Path | None = None,
    device: str = "cpu",
) -> SpeakerNet:
    """The network after `config.steps` of `loop.train`, which says more; `start` is the checkpoint of another
    run whose weights this one begins with."""
    run, objective = _begin(config, sampler, checkpoint, start, device)
    schedule = loop.Schedule(
        config.steps, config.learning_rate, config.warm_up, 0.02, config.clip, config.save_every, config.seed
    )

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        batch = sampler.batch(config.batch, rng)
        loss, parts = objective(run.net, batch)
        return loop.Outcome(loss, parts, batch.columns.shape[0] * batch.columns.shape[1] * 0.01)

    return loop.train(run, schedule, lesson, evaluate, stop_after)


def _begin(
    config: TrainConfig, sampler: CropSampler, checkpoint: Path, start: Path | None, device: str
) -> tuple[Run[SpeakerNet], Objective]:
    torch.manual_seed(config.seed)
    net = build(config.net).to(device)
    objective = Objective(config.losses, net, sampler, config.precision == "bfloat16").to(device)
    begin_with(net, start)
    trained = [*net.parameters(), *objective.parameters()]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in trained if p.ndim]},
        {"params": [p for p in trained if not p.ndim], "weight_decay": 0.0, "slower": SCALAR_RATE},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=config.weight_decay, betas=(0.9, 0.98))
    return Run(net, optimiser, asdict(config), checkpoint, objective), objective


def load_checkpoint(path: Path) -> SpeakerNet:
    """The network of a checkpoint in evaluation mode."""
    kept = torch.load(path, map_location="cpu", weights_only=True)
    net = build(NetConfig(**kept["config"]["net"]))
    net.load_state_dict(kept["net"])
    return net.eval()
