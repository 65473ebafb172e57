"""Export of the networks that draw and read spoken digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from voicelane.rt_models.export.compact import compact
from voicelane.rt_models.export.onnx import check_parity, export, write_example, write_manifest
from voicelane.rt_models.nets.digits import DigitReader, DigitUnet
from voicelane.rt_models.nets.two_decoders import TwoDecoders

SIDE = 64
Draw = Callable[[np.random.Generator], dict[str, np.ndarray]]


def export_digits(
    net: DigitUnet, diffusion: dict[str, object], languages: Sequence[str], folder: Path, version: str
) -> float:
    """The model folder of the drawing network, with its schedule, times and target; returns the largest
    difference to torch."""

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        rows = int(rng.integers(1, 5))
        x = rng.standard_normal((rows, SIDE, SIDE)).astype(np.float32)
        digit = rng.integers(net.config.classes + 1, size=rows)
        return {"x_t": x, "t": rng.random(rows).astype(np.float32), "digit": digit}

    inputs: dict[str, list[int | str]] = {"x_t": ["batch", SIDE, SIDE], "t": ["batch"], "digit": ["batch"]}
    settings = {**diffusion, "languages": list(languages)}
    about = {"kind": "digits", "version": version, "inputs": inputs, "settings": settings}
    return _export(net, draw, about | {"outputs": {"given": ["batch", SIDE, SIDE]}}, folder)


def export_reader(net: DigitReader, languages: Sequence[str], folder: Path, version: str) -> float:
    """The model folder of the reading network; returns the largest difference to torch."""

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        rows = int(rng.integers(1, 5))
        return {"picture": rng.uniform(-1, 1, (rows, SIDE, SIDE)).astype(np.float32)}

    outputs = {"logits": ["batch", net.classes], "features": ["batch", 3 * net.width]}
    about = {"kind": "digit_reader", "version": version, "inputs": {"picture": ["batch", SIDE, SIDE]}}
    return _export(
        net, draw, about | {"outputs": outputs, "settings": {"languages": list(languages)}}, folder
    )


def _export(net: torch.nn.Module, draw: Draw, about: dict[str, Any], folder: Path) -> float:
    """The network with its manifest and example, rounded."""
    example, names = draw(np.random.default_rng(1)), list(about["outputs"])
    free = {name: {0: "batch"} for name in example}
    inputs = {name: torch.from_numpy(a) for name, a in example.items()}
    path = export(net.eval(), inputs, names, free, folder)
    worst = check_parity(net, path, draw, trials=8)
    write_example(net, folder, example, names)
    write_manifest(folder, {"name": folder.name, **about})
    return max(worst, compact(folder))


def export_two_decoders(net: TwoDecoders, languages: Sequence[str], folder: Path, version: str) -> float:
    """The model folder of the network of two decoders; returns the largest difference to torch."""
    c = net.config

    def draw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        rows = int(rng.integers(1, 5))
        told = (rng.integers(c.words + 2, size=(rows, c.places)) for _ in range(2))
        picture = rng.uniform(-1, 1, (rows, SIDE, c.columns)).astype(np.float32)
        return {"picture": picture, **dict(zip(("spoken", "translated"), told, strict=True))}

    given: list[int | str] = ["batch", c.places, c.words + 2]
    inputs = {"picture": ["batch", SIDE, c.columns]} | {
        name: ["batch", c.places] for name in ("spoken", "translated")
    }
    settings = {"languages": list(languages), "words": c.words, "cross": c.cross}
    about = {"kind": "two_decoders", "version": version, "inputs": inputs, "settings": settings}
    outputs = {"spoken_next": given, "translated_next": given}
    return _export(net, draw, about | {"outputs": outputs}, folder)
