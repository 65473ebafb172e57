"""Training of a speaker encoder: config, data, model, loop, checkpoint."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from tqdm import tqdm

from engine import ConfigError, build_settings
from rt_models.nets.registry import NETS, NetConfig, build
from rt_models.training.batches import Batch, CropConfig, CropSampler
from rt_models.training.corpus import CopyConfig
from rt_models.training.objective import LossConfig, Objective

SCALAR_RATE = 0.01
"""Learning rate of the scale and bias of GE2E and its like, relative to the rest (Wan et al. 2018)."""
MAY_CHANGE = {"steps", "save_every", "whitening"}
"""Settings that a resumed run may change."""


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


def rate_at(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then a half cosine down to 2 % of the peak."""
    if step < config.warm_up:
        return config.learning_rate * (step + 1) / config.warm_up
    done = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    return config.learning_rate * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done))))


@dataclass
class Run:
    """Everything that a training run changes, and that its checkpoint keeps."""

    net: nn.Module
    objective: Objective
    optimiser: torch.optim.Optimizer
    step: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)
    """One point per checkpoint: step, loss and its parts, EER in percent, hours heard, minutes."""


def train(
    config: TrainConfig,
    sampler: CropSampler,
    checkpoint: Path,
    evaluate: Callable[[nn.Module], float] | None = None,
    stop_after: int | None = None,
    start: Path | None = None,
    device: str = "cpu",
) -> nn.Module:
    """Train for `config.steps`, or to the checkpoint at `stop_after`; resumes from `checkpoint` exactly
    (with the same settings and number of processes).

    `evaluate` gives the EER in percent. `start` is the checkpoint of another run whose weights this one
    begins with. Under `torchrun` every process draws batches of its own, gradients are averaged, and the
    first process logs and saves. The curves are drawn beside the checkpoint, as PNG.
    """
    rank, processes = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    run = _begin(config, sampler, device, start)
    if checkpoint.exists():
        _resume(checkpoint, run, config)
    meter = Meter(run.curve)
    bar = tqdm(total=config.steps, initial=run.step, unit="step", disable=None if rank == 0 else True)
    while run.step < config.steps and run.step != stop_after:
        torch.manual_seed(config.seed * 1_000_003 + run.step * processes + rank)
        batch = sampler.batch(config.batch, np.random.default_rng((config.seed, run.step, rank)))
        parts = _step(run, config, batch)
        meter.add(parts, processes * batch.columns.shape[0] * batch.columns.shape[1] * 0.01)
        bar.set_postfix_str(meter.line(), refresh=False)
        bar.update()
        if rank == 0 and (run.step % config.save_every == 0 or run.step == config.steps):
            meter.point(run.step, evaluate(run.net) if evaluate else None)
            _save(checkpoint, run, config)
            tqdm.write(meter.summary())
    bar.close()
    return run.net.eval()


def _begin(config: TrainConfig, sampler: CropSampler, device: str, start: Path | None) -> Run:
    torch.manual_seed(config.seed)
    net = build(config.net).to(device)
    mixed = config.precision == "bfloat16"
    objective = Objective(config.losses, net, sampler, mixed).to(device)
    if start:
        net.load_state_dict(torch.load(start, map_location=device, weights_only=True)["net"])
    trained = [*net.parameters(), *objective.parameters()]
    groups = [
        {"params": [p for p in trained if p.ndim]},
        {"params": [p for p in trained if not p.ndim], "weight_decay": 0.0, "slower": SCALAR_RATE},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=config.weight_decay, betas=(0.9, 0.98))
    return Run(net, objective, optimiser)


def _step(run: Run, config: TrainConfig, batch: Batch) -> dict[str, float]:
    for group in run.optimiser.param_groups:
        group["lr"] = rate_at(config, run.step) * group.get("slower", 1.0)
    run.net.train()
    loss, parts = run.objective(run.net, batch)
    loss.backward()
    parameters = [p for group in run.optimiser.param_groups for p in group["params"]]
    _average_gradients(parameters)
    torch.nn.utils.clip_grad_norm_(parameters, config.clip)
    run.optimiser.step()
    run.optimiser.zero_grad(set_to_none=True)
    run.step += 1
    return {"loss": float(loss.detach()), **parts}


