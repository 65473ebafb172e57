"""The engine at a microphone, end to end: a virtual sound card plays a conversation at its own speed, and
everything is timed from the capture that PortAudio reports, on an idle machine and on a busy one."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import (
    SAMPLE_RATE,
    ArraySource,
    Enroller,
    Event,
    LiveSession,
    MicrophoneSource,
    Person,
    Pipeline,
    SpeakerIdentified,
    SpeakerTurn,
    Turn,
)
from voicelane.base import FRAME_SAMPLES, samples, seconds
from voicelane.bench.latency import FRAME_MS, PERCENTILES
from voicelane.bench.options import DEMO, add_command
from voicelane.bench.results import Cell, Result, Table, percentiles, table
from voicelane.bench.sound import audio_files, read_mono, read_reference
from voicelane.bench.sound_card import DEVICE, SoundServer, sound_card
from voicelane.events import StageTiming, StreamStarted
from voicelane.live import DECISION, FRAME_PATH, LatencySink, Sound

BLOCK_MS, BIN_MS = 20.0, 50.0
TAIL_S = 3.0
ALIGN_S = 20.0
ENOUGH_S = {"new speaker": 1.5, "known person": 1.6}
"""Speech that the diariser's defaults ask for before a voice makes a speaker, and has a name."""

START = """
import json, sys, time
began = float(sys.argv[1])
marks = {}
def mark(name): marks[name] = 1e3 * (time.time() - began)
from voicelane import LiveSession, MicrophoneSource, Pipeline, QueueSink
mark("imported")
pipeline = Pipeline()
mark("models loaded")
pipeline.warm_up()
mark("warm")
sink = QueueSink()
with LiveSession(MicrophoneSource(sys.argv[2]), pipeline, [sink]):
    sink.queue.get(timeout=30)
    mark("first sound heard")
print(json.dumps(marks))
"""


class TimedMicrophone(MicrophoneSource):
    """Notes when each block of 20 ms comes, and when PortAudio captured it."""

    def start(self, write: Any) -> None:
        self.arrivals_s: list[float] = []
        self.captures_s: list[float] = []

        def noted(block: np.ndarray) -> None:
            self.arrivals_s.append(time.monotonic())
            self.captures_s.append(self.arrivals_s[-1] - self.capture_delay_s)
            write(block)

        super().start(noted)

    def began_s(self) -> float:
        """`time.monotonic()` of the first sample, by all blocks: PortAudio's first times are rough."""
        due_s = np.arange(len(self.captures_s)) * BLOCK_MS / 1e3
        return float(np.median(np.array(self.captures_s) - due_s))


@dataclass
class Notes:
    """A sink that keeps the sound, when each event came, and the longest queue."""

    session: LiveSession | None = None
    began_s: float = 0.0
    """`time.monotonic()` of sample 0."""
    events: list[tuple[float, Event]] = field(default_factory=list)
    blocks: list[np.ndarray] = field(default_factory=list)
    waiting_ms: list[float] = field(default_factory=list)

    def hear(self, sound: Sound) -> None:
        self.blocks.append(sound.samples)
        if self.session:
            self.waiting_ms.append(1e3 * self.session.waiting_s)

    def put(self, event: Event) -> None:
        if isinstance(event, StreamStarted):
            self.began_s = event.clock_s
        self.events.append((time.monotonic(), event))

    def close(self) -> None:
        """Nothing is held."""


@dataclass
class Timings:
    """Milliseconds of one condition, over all recordings."""

    rows: dict[str, list[float]] = field(default_factory=dict)
    frames: int = 0
    late: int = 0
    """Pushes that took longer than the sound in them."""
    lost_samples: int = 0
    overflows: int = 0
    """Times that the device itself lost sound."""
    look_ahead: int = 0
    """Samples that the detector hears ahead of what it judges."""

    def add(self, name: str, values: Any) -> None:
        self.rows.setdefault(name, []).extend(float(v) for v in values)


def add(commands: Any) -> None:
    """The `live` command."""
    text = "through a microphone at real time: capture to label, jitter, start-up, load"
    add = add_command(commands, "live", measure, text).add_argument
    add("--audio", type=Path, default=DEMO, help="sound file with its RTTM, or a folder")
    add("--files", type=int, default=100, help="only the first ones of the folder")
    add("--repeats", type=int, default=3, help="times to play each")
    add("--starts", type=int, default=5, help="processes to start")


