"""What is made once and kept on disk: beside every cache lie the settings that made it, and their hash.

A cache is used again by the settings that made it and by no others. One of an earlier version, of which
nothing is known, is refused until `adopt` says that it may be taken for what is wanted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voicelane.base import ConfigError, write_through

ENDING = ".made.json"
UNFINISHED, ADOPTED = "unfinished", "adopted"
SUFFIXES = {".npz", ".npy", ".f16", ".i16"}


def keep(path: Path, settings: Mapping[str, object], make: Callable[[], object], *beside: Path) -> None:
    """Call `make`, which writes `path` and what is `beside` it, unless all are there, made with the same
    settings.

    Raises `ConfigError` where one was made with other settings, or nobody knows with which.
    """
    wanted, paths = json.loads(json.dumps(settings)), (path, *beside)
    if all(p.exists() and not _unfinished(p) for p in paths):
        for each in paths:
            _check(each, wanted)
    else:
        for each in paths:
            _write(each, UNFINISHED, wanted)
        make()
    for each in paths:
        _write(each, digest(wanted), wanted)


def adopt(folder: Path) -> list[Path]:
    """Take every cache of which nothing is known for what will be wanted next; gives those that it took."""
    found = [p for p in sorted(folder.rglob("*")) if p.suffix in SUFFIXES and not _recorded(p).exists()]
    for path in found:
        _write(path, ADOPTED, {})
    return found


def digest(content: object) -> str:
    """SHA-256 of settings as JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def digest_arrays(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of what arrays hold."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.dtype} {array.shape}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _recorded(path: Path) -> Path:
    return path.with_name(path.name + ENDING)


def _record(path: Path) -> dict[str, Any]:
    place = _recorded(path)
    if not place.exists():
        raise ConfigError(
            f"{path}: does not say with which settings it was made; delete it, or, if they are the present "
            "ones, run `python -m voicelane.rt_models.training adopt` with this --work once"
        )
    kept: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return kept


def _unfinished(path: Path) -> bool:
    return bool(_record(path)["sha256"] == UNFINISHED)


def _check(path: Path, wanted: dict[str, Any]) -> None:
    kept = _record(path)
    if kept["sha256"] in (ADOPTED, digest(wanted)):
        return
    before = kept["settings"]
    names = sorted(wanted.keys() | before.keys())
    other = [n for n in names if n not in wanted or n not in before or wanted[n] != before[n]]
    raise ConfigError(
        f"{path}: was made with other settings ({', '.join(other)}); delete it, or choose another --work"
    )


def _write(path: Path, sha256: str, settings: dict[str, Any]) -> None:
    text = json.dumps({"sha256": sha256, "settings": settings}, indent=1)
    write_through(_recorded(path), text.encode())
