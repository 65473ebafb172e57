"""What a training run changes, saved so that a kill costs only the steps since, and resumed exactly."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from voicelane.base import ConfigError, written_through

Net = TypeVar("Net", bound=nn.Module)
MAY_CHANGE = {"steps", "batches", "save_every", "keep_every", "whitening"}
"""Settings that a resumed run may change: how long it goes on, how often it is saved, what follows it."""
PARTS = {"net", "objective", "optimiser", "config", "step", "curve"}
Curve = list[dict[str, float]]
"""One point per checkpoint: step, loss and its parts, EER in percent, hours heard, minutes."""


@dataclass
class Run(Generic[Net]):
    """Everything that a training run changes, and the settings that it belongs to."""

    net: Net
    optimiser: torch.optim.Optimizer
    settings: dict[str, Any]
    path: Path | None
    """Of its checkpoint; None keeps none."""
    objective: nn.Module = field(default_factory=nn.Identity)
    """The losses, which may learn something themselves."""
    step: int = 0
    curve: Curve = field(default_factory=list)


def save(run: Run[Net]) -> None:
    """The checkpoint on disk: a kill leaves the old or the new one."""
    if run.path is None:
        return
    content = {
        "net": run.net.state_dict(),
        "objective": run.objective.state_dict(),
        "optimiser": run.optimiser.state_dict(),
        "config": run.settings,
        "step": run.step,
        "curve": run.curve,
    }
    with written_through(run.path) as file:
        torch.save(content, file)


def resume(run: Run[Net]) -> None:
    """Go on where the checkpoint is, if there is one.

    Raises `ConfigError` where it belongs to a run with other settings.
    """
    if run.path is None or not run.path.exists():
        return
    kept = _read(run.path, PARTS)
    before, now = (json.loads(json.dumps(settings)) for settings in (kept["config"], run.settings))
    names = [n for n in (*now, *(before.keys() - now)) if n not in MAY_CHANGE]
    if other := [n for n in names if n not in before or n not in now or before[n] != now[n]]:
        raise ConfigError(
            f"{run.path}: belongs to a run with other settings ({', '.join(other)}); delete it, or choose "
            "another --name or --work"
        )
    run.net.load_state_dict(kept["net"])
    run.objective.load_state_dict(kept["objective"])
    run.optimiser.load_state_dict(kept["optimiser"])
    run.step = int(kept["step"])
    run.curve.extend(kept["curve"])


def begin_with(net: nn.Module, start: Path | None) -> None:
    """The weights of the checkpoint of another run, if one is given."""
    if start is not None:
        net.load_state_dict(_read(start, {"net"})["net"])


def curve_of(path: Path) -> Curve:
    """The curve of a checkpoint."""
    curve: Curve = _read(path, PARTS)["curve"]
    return curve


def _read(path: Path, parts: set[str]) -> dict[str, Any]:
    kept = torch.load(path, map_location="cpu", weights_only=True)
    if missing := parts - kept.keys():
        raise ConfigError(
            f"{path}: lacks {', '.join(sorted(missing))} of a training's checkpoint; delete it, or choose "
            "another --work"
        )
    content: dict[str, Any] = kept
    return content