def measure(args: argparse.Namespace) -> Result:
    """Milliseconds of all that lies between the capture and the labels, idle and with both cores loaded."""
    paths = audio_files(args.audio) if args.audio.is_dir() else [args.audio]
    paths = paths[: args.files] * args.repeats
    with sound_card() as server:
        starts = [start_up() for _ in range(args.starts)]
        heard = {"idle": condition(paths, server)}
        with busy():
            heard["both cores loaded"] = condition(paths, server)
    found = {name: _summary(timings) for name, timings in heard.items()}
    found["idle"]["start-up"] = {k: percentiles([s[k] for s in starts]) for k in starts[0]}
    return Result({"conditions": found}, tables(found))


def start_up() -> dict[str, float]:
    """Milliseconds from the start of a process to each step of its way to the first sound."""
    command = [sys.executable, "-c", START, str(time.time()), DEVICE]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def busy() -> Iterator[None]:
    """As many processes as there are cores that do nothing but count."""
    spinning = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def condition(paths: list[Path], server: SoundServer) -> Timings:
    """Every recording played once, in a session of its own."""
    timings = Timings()
    for path in paths:
        listen(path, timings, server)
    return timings


def listen(path: Path, timings: Timings, server: SoundServer) -> None:
    """Play one recording, whose people were enrolled from its last 40 %."""
    sound, turns = read_mono(path), read_reference(path.with_suffix(".rttm"))
    pipeline = Pipeline(timing=True, people=people(sound, turns))
    pipeline.warm_up()
    notes, latency, source = Notes(), LatencySink(), TimedMicrophone(DEVICE)
    timings.look_ahead = pipeline.latency_samples - FRAME_SAMPLES
    notes.session = session = LiveSession(source, pipeline, [notes, latency])
    with session:
        time.sleep(0.5)
        server.play(path)
        time.sleep(TAIL_S)
    timings.lost_samples += session.lost_samples
    timings.overflows += source.device_overflows
    timings.add("waiting in the ring", notes.waiting_ms)
    timings.add("block later than due", np.abs(1e3 * np.diff(source.arrivals_s) - BLOCK_MS))
    _stages([e for _, e in notes.events if isinstance(e, StageTiming)], timings)
    early_s = notes.began_s - source.began_s()  # of the capture, before the first callback
    timings.add("capture to callback", 1e3 * np.subtract(source.arrivals_s, source.captures_s))
    for kind, delays in latency.delays_ms().items():
        timings.add(f"capture to {kind} label", delays + 1e3 * early_s)
    notes.began_s -= early_s
    at = place(sound, np.concatenate(notes.blocks))
    shifted = [Turn(t.speaker, t.start + at, t.end + at) for t in turns]
    for name, delay_ms in arrivals(notes, shifted):
        timings.add(name, [delay_ms])


def people(sound: np.ndarray, turns: list[Turn]) -> list[Person]:
    """Everybody, by what they say alone in the last 40 % of the recording."""
    enroller, cut_s, found = Enroller(), 0.6 * len(sound) / SAMPLE_RATE, []
    for name in sorted({t.speaker for t in turns}):
        others = [t for t in turns if t.speaker != name]
        alone = [
            sound[samples(t.start) : samples(t.end)]
            for t in turns
            if t.speaker == name
            and t.start >= cut_s
            and not any(o.start < t.end and o.end > t.start for o in others)
        ]
        if sum(map(len, alone)) > 4 * SAMPLE_RATE:
            voice = enroller.listen(ArraySource(np.concatenate(alone)))
            found.append(Person(name, voice.recording.embedding[None]))
    return found


def place(sound: np.ndarray, heard: np.ndarray) -> float:
    """Seconds into what was heard at which the recording begins, by correlation."""
    from scipy.signal import fftconvolve

    piece = sound[: samples(ALIGN_S)]
    return int(np.argmax(fftconvolve(heard, piece[::-1], mode="valid"))) / SAMPLE_RATE


