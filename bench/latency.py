"""Latency and cost of the live engine: per frame, per decision, per second of sound, end to end."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import SAMPLE_RATE, ArraySource, LiveSession, Pipeline, PipelineConfig
from voicelane.base import FRAME_SAMPLES, seconds
from voicelane.bench.options import DEMO, add_command
from voicelane.bench.results import Result, Table, percentiles, table
from voicelane.bench.sound import audio_files, read_mono, whole_frames
from voicelane.config import EnhancerConfig
from voicelane.events import StageTiming
from voicelane.live import DECISION, FRAME_PATH, LatencySink

FRAME_MS = 1e3 * FRAME_SAMPLES / SAMPLE_RATE
PERCENTILES = ("p50", "p95", "p99", "max")


def add(commands: Any) -> None:
    """The `latency` command."""
    text = "time per stage and frame, real-time factor, sound to label"
    add = add_command(commands, "latency", measure, text).add_argument
    add("--audio", type=Path, default=DEMO, help="sound file, or a folder of them")
    add("--enhancer", default=EnhancerConfig().model, help="off, seed, mlp or a folder")
    add("--frames", type=int, default=10_000, help="20 ms pushes to time")
    add("--repeats", type=int, default=5, help="runs at full speed")
    add("--live-s", type=float, default=60.0, help="seconds to play at real time")


def per_frame(config: PipelineConfig, sound: np.ndarray, n_frames: int) -> tuple[dict[str, np.ndarray], int]:
    """Wall and CPU ms of `n_frames` pushes of 20 ms each after warm-up, and the deadlines missed."""
    pipeline = Pipeline(config, timing=True)
    pipeline.warm_up()
    spent: dict[str, list[float]] = defaultdict(list)
    frames = whole_frames(sound)
    for i in range(n_frames):
        for event in pipeline.push(frames[i % len(frames)]):
            if isinstance(event, StageTiming):
                for stage in (*FRAME_PATH, *DECISION):
                    spent[stage].append(event.wall_ms.get(stage, 0.0))
                    spent[f"{stage} cpu"].append(event.stage_cpu_ms.get(stage, 0.0))
    found = {k: np.array(v) for k, v in spent.items()}
    busy_ms = np.sum([found[s] for s in (*FRAME_PATH, *DECISION)], axis=0)
    return found, int((busy_ms > FRAME_MS).sum())


def realtime_factor(config: PipelineConfig, sound: np.ndarray, repeats: int) -> list[float]:
    """Seconds of sound per second of CPU at full speed, single-threaded, once per repeat."""
    pipeline, found = Pipeline(config), []
    pipeline.warm_up()
    for _ in range(repeats):
        pipeline.reset()
        began = time.process_time()
        pipeline.push(sound)
        pipeline.flush()
        found.append(len(sound) / SAMPLE_RATE / (time.process_time() - began))
    return found


def end_to_end(config: PipelineConfig, sound: np.ndarray) -> tuple[LatencySink, int]:
    """The threaded engine on sound that plays at its own speed."""
    pipeline, latency = Pipeline(config), LatencySink()
    pipeline.warm_up()
    with LiveSession(ArraySource(sound, realtime=True), pipeline, [latency]) as session:
        session.wait()
    return latency, session.lost_samples


def measure(args: argparse.Namespace) -> Result:
    """Milliseconds of every part of the way from sound to label, and seconds of sound per second of CPU."""
    config = PipelineConfig(enhancer=EnhancerConfig(model=args.enhancer))
    sound = np.concatenate([read_mono(p) for p in _sound_files(args.audio)])
    spent, missed = per_frame(config, sound, args.frames)
    speed = realtime_factor(config, sound[: 120 * SAMPLE_RATE], args.repeats)
    latency, lost = end_to_end(config, sound[: int(args.live_s * SAMPLE_RATE)])
    content = {
        "enhancer": args.enhancer,
        "frames": args.frames,
        **parts(spent),
        "stages_ms": {s: percentiles(spent[s]) for s in FRAME_PATH},
        "realtime_factor": round(float(np.median(speed)), 2),
        "realtime_factor_spread": [round(min(speed), 2), round(max(speed), 2)],
        "repeats": args.repeats,
        "deadline_misses": missed,
        "lost_samples": lost,
        "end_to_end": {f"{k}_delay_ms": percentiles(v) for k, v in latency.delays_ms().items() if len(v)},
        "algorithmic_latency_ms": round(1e3 * seconds(Pipeline(config).latency_samples), 2),
    }
    return Result(content, tables(content))


def parts(spent: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Wall and CPU ms of the path of every frame, and of those parts that only some frames take."""
    called = spent["encoder"] > 0  # pushes that ran the network
    if not called.any():
        n = len(called)
        raise SystemExit(f"no embedding fell into {n} frames; give more --frames or other --audio")
    found = {"frame_path_ms": _cost(spent, FRAME_PATH, np.ones(len(called), bool))}
    for name in ("segmentation", "encoder", "enhancer"):
        if spent[name].any():
            found[f"{name}_ms"] = _cost(spent, (name,), called)
    return found | {"decision_step_ms": _cost(spent, DECISION, called)}


def _cost(spent: dict[str, np.ndarray], stages: tuple[str, ...], called: np.ndarray) -> dict[str, float]:
    wall = np.sum([spent[s] for s in stages], axis=0)[called]
    cpu = np.sum([spent[f"{s} cpu"] for s in stages], axis=0)[called]
    return percentiles(wall) | {"cpu_p50": round(float(np.median(cpu)), 4)}


def _sound_files(path: Path) -> list[Path]:
    return audio_files(path) if path.is_dir() else [path]


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """A row for each part, the stages first and the labels last."""
    timed = {k: v for k, v in found.items() if k.endswith("_ms") and isinstance(v, dict) and "p50" in v}
    rows = {**found["stages_ms"], **timed, **found["end_to_end"]}
    least, most = found["realtime_factor_spread"]
    late = f"frames: {found['frames']}, later than {FRAME_MS:.0f} ms: {found['deadline_misses']}"
    speed = (
        f"{found['realtime_factor']:.1f} s of sound per second of CPU on one core "
        f"(least {least:.1f}, most {most:.1f} of {found['repeats']})"
    )
    cells = [[name, *(row.get(k, "") for k in (*PERCENTILES, "cpu_p50"))] for name, row in rows.items()]
    notes = (f"{late}; lost samples: {found['lost_samples']}", speed)
    return (table(["ms", *PERCENTILES, "CPU p50"], cells, "", *notes),)
