"""The desktop app with a long history: time of a picture, event to picture, and a window that is stuck.

Without a screen (Qt's `offscreen` platform), drawn by the processor.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import (
    SAMPLE_RATE,
    ArraySource,
    Event,
    LabelDesk,
    LiveSession,
    Pipeline,
    Recorder,
    SpeakerTurn,
    SpeechEnded,
    open_session,
)
from voicelane.base import samples
from voicelane.bench.latency import PERCENTILES
from voicelane.bench.options import DEMO, add_command
from voicelane.bench.results import Result, Table, percentiles, table
from voicelane.bench.sound import read_mono
from voicelane.events import VoiceMeasured
from voicelane.live import Sound

DIM, TURN_S, VOICE_S = 192, 2.5, 0.24
WARM_UP = 20
BLOCKED_S, STREAM_S = 2.0, 8.0
N_EVENTS, EVENT_S = 150, 0.05


def add(commands: Any) -> None:
    """The `gui` command."""
    text = "paint time, event to picture, and a blocked window, of the desktop app"
    add = add_command(commands, "gui", measure, text).add_argument
    add("--hours", type=float, default=2.0, help="of history")
    add("--speakers", type=int, default=6)
    add("--paints", type=int, default=300, help="pictures of each kind")
    sizes = ["1280x800", "2560x1440"]
    add("--sizes", nargs="+", default=sizes, help="of the window, WIDTHxHEIGHT in pixels")


def history(hours: float, n_speakers: int, rng: np.random.Generator) -> list[Event]:
    """Turns of random length by random speakers, every tenth overlapped, and a voice for every 240 ms."""
    events: list[Event] = []
    centroids = rng.standard_normal((n_speakers, DIM))
    names = [f"S{i + 1}" for i in range(n_speakers)]
    at, end = 0, samples(3600 * hours)
    while at < end:
        who, length = int(rng.integers(n_speakers)), samples(float(rng.exponential(TURN_S)) + 0.5)
        events.append(SpeechEnded(at + length, at, at + length))
        events.append(SpeakerTurn(at + length, names[who], at, at + length, at + length, 0.9, True))
        if rng.random() < 0.1:
            other, middle = names[(who + 1) % n_speakers], at + length // 2
            events.append(SpeakerTurn(at + length, other, middle, at + length, at + length, 0.7, True))
        for start in range(at, at + length, samples(VOICE_S)):
            vector = centroids[who] + 0.8 * rng.standard_normal(DIM)
            alike = dict(zip(names, rng.normal(0.1, 0.1, n_speakers).tolist(), strict=True))
            events.append(VoiceMeasured(start, start, start + samples(1.6), alike, tuple(vector.tolist())))
        at += length + samples(float(rng.exponential(0.4)))
    return events


def timed(act: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    act()
    return 1e3 * (time.perf_counter() - began)


def paint_times(window: object, n_paints: int, rng: np.random.Generator) -> dict[str, list[float]]:
    """Milliseconds of pictures of the timeline at each kind of movement, and of everything else."""
    from voicelane.gui.window import Window

    assert isinstance(window, Window)
    timeline, conversation = window.listen.timeline, window.studio.conversation
    length, close = conversation.n_samples, timeline.view
    spent: dict[str, list[float]] = {}

    def measure(kind: str, move: Callable[[int], object], act: Callable[[], object]) -> None:
        found = []
        for i in range(n_paints + WARM_UP):
            move(i)
            found.append(timed(act))
        spent[kind] = found[WARM_UP:]

    def show(per_pixel: float, start: float) -> None:
        width = timeline.view.width
        conversation.view = type(close)(max(0.0, start), per_pixel, width, follow=False)

    measure("timeline, following", lambda i: show(400, length - 320_000 + 530 * i), timeline.repaint)
    measure(
        "timeline, scrolled",
        lambda i: show(400, float(rng.uniform(0, length))),
        timeline.repaint,
    )
    measure(
        "timeline, zoomed",
        lambda i: show(float(np.exp(rng.uniform(np.log(16), np.log(1.4e5)))), float(rng.uniform(0, length))),
        timeline.repaint,
    )
    measure("timeline, everything", lambda i: show(length / 700 + i, 0.0), timeline.repaint)
    show(400, length - 320_000)

    def curves() -> None:
        window.listen.curves.refresh()
        window.listen.curves.plot.repaint()

    measure("similarity curves", lambda i: show(400, length - 320_000 + 530 * i), curves)
    measure(
        "speakers",
        lambda i: window.listen.speakers.refresh(),
        window.listen.speakers.list.viewport().repaint,
    )

    def everything() -> None:
        timeline.update()  # it is opaque: what lies behind it is drawn without it
        window.repaint()

    before = timeline.n_pictures
    measure("whole window", lambda i: show(400, length - 320_000 + 530 * i), everything)
    assert timeline.n_pictures >= before + n_paints
    return spent


def event_to_picture(window: object, rng: np.random.Generator) -> list[float]:
    """Milliseconds from `put` on a thread of the engine to the end of the picture that shows the event."""
    from voicelane.gui.window import Window
    from voicelane.gui.work.bridge import Bridge

    assert isinstance(window, Window)
    studio = window.studio
    conversation = studio.conversation
    bridge = Bridge(conversation.sound, studio.health)
    bridge.arrived.connect(conversation.take)
    conversation.live = LabelDesk()
    timeline = window.listen.timeline
    timeline.follow(True)
    waiting: dict[int, float] = {}
    spent: list[float] = []
    seen = timeline.n_pictures

    def look() -> None:
        """Between two turns of the event loop."""
        nonlocal seen
        if timeline.n_pictures == seen:
            return
        seen, now = timeline.n_pictures, time.perf_counter()
        latest = timeline.shown.tentative[-1].sample if timeline.shown.tentative else 0
        for sample in [s for s in waiting if s <= latest]:
            spent.append(1e3 * (now - waiting.pop(sample)))

    def speak() -> None:
        start = conversation.n_samples
        for i in range(1, N_EVENTS + 1):
            at = start + samples(EVENT_S) * i
            bridge.hear(Sound(at - samples(EVENT_S), np.zeros(samples(EVENT_S), np.float32)))
            waiting[at] = time.perf_counter()
            bridge.put(SpeakerTurn(at, "S1", start, at, start, 0.9, False))
            time.sleep(EVENT_S * rng.uniform(0.5, 1.5))

    def done() -> bool:
        look()
        return not thread.is_alive() and not waiting

    bridge.begin()
    thread = threading.Thread(target=speak)
    thread.start()
    run_until(done)
    return spent[WARM_UP:]


def blocked_window(window: object) -> dict[str, float]:
    """Eight seconds of live sound, in the midst of which the window does nothing for two."""
    from voicelane.gui.model.sound import SoundHistory
    from voicelane.gui.window import Window
    from voicelane.gui.work.bridge import Bridge

    assert isinstance(window, Window)
    sound = np.resize(read_mono(DEMO), samples(STREAM_S))
    history, arrived = SoundHistory(), list[Event]()
    bridge = Bridge(history, window.studio.health)
    bridge.arrived.connect(arrived.extend)
    bridge.begin()
    pipeline = Pipeline(timing=True, voices=True)
    pipeline.warm_up()
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder) / "session", "bench", pipeline.space)
        session = LiveSession(ArraySource(sound, realtime=True), pipeline, [bridge, recorder])
        session.start()
        run_until(lambda: pipeline.heard_samples > 2 * SAMPLE_RATE)
        before = pipeline.heard_samples
        time.sleep(BLOCKED_S)  # the window's thread
        during = pipeline.heard_samples - before
        run_until(lambda: session.wait(0) and bridge.told)
        recorded = open_session(f"{folder}/session")
        kept = recorded.heard_samples()
        turns = recorded.turns()
    return {
        "blocked_s": BLOCKED_S,
        "heard_meanwhile_s": round(during / SAMPLE_RATE, 3),
        "lost_samples": session.lost_samples,
        "missing_in_history": len(sound) - history.n_samples,
        "missing_in_recording": len(sound) - kept,
        "final_turns_missing": len(turns) - sum(isinstance(e, SpeakerTurn) and e.final for e in arrived),
    }


def run_until(condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Qt's event loop until something holds."""
    from PySide6.QtWidgets import QApplication

    ends = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > ends:
            raise SystemExit("the window did not answer")
        QApplication.processEvents()
        time.sleep(0.001)


