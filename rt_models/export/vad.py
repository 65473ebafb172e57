"""Export of the voice activity network to a model folder that the engine loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from voicelane.base import FRAME_SAMPLES
from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.nets.vad import VadNet


def export_vad(net: VadNet, folder: Path, version: str) -> float:
    """model.onnx and manifest.toml in `folder`; returns the largest difference to torch."""
    c = net.config
    path = export(
        net,
        {"features": torch.randn(1, 50, c.n_features), "hidden": net.silence(1)},
        ["logits", "next_hidden"],
        {"features": {1: "time"}, "logits": {1: "time"}},
        folder,
        traced=True,
    )
    worst = check_parity(net, path, lambda rng: _draw(rng, c.n_features, c.width))
    example = _draw(np.random.default_rng(0), c.n_features, c.width)
    write_example(net, folder, example, ["logits", "next_hidden"])
    write_manifest(
        folder,
        {
            "name": folder.name,
            "kind": "vad",
            "version": version,
            "inputs": {"features": [1, "time", c.n_features]},
            "outputs": {"logits": [1, "time"]},
            "state": {"hidden": [1, 1, c.width]},
            "latency_samples": c.ahead_frames * FRAME_SAMPLES,
        },
    )
    return worst


def _draw(rng: np.random.Generator, n_features: int, width: int) -> dict[str, np.ndarray]:
    length = int(rng.integers(1, 300))
    return {
        "features": rng.standard_normal((1, length, n_features)).astype(np.float32),
        "hidden": rng.uniform(-1, 1, (1, 1, width)).astype(np.float32),
    }
