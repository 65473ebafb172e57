"""Export of a speaker encoder to a model folder that the engine loads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.nets.conv_transformer import ConvTransformer
from voicelane.rt_models.nets.registry import SpeakerNet

TOKEN_COLUMNS, TOKEN_STRIDE = 7, 4


def export_encoder(net: SpeakerNet, mean: np.ndarray, folder: Path, version: str) -> float:
    """The model folder of a network; returns the largest difference to torch.

    `mean` is the log-mel mean (n_bands,) at which the running mean starts. The conv-transformer is split:
    `tokens/` holds its convolutions, whose output neighbouring windows share, `model.onnx` the rest.
    """
    c = net.config
    settings: dict[str, object] = {
        "dim": c.dim,
        "features": "log_mel" if c.in_channels == 1 else "log_mel+phase",
        "n_mels": c.n_mels,
        "mean": [round(float(m), 4) for m in mean],
        "mean_prior_columns": 10,
        "mean_longest_columns": 300,
    }
    n_bands = c.n_mels * c.in_channels
    if not isinstance(net, ConvTransformer):
        return _export(net, "encoder", ("columns", n_bands), ("embedding", c.dim), folder, version, settings)
    width = net.config.width
    split: dict[str, object] = {"token_columns": TOKEN_COLUMNS, "token_stride": TOKEN_STRIDE}
    tokens, embed = Tokens(net).eval(), Embed(net).eval()
    return max(
        _export(tokens, "tokens", ("columns", n_bands), ("tokens", width), folder / "tokens", version, split),
        _export(embed, "encoder", ("tokens", width), ("embedding", c.dim), folder, version, settings | split),
    )


class Tokens(nn.Module):
    """The half of the conv-transformer that does not depend on the window."""

    def __init__(self, net: ConvTransformer) -> None:
        super().__init__()
        self.net = net

    def forward(self, columns: Tensor) -> Tensor:
        return self.net.tokens(columns)


class Embed(nn.Module):
    """The half that sees the whole window."""

    def __init__(self, net: ConvTransformer) -> None:
        super().__init__()
        self.net = net

    def forward(self, tokens: Tensor) -> Tensor:
        return self.net.embed(tokens)


def _export(
    net: nn.Module,
    kind: str,
    taken: tuple[str, int],
    given: tuple[str, int],
    folder: Path,
    version: str,
    settings: dict[str, object],
) -> float:
    """One graph (1, time, width) → (1, dim) or (1, fewer, width), with its manifest and example."""
    (name, width), (result, dim) = taken, given
    recurrent = any(isinstance(m, nn.LSTM) for m in net.modules())
    free = {0: "batch", 1: "time"}
    shapes = {name: free, result: {0: "batch"} if kind == "encoder" else {0: "batch", 1: "fewer"}}
    path = export(net, {name: torch.randn(1, 160, width)}, [result], shapes, folder, traced=recurrent)

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        length = int(rng.integers(1 if name == "tokens" else 10, 600))
        return {name: 2 * rng.standard_normal((1, length, width)).astype(np.float32)}

    worst = check_parity(net, path, draw)
    write_example(net, folder, draw(np.random.default_rng(0)), [result])
    outputs = {result: ["batch", dim] if kind == "encoder" else ["batch", "fewer", dim]}
    write_manifest(
        folder,
        {
            "name": folder.name,
            "kind": kind,
            "version": version,
            "inputs": {name: ["batch", "time", width]},
            "outputs": outputs,
            "settings": settings,
        },
    )
    return worst
