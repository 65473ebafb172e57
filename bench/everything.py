"""Every table in a coarse form from the bundled conversation alone, so that anybody can check the claims."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile as sf
from tqdm import tqdm

from voicelane import SAMPLE_RATE, Turn
from voicelane.bench.options import DEMO, add_command
from voicelane.bench.results import Result, Table, read_result, table
from voicelane.bench.sound import read_mono, read_reference

PIECE_S = (2.0, 5.0)
N_NOISES, NOISE_S = 4, 6
LONGEST_S = 600
"""A command that takes longer is ended."""
LISTS = ("english", "multilingual")
"""Names of trial lists that commands look for; both are that of the bundled people."""


class Quick(NamedTuple):
    """A command in its coarse form; `{}` stands for the folder of the material."""

    name: str
    options: tuple[str, ...]


COMMANDS = (
    Quick("diarisation", ("--audio", "{}/conversations")),
    Quick("vad", ("--audio", "{}/conversations", "--noise", "{}/noise/dev", "--without-silero")),
    Quick("verification", ("--trials", "{}/trials/english.trials", "--root", "{}")),
    Quick(
        "clean",
        ("--root", "{}", "--utterances", "3", "--speakers", "3", "--conversations", "{}/conversations/*"),
    ),
    Quick("latency", ("--repeats", "1", "--live-s", "10")),
    Quick("streams", ("--length-s", "8", "--repeats", "1", "--deadlines-ms", "100")),
    Quick("sessions", ("--hours", "0.2", "--listed", "50")),
    Quick("gui", ("--hours", "0.1", "--paints", "20")),
    Quick("serve", ("--clients", "2", "--length-s", "8", "--connects", "20")),
    Quick("mark", ("--corpus", "{}", "--pieces", "3", "--unmarked", "6", "--seconds", "2")),
)


def add(commands: Any) -> None:
    """The `all` command."""
    text = "every table in a coarse form, from the bundled conversation alone"
    command = add_command(commands, "all", measure, text)
    command.add_argument("--quick", action="store_true", required=True, help="the only form that there is")
    command.add_argument("--only", nargs="+", choices=[q.name for q in COMMANDS], metavar="COMMAND")


def measure(args: argparse.Namespace) -> Result:
    """The tables of all commands; those that could not run are named with the reason."""
    chosen = [q for q in COMMANDS if not args.only or q.name in args.only]
    parts, missing, seconds = dict[str, Result](), list[str](), dict[str, float]()
    with tempfile.TemporaryDirectory() as name:
        folder = material(Path(name), args.seed)
        for quick in tqdm(chosen, unit="command", disable=None):
            began, out = time.monotonic(), folder / f"{quick.name}.json"
            if (problem := _run(quick, folder, out, args.seed)) is None:
                parts[quick.name] = read_result(out)
            else:
                missing.append(f"{quick.name} did not run: {problem}")
            seconds[quick.name] = round(time.monotonic() - began, 1)
    content = {"results": {name: r.content for name, r in parts.items()}, "seconds": seconds}
    return Result(content, _tables(parts, seconds), tuple(missing))


def _run(quick: Quick, folder: Path, out: Path, seed: int) -> str | None:
    """Run a command in a process of its own; what went wrong, None where nothing did."""
    options = [o.replace("{}", str(folder)) for o in quick.options]
    command = [sys.executable, "-m", "voicelane.bench", quick.name, *options, "--seed", str(seed)]
    calm = {"QT_QPA_PLATFORM": "offscreen", "OMP_NUM_THREADS": "1", "VOICELANE_HOME": str(folder / "home")}
    try:
        done = subprocess.run(
            [*command, "--json", str(out)],
            env=calm | {k: v for k, v in os.environ.items() if k != "VOICELANE_HOME"},
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it took more than {LONGEST_S} s"
    lines = done.stderr.strip().splitlines()
    return None if out.exists() else (lines[-1] if lines else f"it ended with {done.returncode}")


def _tables(parts: dict[str, Result], seconds: dict[str, float]) -> tuple[Table, ...]:
    taken = table(("command", "seconds"), [[name, s] for name, s in seconds.items()], "What it took:")
    return (*(t for name, r in parts.items() for t in _named(name, r)), taken)


def _named(name: str, result: Result) -> list[Table]:
    """Its tables, each with the name of the command above."""
    return [replace(t, title=f"{name}: {t.title}".rstrip(": ")) for t in result.tables]


def material(folder: Path, seed: int) -> Path:
    """A folder with what the commands look for in a corpus, made of the bundled conversation."""
    conversation = folder / "conversations"
    conversation.mkdir()
    for path in (DEMO, DEMO.with_suffix(".rttm")):
        shutil.copy(path, conversation)
    people = _pieces(folder, read_mono(DEMO), read_reference(DEMO.with_suffix(".rttm")))
    _write_trials(folder, people)
    _write_noises(folder / "noise/dev", np.random.default_rng(seed))
    return folder


def _pieces(folder: Path, sound: np.ndarray, turns: list[Turn]) -> dict[str, list[str]]:
    """Sound files of what each person says alone; by person, their paths within the folder."""
    found: dict[str, list[str]] = {}
    for n, turn in enumerate(turns):
        others = any(t is not turn and t.start < turn.end and t.end > turn.start for t in turns)
        if others or turn.end - turn.start < PIECE_S[0]:
            continue
        end = min(turn.end, turn.start + PIECE_S[1])
        path = folder / "dev" / turn.speaker / f"{n}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, sound[int(turn.start * SAMPLE_RATE) : int(end * SAMPLE_RATE)], SAMPLE_RATE)
        found.setdefault(turn.speaker, []).append(str(path.relative_to(folder)))
    return found


def _write_trials(folder: Path, people: dict[str, list[str]]) -> None:
    """All pairs of pieces, and a manifest of them."""
    rows = [(path, who) for who, paths in people.items() for path in paths]
    lines = [f"{int(a[1] == b[1])} {a[0]} {b[0]}" for a, b in combinations(rows, 2)]
    (folder / "trials").mkdir()
    for name in LISTS:
        (folder / f"trials/{name}.trials").write_text("\n".join(lines) + "\n")
    head = "file\tsplit\tcorpus\tspeaker\tseconds\tpseudo\tlicence"
    told = [f"{path}\tdev\tdemo\t{who}\t{sf.info(folder / path).duration:.2f}\t0\tCC0" for path, who in rows]
    (folder / "manifest.tsv").write_text("\n".join([head, *told]) + "\n")


def _write_noises(folder: Path, rng: np.random.Generator) -> None:
    """Noise that falls by 3 dB an octave, more and less."""
    folder.mkdir(parents=True)
    n = NOISE_S * SAMPLE_RATE
    for k, slope in enumerate(np.linspace(0.0, 1.0, N_NOISES)):
        spectrum = np.fft.rfft(rng.standard_normal(n)) / np.maximum(np.arange(n // 2 + 1), 1) ** slope
        noise = np.fft.irfft(spectrum, n)
        sf.write(folder / f"{k}.wav", 0.1 * noise / noise.std(), SAMPLE_RATE)
