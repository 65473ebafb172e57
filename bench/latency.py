"""Latency and cost of the live engine: per frame, per decision, per second of sound, end to end."""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from bench.results import machine, percentiles, save, table
from bench.sound import audio_files, read_mono, whole_frames
from engine import (
    FRAME_SAMPLES,
    SAMPLE_RATE,
    ArraySource,
    EnhancerConfig,
    LatencySink,
    LiveSession,
    Pipeline,
    PipelineConfig,
    StageTiming,
    seconds,
)

FRAME_MS = 1e3 * FRAME_SAMPLES / SAMPLE_RATE
FRAME_PATH = ("stft", "features", "vad")
DECISION = ("segmentation", "encoder", "enhancer", "diariser")


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


def measure(args: argparse.Namespace) -> None:
    """The `latency` command."""
    config = PipelineConfig(enhancer=EnhancerConfig(model=args.enhancer))
    sound = np.concatenate([read_mono(p) for p in _sound_files(args.audio)])
    spent, missed = per_frame(config, sound, args.frames)
    speed = realtime_factor(config, sound[: 120 * SAMPLE_RATE], args.repeats)
    latency, lost = end_to_end(config, sound[: int(args.live_s * SAMPLE_RATE)])
    path, path_cpu = _total(spent, FRAME_PATH)
    decision, decision_cpu = _total(spent, DECISION)
    called = spent["encoder"] > 0  # pushes that ran the network
    if not called.any():
        raise SystemExit(f"no embedding fell into {args.frames} frames; give more --frames or other --audio")
    rows = {
        "frame_path_ms": (path, path_cpu),
        "segmentation_ms": (spent["segmentation"][called], spent["segmentation cpu"][called]),
        "encoder_ms": (spent["encoder"][called], spent["encoder cpu"][called]),
        "decision_step_ms": (decision[called], decision_cpu[called]),
    }
    if spent["enhancer"].any():
        rows["enhancer_ms"] = (spent["enhancer"][called], spent["enhancer cpu"][called])
    result = {
        name: percentiles(wall) | {"cpu_p50": round(float(np.median(cpu)), 4)}
        for name, (wall, cpu) in rows.items()
    }
    stages = {s: percentiles(spent[s]) for s in FRAME_PATH}
    delays = {f"{k}_delay_ms": percentiles(v) for k, v in latency.delays_ms().items() if len(v)}
    _print({**stages, **result, **delays})
    print(
        f"\nframes: {args.frames}, later than {FRAME_MS:.0f} ms: {missed}; lost samples: {lost}\n"
        f"{np.median(speed):.1f} s of sound per second of CPU on one core "
        f"(least {min(speed):.1f}, most {max(speed):.1f} of {len(speed)})"
    )
    save(
        args.json,
        {
            "machine": machine(),
            "enhancer": args.enhancer,
            "frames": args.frames,
            **result,
            "stages_ms": stages,
            "realtime_factor": round(float(np.median(speed)), 2),
            "realtime_factor_spread": [round(min(speed), 2), round(max(speed), 2)],
            "deadline_misses": missed,
            "lost_samples": lost,
            "end_to_end": delays,
            "algorithmic_latency_ms": round(1e3 * seconds(Pipeline(config).latency_samples), 2),
        },
    )


def _sound_files(path: Path) -> list[Path]:
    return audio_files(path) if path.is_dir() else [path]


def _total(spent: dict[str, np.ndarray], stages: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    wall = np.sum([spent[s] for s in stages], axis=0)
    return wall, np.sum([spent[f"{s} cpu"] for s in stages], axis=0)


def _print(rows: dict[str, dict[str, float]]) -> None:
    header = ["ms", "p50", "p95", "p99", "max", "CPU p50"]
    print(
        table(
            header,
            [
                [name, *(row.get(k, "") for k in ("p50", "p95", "p99", "max", "cpu_p50"))]
                for name, row in rows.items()
            ],
        )
    )