def arrivals(notes: Notes, turns: list[Turn]) -> Iterator[tuple[str, float]]:
    """Milliseconds until each speaker of the reference has a label of its own, and its name."""
    told = [(at, e) for at, e in notes.events if isinstance(e, SpeakerTurn)]
    labels = matched([e for _, e in told if e.final], turns)
    for name in sorted({t.speaker for t in turns}):
        own = labels.get(name)
        shown = [at for at, e in told if e.speaker == own and e.end > e.start]
        known = [at for at, e in notes.events if isinstance(e, SpeakerIdentified) and e.name == name]
        for kind, when in (("new speaker", shown), ("known person", known)):
            if when:
                mine = [t for t in turns if t.speaker == name]
                yield f"{kind}, after the first word", 1e3 * (when[0] - notes.began_s - mine[0].start)
                enough = spoken_until(mine, ENOUGH_S[kind])
                yield f"{kind}, after enough speech", 1e3 * (when[0] - notes.began_s - enough)


def matched(turns: list[SpeakerTurn], reference: list[Turn]) -> dict[str, str]:
    """The label of each speaker of the reference, so that most time agrees."""
    from scipy.optimize import linear_sum_assignment

    names, labels = sorted({t.speaker for t in reference}), sorted({t.speaker for t in turns})
    shared = np.zeros((len(names), len(labels)))
    for r in reference:
        for t in turns:
            common = min(r.end, seconds(t.end)) - max(r.start, seconds(t.start))
            shared[names.index(r.speaker), labels.index(t.speaker)] += max(0.0, common)
    pairs = zip(*linear_sum_assignment(-shared), strict=True)
    return {names[i]: labels[k] for i, k in pairs if shared[i, k] > 0}


def spoken_until(turns: list[Turn], enough_s: float) -> float:
    """When somebody has spoken for so long, in seconds; the end where never."""
    for turn in sorted(turns, key=lambda t: t.start):
        if turn.end - turn.start >= enough_s:
            return turn.start + enough_s
        enough_s -= turn.end - turn.start
    return turns[-1].end


def _stages(events: list[StageTiming], timings: Timings) -> None:
    for event in events:
        timings.frames += event.n_frames
        timings.late += sum(event.wall_ms.values()) > FRAME_MS * event.n_frames
        for kind, spent in (("wall", event.wall_ms), ("CPU", event.stage_cpu_ms)):
            path = sum(spent.get(s, 0.0) for s in FRAME_PATH)
            timings.add(f"frame path, {kind}", [path / event.n_frames])
            for stage in FRAME_PATH:
                timings.add(f"{stage}, {kind}", [spent.get(stage, 0.0) / event.n_frames])
            if "encoder" in spent:
                timings.add(f"decision, {kind}", [sum(spent.get(s, 0.0) for s in DECISION)])
                for stage in DECISION:
                    if stage in spent:
                        timings.add(f"{stage}, {kind}", [spent[stage]])


def _summary(timings: Timings) -> dict[str, Any]:
    rows = {name: percentiles(values) | {"n": len(values)} for name, values in timings.rows.items()}
    counts = {"frames": timings.frames, "deadline_misses": timings.late}
    histogram: dict[str, Any] = {"step_ms": BIN_MS}
    for kind in ("tentative", "confirmed"):
        delays = timings.rows[f"capture to {kind} label"]
        edges = np.arange(0, max(delays) + 2 * BIN_MS, BIN_MS)
        histogram[kind] = np.histogram(delays, edges)[0].tolist()
    return {
        "ms": rows,
        **counts,
        "histogram": histogram,
        "look_ahead_ms": 1e3 * seconds(timings.look_ahead),
        "lost_samples": timings.lost_samples,
        "device_overflows": timings.overflows,
    }


def tables(found: dict[str, dict[str, Any]]) -> tuple[Table, ...]:
    """A table for each condition."""
    return tuple(_table(name, condition) for name, condition in found.items())


def _table(name: str, found: dict[str, Any]) -> Table:
    rows: list[list[Cell]] = [
        [row, *(values[k] for k in PERCENTILES), values["n"]] for row, values in found["ms"].items()
    ]
    for step, values in found.get("start-up", {}).items():
        rows.append([f"start-up: {step}", round(values["p50"]), "", "", round(values["max"]), ""])
    counts = (
        f"{name}: {found['frames']} frames, {found['deadline_misses']} pushes slower than their sound, "
        f"{found['lost_samples']} samples lost by the engine, {found['device_overflows']} losses of the "
        "device"
    )
    return table([f"ms, {name}", *PERCENTILES, "n"], rows, "", counts)
