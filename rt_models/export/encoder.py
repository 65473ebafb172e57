"""Export of a speaker encoder to a model folder that the engine loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from rt_models.export.onnx import check_parity, export, write_example, write_manifest
from rt_models.nets.conv_transformer import ConvTransformer


def export_encoder(net: ConvTransformer, mean: np.ndarray, folder: Path, version: str) -> float:
    """model.onnx and manifest.toml in `folder`; returns the largest difference to torch.

    `mean` is the log-mel mean (n_mels,) at which the running mean starts.
    """
    c = net.config
    n_bands = c.n_mels * c.in_channels
    path = export(
        net,
        {"columns": torch.randn(1, 160, n_bands)},
        ["embedding"],
        {"columns": {0: "batch", 1: "time"}, "embedding": {0: "batch"}},
        folder,
    )
    worst = check_parity(net, path, lambda rng: _columns(rng, n_bands))
    write_example(net, folder, _columns(np.random.default_rng(0), n_bands), ["embedding"])
    write_manifest(
        folder,
        {
            "name": folder.name,
            "kind": "encoder",
            "version": version,
            "inputs": {"columns": ["batch", "time", n_bands]},
            "outputs": {"embedding": ["batch", c.dim]},
            "settings": {
                "dim": c.dim,
                "features": "log_mel" if c.in_channels == 1 else "log_mel+phase",
                "mean": [round(float(m), 4) for m in mean],
                "mean_prior_columns": 10,
                "mean_longest_columns": 300,
            },
        },
    )
    return worst


def _columns(rng: np.random.Generator, n_bands: int) -> dict[str, np.ndarray]:
    length = int(rng.integers(10, 600))
    return {"columns": 2 * rng.standard_normal((1, length, n_bands)).astype(np.float32)}
