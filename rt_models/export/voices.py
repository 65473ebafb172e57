"""Export of the network that draws voices to a model folder that the engine loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from voicelane.rt_models.export.compact import compact
from voicelane.rt_models.export.onnx import check_parity, export, record_files, write_example, write_manifest
from voicelane.rt_models.nets.voices import VoiceNet

SPACE_NAME = "space.npz"


class Drawing(nn.Module):
    """x_t (B, K), t (B,), pitch (B, 2) → what the target says (B, K)."""

    def __init__(self, net: VoiceNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, x_t: Tensor, t: Tensor, pitch: Tensor) -> Tensor:
        return self.net(x_t, t, pitch)


def export_voices(
    net: VoiceNet, space: dict[str, np.ndarray], settings: dict[str, object], folder: Path, version: str
) -> float:
    """The model folder; `space` is kept beside the network in half precision. Returns the largest difference
    to torch."""
    dim = net.config.dim

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        rows = int(rng.integers(1, 12))
        x, told = rng.standard_normal((rows, dim)), rng.standard_normal((rows, 2))
        found = {"x_t": x, "t": rng.random(rows), "pitch": told}
        return {name: a.astype(np.float32) for name, a in found.items()}

    graph, example = Drawing(net).eval(), draw(np.random.default_rng(1))
    free = {name: {0: "batch"} for name in example}
    inputs = {name: torch.from_numpy(a) for name, a in example.items()}
    path = export(graph, inputs, ["given"], free, folder)
    worst = check_parity(graph, path, draw)
    write_example(graph, folder, example, ["given"])
    content: dict[str, object] = {
        "name": folder.name,
        "kind": "voices",
        "version": version,
        "inputs": {"x_t": ["batch", dim], "t": ["batch"], "pitch": ["batch", 2]},
        "outputs": {"given": ["batch", dim]},
        "settings": settings,
    }
    write_manifest(folder, content)
    worst = max(worst, compact(folder))
    halves: dict[str, Any] = {name: a.astype(np.float16) for name, a in space.items()}
    np.savez_compressed(folder / SPACE_NAME, **halves)
    record_files(folder, SPACE_NAME)
    return worst
