"""Export of the network that keeps one person's voice to a model folder that the engine loads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from voicelane.dsp import FRONT_END
from voicelane.rt_models.export.compact import coarse, compact
from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.nets.keeper import N_MELS, KeeperNet

COLUMNS = ("cleaned", "noisy")
WEIGHT_BITS = 6
"""Behind the leading one of a weight."""
OUTPUTS = ["odds", "next_hidden"]
BATCH = 2
"""Anybody, and the person."""


def export_keeper(net: KeeperNet, settings: Mapping[str, object], folder: Path, version: str) -> float:
    """model.onnx, weights.npz and manifest.toml in `folder`, of the network with weights of few bits; returns
    the largest difference to torch.

    `settings` name the cleaner behind which it stands and the encoder whose embeddings it knows.
    """
    coarse(net, WEIGHT_BITS)
    example = {name: torch.from_numpy(x) for name, x in _draw(np.random.default_rng(1), net).items()}
    free = {name: {1: "time"} for name in (*COLUMNS, "odds")}
    path = export(net, example, OUTPUTS, free, folder, traced=True)
    worst = check_parity(net, path, lambda rng: _draw(rng, net))
    begin = {"hidden": net.silence(BATCH).numpy()}
    write_example(net, folder, _draw(np.random.default_rng(0), net) | begin, OUTPUTS)
    about = {"front_end": FRONT_END, "ahead": net.config.ahead, "dim": net.config.dim}
    write_manifest(
        folder,
        {
            "name": folder.name,
            "kind": "keeper",
            "version": version,
            "inputs": {name: [1, "time", N_MELS] for name in COLUMNS} | {"person": [BATCH, net.config.dim]},
            "outputs": {"odds": [BATCH, "time", N_MELS]},
            "state": {"hidden": list(net.silence(BATCH).shape)},
            "settings": about | dict(settings),
        },
    )
    return max(worst, compact(folder))


def _draw(rng: np.random.Generator, net: KeeperNet) -> dict[str, np.ndarray]:
    n_columns, dim = 2 * int(rng.integers(1, 50)), net.config.dim
    columns = {name: rng.standard_normal((1, n_columns, N_MELS)).astype(np.float32) for name in COLUMNS}
    person = (rng.standard_normal((BATCH, dim)) / np.sqrt(dim)).astype(np.float32)
    hidden = rng.uniform(-1, 1, net.silence(BATCH).shape).astype(np.float32)
    return {**columns, "person": person, "hidden": hidden}
