"""Diarisation error of the live engine on a folder of sound and RTTM files, by pyannote.metrics."""

from __future__ import annotations

import argparse
from pathlib import Path

from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate

from bench.results import machine, save, table
from bench.sound import audio_files, read_mono, read_reference
from engine import SAMPLE_RATE, Pipeline, PipelineConfig, Turn, final_turns, read_config, seconds

PARTS = {
    "der": "diarization error rate",
    "miss": "missed detection",
    "false_alarm": "false alarm",
    "confusion": "confusion",
}


def annotation(turns: list[Turn]) -> Annotation:
    """Turns as pyannote's kind of annotation."""
    found = Annotation()
    for i, turn in enumerate(turns):
        found[Segment(turn.start, turn.end), i] = turn.speaker
    return found


def diarise(pipeline: Pipeline, path: Path) -> tuple[list[Turn], float]:
    """The final turns of a file in seconds, and its length."""
    samples = read_mono(path)
    pipeline.reset()
    turns = final_turns(pipeline.push(samples) + pipeline.flush())
    return [Turn(t.speaker, seconds(t.start), seconds(t.end)) for t in turns], len(samples) / SAMPLE_RATE


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


def weighted(files: dict[str, dict[str, float]]) -> dict[str, float]:
    """Means over files, each weighted by the length of its reference speech."""
    total = sum(f["speech_s"] for f in files.values())
    keys = next(iter(files.values())).keys() - {"speech_s"}
    means = {k: round(sum(f[k] * f["speech_s"] for f in files.values()) / total, 3) for k in keys}
    return {k: means[k] for k in (*PARTS, "jer", "speakers_ref", "speakers_hyp")} | {
        "speech_s": round(total, 3)
    }


def measure(args: argparse.Namespace) -> None:
    """The `diarisation` command."""
    pipeline = Pipeline(read_config(args.config) if args.config else PipelineConfig())
    files = {}
    for path in audio_files(args.audio):
        reference = read_reference((args.reference or args.audio) / f"{path.stem}.rttm")
        files[path.stem] = score(reference, *diarise(pipeline, path))
    total = weighted(files)
    header = ["file", "DER", "miss", "false alarm", "confusion", "JER", "speakers", "found"]
    rows = [[name, *list(f.values())[:-1]] for name, f in files.items()]
    print(table(header, [*rows, ["all (by time)", *list(total.values())[:-1]]]))
    exact = sum(f["speakers_ref"] == f["speakers_hyp"] for f in files.values())
    print(f"\nnumber of speakers right in {exact} of {len(files)} files")
    save(args.json, {"machine": machine(), "audio": args.audio.name, "files": files, "total": total})
