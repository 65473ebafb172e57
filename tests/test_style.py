"""Ruff and mypy are content."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import DEMO


@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy"])
def test_the_checkers_are_content(command):
    name, *rest = command.split()
    found = subprocess.run(
        [sys.executable, "-m", name, *rest, *(["."] if name == "ruff" else [])],
        cwd=DEMO.parents[2],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stdout + found.stderr
