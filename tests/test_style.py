"""Ruff and mypy are content."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT


def run(*command: str, **env: str) -> None:
    found = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, env=os.environ | env, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("command", ["ruff check .", "ruff format --check ."])
def test_ruff_is_content(command):
    run(*command.split())


@pytest.mark.slow
@pytest.mark.timeout(900)  # on two loaded cores
def test_mypy_is_content():
    """It looks for packages by their folders' names, so it is shown them as they are installed; always at one
    place, so that what it knows of them and of torch serves the next run."""
    installed = ROOT / ".mypy_cache" / "installed"
    package = installed / "voicelane"
    shutil.rmtree(installed, ignore_errors=True)
    package.mkdir(parents=True)
    for path in (ROOT / "engine").iterdir():
        (package / path.name).symlink_to(path)
    for name in ("rt_models", "gui", "bench"):
        (package / name).symlink_to(ROOT / name)
    run("mypy", "--package", "voicelane", MYPYPATH=str(installed))
