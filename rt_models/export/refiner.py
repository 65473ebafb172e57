"""Export of the network that refines cleaned speech to a model folder that the engine loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from voicelane.dsp import FRONT_END
from voicelane.rt_models.export.compact import coarse, compact
from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.nets.refiner import N_MELS, RefinerNet

COLUMNS = ("z", "base", "cleaned", "noisy")
WEIGHT_BITS = 6
"""Behind the leading one of a weight."""
OUTPUTS = ["found", "next_past"]


def export_refiner(net: RefinerNet, cleaner: str, folder: Path, version: str) -> float:
    """model.onnx, weights.npz and manifest.toml in `folder`, of the network with weights of few bits; returns
    the largest difference to torch.

    `cleaner` is the checksum of the network whose result it refines.
    """
    coarse(net, WEIGHT_BITS)
    example = {name: torch.from_numpy(x) for name, x in _draw(np.random.default_rng(1), net).items()}
    free = {name: {1: "time"} for name in (*COLUMNS, "found")}
    path = export(net, example, OUTPUTS, free, folder, traced=True)
    worst = check_parity(net, path, lambda rng: _draw(rng, net))
    begin = {"past": net.silence(1).numpy()}
    write_example(net, folder, _draw(np.random.default_rng(0), net) | begin, OUTPUTS)
    write_manifest(
        folder,
        {
            "name": folder.name,
            "kind": "refiner",
            "version": version,
            "inputs": {name: [1, "time", N_MELS] for name in COLUMNS} | {"t": [1]},
            "outputs": {"found": [1, "time", N_MELS]},
            "state": {"past": list(net.silence(1).shape)},
            "settings": {"front_end": FRONT_END, "cleaner": cleaner, "ahead": net.config.ahead},
        },
    )
    return max(worst, compact(folder))


def _draw(rng: np.random.Generator, net: RefinerNet) -> dict[str, np.ndarray]:
    n_columns = int(rng.integers(1, 100))
    columns = {name: rng.standard_normal((1, n_columns, N_MELS)).astype(np.float32) for name in COLUMNS}
    past = rng.standard_normal(net.silence(1).shape).astype(np.float32)
    return {**columns, "t": rng.uniform(0.02, 1.0, 1).astype(np.float32), "past": past}
