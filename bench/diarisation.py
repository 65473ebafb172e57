"""Diarisation error of the live engine, as emitted and final, on a folder of sound and RTTM files, by
pyannote.metrics; with `--compare` beside other systems on the same files."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voicelane import SAMPLE_RATE, Event, Pipeline, PipelineConfig, SpeakerTurn, Turn, read_config, read_rttm
from voicelane.base import seconds
from voicelane.bench import errors
from voicelane.bench.options import add_command, add_config, add_conversations
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.sound import audio_files, read_mono, read_reference
from voicelane.live import final_turns

if TYPE_CHECKING:
    from pyannote.core import Annotation

RIVALS = Path(__file__).parent / "rivals"
SYSTEMS = ("diart", "senko", "sherpa")
PARTS = {
    "der": "diarization error rate",
    "miss": "missed detection",
    "false_alarm": "false alarm",
    "confusion": "confusion",
}
KEYS = (*PARTS, "jer", "speakers_ref", "speakers_hyp")
"""What is told of every file, and of all of them."""
Files = dict[str, dict[str, float]]


def add(commands: Any) -> None:
    """The `diarisation` command."""
    text = "DER and JER on a folder of sound and RTTM files"
    command = add_command(commands, "diarisation", measure, text)
    add_conversations(command)
    add_config(command)
    add = command.add_argument
    add("--reference", type=Path, help="folder of RTTM files (default: that of the sound)")
    add("--errors", type=Path, metavar="FOLDER", help="write a picture of each file's errors there")
    add("--looked-at", default="", metavar="TEXT", help="what was looked at while choosing, for the table")
    add("--compare", type=Path, metavar="FOLDER", help="also run the systems whose environments lie there")


def annotation(turns: list[Turn]) -> Annotation:
    """Turns as pyannote's kind of annotation."""
    from pyannote.core import Annotation, Segment

    found = Annotation()
    for i, turn in enumerate(turns):
        found[Segment(turn.start, turn.end), i] = turn.speaker
    return found


def diarise(pipeline: Pipeline, path: Path) -> tuple[list[Event], float, float]:
    """The events of a file, its length in seconds, and the CPU seconds that it took."""
    samples = read_mono(path)
    pipeline.reset()
    began = time.process_time()
    events = pipeline.push(samples) + pipeline.flush()
    return events, len(samples) / SAMPLE_RATE, time.process_time() - began


def turns_of(events: list[Event], revised: bool) -> list[Turn]:
    """The turns in seconds: as the stream confirmed them, or as they are at the end."""
    return [Turn(t.speaker, seconds(t.start), seconds(t.end)) for t in final_turns(events, revised)]


def flips(events: list[Event], length_s: float) -> float:
    """Times a minute that a tentative label on show gave way to another one, by 20 ms frames of speech."""
    shown = np.full(int(length_s * 50) + 50, "", dtype="U8")
    changes = 0
    for turn in (e for e in events if isinstance(e, SpeakerTurn) and not e.final):
        there = shown[round(50 * seconds(turn.confirmed_end)) : round(50 * seconds(turn.end))]
        other = (there != "") & (there != turn.speaker)
        changes += int(np.count_nonzero(np.diff(np.concatenate(([0], other.astype(int)))) == 1))
        there[:] = turn.speaker
    return 60 * changes / length_s


def score(reference: list[Turn], hypothesis: list[Turn], length_s: float) -> dict[str, float]:
    """DER and its parts, JER, in percent, without collar and with overlap, and the speaker counts."""
    from pyannote.core import Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

    wanted, found = annotation(reference), annotation(hypothesis)
    whole = Timeline([Segment(0, length_s)])
    parts = DiarizationErrorRate(collar=0.0, skip_overlap=False)(wanted, found, uem=whole, detailed=True)
    total = parts["total"] or 1e-9  # a reference without speech: any found speech is false alarm
    rates = {k: 100 * (parts[name] if k == "der" else parts[name] / total) for k, name in PARTS.items()}
    rates["jer"] = 100 * JaccardErrorRate(collar=0.0, skip_overlap=False)(wanted, found, uem=whole)
    rates |= {"speakers_ref": len(wanted.labels()), "speakers_hyp": len(found.labels())}
    return {k: round(v, 3) for k, v in rates.items()} | {"speech_s": round(total, 3)}


def weighted(files: Files) -> dict[str, float]:
    """Means over files, each weighted by the length of its reference speech."""
    total = sum(f["speech_s"] for f in files.values())
    means = {k: round(sum(f[k] * f["speech_s"] for f in files.values()) / total, 3) for k in KEYS}
    return means | {"speech_s": round(total, 3)}


def mean_shares(files: Files) -> dict[str, float]:
    """Percent of all speech that is wrong for each cause."""
    total = sum(f["speech_s"] for f in files.values())
    return {c: round(sum(f[c] * f["speech_s"] for f in files.values()) / total, 2) for c in errors.CAUSES}


def without_causes(files: Files) -> Files:
    """The scores of files alone."""
    return {name: {k: v for k, v in f.items() if k not in errors.CAUSES} for name, f in files.items()}


def counts(files: Files) -> tuple[int, int]:
    """In how many files the number of speakers is right, and how far it is off at most."""
    off = [abs(int(f["speakers_ref"] - f["speakers_hyp"])) for f in files.values()]
    return off.count(0), max(off)


