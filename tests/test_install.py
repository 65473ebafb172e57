"""What a user gets from `pip install .`, and what the second start need not do again."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import pytest

from tests.conftest import DEMO

COUNT = (
    "from engine import Pipeline; Pipeline().warm_up(); from engine.dsp import kernels; "
    "print(sum(sum(k.stats.cache_misses.values()) for k in vars(kernels).values() if hasattr(k, 'stats')))"
)


def installed() -> bool:
    try:
        importlib.metadata.distribution("voicelane")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@pytest.mark.skipif(not installed(), reason="voicelane runs from its source folder here, not installed")
def test_the_installed_package_runs_the_demo_from_any_folder(tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "engine", "demo", "--fast"], cwd=tmp_path, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert "DER" in found.stdout and (tmp_path / "demo.rttm").exists()


@pytest.mark.skipif(not installed(), reason="voicelane runs from its source folder here, not installed")
def test_the_run_time_needs_no_torch_and_no_qt():
    needs = importlib.metadata.requires("voicelane") or []
    core = [n for n in needs if "extra ==" not in n]
    assert core and not [n for n in core if n.lower().startswith(("torch", "pyside", "pyqtgraph", "pandas"))]


def test_the_second_start_compiles_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    misses = [
        int(
            subprocess.run(
                [sys.executable, "-c", COUNT], cwd=DEMO.parents[2], capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(2)
    ]
    assert misses[0] > 0 and misses[1] == 0
