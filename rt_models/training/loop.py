"""The one way in which every network is trained: schedule, step, log, checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor
from tqdm import tqdm

from voicelane.rt_models.training.checkpoint import Net, Run, resume, save
from voicelane.rt_models.training.curve import Meter, draw_curves


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network is trained: linear warm-up, then a half cosine down."""

    steps: int
    peak: float
    """Learning rate after the warm-up."""
    warm_up: int
    """Steps."""
    floor: float = 0.0
    """Share of the peak at the end."""
    clip: float = 1.0
    """Longest gradient."""
    save_every: int = 250
    """Steps between checkpoints, measurements on dev and points of the curves."""
    seed: int = 0

    def rate(self, step: int) -> float:
        if step < self.warm_up:
            return self.peak * (step + 1) / self.warm_up
        done = (step - self.warm_up) / max(1, self.steps - self.warm_up)
        share = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        return self.peak * (self.floor + (1.0 - self.floor) * share)


class Outcome(NamedTuple):
    """Of one batch: the loss, its parts by name, and seconds of speech heard."""

    loss: Tensor
    parts: dict[str, float]
    heard_s: float


Lesson = Callable[[np.random.Generator], Outcome]
"""Draws a batch and lets the network try it."""


def train(
    run: Run[Net],
    schedule: Schedule,
    lesson: Lesson,
    evaluate: Callable[[Net], float] | None = None,
    stop_after: int | None = None,
) -> Net:
    """Train to the last step, or to the checkpoint at `stop_after`; resumes from the run's checkpoint exactly
    (with the same settings and number of processes).

    `evaluate` gives the EER in percent. Under `torchrun` every process draws batches of its own, gradients
    are averaged, and the first process logs and saves. The curves are drawn beside the checkpoint, as PNG.
    """
    resume(run)
    rank, processes = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    meter = Meter(run.curve)
    bar = tqdm(total=schedule.steps, initial=run.step, unit="step", disable=None if rank == 0 else True)
    while run.step < schedule.steps and run.step != stop_after:
        torch.manual_seed(schedule.seed * 1_000_003 + run.step * processes + rank)
        rng = np.random.default_rng((schedule.seed, run.step, rank))
        outcome = _step(run, schedule, lesson, rng)
        meter.add({"loss": float(outcome.loss.detach()), **outcome.parts}, processes * outcome.heard_s)
        bar.set_postfix_str(meter.line(), refresh=False)
        bar.update()
        if rank == 0 and (run.step % schedule.save_every == 0 or run.step == schedule.steps):
            meter.point(run.step, evaluate(run.net) if evaluate else None)
            _log(run)
            tqdm.write(meter.summary())
    bar.close()
    return run.net.eval()


def _step(run: Run[Net], schedule: Schedule, lesson: Lesson, rng: np.random.Generator) -> Outcome:
    for group in run.optimiser.param_groups:
        group["lr"] = schedule.rate(run.step) * group.get("slower", 1.0)
    run.net.train()
    outcome = lesson(rng)
    outcome.loss.backward()
    parameters = [p for group in run.optimiser.param_groups for p in group["params"]]
    _average_gradients(parameters)
    torch.nn.utils.clip_grad_norm_(parameters, schedule.clip)
    run.optimiser.step()
    run.optimiser.zero_grad(set_to_none=True)
    run.step += 1
    return outcome


def _average_gradients(parameters: list[Tensor]) -> None:
    """The mean over all processes, where there are several."""
    if dist.is_initialized():
        gradients = [p.grad for p in parameters if p.grad is not None]
        mean = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(mean)
        mean /= dist.get_world_size()
        for gradient, part in zip(gradients, mean.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


def _log(run: Run[Net]) -> None:
    save(run)
    if run.path is not None:
        draw_curves(run.curve, run.path.with_suffix(".png"))
