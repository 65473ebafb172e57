"""What a model folder says of itself: rates, shapes, state, latency and the checksum of its weights."""

from __future__ import annotations

import hashlib
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voicelane.base.errors import ModelError
from voicelane.base.files import read_text
from voicelane.base.text import file_name, is_text, quoted
from voicelane.base.timebase import SAMPLE_RATE

FILE_NAME = "manifest.toml"
WEIGHTS_NAME = "model.onnx"
INITIALISERS_NAME = "weights.npz"
"""Arrays by name that a graph without weights is given."""
MOST_STATE = 1 << 24


@dataclass(frozen=True)
class Manifest:
    """The checked content of `manifest.toml`; a shape holds whole numbers and names of free axes."""

    name: str
    kind: str
    """`encoder`, `tokens` (the first half of one), `enhancer`, `denoiser` (one step of one) or `vad`."""
    version: str
    sha256: str
    """Of model.onnx."""
    inputs: dict[str, list[int | str]]
    outputs: dict[str, list[int | str]]
    sample_rate: int = SAMPLE_RATE
    state: dict[str, list[int]] = field(default_factory=dict)
    """Inputs that are carried over from the output `next_<name>`, zero at the start."""
    latency_samples: int = 0
    files: dict[str, str] = field(default_factory=dict)
    """sha256 of other files in the folder that the engine loads."""
    shared: dict[str, str] = field(default_factory=dict)
    """The same for files of the folder above, whose model this is a part of."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What only this kind of model needs."""

    @property
    def loaded(self) -> dict[str, str]:
        """sha256 of all files beside model.onnx that the engine loads."""
        return self.shared | self.files

    @property
    def space(self) -> str:
        """What its vectors compare with: the checksum of the network, or of the one that it stands for."""
        return str(self.settings.get("embedding_space", self.sha256))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model folder, without opening the weights."""
    path = folder / FILE_NAME
    try:
        content = tomllib.loads(read_text(path))
        manifest = Manifest(**content)
    except FileNotFoundError:
        raise ModelError(
            f"{folder}: no model here ({FILE_NAME} is missing); `voicelane models` lists what is installed"
        ) from None
    except OSError as problem:
        raise ModelError(f"{path}: cannot be read ({problem.strerror})") from None
    except (ValueError, TypeError, RecursionError) as problem:  # not TOML, not UTF-8, or other fields
        raise ModelError(f"{path}: not a readable manifest ({problem}); reinstall the model") from None
    if manifest.sample_rate != SAMPLE_RATE:
        raise ModelError(f"{path}: expected {SAMPLE_RATE} Hz, got {quoted(manifest.sample_rate)} Hz")
    if wrong := _problems(manifest):
        raise ModelError(f"{path}: not a readable manifest ({'; '.join(wrong)}); reinstall the model")
    return manifest


def read_weights(folder: Path, sha256: str) -> bytes:
    """model.onnx, read once: what is returned is what was checked."""
    return _checked(folder / WEIGHTS_NAME, sha256)


def read_part(folder: Path, name: str) -> bytes:
    """Another file of a model folder, or of the one above, likewise read once and checked."""
    manifest = read_manifest(folder)
    if name not in manifest.loaded:
        raise ModelError(
            f"{folder / name}: its checksum is not in {FILE_NAME}; reinstall it, or make the file anew "
            "with `python -m voicelane.rt_models.training`"
        )
    place = folder if name in manifest.files else folder.parent
    return _checked(place / name, manifest.loaded[name])


def verify(folder: Path) -> Manifest:
    """The manifest, after checking that the weights and other files are the ones that it names."""
    manifest = read_manifest(folder)
    read_weights(folder, manifest.sha256)
    for name in manifest.loaded:
        read_part(folder, name)
    return manifest


def _checked(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        what = "the weights are" if path.name == WEIGHTS_NAME else "the file is"
        raise ModelError(f"{path}: {what} missing; reinstall voicelane or the model") from None
    except OSError as problem:
        raise ModelError(f"{path}: cannot be read ({problem.strerror})") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path}: checksum {found[:12]}… is not the manifest's "
            f"{sha256[:12]}…; the file is damaged or swapped, reinstall it"
        )
    return content


def _problems(m: Manifest) -> list[str]:
    """What is not of the type that a manifest has it in."""
    found = [n for n in ("name", "kind", "version", "sha256") if not _is_line(getattr(m, n))]
    tables = ("inputs", "outputs", "state", "settings", "files", "shared")
    found += [n for n in tables if not isinstance(getattr(m, n), dict)]
    if found or type(m.latency_samples) is not int:
        return [f"{', '.join(found) or 'latency_samples'}: of a wrong type"]
    for axes in (*m.inputs.values(), *m.outputs.values()):
        if not (isinstance(axes, list) and all(type(n) in (int, str) for n in axes)):
            return ["inputs, outputs: a shape is no list of numbers and names"]
    for shape in m.state.values():
        whole = isinstance(shape, list) and all(type(n) is int and 0 < n <= MOST_STATE for n in shape)
        if not whole or math.prod(shape) > MOST_STATE:
            return [f"state: a shape is not of 1 … {MOST_STATE} numbers"]
    if not all(_is_line(x) and file_name(n) == n for n, x in m.loaded.items()):
        return ["files, shared: a file has no plain name or no checksum"]
    return []


def _is_line(text: Any) -> bool:
    return isinstance(text, str) and is_text(text)
