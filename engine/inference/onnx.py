"""ONNX Runtime behind a manifest: checked weights, loaded once for all streams, and the state of each."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnxruntime as ort

from voicelane.base.errors import ModelError
from voicelane.base.files import home_folder
from voicelane.config import PACKS
from voicelane.inference.initialisers import load_arrays
from voicelane.inference.manifest import (
    INITIALISERS_NAME,
    WEIGHTS_NAME,
    Manifest,
    read_manifest,
    read_part,
    read_weights,
)


def models_folder() -> Path:
    """Where installed models lie: `VOICELANE_MODELS`, else the ones shipped with the package."""
    if named := os.environ.get("VOICELANE_MODELS"):
        return Path(named)
    package = find_spec("voicelane.rt_models")
    places = package.submodule_search_locations if package else None
    return Path(places[0] if places else "rt_models") / "artifacts"


def find_model(name: str, kind: str) -> Path:
    """The folder of an installed model by its name, or `name` itself if it is a folder."""
    folder = next((f for f in installed() if f.name == name), Path(name))
    if not folder.is_dir():
        if name in PACKS["strong"]:
            raise ModelError(f"{name}: is not installed; `voicelane models add strong` fetches it")
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
    """All model folders, sorted by name, those of added packs last; the parts of a model lie inside its
    folder."""
    return [
        *sorted(p.parent for p in models_folder().glob("*/manifest.toml")),
        *sorted(p.parent for p in added_folder().glob("*/*/manifest.toml")),
    ]


def added_folder() -> Path:
    """Where packs are added: `models` in the home folder, a folder for each pack."""
    return home_folder() / "models"


def find_beside(folder: Path, space: str, name: str) -> Path | None:
    """A file or part of a model: its own, or that of an installed model whose vectors compare with its."""
    kin = (f for f in installed() if read_manifest(f).space == space)
    return next((f / name for f in (folder, *kin) if (f / name).exists()), None)


def parts(folder: Path) -> list[Path]:
    """A model folder and those of its parts."""
    return [folder, *sorted(p.parent for p in folder.glob("*/manifest.toml"))]


_LOADING = threading.Lock()


@lru_cache(maxsize=16)
def _session(folder: Path, sha256: str, initialisers: str, threads: int) -> ort.InferenceSession:
    """The network of these weights; the bytes that were checked are the bytes that are loaded.

    `initialisers` is the checksum of the arrays that the graph leaves out, where it does.
    """
    weights = read_weights(folder, sha256)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        if initialisers:
            arrays = load_arrays(read_part(folder, INITIALISERS_NAME))
            values = [ort.OrtValue.ortvalue_from_numpy(array) for array in arrays.values()]
            options.add_external_initializers(list(arrays), values)
        return ort.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except ModelError:
        raise
    except Exception as problem:  # onnxruntime raises a family of its own without a common base
        raise ModelError(
            f"{folder / WEIGHTS_NAME}: ONNX Runtime cannot load it ({problem}); reinstall the model"
        ) from None


class Model:
    """A checked network. Its weights are loaded once per process and serve any number of streams."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        self.manifest: Manifest = read_manifest(folder)
        initialisers = self.manifest.loaded.get(INITIALISERS_NAME, "")
        with _LOADING:
            self._session = _session(folder.resolve(), self.manifest.sha256, initialisers, threads)
        self._check_names(folder)
        self._outputs = [*self.manifest.outputs, *(f"next_{name}" for name in self.manifest.state)]

    def stream(self) -> ModelStream:
        """A sound that begins now: what the network remembers of it lies there."""
        return ModelStream(self)

    def run(self, **inputs: np.ndarray) -> list[np.ndarray]:
        """The manifest's outputs in order, for a sound that these inputs are the whole of."""
        return self.stream().run(**inputs)

    def _check_names(self, folder: Path) -> None:
        expected = {*self.manifest.inputs, *self.manifest.state}
        found = {node.name for node in self._session.get_inputs()}
        if expected != found:
            raise ModelError(
                f"{folder}: manifest inputs {sorted(expected)}, network {sorted(found)}; reinstall the model"
            )

    def step(
        self, inputs: dict[str, np.ndarray], state: dict[str, np.ndarray]
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """The manifest's outputs in order, and the state that follows `state`."""
        try:
            found = self._session.run(self._outputs, inputs | state)
        except Exception as problem:  # onnxruntime raises a family of its own without a common base
            shapes = ", ".join(f"{k} {v.shape}" for k, v in inputs.items())
            raise ModelError(f"{self.manifest.name}: the network refuses {shapes} ({problem})") from None
        n_outputs = len(self.manifest.outputs)
        return found[:n_outputs], dict(zip(self.manifest.state, found[n_outputs:], strict=True))


class ModelStream:
    """What a network remembers of one sound."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.reset()

    def reset(self) -> None:
        """Silence so far."""
        shapes = self.model.manifest.state
        self._state = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}

    def run(self, **inputs: np.ndarray) -> list[np.ndarray]:
        """The manifest's outputs in order; carries the state forward."""
        outputs, self._state = self.model.step(inputs, self._state)
        return outputs
