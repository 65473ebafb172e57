"""What a second of sound costs with ever more people: conversations cut together from single utterances."""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import SAMPLE_RATE, Event, Pipeline, PipelineConfig, Turn
from voicelane.base import samples
from voicelane.bench.diarisation import score, turns_of
from voicelane.bench.options import CORPUS, add_command
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.sound import read_mono
from voicelane.config import DiariserConfig

PAUSE_S = (0.1, 0.8)
LEAST_FILES = 5


def add(commands: Any) -> None:
    """The `scale` command."""
    text = "cost of a second of sound with ever more people"
    add = add_command(commands, "scale", measure, text).add_argument
    add("--manifest", type=Path, default=CORPUS / "manifest.tsv", help="file, split, speaker")
    add("--split", default="dev")
    add("--speakers", type=int, nargs="+", default=[2, 5, 10, 20, 50])
    add("--length-s", type=float, default=600.0, help="of each conversation")


def voices(manifest: Path, split: str) -> dict[str, list[Path]]:
    """Files of each speaker who has enough of them, from a TSV with `file`, `split` and `speaker`."""
    found: dict[str, list[Path]] = defaultdict(list)
    with manifest.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["split"] == split and row["speaker"] != "unknown":
                found[row["speaker"]].append(manifest.parent / row["file"])
    return {name: files for name, files in sorted(found.items()) if len(files) >= LEAST_FILES}


def conversation(
    people: dict[str, list[Path]], length_s: float, rng: np.random.Generator
) -> tuple[np.ndarray, list[Turn]]:
    """Utterances in turn, everybody once before anybody a second time, with pauses between."""
    parts, turns, at, order = list[np.ndarray](), list[Turn](), 0, list[str]()
    while at < samples(length_s):
        order = order or [str(name) for name in rng.permutation(list(people))]
        name = order.pop()
        utterance = read_mono(people[name][int(rng.integers(len(people[name])))])
        pause = np.zeros(samples(float(rng.uniform(*PAUSE_S))), np.float32)
        turns.append(Turn(name, at / SAMPLE_RATE, (at + len(utterance)) / SAMPLE_RATE))
        parts += [utterance, pause]
        at += len(utterance) + len(pause)
    return np.concatenate(parts), turns


def measure(args: argparse.Namespace) -> Result:
    """CPU ms per second of sound, and DER, for each number of people."""
    known = voices(args.manifest, args.split)
    most = max(args.speakers)
    if len(known) < most:
        raise SystemExit(f"{args.manifest}: {len(known)} speakers of split {args.split}, {most} are needed")
    pipeline = Pipeline(PipelineConfig(diariser=DiariserConfig(max_speakers=2 * most)))
    pipeline.warm_up()
    found: dict[str, Any] = {}
    for n in args.speakers:
        rng = np.random.default_rng((args.seed, n))
        chosen = {str(name): known[str(name)] for name in rng.permutation(list(known))[:n]}
        sound, turns = conversation(chosen, args.length_s, rng)
        found[str(n)] = _cost(pipeline, sound, turns)
    return Result({"speakers": found}, tables(found))


def tables(found: dict[str, dict[str, float]]) -> tuple[Table, ...]:
    """A row for each number of people."""
    header = ["people", "minutes", "CPU ms/s", "of its second half", "found", "DER %"]
    keys = ("cpu_ms_per_s", "late_cpu_ms_per_s", "found", "der")
    rows: list[list[Cell]] = [
        [n, f"{row['minutes']:.1f}", *(row[k] for k in keys)] for n, row in found.items()
    ]
    return (table(header, rows),)


def _cost(pipeline: Pipeline, sound: np.ndarray, turns: list[Turn]) -> dict[str, float]:
    pipeline.reset()
    half, length_s = len(sound) // 2, len(sound) / SAMPLE_RATE
    events: list[Event] = []
    clock = [time.process_time()]
    for part in (sound[:half], sound[half:]):
        events += pipeline.push(part)
        clock.append(time.process_time())
    events += pipeline.flush()
    spent = time.process_time() - clock[0]
    found = score(turns, turns_of(events, revised=True), length_s)
    return {
        "minutes": length_s / 60,
        "cpu_ms_per_s": round(1e3 * spent / length_s, 2),
        "late_cpu_ms_per_s": round(2e3 * (clock[2] - clock[1]) / length_s, 2),
        "found": int(found["speakers_hyp"]),
        "der": found["der"],
    }
