"""Training of a speaker encoder by distillation: config, data, model, loop, checkpoint."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from rt_models.nets.conv_transformer import ConvTransformer, ConvTransformerConfig
from rt_models.training import losses
from rt_models.training.batches import CropConfig, CropSampler


@dataclass(frozen=True)
class TrainConfig:
    """One training run."""

    net: ConvTransformerConfig = field(default_factory=ConvTransformerConfig)
    crops: CropConfig = field(default_factory=CropConfig)
    steps: int = 6000
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: int = 300
    relational_weight: float = 2.0
    contrastive_weight: float = 0.5
    clip: float = 3.0
    seed: int = 0
    save_every: int = 250
    """Steps between checkpoints and log lines."""


def rate_at(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then a half cosine down to 2 % of the peak."""
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    done = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    return config.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


def train(
    config: TrainConfig,
    sampler: CropSampler,
    checkpoint: Path,
    evaluate: Callable[[ConvTransformer], float] | None = None,
    stop_after: int | None = None,
) -> ConvTransformer:
    """Train for `config.steps`, or to the checkpoint at `stop_after`; resumes from `checkpoint` exactly.

    `evaluate` gives the EER in percent for the log. Under `torchrun` every process draws batches of its
    own, gradients are averaged, and the first process logs and saves.
    """
    rank, processes = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    torch.manual_seed(config.seed)
    model = ConvTransformer(config.net)
    optimiser = torch.optim.AdamW(model.parameters(), weight_decay=config.weight_decay, betas=(0.9, 0.98))
    first = _resume(checkpoint, model, optimiser) if checkpoint.exists() else 0
    began, total, heard_s = time.monotonic(), 0.0, 0.0
    for step in range(first, config.steps):
        torch.manual_seed(config.seed * 1_000_003 + step * processes + rank)
        crops, targets, speakers = sampler.batch(
            config.batch, np.random.default_rng((config.seed, step, rank))
        )
        batch = (torch.from_numpy(x) for x in (crops, targets, speakers))
        total += _step(model, optimiser, config, step, *batch)
        heard_s += processes * crops.shape[0] * crops.shape[1] * 0.01
        if rank == 0 and ((step + 1) % config.save_every == 0 or step + 1 == config.steps):
            _save(checkpoint, model, optimiser, config, step + 1)
            elapsed = time.monotonic() - began
            eer = f", EER {evaluate(model):.2f} %" if evaluate else ""
            print(
                f"step {step + 1}: loss {total / config.save_every:.4f}{eer}, "
                f"{heard_s / 3600:.1f} h of speech in {elapsed / 60:.1f} min",
                flush=True,
            )
            total = 0.0
        if step + 1 == stop_after:
            break
    return model.eval()


def _step(
    model: ConvTransformer,
    optimiser: torch.optim.Optimizer,
    config: TrainConfig,
    step: int,
    crops: torch.Tensor,
    targets: torch.Tensor,
    speakers: torch.Tensor,
) -> float:
    for group in optimiser.param_groups:
        group["lr"] = rate_at(config, step)
    model.train()
    found = model(crops)
    pull = losses.distillation(found, targets)
    loss = pull + config.relational_weight * losses.relational(found, targets)
    (loss + config.contrastive_weight * losses.contrastive(found, targets, speakers)).backward()
    _average_gradients(model)
    torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return float(pull.detach())


def _average_gradients(model: ConvTransformer) -> None:
    """The mean over all processes, where there are several."""
    if dist.is_initialized():
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        mean = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(mean)
        mean /= dist.get_world_size()
        for gradient, part in zip(gradients, mean.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


def _save(path: Path, model: ConvTransformer, optimiser: Any, config: TrainConfig, step: int) -> None:
    """Temporary file and rename, so that a kill leaves the old or the new one."""
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "config": asdict(config),
            "step": step,
        },
        partial,
    )
    partial.replace(path)


def _resume(path: Path, model: ConvTransformer, optimiser: torch.optim.Optimizer) -> int:
    kept = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(kept["model"])
    optimiser.load_state_dict(kept["optimiser"])
    return int(kept["step"])


def load_checkpoint(path: Path) -> ConvTransformer:
    """The network of a checkpoint in evaluation mode."""
    kept = torch.load(path, map_location="cpu", weights_only=True)
    sizes = {k: tuple(v) if isinstance(v, list) else v for k, v in kept["config"]["net"].items()}
    model = ConvTransformer(ConvTransformerConfig(**sizes))
    model.load_state_dict(kept["model"])
    return model.eval()
