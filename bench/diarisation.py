"""Diarisation error of the live engine, as emitted and final, on a folder of sound and RTTM files, by
pyannote.metrics; with `--compare` beside other systems on the same files."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

from bench.results import machine, save, table
from bench.sound import audio_files, read_mono, read_reference
from engine import (
    SAMPLE_RATE,
    Event,
    Pipeline,
    PipelineConfig,
    SpeakerTurn,
    Turn,
    final_turns,
    read_config,
    read_rttm,
    seconds,
)

RIVALS = Path(__file__).parent / "rivals"
SYSTEMS = ("diart", "senko", "sherpa")
PARTS = {
    "der": "diarization error rate",
    "miss": "missed detection",
    "false_alarm": "false alarm",
    "confusion": "confusion",
}
Files = dict[str, dict[str, float]]


def annotation(turns: list[Turn]) -> Annotation:
    """Turns as pyannote's kind of annotation."""
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
    keys = next(iter(files.values())).keys() - {"speech_s"}
    means = {k: round(sum(f[k] * f["speech_s"] for f in files.values()) / total, 3) for k in keys}
    return {k: means[k] for k in (*PARTS, "jer", "speakers_ref", "speakers_hyp")} | {
        "speech_s": round(total, 3)
    }


def counts(files: Files) -> tuple[int, int]:
    """In how many files the number of speakers is right, and how far it is off at most."""
    off = [abs(int(f["speakers_ref"] - f["speakers_hyp"])) for f in files.values()]
    return off.count(0), max(off)


def ours(
    paths: list[Path], references: Path, config: PipelineConfig
) -> tuple[dict[str, Files], float, float]:
    """Scores as emitted and final, CPU seconds per second of sound, and flips a minute."""
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
            files[path.stem] = score(reference, turns_of(events, name == "final"), file_s)
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
            print(f"{name}: no environment in {environments}; `python -m bench environment {name}` makes it")
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


def measure(args: argparse.Namespace) -> None:
    """The `diarisation` command."""
    paths, references = audio_files(args.audio), args.reference or args.audio
    config = read_config(args.config) if args.config else PipelineConfig()
    found, cpu, n_flips = ours(paths, references, config)
    systems = {f"voicelane, {k}": (files, cpu) for k, files in found.items()}
    if args.compare:
        systems |= rivals(paths, references, args.compare, args.compare / "out" / args.audio.parent.name)
    _print_files(found["final"])
    _print_systems(systems)
    print(f"\ntentative labels that changed: {n_flips:.1f} a minute")
    result = {
        name: {"files": files, "total": weighted(files), "cpu_per_s": round(cost, 4)}
        for name, (files, cost) in systems.items()
    }
    content = {"machine": machine(), "audio": args.audio.name, "flips_per_min": round(n_flips, 2)}
    save(args.json, content | {"systems": result, "total": result["voicelane, final"]["total"]})


def _print_files(files: Files) -> None:
    header = ["file, final labels", "DER", "miss", "false alarm", "confusion", "JER", "speakers", "found"]
    print(table(header, [[name, *list(f.values())[:-1]] for name, f in files.items()]))


def _print_systems(systems: dict[str, tuple[Files, float]]) -> None:
    header = ["system", "DER", "miss", "false alarm", "confusion", "JER", "count right", "off by", "CPU"]
    rows = []
    for name, (files, cpu) in systems.items():
        total, (right, off) = weighted(files), counts(files)
        errors = [round(total[k], 1) for k in (*PARTS, "jer")]
        rows.append([name, *errors, f"{right} of {len(files)}", f"≤ {off}", f"{1e3 * cpu:.0f} ms/s"])
    print("\n" + table(header, rows))