def _average_gradients(parameters: list[torch.Tensor]) -> None:
    """The mean over all processes, where there are several."""
    if dist.is_initialized():
        gradients = [p.grad for p in parameters if p.grad is not None]
        mean = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(mean)
        mean /= dist.get_world_size()
        for gradient, part in zip(gradients, mean.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


class Meter:
    """Means since the last point, and the curve of all points."""

    def __init__(self, curve: list[dict[str, float]]) -> None:
        self._curve = curve
        self._clear()

    def _clear(self) -> None:
        self._sums: dict[str, float] = {}
        self._count, self._heard_s, self._began = 0, 0.0, time.monotonic()

    def add(self, parts: dict[str, float], heard_s: float) -> None:
        for name, value in parts.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count, self._heard_s = self._count + 1, self._heard_s + heard_s

    def line(self) -> str:
        """What the progress bar says."""
        speed = self._heard_s / 3600 / max(1e-9, time.monotonic() - self._began)
        eer = f"EER {self._curve[-1]['eer']:.2f} %, " if self._curve and "eer" in self._curve[-1] else ""
        return f"loss {self._sums['loss'] / self._count:.4f}, {eer}{speed:.4f} h of speech per second"

    def point(self, step: int, eer: float | None) -> None:
        last = self._curve[-1] if self._curve else {"hours": 0.0, "minutes": 0.0}
        point = {"step": float(step)} | {k: v / self._count for k, v in self._sums.items()}
        point["hours"] = last["hours"] + self._heard_s / 3600
        point["minutes"] = last["minutes"] + (time.monotonic() - self._began) / 60
        self._curve.append(point | ({} if eer is None else {"eer": eer}))
        self._clear()

    def summary(self) -> str:
        """The last point in words."""
        return ", ".join(f"{k} {v:.4g}" for k, v in self._curve[-1].items())


def _save(path: Path, run: Run, config: TrainConfig) -> None:
    """Temporary file and rename, so that a kill leaves the old or the new one."""
    partial = path.with_suffix(".partial")
    torch.save(
        {
            "net": run.net.state_dict(),
            "objective": run.objective.state_dict(),
            "optimiser": run.optimiser.state_dict(),
            "config": asdict(config),
            "step": run.step,
            "curve": run.curve,
        },
        partial,
    )
    partial.replace(path)
    draw_curves(run.curve, path.with_suffix(".png"))


def _resume(path: Path, run: Run, config: TrainConfig) -> None:
    kept = torch.load(path, map_location="cpu", weights_only=True)
    before, now = (json.loads(json.dumps(c)) for c in (kept["config"], asdict(config)))
    if other := [name for name in now if name not in MAY_CHANGE and before.get(name) != now[name]]:
        raise ConfigError(
            f"{path}: belongs to a run with other settings ({', '.join(other)}); delete it, or choose "
            "another --name or --work"
        )
    run.net.load_state_dict(kept["net"])
    run.objective.load_state_dict(kept["objective"])
    run.optimiser.load_state_dict(kept["optimiser"])
    run.step = int(kept["step"])
    run.curve.extend(kept["curve"])


def load_checkpoint(path: Path) -> nn.Module:
    """The network of a checkpoint in evaluation mode."""
    kept = torch.load(path, map_location="cpu", weights_only=True)
    net = build(NetConfig(**kept["config"]["net"]))
    net.load_state_dict(kept["net"])
    return net.eval()


def draw_curves(curve: list[dict[str, float]], path: Path) -> None:
    """Loss and EER against hours of speech heard, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    left = figure.subplots()
    left.plot([p["hours"] for p in curve], [p["loss"] for p in curve], "C0.-")
    left.set(xlabel="hours of speech heard", ylabel="training loss")
    measured = [p for p in curve if "eer" in p]
    if measured:
        right = left.twinx()
        right.plot([p["hours"] for p in measured], [p["eer"] for p in measured], "C1.-")
        right.set_ylabel("EER on dev / %", color="C1")
    figure.savefig(path, dpi=110)
