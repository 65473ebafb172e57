"""Other systems and ours side by side, in one run: the same files, the same core, turn by turn, repeated.

Each system runs as a process of its own in its own environment, made by
`python -m voicelane.bench environment NAME`. Ratios are of the same repeat; where ours is the slower or the
worse one, the table says that as well.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from voicelane import SAMPLE_RATE, Turn, read_rttm
from voicelane.base import FRAME_SAMPLES
from voicelane.bench.diarisation import counts, score, weighted
from voicelane.bench.options import CORPUS, add_command, add_conversations
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.sound import audio_files, read_mono, read_reference, speech_frames
from voicelane.bench.trials import read_trials
from voicelane.labels import equal_error_rate

RIVALS = Path(__file__).parent / "rivals"


class Program(NamedTuple):
    """A script, the environment it runs in (None: ours), and which of its outputs is what."""

    script: str
    environment: str | None
    options: tuple[str, ...]
    diarisers: dict[str, str]
    """RTTM folder → file of costs."""
    detectors: tuple[str, ...] = ()
    encoder: str = ""


DIART = {f"diart {s} s": "diart" for s in ("0.5", "2", "5")}
OURS = {"voicelane emitted": "voicelane", "voicelane final": "voicelane"}
PROGRAMS = (
    Program("voicelane_run.py", None, (), OURS, ("voicelane vad",), "voicelane"),
    Program("diart_run.py", "diart", (), DIART),
    Program("senko_run.py", "senko", (), {"senko batch": "senko"}),
    Program("senko_run.py", "senko", ("--streaming",), {"senko streaming": "senko streaming"}),
    Program("sherpa_run.py", "sherpa", (), {"sherpa offline": "sherpa"}),
    Program("small_run.py", "small", (), {}, ("silero-vad", "webrtcvad"), "Resemblyzer"),
)


def add(commands: Any) -> None:
    """The `peers` command."""
    text = "other systems and ours side by side: errors, time, memory, start-up"
    command = add_command(commands, "peers", measure, text)
    add_conversations(command)
    add = command.add_argument
    add("--environments", type=Path, required=True, help="what `environment` made")
    add("--files", type=int, default=3, help="so many of them")
    add("--repeats", type=int, default=5)
    add("--trials", type=Path, help="trial list, for the encoders")
    add("--root", type=Path, default=CORPUS, help="folder that its files are below")
    add("--every", type=int, default=4, help="only every n-th of its files")


@dataclass
class Cost:
    """Of one system, one value per repeat."""

    cpu: list[float] = field(default_factory=list)
    """Seconds per second of sound; so is `wall`."""
    wall: list[float] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    """Of the whole program, until it began with the first file."""
    memory_mb: list[float] = field(default_factory=list)
    """Most of the whole program, models included."""


class Once(NamedTuple):
    """One process."""

    wall_s: float
    memory_mb: float


def run(program: Program, paths: list[Path], environments: Path, out: Path, extra: list[str]) -> Once:
    """A program on the files, on one core; wall time and most memory of its process."""
    python = (
        environments / program.environment / "bin/python" if program.environment else Path(sys.executable)
    )
    pinned = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    if program.environment is None:
        pinned |= {"PYTHONPATH": str(RIVALS.parents[1])}
    began = time.perf_counter()
    process = subprocess.Popen(
        [python, RIVALS / program.script, *paths, "--out", out, *program.options, *extra],
        env=pinned,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{program.script} failed; run it alone: {python} {RIVALS / program.script} --help")
    return Once(time.perf_counter() - began, usage.ru_maxrss / 1024)


def repeat(
    programs: list[Program], paths: list[Path], args: argparse.Namespace, out: Path
) -> dict[str, Cost]:
    """Every program `repeats` times, taking turns; costs by file of costs."""
    lengths = {p.stem: len(read_mono(p)) / SAMPLE_RATE for p in paths}
    total_s = sum(lengths.values())
    found: dict[str, Cost] = defaultdict(Cost)
    for k in range(args.repeats):
        for program in programs:
            once = run(program, paths, args.environments, out, [])
            names = dict.fromkeys([*program.diarisers.values(), *program.detectors])
            at_work = 0.0
            for name in names:
                each = json.loads((out / f"{name}.json").read_text())
                cpu, wall = (
                    sum(c[f"{w}_per_s"] * lengths[n] for n, c in each.items()) for w in ("cpu", "wall")
                )
                found[name].cpu.append(cpu / total_s)
                found[name].wall.append(wall / total_s)
                at_work += wall
            for name in names:
                found[name].memory_mb.append(once.memory_mb)
                found[name].start_s.append(once.wall_s - at_work)
            print(f"{k + 1}/{args.repeats} {program.script} {' '.join(program.options)}", file=sys.stderr)
    return found


def errors(names: list[str], paths: list[Path], out: Path) -> dict[str, dict[str, Any]]:
    """DER and counts of each diariser."""
    found = {}
    for name in names:
        files = {p.stem: _scored(p, read_rttm(out / name / f"{p.stem}.rttm")) for p in paths}
        right, off = counts(files)
        found[name] = weighted(files) | {"right": right, "off": off, "files": len(files)}
    return found


def _scored(path: Path, turns: list[Turn]) -> dict[str, float]:
    return score(read_reference(path.with_suffix(".rttm")), turns, len(read_mono(path)) / SAMPLE_RATE)


def frame_error(name: str, paths: list[Path], out: Path) -> float:
    """Percent of 20 ms frames that a detector takes for the wrong thing."""
    wrong = n_frames = 0
    for path in paths:
        n = len(read_mono(path)) // FRAME_SAMPLES
        said, wanted = read_rttm(out / name / f"{path.stem}.rttm"), read_reference(path.with_suffix(".rttm"))
        wrong += int((speech_frames(said, n) != speech_frames(wanted, n)).sum())
        n_frames += n
    return round(100 * wrong / n_frames, 2)


def encoders(
    programs: list[Program], paths: list[Path], args: argparse.Namespace, out: Path
) -> dict[str, Any]:
    """EER in percent and CPU per second of sound of each encoder on part of a trial list."""
    labels, pairs = read_trials(args.trials)
    files = sorted({name for pair in pairs for name in pair})[:: args.every]
    kept = [i for i, pair in enumerate(pairs) if set(pair) <= set(files)]
    listed = out / "trial files.txt"
    listed.write_text("\n".join(files))
    found: dict[str, Any] = {}
    place = {name: i for i, name in enumerate(files)}
    for program in (p for p in programs if p.encoder):
        extra = ["--embed", str(listed), "--root", str(args.root)]
        run(program, paths[:1], args.environments, out, extra)
        with np.load(out / f"{program.encoder}.npz") as content:
            vectors, cpu = content["vectors"], float(content["cpu_per_s"])
        scores = np.array([vectors[place[pairs[i][0]]] @ vectors[place[pairs[i][1]]] for i in kept])
        target = np.array([labels[i] for i in kept], bool)
        eer = 100 * equal_error_rate(scores[target], scores[~target])
        found[program.encoder] = {"eer": round(float(eer), 2), "cpu_per_s": cpu, "trials": len(kept)}
    return found


def spread(cost: Cost, ours: Cost) -> dict[str, float]:
    """CPU relative to ours, repeat by repeat."""
    ratios = np.array(cost.cpu) / np.array(ours.cpu)
    values = {"median": np.median(ratios), "least": ratios.min(), "most": ratios.max()}
    return {k: round(float(v), 2) for k, v in values.items()}


def measure(args: argparse.Namespace) -> Result:
    """Errors and costs of every system that is installed, turn by turn on one core."""
    there = [p for p in PROGRAMS if p.environment is None or (args.environments / p.environment).exists()]
    absent = list(dict.fromkeys(p.environment for p in PROGRAMS if p not in there))
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    every = audio_files(args.audio)
    paths = every[:: max(1, len(every) // args.files)][: args.files]
    about = {"files": [p.stem for p in paths], "repeats": args.repeats, "absent": absent}
    with tempfile.TemporaryDirectory() as name:
        content = about | compared(there, paths, args, Path(name))
    return Result(content, tables(content))


def compared(there: list[Program], paths: list[Path], args: argparse.Namespace, out: Path) -> dict[str, Any]:
    """Diarisers, detectors and, where there is a trial list, encoders."""
    costs = repeat(there, paths, args, out)
    diarisers = {folder: file for p in there for folder, file in p.diarisers.items()}
    rates = errors(list(diarisers), paths, out)
    return {
        "diarisers": {
            folder: {"der": rates[folder], **_cost(costs[file], costs["voicelane"])}
            for folder, file in diarisers.items()
        },
        "detectors": {
            name: {"frame_error": frame_error(name, paths, out), **_cost(costs[name], costs["voicelane vad"])}
            for p in there
            for name in p.detectors
        },
        "encoders": encoders(there, paths, args, out) if args.trials else {},
    }


def _cost(cost: Cost, ours: Cost) -> dict[str, Any]:
    medians = {k: round(float(np.median(v)), 5) for k, v in vars(cost).items()}
    return {**medians, "ratio": spread(cost, ours)}


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """Diarisers, detectors, encoders."""
    diariser = ["diariser", "DER %", "confusion", "count right", "CPU ms/s", "× ours (spread)", "wall ms/s"]
    detector = ["detector", "frame error %", "CPU ms/s", "× ours (spread)"]
    run = f"{len(found['files'])} files, {found['repeats']} repeats on one core"
    missing = [
        f"{name}: left out; `python -m voicelane.bench environment {name} --out FOLDER` makes its environment"
        for name in found["absent"]
    ]
    notes = (run, *missing)
    diarisers = [_diariser(name, row) for name, row in found["diarisers"].items()]
    detectors = [_detector(name, row) for name, row in found["detectors"].items()]
    encoders = [_encoder(name, row) for name, row in found["encoders"].items()]
    encoder = [table(["encoder", "EER %", "CPU ms/s", "trials"], encoders)] if encoders else []
    first = table([*diariser, "start s", "memory MB"], diarisers, "", *notes)
    return (first, table(detector, detectors), *encoder)


def _diariser(name: str, row: dict[str, Any]) -> list[Cell]:
    rates, right = row["der"], f"{row['der']['right']} of {row['der']['files']}"
    errors = [f"{rates[k]:.1f}" for k in ("der", "confusion")]
    cost = [f"{1e3 * row['cpu']:.0f}", _ratio(row["ratio"]), f"{1e3 * row['wall']:.0f}"]
    return [name, *errors, right, *cost, f"{row['start_s']:.1f}", f"{row['memory_mb']:.0f}"]


def _detector(name: str, row: dict[str, Any]) -> list[Cell]:
    return [name, row["frame_error"], 1e3 * row["cpu"], _ratio(row["ratio"])]


def _encoder(name: str, row: dict[str, Any]) -> list[Cell]:
    return [name, row["eer"], f"{1e3 * row['cpu_per_s']:.1f}", row["trials"]]


def _ratio(ratio: dict[str, float]) -> str:
    return f"{ratio['median']:.2f} ({ratio['least']:.2f} – {ratio['most']:.2f})"
