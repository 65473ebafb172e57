"""Model folders that take little room: one file of weights for all graphs of a model, rounded as far as its
example allows."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper

from voicelane.inference import (
    INITIALISERS_NAME,
    MANTISSA_BITS,
    Model,
    load_arrays,
    parts,
    read_part,
    rounded,
    save_arrays,
)
from voicelane.rt_models.export.onnx import TOLERANCE, ParityError, write_manifest

LEAST_BITS = 10
"""Of 23 behind the leading one: those of a half-precision number."""
LEAST_NUMBERS = 64
"""Smaller arrays stay in their graphs."""


def compact(folder: Path) -> float:
    """Move the weights of a model's graphs into one file; the largest difference to torch then.

    They keep as few bits as its examples allow. The model keeps the name of its embedding space: nobody
    enrols anew for rounding. Raises `ParityError` where not even whole weights give its examples.
    """
    graphs = {place: load_graph(place) for place in parts(folder)}
    if not (arrays := _common([_weights(graph) for graph in graphs.values()])):
        graphs = {folder: graphs[folder]}  # the parts have other weights, and keep them
        arrays = _weights(graphs[folder])
    for place, graph in graphs.items():
        (place / "model.onnx").write_bytes(without(graph, arrays).SerializeToString())
    for bits in range(LEAST_BITS, MANTISSA_BITS):
        if (worst := _kept_in(bits, arrays, list(graphs))) <= TOLERANCE / 2:
            return worst
    worst = _kept_in(MANTISSA_BITS, arrays, list(graphs))
    if not worst <= TOLERANCE:
        raise ParityError(f"{folder}: differs from torch by {worst:.2e}, allowed {TOLERANCE:.0e}")
    return worst


@torch.no_grad()
def coarse(net: torch.nn.Module, bits: int) -> None:
    """Round every weight of a network to so many bits behind the leading one, before it is exported."""
    for parameter in net.parameters():
        parameter.copy_(torch.from_numpy(rounded(parameter.numpy(), bits)))


def load_graph(folder: Path) -> onnx.ModelProto:
    """The graph of a model folder with all of its weights in it."""
    graph = onnx.load(folder / "model.onnx", load_external_data=False)
    outside = [t for t in graph.graph.initializer if t.data_location == TensorProto.EXTERNAL]
    arrays = load_arrays(read_part(folder, INITIALISERS_NAME)) if outside else {}
    for tensor in outside:
        tensor.CopyFrom(numpy_helper.from_array(arrays[tensor.name], tensor.name))
    return graph


def without(graph: onnx.ModelProto, names: Container[str]) -> onnx.ModelProto:
    """The graph with the initialisers of these names declared as external, their numbers taken out."""
    for tensor in graph.graph.initializer:
        if tensor.name in names:
            for field in ("raw_data", "float_data", "external_data"):
                tensor.ClearField(field)
            tensor.data_location = TensorProto.EXTERNAL
            tensor.external_data.add(key="location", value="weights")
    return graph


def difference(folder: Path) -> float:
    """The largest difference of what the engine's model makes of `io.npz` to what torch made of it."""
    model = Model(folder)
    with np.load(folder / "io.npz", allow_pickle=False) as kept:
        given = model.run(**{name: kept[name] for name in model.manifest.inputs})
        pairs = zip(model.manifest.outputs, given, strict=True)
        return max(float(np.abs(x - kept[name]).max()) for name, x in pairs)


def _kept_in(bits: int, arrays: dict[str, np.ndarray], places: list[Path]) -> float:
    """The largest difference to the examples of a model and those parts that share its weights, of so many
    bits."""
    folder = places[0]
    save_arrays(folder / INITIALISERS_NAME, arrays, bits)
    checksum = hashlib.sha256((folder / INITIALISERS_NAME).read_bytes()).hexdigest()
    for place in places:
        _record(place, "files" if place == folder else "shared", checksum)
    return max(difference(place) for place in places)


def _weights(graph: onnx.ModelProto) -> dict[str, np.ndarray]:
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}
    return {name: a for name, a in arrays.items() if a.dtype == np.float32 and a.size > LEAST_NUMBERS}


def _common(weights: Sequence[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays that all graphs have; one of them alone keeps what it alone has."""
    first, *others = weights
    return {n: a for n, a in first.items() if all(n in w and np.array_equal(a, w[n]) for w in others)}


def _record(place: Path, table: str, checksum: str) -> None:
    """The manifest, with the file of weights and the name of the space from before."""
    content = tomllib.loads((place / "manifest.toml").read_text(encoding="utf-8"))
    content["settings"].setdefault("embedding_space", content["sha256"])
    content[table] = content.get(table, {}) | {INITIALISERS_NAME: checksum}
    write_manifest(place, content)
