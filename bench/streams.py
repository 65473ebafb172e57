"""How many live streams the cores of this machine carry, each in real time, and how fast one runs alone."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np

from bench.latency import realtime_factor
from bench.results import machine, percentiles, save, table
from bench.sound import read_mono, whole_frames
from engine import FRAME_SAMPLES, SAMPLE_RATE, Pipeline, PipelineConfig, SegmentationConfig

FRAME_S = FRAME_SAMPLES / SAMPLE_RATE
APART_S = 7.3
"""Streams hear the same recording, so far apart."""
WINDOW_FRAMES = round(SegmentationConfig().step_s / FRAME_S)
"""Streams began at different moments of the step at which windows come."""


def carry(n_streams: int, core: int, path: Path, length_s: float, ready: Barrier, found: Any) -> None:
    """Real time on one core: every 20 ms a frame for each stream; ms from each frame's end to its events."""
    os.sched_setaffinity(0, {core})
    frames = whole_frames(read_mono(path))
    pipelines = [Pipeline() for _ in range(n_streams)]
    for i, pipeline in enumerate(pipelines):
        pipeline.warm_up()
        pipeline.push(np.zeros(FRAME_SAMPLES * (i * WINDOW_FRAMES // n_streams), np.float32))
    late = np.zeros((int(length_s / FRAME_S), n_streams))
    ready.wait()
    began = time.perf_counter()
    for k in range(len(late)):
        due = began + (k + 1) * FRAME_S
        time.sleep(max(0.0, due - time.perf_counter()))
        for i, pipeline in enumerate(pipelines):
            pipeline.push(frames[(k + round(i * APART_S / FRAME_S)) % len(frames)])
            late[k, i] = 1e3 * (time.perf_counter() - due)
    found.put(late.ravel())


def lateness(n_streams: int, cores: list[int], path: Path, length_s: float) -> np.ndarray:
    """The same on several cores at once, `n_streams` on each: all delays in ms."""
    context = multiprocessing.get_context("spawn")
    ready, found = context.Barrier(len(cores)), context.Queue()
    workers = [
        context.Process(target=carry, args=(n_streams, core, path, length_s, ready, found)) for core in cores
    ]
    for worker in workers:
        worker.start()
    late = [found.get() for _ in workers]
    for worker in workers:
        worker.join()
    return np.concatenate(late)


def most_streams(trials: dict[int, dict[str, float]], try_out: Any, deadline_ms: float) -> int:
    """The largest number per core whose p99 is within the deadline; `trials` keeps what was tried."""
    good, bad = 0, 1
    while _within(bad, trials, try_out, deadline_ms):
        good, bad = bad, 2 * bad
    while bad - good > 1:
        middle = (good + bad) // 2
        if _within(middle, trials, try_out, deadline_ms):
            good = middle
        else:
            bad = middle
    return good


def _within(n: int, trials: dict[int, dict[str, float]], try_out: Any, deadline_ms: float) -> bool:
    if n not in trials:
        trials[n] = percentiles(try_out(n))
    return trials[n]["p99"] <= deadline_ms


def measure(args: argparse.Namespace) -> None:
    """The `streams` command."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    speed = realtime_factor(PipelineConfig(), read_mono(args.audio)[: 120 * SAMPLE_RATE], args.repeats)
    os.sched_setaffinity(0, set(cores))
    result: dict[str, Any] = {}
    rows = []
    for used in (cores[:1], cores):
        trials: dict[int, dict[str, float]] = {}

        def try_out(n: int, used: list[int] = used) -> np.ndarray:
            return lateness(n, used, args.audio, args.length_s)

        most = {d: most_streams(trials, try_out, d) for d in args.deadlines_ms}
        name = f"{len(used)} core{'s' * (len(used) > 1)}"
        result[name] = {
            "streams": {f"{d:g} ms": n * len(used) for d, n in most.items()},
            "trials": {n * len(used): late for n, late in sorted(trials.items())},
        }
        for n, late in sorted(trials.items()):
            rows.append([name, n * len(used), *(late[k] for k in ("p50", "p95", "p99", "max"))])
    print(table(["used", "streams", "late by ms, p50", "p95", "p99", "max"], rows))
    for name, found in result.items():
        counts = ", ".join(f"{n} with p99 within {d}" for d, n in found["streams"].items())
        print(f"\n{name}: {counts}")
    print(
        f"\none stream alone, as fast as it can: {np.median(speed):.1f} s of sound per second of CPU on one "
        f"core (least {min(speed):.1f}, most {max(speed):.1f} of {len(speed)})"
    )
    speeds = [round(x, 2) for x in speed]
    save(args.json, {"machine": machine(), "realtime_factors": speeds, "used": result})