def ours(
    paths: list[Path], references: Path, config: PipelineConfig, pictures: Path | None = None
) -> tuple[dict[str, Files], float, float]:
    """Scores as emitted and final, CPU seconds per second of sound, and flips a minute; a picture of each
    file's errors in `pictures`."""
    pipeline = Pipeline(config)
    pipeline.warm_up()
    found: dict[str, Files] = {"as emitted": {}, "final": {}}
    cpu_s = length_s = n_flips = 0.0
    for path in paths:
        reference = read_reference(references / f"{path.stem}.rttm")
        events, file_s, file_cpu_s = diarise(pipeline, path)
        cpu_s, length_s = cpu_s + file_cpu_s, length_s + file_s
        n_flips += flips(events, file_s) * file_s
        for name, files in found.items():
            turns = turns_of(events, name == "final")
            files[path.stem] = score(reference, turns, file_s) | errors.shares(reference, turns, file_s)
        if pictures:
            title = f"{path.stem}: DER {found['final'][path.stem]['der']:.1f} %"
            errors.draw(reference, turns, file_s, title, pictures / f"{path.stem}.png")
    return found, cpu_s / length_s, n_flips / length_s


def rivals(
    paths: list[Path], references: Path, environments: Path, out: Path
) -> dict[str, tuple[Files, float]]:
    """Scores of every other system whose environment there is, and its CPU seconds per second of sound."""
    found = {}
    lengths = {p.stem: len(read_mono(p)) / SAMPLE_RATE for p in paths}
    for name in SYSTEMS:
        script = RIVALS / f"{name}_run.py"
        python = environments / name / "bin/python"
        if not python.exists():
            continue
        pinned = os.environ | {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
        if not (out / f"{name}.json").exists():
            subprocess.run([python, script, *paths, "--out", out], check=True, env=pinned)
        costs = json.loads((out / f"{name}.json").read_text())
        cpu = sum(c["cpu_per_s"] * lengths[k] for k, c in costs.items()) / sum(lengths.values())
        for folder in sorted(out.glob(f"{name} *")):
            said = {p.stem: read_rttm(folder / f"{p.stem}.rttm") for p in paths}
            scores = {
                k: score(read_reference(references / f"{k}.rttm"), turns, lengths[k])
                for k, turns in said.items()
            }
            found[folder.name] = (scores, cpu)
    return found


def absent(environments: Path | None) -> list[str]:
    """The systems to compare with that have no environment."""
    return [n for n in SYSTEMS if environments and not (environments / n / "bin/python").exists()]


def measure(args: argparse.Namespace) -> Result:
    """DER and its parts, JER and the speaker counts: `files` and `total` of our final labels, by file and in
    all, and `systems`, all that were compared."""
    paths, references = audio_files(args.audio), args.reference or args.audio
    config = read_config(args.config) if args.config else PipelineConfig()
    if args.errors:
        args.errors.mkdir(parents=True, exist_ok=True)
    found, cpu, n_flips = ours(paths, references, config, args.errors)
    systems = {f"voicelane, {k}": (files, cpu) for k, files in found.items()}
    if args.compare:
        systems |= rivals(paths, references, args.compare, args.compare / "out" / args.audio.parent.name)
    content = {
        "audio": args.audio.name,
        "flips_per_min": round(n_flips, 2),
        "looked_at": args.looked_at,
        "files": {name: {k: f[k] for k in KEYS} for name, f in found["final"].items()},
        "causes": {name: mean_shares(files) for name, files in found.items()},
        "total": {k: v for k, v in weighted(found["final"]).items() if k in KEYS},
        "systems": {
            name: {"files": without_causes(files), "total": weighted(files), "cpu_per_s": round(cost, 4)}
            for name, (files, cost) in systems.items()
        },
        "absent": absent(args.compare),
    }
    return Result(content, tables(content))


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """The files, and the systems beside each other."""
    header = ["file, final labels", "DER", "miss", "false alarm", "confusion", "JER", "speakers", "found"]
    files = [[name, *(file[k] for k in KEYS)] for name, file in found["files"].items()]
    columns = ["system", "DER", "miss", "false alarm", "confusion", "JER", "count right", "off by", "CPU"]
    systems = [_row(name, system) for name, system in found["systems"].items()]
    flips = f"tentative labels that changed: {found['flips_per_min']:.1f} a minute"
    missing = [
        f"{name}: left out; `python -m voicelane.bench environment {name} --out FOLDER` makes its environment"
        for name in found["absent"]
    ]
    chosen = [f"looked at while choosing: {found['looked_at']}"] if found["looked_at"] else []
    causes = [[cause, *(shares[cause] for shares in found["causes"].values())] for cause in errors.CAUSES]
    return (
        table(header, files),
        table(columns, systems, "", flips, *chosen, *missing),
        table(["% of all speech, by cause", *found["causes"]], causes),
    )


def _row(name: str, system: dict[str, Any]) -> list[Cell]:
    total, (right, off) = system["total"], counts(system["files"])
    errors = [round(total[k], 1) for k in (*PARTS, "jer")]
    cpu_ms = 1e3 * system["cpu_per_s"]
    return [name, *errors, f"{right} of {len(system['files'])}", f"≤ {off}", f"{cpu_ms:.0f} ms/s"]
