"""A model folder with the weights of its matrix products in 8 bits (ONNX Runtime's dynamic quantisation)."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

from onnxruntime.quantization import QuantType, quantize_dynamic

from voicelane.rt_models.export.compact import load_graph
from voicelane.rt_models.export.onnx import write_manifest

NOT_ITS_OWN = ("scale.npz", "calibration.toml", "cohort.npy", "weights.npz", "tokens")
"""What the engine takes from the folder of the model that a variant is made of."""


def quantise(folder: Path, out: Path) -> None:
    """Write `folder` to `out` with 8-bit weights; the convolutions before the tokens stay where they are, and
    so does the example `io.npz`, which the quantised network meets only nearly."""
    ignored = shutil.ignore_patterns("*.md", "*.json", "*.png", *NOT_ITS_OWN)
    shutil.copytree(folder, out, dirs_exist_ok=True, ignore=ignored)
    model = load_graph(folder)
    del model.graph.value_info[:]  # the exporter's shapes trouble the quantiser's own inference
    quantize_dynamic(
        model,
        out / "model.onnx",
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gemm"],
    )
    content = tomllib.loads((folder / "manifest.toml").read_text())
    content["settings"]["quantised"] = True
    content["settings"].setdefault("embedding_space", content["sha256"])  # its vectors compare with those
    content.pop("files", None)
    write_manifest(out, content | {"name": out.name})
