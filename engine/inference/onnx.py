"""ONNX Runtime behind a manifest: checked weights, pinned threads, state carried between calls."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import numpy as np
import onnxruntime as ort

from engine.errors import ModelError
from engine.inference.manifest import WEIGHTS_NAME, Manifest, read_manifest, read_weights


def models_folder() -> Path:
    """Where installed models lie: `VOICELANE_MODELS`, else the ones shipped with the package."""
    named = os.environ.get("VOICELANE_MODELS")
    return Path(named) if named else Path(__file__).parents[2] / "rt_models" / "artifacts"


def find_model(name: str, kind: str) -> Path:
    """The folder of an installed model by its name, or `name` itself if it is a folder."""
    folder = models_folder() / name
    if not folder.is_dir():
        folder = Path(name)
    if not folder.is_dir():
        known = ", ".join(p.name for p in installed())
        raise ModelError(
            f"no {kind} model named {name!r}; installed: {known or 'none'}; "
            "name one of these, or reinstall voicelane"
        )
    found = read_manifest(folder).kind
    if found != kind:
        raise ModelError(
            f"{folder}: expected a model of kind {kind}, got {found}; name another or reinstall this one"
        )
    return folder


def installed() -> list[Path]:
    """All model folders, sorted by name; the parts of a model lie inside its folder."""
    return sorted(p.parent for p in models_folder().glob("*/manifest.toml"))


def parts(folder: Path) -> list[Path]:
    """A model folder and those of its parts."""
    return [folder, *sorted(p.parent for p in folder.glob("*/manifest.toml"))]


@lru_cache(maxsize=16)
def _session(folder: Path, sha256: str, threads: int) -> ort.InferenceSession:
    """The network of these weights; the bytes that were checked are the bytes that are loaded."""
    weights = read_weights(folder, sha256)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # onnxruntime raises a family of its own without a common base
        raise ModelError(
            f"{folder / WEIGHTS_NAME}: ONNX Runtime cannot load it ({problem}); reinstall the model"
        ) from None


class Model:
    """A checked network with the state of one stream; sessions are shared, states are not."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.manifest: Manifest = read_manifest(folder)
        self._session = _session(folder.resolve(), self.manifest.sha256, threads)
        self._check_names(folder)
        self._outputs = [*self.manifest.outputs, *(f"next_{name}" for name in self.manifest.state)]
        self.reset()

    def reset(self) -> None:
        self._state: dict[str, np.ndarray] = {
            k: np.zeros(s, np.float32) for k, s in self.manifest.state.items()
        }

    def _check_names(self, folder: Path) -> None:
        expected = {*self.manifest.inputs, *self.manifest.state}
        found = {node.name for node in self._session.get_inputs()}
        if expected != found:
            raise ModelError(
                f"{folder}: manifest inputs {sorted(expected)}, network {sorted(found)}; reinstall the model"
            )

    def run(self, **inputs: np.ndarray) -> list[np.ndarray]:
        """The manifest's outputs in order; carries the state forward."""
        try:
            found = self._session.run(self._outputs, inputs | self._state)
        except Exception as problem:  # onnxruntime raises a family of its own without a common base
            shapes = ", ".join(f"{k} {v.shape}" for k, v in inputs.items())
            raise ModelError(f"{self.manifest.name}: the network refuses {shapes} ({problem})") from None
        n_outputs = len(self.manifest.outputs)
        self._state = dict(zip(self.manifest.state, found[n_outputs:], strict=True))
        return found[:n_outputs]
