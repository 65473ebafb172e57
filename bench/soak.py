"""Hours of sound through one engine: does anything grow, and are the speakers still right at the end?

Once as fast as it goes, once at real time through the threads. Every minute of sound is one point of memory,
open files, threads and time per step; a line through the points (least squares) says what an hour adds.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import (
    SAMPLE_RATE,
    ArraySource,
    Event,
    LiveSession,
    Pipeline,
    SpeakerTurn,
    Turn,
    TurnRevised,
    diarisation_error,
)
from voicelane.base import FRAME_SAMPLES, seconds
from voicelane.bench.live import matched
from voicelane.bench.options import DEMO, add_command
from voicelane.bench.results import Result, Table, table
from voicelane.bench.sound import read_mono, read_reference
from voicelane.events import StageTiming
from voicelane.live import final_turns

BLOCK = 5 * FRAME_SAMPLES
WARM_MIN = 10
"""Minutes after which nothing may grow: caches, tables and the interpreter fill up before."""
END_S = 600.0
MARKS_H = (1 / 60, 1 / 6, 0.5, 1.0, 2.0, 4.0, 8.0)


def add(commands: Any) -> None:
    """The `soak` command."""
    text = "hours of sound: memory, files, threads, time per step, speakers"
    add = add_command(commands, "soak", measure, text).add_argument
    add("--audio", type=Path, default=DEMO, help="sound file with its RTTM, repeated")
    add("--hours", type=float, default=8.0, help="of sound, as fast as it goes")
    add("--minutes", type=float, default=15.0, help="at real time")


@dataclass(frozen=True)
class Point:
    """One minute of sound."""

    hours: float
    """Of sound so far."""
    memory_mb: float
    """Resident."""
    files: int
    threads: int
    cpu_ms_per_s: float
    """CPU time of the process per second of sound."""
    step_ms: float
    """Median wall time of a push that decides."""
    step_cpu_ms: float
    """The same of its CPU time, which other jobs on the machine change less."""
    step_cpu_p99_ms: float


class Watch:
    """Points, minute by minute, and the turns of the beginning and the end."""

    def __init__(self) -> None:
        import psutil

        self._process = psutil.Process()
        self.points: list[Point] = []
        self.first: list[Event] = []
        self.last: deque[Event] = deque()
        self._steps: list[tuple[float, float]] = []
        self._minute, self._cpu_s = 0, time.process_time()

    def put(self, event: Event) -> None:
        """A sink of the engine, too."""
        if isinstance(event, StageTiming):
            if "encoder" in event.wall_ms:
                self._steps.append((sum(event.wall_ms.values()), sum(event.stage_cpu_ms.values())))
            if event.sample >= (self._minute + 1) * 60 * SAMPLE_RATE:
                self._point(event.sample)
        elif isinstance(event, SpeakerTurn | TurnRevised):
            self._keep(event)

    def close(self) -> None:
        """Nothing is held."""

    def _keep(self, event: SpeakerTurn | TurnRevised) -> None:
        if isinstance(event, SpeakerTurn) and not event.final:
            return
        if seconds(event.end) <= END_S:
            self.first.append(event)
        self.last.append(event)
        while seconds(self.last[0].sample) < seconds(event.sample) - END_S:
            self.last.popleft()

    def _point(self, sample: int) -> None:
        minutes = sample // SAMPLE_RATE // 60
        cpu_s = time.process_time()
        wall_ms, step_cpu_ms = np.array(self._steps or [(0.0, 0.0)]).T
        self.points.append(
            Point(
                minutes / 60,
                self._process.memory_info().rss / 1e6,
                self._process.num_fds(),
                threading.active_count(),
                1e3 * (cpu_s - self._cpu_s) / (60 * (minutes - self._minute)),
                float(np.median(wall_ms)),
                float(np.median(step_cpu_ms)),
                float(np.percentile(step_cpu_ms, 99)),
            )
        )
        self._minute, self._cpu_s, self._steps = minutes, cpu_s, []


def full_speed(sound: np.ndarray, hours: float) -> Watch:
    """The pure machine, the recording over and over."""
    pipeline, watch = Pipeline(timing=True), Watch()
    pipeline.warm_up()
    for block in _blocks(sound, int(hours * 3600 * SAMPLE_RATE)):
        for event in pipeline.push(block):
            watch.put(event)
    for event in pipeline.flush():
        watch.put(event)
    return watch


def real_time(sound: np.ndarray, minutes: float) -> tuple[Watch, int]:
    """The threads, at the speed of the sound."""
    pipeline, watch = Pipeline(timing=True), Watch()
    pipeline.warm_up()
    whole = np.resize(sound, int(minutes * 60 * SAMPLE_RATE))
    with LiveSession(ArraySource(whole, realtime=True), pipeline, [watch]) as session:
        session.wait()
    return watch, session.lost_samples


def slope(points: list[Point], value: Callable[[Point], float], after_h: float) -> dict[str, float]:
    """What an hour adds, with its 95 % confidence interval, and the mean; without the last minute, in which
    the source may have ended."""
    from scipy import stats

    late = [p for p in points[:-1] if p.hours > after_h]
    y = np.array([value(p) for p in late])
    if len(late) < 3:
        raise SystemExit(f"{len(late)} minutes are too few for a line; give more --hours or --minutes")
    line = stats.linregress([p.hours for p in late], y)
    half = float(stats.t.ppf(0.975, len(late) - 2) * np.nan_to_num(line.stderr))  # nan: all are alike
    numbers = {"mean": y.mean(), "per_hour": line.slope, "low": line.slope - half, "high": line.slope + half}
    return {k: round(float(v), 5) for k, v in numbers.items()}


def speakers(watch: Watch, sound_turns: list[Turn], period_s: float) -> dict[str, Any]:
    """The label of each person in the first and the last ten minutes, and DER at both ends, in percent."""
    found: dict[str, Any] = {}
    for name, events in (("first", watch.first), ("last", list(watch.last))):
        turns = final_turns(events)
        begin, end = seconds(min(t.start for t in turns)), seconds(max(t.end for t in turns))
        reference = [t for t in _repeated(sound_turns, period_s, end) if t.end > begin]
        said = [Turn(t.speaker, seconds(t.start), seconds(t.end)) for t in turns]
        error = diarisation_error(reference, said)
        found[name] = {"labels": matched(turns, reference), "der": round(100 * error.rate, 2)}
    return found


def measure(args: argparse.Namespace) -> Result:
    """Points, the lines through them, and the speakers of both ends, of each of the two runs."""
    sound, turns = read_mono(args.audio), read_reference(args.audio.with_suffix(".rttm"))
    runs: dict[str, Any] = {}
    if args.hours:
        watch = full_speed(sound, args.hours)
        runs["as fast as it goes"] = _summary(watch, args.hours * 60) | {"lost_samples": 0}
        runs["as fast as it goes"]["speakers"] = speakers(watch, turns, len(sound) / SAMPLE_RATE)
    if args.minutes:
        watch, lost = real_time(sound, args.minutes)
        runs["real time"] = _summary(watch, args.minutes) | {"lost_samples": lost}
        runs["real time"]["speakers"] = speakers(watch, turns, len(sound) / SAMPLE_RATE)
    return Result({"cores": os.cpu_count(), "runs": runs}, tables(runs))


def _blocks(sound: np.ndarray, n_samples: int) -> Iterator[np.ndarray]:
    """The recording over and over, in blocks of 100 ms."""
    twice = np.concatenate((sound, sound[:BLOCK]))
    for start in range(0, n_samples, BLOCK):
        at = start % len(sound)
        yield twice[at : at + min(BLOCK, n_samples - start)]


def _repeated(turns: list[Turn], period_s: float, until_s: float) -> list[Turn]:
    times = range(int(until_s / period_s) + 1)
    return [
        Turn(t.speaker, t.start + k * period_s, t.end + k * period_s)
        for k in times
        for t in turns
        if t.start + k * period_s < until_s
    ]


def _summary(watch: Watch, minutes: float) -> dict[str, Any]:
    after_h = min(WARM_MIN, minutes / 3) / 60
    values: dict[str, Callable[[Point], float]] = {
        "memory, MB": lambda p: p.memory_mb,
        "open files": lambda p: p.files,
        "threads": lambda p: p.threads,
        "CPU, ms per s of sound": lambda p: p.cpu_ms_per_s,
        "step, wall, ms, p50": lambda p: p.step_ms,
        "step, CPU, ms, p50": lambda p: p.step_cpu_ms,
        "step, CPU, ms, p99": lambda p: p.step_cpu_p99_ms,
    }
    marks = [next((p for p in watch.points if p.hours >= mark - 1e-9), None) for mark in MARKS_H]
    return {
        "hours": minutes / 60,
        "slopes": {k: slope(watch.points, v, after_h) for k, v in values.items()},
        "marks": [asdict(p) for p in marks if p],
        "points": [asdict(p) for p in watch.points],
    }


def tables(runs: dict[str, Any]) -> tuple[Table, ...]:
    """The lines and the marks of each run."""
    return tuple(t for name, run in runs.items() for t in (_slopes(name, run), _marks(run)))


def _slopes(name: str, run: dict[str, Any]) -> Table:
    rows = [
        [what, s["mean"], f"{s['per_hour']:+.4f}", f"{s['low']:+.4f} … {s['high']:+.4f}"]
        for what, s in run["slopes"].items()
    ]
    title, ends = f"{run['hours']:.2g} h of sound, {name}", run["speakers"]
    note = (
        f"DER of the first {END_S / 60:.0f} minutes {ends['first']['der']} %, of the last ones "
        f"{ends['last']['der']} %; labels {_said(ends['first']['labels'])}, "
        f"at the end {_said(ends['last']['labels'])}; {run['lost_samples']} samples lost"
    )
    return table([title, "mean", "an hour adds", "95 % confidence"], rows, "", note)


def _marks(run: dict[str, Any]) -> Table:
    rows = [[f"{m['hours']:.2f} h", *(f"{v:.1f}" for v in list(m.values())[1:])] for m in run["marks"]]
    columns = ["memory, MB", "files", "threads", "CPU, ms/s", "step, ms", "its CPU, p50", "p99"]
    return table(["the minute before", *columns], rows)


def _said(labels: dict[str, str]) -> str:
    return ", ".join(f"{k} = {v}" for k, v in labels.items())