def long_window(hours: float, n_speakers: int, rng: np.random.Generator) -> object:
    """A window with a long conversation."""
    from voicelane.gui.app import application
    from voicelane.gui.model.sound import SoundHistory
    from voicelane.gui.model.state import State, reduce_all
    from voicelane.gui.window import Window
    from voicelane.gui.work.studio import Studio

    application(["voicelane"])
    studio = Studio()
    studio.preferences.now = replace(studio.preferences.now, lab=True)
    studio.dress()
    window = Window(studio)
    window.show()
    sound, demo = SoundHistory(), read_mono(DEMO)
    while sound.n_samples < samples(3600 * hours):
        sound.hear(Sound(sound.n_samples, demo))
    conversation = studio.conversation
    conversation.begin("bench", sound, kept=True)
    conversation.state = reduce_all(State(), history(hours, n_speakers, rng))
    conversation.take([])
    return window


def resize(window: object, size: str) -> None:
    """To WIDTHxHEIGHT pixels, and until everything has found its place."""
    from voicelane.gui.window import Window

    assert isinstance(window, Window)
    width, height = map(int, size.split("x"))
    timeline = window.listen.timeline
    before = timeline.n_pictures
    window.resize(width, height)
    timeline.update()
    run_until(lambda: timeline.n_pictures > before)
    if (window.width(), window.height()) != (width, height):
        raise SystemExit(f"{size}: the window needs {window.width()}x{window.height()} pixels at least")


