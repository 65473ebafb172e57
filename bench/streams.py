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

from voicelane import SAMPLE_RATE, Pipeline, PipelineConfig
from voicelane.base import FRAME_SAMPLES
from voicelane.bench.latency import PERCENTILES, realtime_factor
from voicelane.bench.options import DEMO, add_command
from voicelane.bench.results import Result, Table, percentiles, table
from voicelane.bench.sound import read_mono, whole_frames
from voicelane.config import SegmentationConfig

FRAME_S = FRAME_SAMPLES / SAMPLE_RATE
APART_S = 7.3
"""Streams hear the same recording, so far apart."""
WINDOW_FRAMES = round(SegmentationConfig().step_s / FRAME_S)
"""Streams began at different moments of the step at which windows come."""


def add(commands: Any) -> None:
    """The `streams` command."""
    text = "how many live streams one core and all cores carry"
    add = add_command(commands, "streams", measure, text).add_argument
    add("--audio", type=Path, default=DEMO, help="sound file")
    add("--deadlines-ms", type=float, nargs="+", default=[20, 100], help="for the p99")
    add("--length-s", type=float, default=20.0, help="of each try, in real time")
    add("--repeats", type=int, default=5, help="runs at full speed")


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


def measure(args: argparse.Namespace) -> Result:
    """The most streams within each deadline, on one core and on all, and how fast one runs alone."""
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})
    speed = realtime_factor(PipelineConfig(), read_mono(args.audio)[: 120 * SAMPLE_RATE], args.repeats)
    os.sched_setaffinity(0, set(cores))
    used = {f"{len(some)} core{'s' * (len(some) > 1)}": carried(some, args) for some in (cores[:1], cores)}
    content = {"realtime_factors": [round(x, 2) for x in speed], "used": used}
    return Result(content, tables(content))


def carried(cores: list[int], args: argparse.Namespace) -> dict[str, Any]:
    """What some cores carry, and ms of lateness for each number of streams that was tried."""
    trials: dict[int, dict[str, float]] = {}

    def try_out(n: int) -> np.ndarray:
        return lateness(n, cores, args.audio, args.length_s)

    most = {d: most_streams(trials, try_out, d) for d in args.deadlines_ms}
    return {
        "streams": {f"{d:g} ms": n * len(cores) for d, n in most.items()},
        "trials": {str(n * len(cores)): late for n, late in sorted(trials.items())},
    }


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """What was tried."""
    rows = [
        [name, n, *(late[k] for k in PERCENTILES)]
        for name, carried in found["used"].items()
        for n, late in carried["trials"].items()
    ]
    notes = [
        f"{name}: " + ", ".join(f"{n} with p99 within {d}" for d, n in carried["streams"].items())
        for name, carried in found["used"].items()
    ]
    speed = found["realtime_factors"]
    alone = (
        f"one stream alone, as fast as it can: {np.median(speed):.1f} s of sound per second of CPU on one "
        f"core (least {min(speed):.1f}, most {max(speed):.1f} of {len(speed)})"
    )
    header = ["used", "streams", "late by ms, p50", *PERCENTILES[1:]]
    return (table(header, rows, "", *notes, alone),)
