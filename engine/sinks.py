"""Where events go: JSON lines, RTTM, a queue for programs."""

from __future__ import annotations

import json
import math
import queue
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import VoicelaneError
from engine.events import Event, SpeakerTurn, StageTiming, TurnRevised
from engine.names import quoted
from engine.relabelling import Relabelling
from engine.scoring import Turn
from engine.timebase import seconds


def rttm_line(turn: SpeakerTurn, uri: str, name: str | None = None) -> str:
    """One RTTM record (NIST RT-09): times in seconds, fields parted by spaces; `name` replaces the label."""
    start, duration = seconds(turn.start), seconds(turn.end - turn.start)
    name = re.sub(r"\s+", "_", name or turn.speaker)
    return f"SPEAKER {uri} 1 {start:.3f} {duration:.3f} <NA> <NA> {name} <NA> <NA>"


def final_turns(events: Iterable[Event], revised: bool = True) -> list[SpeakerTurn]:
    """The turns as they are at the end, in order of time; without `revised` as the stream confirmed them."""
    events = list(events)
    turns = [e for e in events if isinstance(e, SpeakerTurn) and e.final]
    moves = Relabelling().after_all(e for e in events if revised and isinstance(e, TurnRevised))
    return moves.turns(turns)


class JsonLinesSink:
    """Every event as one JSON object a line, written at once; stage timings are left out.

    A turn whose speaker has a name has it as `name`.
    """

    def __init__(self, path: Path) -> None:
        self._file, self._labels = _TextFile(path), Relabelling()

    def put(self, event: Event) -> None:
        if isinstance(event, StageTiming):
            return
        self._labels = self._labels.after(event)
        content = event.as_dict()
        if isinstance(event, SpeakerTurn) and (name := self._labels.shown(event.speaker)) != event.speaker:
            content["name"] = name
        self._file.write(json.dumps(content, ensure_ascii=False))

    def close(self) -> None:
        self._file.close()


class RttmSink:
    """Final turns as RTTM, written at once, with the names known by then.

    At the end the file is written anew where a turn was revised or a name came later.
    """

    def __init__(self, path: Path, uri: str) -> None:
        self._path, self._uri = path, re.sub(r"\s+", "_", uri) or "stream"
        self._file, self._labels = _TextFile(path), Relabelling()
        self._turns: list[SpeakerTurn] = []
        self._written: list[str] = []

    def put(self, event: Event) -> None:
        self._labels = self._labels.after(event)
        if isinstance(event, SpeakerTurn) and event.final:
            self._turns.append(event)
            self._written.append(self._line(event))
            self._file.write(self._written[-1])

    def close(self) -> None:
        self._file.close()
        lines = [self._line(turn) for turn in self._labels.turns(self._turns)]
        if sorted(lines) != sorted(self._written):
            unfinished = _TextFile(self._path.with_name(f"{self._path.name}.new"))
            for line in lines:
                unfinished.write(line)
            unfinished.close()
            self._path.with_name(f"{self._path.name}.new").replace(self._path)

    def _line(self, turn: SpeakerTurn) -> str:
        return rttm_line(turn, self._uri, self._labels.shown(turn.speaker))


class QueueSink:
    """Events into a `queue.Queue`, for a program that takes them at its own pace; None at the end."""

    def __init__(self) -> None:
        self.queue: queue.Queue[Event | None] = queue.Queue()

    def put(self, event: Event) -> None:
        self.queue.put(event)

    def close(self) -> None:
        self.queue.put(None)


class _TextFile:
    """Lines written at once; what goes wrong names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._named_errors():
            self._file = path.open("w", encoding="utf-8", errors="surrogateescape")

    def write(self, line: str) -> None:
        with self._named_errors():
            self._file.write(line + "\n")
            self._file.flush()

    def close(self) -> None:
        with self._named_errors():
            self._file.close()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise VoicelaneError(f"{self._path}: cannot be written ({problem.strerror})") from None


def read_rttm(path: Path) -> list[Turn]:
    """Turns of an RTTM file, in seconds; lines of other types than SPEAKER are passed over."""
    turns = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as problem:
        raise VoicelaneError(f"{path}: not an RTTM file ({problem})") from None
    for number, line in enumerate(lines, 1):
        parts = line.split()
        if not parts or parts[0] != "SPEAKER":
            continue
        try:
            start, duration = float(parts[3]), float(parts[4])
            turns.append(Turn(parts[7], start, start + duration))
            if not (start >= 0.0 and duration >= 0.0 and math.isfinite(start + duration)):
                raise ValueError
        except (IndexError, ValueError):
            raise VoicelaneError(f"{path}, line {number}: not an RTTM record: {quoted(line)}") from None
    return turns
