"""What a user gets from `pip install .`, and what the second start need not do again."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import site
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy
import pytest

from tests.conftest import ROOT

COUNT = (
    "from voicelane import Pipeline; Pipeline().warm_up(); from voicelane.dsp import kernels; "
    "print(sum(sum(k.stats.cache_misses.values()) for k in vars(kernels).values() if hasattr(k, 'stats')))"
)

MOST_MB = 30
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of these sources, built in a copy of them."""
    if int(importlib.metadata.version("setuptools").split(".")[0]) < 77:  # asked without importing it here
        pytest.skip("setuptools 77 knows the licence of pyproject.toml")
    copy, out = (tmp_path_factory.mktemp(name) for name in ("sources", "wheel"))
    for name in ("engine", "rt_models", "gui", "bench"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    built = [sys.executable, "-c", BUILD, str(out)]
    subprocess.run(built, cwd=copy, check=True, capture_output=True, text=True)
    return next(out.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_is_small_and_whole(wheel):
    assert wheel.stat().st_size <= MOST_MB * 1e6
    with zipfile.ZipFile(wheel) as archive:
        there = {name.removeprefix("voicelane/") for name in archive.namelist()}
    for folder in sorted((ROOT / "rt_models/artifacts").rglob("manifest.toml")):
        names = {p.name for p in folder.parent.iterdir() if p.is_file()} - {"io.npz", "curves.png"}
        assert {(folder.parent / n).relative_to(ROOT).as_posix() for n in names} <= there, folder


@pytest.mark.slow
def test_the_wheel_runs_the_demo_in_an_environment_of_its_own(wheel, tmp_path):
    """Nothing of the sources is to be seen there, only the packages that the wheel depends on."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
    subprocess.run(pip, check=True)
    (there,) = (tmp_path / "env").rglob("site-packages")
    needed = {str(Path(numpy.__file__).parents[1]), *site.getsitepackages()}
    (there / "needed.pth").write_text("\n".join(sorted(needed)))
    code = "import voicelane; print(voicelane.__file__)"
    found = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(found.stdout.strip()).is_relative_to(there)
    demo = [python, "-m", "voicelane", "demo", "--fast"]
    run = subprocess.run(demo, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0 and "DER" in run.stdout, run.stderr


def installed() -> bool:
    try:
        importlib.metadata.distribution("voicelane")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@pytest.mark.skipif(not installed(), reason="voicelane runs from its source folder here, not installed")
@pytest.mark.slow
def test_the_installed_package_runs_the_demo_from_any_folder(tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "voicelane", "demo", "--fast"], cwd=tmp_path, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert "DER" in found.stdout and (tmp_path / "demo.rttm").exists()


@pytest.mark.skipif(not installed(), reason="voicelane runs from its source folder here, not installed")
def test_the_run_time_needs_no_torch_and_no_qt():
    needs = importlib.metadata.requires("voicelane") or []
    core = [n for n in needs if "extra ==" not in n]
    assert core and not [n for n in core if n.lower().startswith(("torch", "pyside", "pyqtgraph", "pandas"))]


@pytest.mark.slow
def test_the_second_start_compiles_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    misses = [
        int(
            subprocess.run(
                [sys.executable, "-c", COUNT], cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(2)
    ]
    assert misses[0] > 0 and misses[1] == 0
