"""Export of embedding enhancers to model folders that the engine loads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voicelane.dsp import ddim
from voicelane.rt_models.export.compact import compact
from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.nets.seed import ResidualDiffusionMlp, ResidualMlp


class Unrolled(nn.Module):
    """Embedding (B, D) and noise (B, D) → enhanced unit vectors (B, D): all DDIM steps in one graph."""

    def __init__(self, net: ResidualDiffusionMlp, t0: int, n_steps: int, raw_share: float) -> None:
        super().__init__()
        self.raw_share = raw_share
        self.net, self.at, self.scale = net, ddim.times(t0, n_steps), net.config.dim**0.5

    def forward(self, embedding: Tensor, noise: Tensor) -> Tensor:
        raw = F.normalize(embedding, dim=1)
        found = ddim.sample(self._denoise, self.scale * raw, noise, self.at)
        return blended(found, raw, self.raw_share)

    def _denoise(self, x_t: Tensor, t: int, before: Tensor) -> Tensor:
        return self.net(x_t, torch.full((1,), float(t)), before)


class Plain(nn.Module):
    """Embedding (B, D) → enhanced unit vectors (B, D)."""

    def __init__(self, net: ResidualMlp, raw_share: float) -> None:
        super().__init__()
        self.net, self.scale, self.raw_share = net, net.config.dim**0.5, raw_share

    def forward(self, embedding: Tensor) -> Tensor:
        raw = F.normalize(embedding, dim=1)
        return blended(self.net(self.scale * raw), raw, self.raw_share)


def blended(found: Tensor, raw: Tensor, raw_share: float) -> Tensor:
    """Unit vectors between what was found and the raw ones."""
    return F.normalize((1 - raw_share) * F.normalize(found, dim=1) + raw_share * raw, dim=1)


class Step(nn.Module):
    """x_t, x̂0 of the step before (B, D) and time (B,) → x̂0 (B, D): the network itself, for free schedules."""

    def __init__(self, net: ResidualDiffusionMlp) -> None:
        super().__init__()
        self.net = net

    def forward(self, x_t: Tensor, t: Tensor, before: Tensor) -> Tensor:
        return self.net(x_t, t, before)


def export_seed(
    net: ResidualDiffusionMlp,
    t0: int,
    steps: Sequence[int],
    raw_share: float,
    settings: dict[str, object],
    folder: Path,
    version: str,
) -> float:
    """The model folder of SEED: its first number of `steps` as model.onnx, the others in `steps_N/`, and the
    network itself in `denoiser/`, all with the same weights; returns the largest difference to torch."""
    worst = export_graph(Step(net), "denoiser", ["x_t", "t", "before"], {}, folder / "denoiser", version)
    for n_steps in steps:
        place = folder if n_steps == steps[0] else folder / f"steps_{n_steps}"
        own = settings | {"method": "seed", "t0": t0, "steps": n_steps, "raw_share": raw_share}
        graph = Unrolled(net, t0, n_steps, raw_share)
        worst = max(worst, export_graph(graph, "enhancer", ["embedding", "noise"], own, place, version))
    return max(worst, compact(folder))


def export_mlp(
    net: ResidualMlp, raw_share: float, settings: dict[str, object], folder: Path, version: str
) -> float:
    """The model folder of the plain network; returns the largest difference to torch."""
    own = settings | {"method": "mlp", "raw_share": raw_share}
    worst = export_graph(Plain(net, raw_share), "enhancer", ["embedding"], own, folder, version)
    return max(worst, compact(folder))


def export_graph(
    net: Unrolled | Plain | Step,
    kind: str,
    names: list[str],
    settings: dict[str, object],
    folder: Path,
    version: str,
) -> float:
    """One graph over vectors (batch, D), and times (batch,), with its manifest and example."""
    dim = net.net.config.dim
    widths = {name: () if name == "t" else (dim,) for name in names}
    output = "estimate" if kind == "denoiser" else "enhanced"

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        rows = int(rng.integers(1, 12))
        found = {
            name: rng.standard_normal((rows, *width)).astype(np.float32) for name, width in widths.items()
        }
        return found | ({"t": rng.integers(ddim.T, size=rows).astype(np.float32)} if "t" in widths else {})

    example = draw(np.random.default_rng(1))
    path = export(
        net.eval(),
        {name: torch.from_numpy(x) for name, x in example.items()},
        [output],
        {name: {0: "batch"} for name in names},
        folder,
    )
    worst = check_parity(net, path, draw)
    write_example(net, folder, example, [output])
    content: dict[str, object] = {
        "name": folder.name,
        "kind": kind,
        "version": version,
        "inputs": {name: ["batch", *width] for name, width in widths.items()},
        "outputs": {output: ["batch", dim]},
        "settings": settings,
    }
    write_manifest(folder, content)
    return worst