def measure(args: argparse.Namespace) -> Result:
    """Milliseconds of a picture of each kind and from an event to its picture, at each size, and what a stuck
    window loses."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    rng = np.random.default_rng(args.seed)
    sizes: dict[str, dict[str, Any]] = {size: {} for size in args.sizes}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VOICELANE_HOME"] = folder
        window = long_window(args.hours, args.speakers, rng)
        for size in args.sizes:
            resize(window, size)
            paints = paint_times(window, args.paints, rng)
            sizes[size]["paint_ms"] = {kind: percentiles(times) for kind, times in paints.items()}
        for size in args.sizes:  # what arrives stays, and would be in later pictures
            resize(window, size)
            sizes[size]["event_to_picture_ms"] = percentiles(event_to_picture(window, rng))
        blocked = blocked_window(window)
    content = {"speakers": args.speakers, "hours": args.hours, "sizes": sizes, "blocked": blocked}
    return Result(content, tables(content))


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """A table for each size of the window."""
    about = f"{found['speakers']} speakers, {found['hours']:g} hours, software rendering"
    notes = (_stuck(found["blocked"]), about)
    *first, last = found["sizes"].items()
    return (*(_table(*each) for each in first), _table(*last, *notes))


def _table(size: str, times: dict[str, Any], *notes: str) -> Table:
    rows = times["paint_ms"] | {"event to picture": times["event_to_picture_ms"]}
    cells = [[kind, *(row[k] for k in PERCENTILES)] for kind, row in rows.items()]
    return table([f"ms at {size}", *PERCENTILES], cells, "", *notes)


def _stuck(blocked: dict[str, float]) -> str:
    return (
        f"window stuck for {blocked['blocked_s']:g} s: {blocked['heard_meanwhile_s']:.2f} s heard meanwhile, "
        f"{blocked['lost_samples']} samples lost, {blocked['missing_in_history']} missing in the picture, "
        f"{blocked['missing_in_recording']} in the recording, {blocked['final_turns_missing']} final turns"
    )
