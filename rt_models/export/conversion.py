"""Export of the network that says in one voice what was said in another, as a model folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from voicelane.rt_models.export.compact import coarse, compact
from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.nets.conversion import ConversionNet
from voicelane.voices import world

WEIGHT_BITS = 5
"""Behind the leading one of a weight: a byte holds it with its sign and exponent, and nobody hears more."""


def export_conversion(net: ConversionNet, encoder: str, encoder_id: str, folder: Path, version: str) -> float:
    """model.onnx, weights.npz and manifest.toml in `folder`, of the network with weights of few bits; returns
    the largest difference to torch."""
    coarse(net, WEIGHT_BITS)
    c = net.config

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        length = 2 * (c.around_frames + int(rng.integers(1, 40)))
        found = {"bands": (length, c.bands), "pitch": (length, 2), "voice": (c.dim,)}
        return {name: rng.standard_normal((1, *shape)).astype(np.float32) for name, shape in found.items()}

    example = draw(np.random.default_rng(0))
    example["voice"] /= np.linalg.norm(example["voice"])
    given, free = ["shape"], {"bands": {1: "time"}, "pitch": {1: "time"}, "shape": {1: "time"}}
    inputs = {name: torch.from_numpy(x) for name, x in example.items()}
    path = export(net, inputs, given, free, folder, traced=True)
    worst = check_parity(net, path, draw)
    write_example(net, folder, example, given)
    content: dict[str, object] = {
        "name": folder.name,
        "kind": "conversion",
        "version": version,
        "inputs": {"bands": [1, "time", c.bands], "pitch": [1, "time", 2], "voice": [1, c.dim]},
        "outputs": {"shape": [1, "time", c.bands]},
        "latency_samples": c.around_frames * world.HOP_SAMPLES,
        "settings": {"encoder": encoder, "encoder_id": encoder_id, "around_frames": c.around_frames},
    }
    write_manifest(folder, content)
    return max(worst, compact(folder))
