"""What a model folder says of itself: rates, shapes, state, latency and the checksum of its weights."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.timebase import SAMPLE_RATE

FILE_NAME = "manifest.toml"
WEIGHTS_NAME = "model.onnx"


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
    settings: dict[str, Any] = field(default_factory=dict)
    """What only this kind of model needs."""


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a model folder, without opening the weights."""
    path = folder / FILE_NAME
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(**content)
    except FileNotFoundError:
        raise ModelError(
            f"{folder}: no model here ({FILE_NAME} is missing); `voicelane models` lists what is installed"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as problem:
        raise ModelError(f"{path}: not a readable manifest ({problem}); reinstall the model") from None
    if manifest.sample_rate != SAMPLE_RATE:
        raise ModelError(f"{path}: expected {SAMPLE_RATE} Hz, got {manifest.sample_rate} Hz")
    return manifest


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, changed_ns: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verify(folder: Path) -> Manifest:
    """The manifest, after checking that the weights are the ones that it names."""
    manifest, weights = read_manifest(folder), folder / WEIGHTS_NAME
    if not weights.is_file():
        raise ModelError(f"{weights}: the weights are missing; reinstall voicelane or the model")
    status = weights.stat()
    found = _sha256(weights, status.st_size, status.st_mtime_ns)
    if found != manifest.sha256:
        raise ModelError(
            f"{weights}: checksum {found[:12]}… is not the manifest's "
            f"{manifest.sha256[:12]}…; the file is damaged or swapped, reinstall it"
        )
    return manifest
