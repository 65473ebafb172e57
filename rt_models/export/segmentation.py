"""Export of the segmentation network to a model folder that the engine loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.nets.segmentation import CLASSES, SegmentationNet


def export_segmentation(net: SegmentationNet, folder: Path, version: str) -> float:
    """model.onnx and manifest.toml in `folder`; returns the largest difference to torch."""
    n_mels = net.config.n_mels
    path = export(
        net,
        {"log_mel": torch.randn(1, 500, n_mels)},
        ["logits"],
        {"log_mel": {1: "columns"}, "logits": {1: "frames"}},
        folder,
        traced=True,
    )
    worst = check_parity(net, path, lambda rng: _draw(rng, n_mels))
    write_example(net, folder, _draw(np.random.default_rng(0), n_mels), ["logits"])
    write_manifest(
        folder,
        {
            "name": folder.name,
            "kind": "segmentation",
            "version": version,
            "inputs": {"log_mel": [1, "columns", n_mels]},
            "outputs": {"logits": [1, "frames", len(CLASSES)]},
            "settings": {
                "n_mels": n_mels,
                "features": "log_mel",
                "window_columns": 500,
                "classes": [list(voices) for voices in CLASSES],
            },
            "latency_samples": 0,
        },
    )
    return worst


def _draw(rng: np.random.Generator, n_mels: int) -> dict[str, np.ndarray]:
    n_columns = 4 * int(rng.integers(10, 126))
    return {"log_mel": (3 * rng.standard_normal((1, n_columns, n_mels)) - 4).astype(np.float32)}
