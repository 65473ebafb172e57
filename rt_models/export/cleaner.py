"""Export of the network that takes noise off speech to a model folder that the engine loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from voicelane.base import HOP_SAMPLES
from voicelane.dsp import FRONT_END
from voicelane.rt_models.export.compact import compact
from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.nets.cleaner import N_BINS, CleanerNet

EXAMPLE_LEVEL = 0.1
OUTPUTS = ["clean", "next_past", "next_hidden", "next_cell"]


def export_cleaner(net: CleanerNet, folder: Path, version: str) -> float:
    """model.onnx, weights.npz and manifest.toml in `folder`; returns the largest difference to torch."""
    past, hidden, cell = net.silence(1)
    path = export(
        net,
        {"spectra": torch.randn(1, 50, N_BINS, 2), "past": past, "hidden": hidden, "cell": cell},
        OUTPUTS,
        {"spectra": {1: "time"}, "clean": {1: "time"}},
        folder,
        traced=True,
    )
    worst = check_parity(net, path, lambda rng: _draw(rng, net))
    example = {"spectra": EXAMPLE_LEVEL * _draw(np.random.default_rng(0), net, 40)["spectra"]}
    begin = {"past": past.numpy(), "hidden": hidden.numpy(), "cell": cell.numpy()}
    write_example(net, folder, example | begin, OUTPUTS)
    write_manifest(
        folder,
        {
            "name": folder.name,
            "kind": "cleaner",
            "version": version,
            "inputs": {"spectra": [1, "time", N_BINS, 2]},
            "outputs": {"clean": [1, "time", N_BINS, 2]},
            "state": {"past": list(past.shape), "hidden": list(hidden.shape), "cell": list(cell.shape)},
            "latency_samples": net.config.ahead * HOP_SAMPLES,
            "settings": {"front_end": FRONT_END},
        },
    )
    return max(worst, compact(folder))


def _draw(rng: np.random.Generator, net: CleanerNet, length: int = 0) -> dict[str, np.ndarray]:
    past, hidden, cell = net.silence(1)
    level = 10 ** rng.uniform(-3, 0)
    n_columns = length or 2 * int(rng.integers(1, 100))
    return {
        "spectra": (level * rng.standard_normal((1, n_columns, N_BINS, 2))).astype(np.float32),
        "past": (level * rng.standard_normal(past.shape)).astype(np.float32),
        "hidden": rng.uniform(-1, 1, hidden.shape).astype(np.float32),
        "cell": rng.uniform(-1, 1, cell.shape).astype(np.float32),
    }
