"""How long a long session takes to open, and many to be listed."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import Event, Recorder, SpeakerTurn, SpeechEnded, SpeechStarted, open_session
from voicelane.base import Space, samples
from voicelane.bench.options import add_command
from voicelane.bench.results import Result, Table, table
from voicelane.events import SpeakerIdentified, VoiceMeasured
from voicelane.sessions import session_folder

TURN_S, DECISION_S, DIM, SPEAKERS = 5.0, 0.4, 192, 6


def add(commands: Any) -> None:
    """The `sessions` command."""
    text = "opening long sessions and listing many"
    add = add_command(commands, "sessions", measure, text).add_argument
    add("--hours", type=float, nargs="+", default=[1.0, 2.0, 4.0, 8.0], help="of each session")
    add("--listed", type=int, default=1_000, metavar="N", help="sessions in the list")


def measure(args: argparse.Namespace) -> Result:
    """Seconds, and bytes on disk, of sessions that are made for it in a folder of their own."""
    before = os.environ.get("VOICELANE_HOME")
    with tempfile.TemporaryDirectory() as home:
        os.environ["VOICELANE_HOME"] = home
        try:
            rows = [_opened(hours, args.seed) for hours in args.hours]
            list_s = _listed(args.listed, args.seed)
        finally:
            os.environ.pop("VOICELANE_HOME")
            os.environ |= {"VOICELANE_HOME": before} if before is not None else {}
    content = {"sessions": rows, "listed": args.listed, "list_s": list_s}
    note = f"{args.listed:,} sessions are listed in {list_s:.2f} s."
    return Result(content, tables(rows), (note,))


def tables(rows: Sequence[dict[str, float]]) -> tuple[Table, ...]:
    """A row for each session: until it is a `Session`, and from its events to all that the app draws from."""
    header = ["hours", "events", "MB", "open, s", "state, s"]
    keys = ("events", "megabytes", "open_s", "state_s")
    return (table(header, [[f"{row['hours']:g}", *(row[k] for k in keys)] for row in rows]),)


def conversation(hours: float, seed: int) -> Iterator[Event]:
    """What the engine says of people who take turns for so long."""
    rng = np.random.default_rng(seed)
    for number in range(int(3600 * hours / TURN_S)):
        speaker, start = f"S{1 + number % SPEAKERS}", samples(number * TURN_S)
        yield SpeechStarted(start, start)
        for step in range(1, int(TURN_S / DECISION_S)):
            at = start + samples(step * DECISION_S)
            vector, raw = rng.standard_normal((2, DIM)) / DIM**0.5
            alike = {f"S{i + 1}": 0.5 for i in range(SPEAKERS)}
            yield VoiceMeasured(at, start, at, alike, tuple(vector.tolist()), tuple(raw.tolist()))
            yield SpeakerTurn(at, speaker, start, at, start, 0.9, False)
        end = start + samples(TURN_S) - 1
        yield SpeechEnded(end, start, end)
        yield SpeakerTurn(end, speaker, start, end, end, 0.9, True)
        if number < SPEAKERS:
            yield SpeakerIdentified(end, speaker, f"Person {number + 1}", 0.8)


def _record(name: str, hours: float, seed: int) -> Path:
    folder = session_folder(name)
    recorder = Recorder(folder, "bench", Space("0" * 64, "off", "bench"))
    for event in conversation(hours, seed):
        recorder.put(event)
    recorder.close()
    return folder


def _opened(hours: float, seed: int) -> dict[str, float]:
    from voicelane.gui.model.state import State, reduce_all
    from voicelane.gui.model.voices import VoiceTable

    folder = _record(f"hours-{hours:g}", hours, seed)
    began_s = time.perf_counter()
    session = open_session(str(folder))
    opened_s = time.perf_counter()
    VoiceTable().update(reduce_all(State(), session.events))
    state_s = time.perf_counter() - opened_s
    size = sum((folder / name).stat().st_size for name in ("events.jsonl", "voices.bin"))
    shutil.rmtree(folder)
    return {
        "hours": hours,
        "events": len(session.events),
        "megabytes": size / 1e6,
        "open_s": opened_s - began_s,
        "state_s": state_s,
    }


def _listed(n_sessions: int, seed: int) -> float:
    """Copies of a session of a minute, listed as the app does it the first time."""
    from voicelane.gui.model.session_list import summaries

    first = _record("number-0", 1 / 60, seed)
    for number in range(1, n_sessions):
        shutil.copytree(first, session_folder(f"number-{number}"))
    began_s = time.perf_counter()
    assert len(summaries()) == n_sessions
    return time.perf_counter() - began_s
