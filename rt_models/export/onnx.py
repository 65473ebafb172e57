"""torch → ONNX with a manifest, a checksum and a parity check that raises."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import tomli_w
import torch

TOLERANCE = 1e-4
OPSET = 18


class ParityError(RuntimeError):
    """The exported graph does not compute what the network computes."""


def export(
    net: torch.nn.Module,
    example: dict[str, torch.Tensor],
    outputs: Sequence[str],
    free_axes: dict[str, dict[int, str]],
    folder: Path,
    traced: bool = False,
) -> Path:
    """Write `folder`/model.onnx with the named inputs and outputs; the listed axes stay free.

    `traced` networks go through torch's older exporter: the newer one unrolls a GRU over time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    if traced:
        torch.onnx.export(
            net.eval(),
            tuple(example.values()),
            str(path),
            input_names=list(example),
            output_names=list(outputs),
            opset_version=OPSET,
            dynamic_axes=free_axes,
            dynamo=False,
        )
        return path
    torch.onnx.export(
        net.eval(),
        tuple(example.values()),
        str(path),
        input_names=list(example),
        output_names=list(outputs),
        opset_version=OPSET,
        external_data=False,
        verbose=False,
        dynamic_shapes=[_free(free_axes.get(name, {})) for name in example],
        dynamo=True,
    )
    return path


def _free(axes: dict[int, str]) -> dict[int, object]:
    return {
        axis: torch.export.Dim(name, min=1 if name == "batch" else 8, max=4096) for axis, name in axes.items()
    }


@torch.inference_mode()
def check_parity(
    net: torch.nn.Module,
    path: Path,
    draw: Callable[[np.random.Generator], dict[str, np.ndarray]],
    trials: int = 20,
    seed: int = 0,
) -> float:
    """Largest absolute difference to torch over `trials` random inputs; raises above 1e-4."""
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng, worst = np.random.default_rng(seed), 0.0
    for _ in range(trials):
        inputs = draw(rng)
        wanted = net(*(torch.from_numpy(x) for x in inputs.values()))
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for a, b in zip(wanted, session.run(None, inputs), strict=True):
            worst = max(worst, float(np.abs(a.numpy() - b).max()))
    if not worst <= TOLERANCE:
        raise ParityError(f"{path}: differs from torch by {worst:.2e}, allowed {TOLERANCE:.0e}")
    return worst


def write_example(
    net: torch.nn.Module, folder: Path, inputs: dict[str, np.ndarray], outputs: Sequence[str]
) -> None:
    """`io.npz`: one input and what torch makes of it, for the engine's own parity test."""
    with torch.inference_mode():
        wanted = net(*(torch.from_numpy(x) for x in inputs.values()))
    wanted = wanted if isinstance(wanted, tuple) else (wanted,)
    content: dict[str, Any] = {**inputs, **{k: x.numpy() for k, x in zip(outputs, wanted, strict=True)}}
    np.savez_compressed(folder / "io.npz", **content)


def write_manifest(folder: Path, content: dict[str, object]) -> None:
    """`manifest.toml` with the checksum of model.onnx."""
    digest = hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest()
    (folder / "manifest.toml").write_text(tomli_w.dumps({**content, "sha256": digest}))


def record_files(folder: Path, *names: str) -> None:
    """Add the checksums of files beside model.onnx that the engine loads to the folder's manifest, if it has
    one: the engine loads none without."""
    path = folder / "manifest.toml"
    if not path.exists():
        return
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    found = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}
    content["files"] = content.get("files", {}) | found
    path.write_text(tomli_w.dumps(content), encoding="utf-8")


def write_facts(folder: Path, facts: dict[str, object]) -> None:
    """`training.json`: how the weights came to be, for the model card."""
    (folder / "training.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n")
