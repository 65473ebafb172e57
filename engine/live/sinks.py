"""Where events go: JSON lines, RTTM, a queue for programs."""

from __future__ import annotations

import json
import math
import queue
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

from voicelane.base.errors import VoicelaneError
from voicelane.base.files import is_replaceable, read_text, write_through
from voicelane.base.text import quoted
from voicelane.base.timebase import seconds
from voicelane.events import Event, SpeakerTurn, StageTiming, TurnRevised
from voicelane.labels.corrections import Relabelling
from voicelane.labels.scoring import Turn

STANDARD_OUTPUT = "-"


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
    """Final turns as RTTM with the names known by then.

    A regular file has each at once; at the end it is replaced, through symbolic links, where a turn was
    revised or a name came later. Standard output (`-`), a pipe or a device gets all of them at the end.
    """

    def __init__(self, path: Path, uri: str) -> None:
        self._path, self._uri = path, re.sub(r"\s+", "_", uri) or "stream"
        self._at_once = str(path) != STANDARD_OUTPUT and is_replaceable(path)
        early = self._at_once or str(path) == STANDARD_OUTPUT  # whoever opens a pipe waits for its reader
        self._file = _TextFile(path) if early else None
        self._labels = Relabelling()
        self._turns: list[SpeakerTurn] = []
        self._written: list[str] = []

    def put(self, event: Event) -> None:
        self._labels = self._labels.after(event)
        if isinstance(event, SpeakerTurn) and event.final:
            self._turns.append(event)
            if self._file and self._at_once:
                self._written.append(self._line(event))
                self._file.write(self._written[-1])

    def close(self) -> None:
        lines = [self._line(turn) for turn in self._labels.whole(self._turns)]
        file = self._file or _TextFile(self._path)
        if not self._at_once:
            file.write_all(lines)
        file.close()
        if self._at_once and sorted(lines) != sorted(self._written):
            with named_errors(self._path):
                write_through(self._path, "".join(f"{x}\n" for x in lines).encode("utf-8", "surrogateescape"))

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
    """Lines written at once, through symbolic links, to a file, a pipe, a device or standard output (`-`)."""

    def __init__(self, path: Path) -> None:
        self._path, self._shared = path, str(path) == STANDARD_OUTPUT
        if self._shared:
            self._file: TextIO = sys.stdout
            return
        mode = "w" if is_replaceable(path) else "a"
        with named_errors(path):
            self._file = cast(TextIO, path.open(mode, encoding="utf-8", errors="surrogateescape"))

    def write(self, line: str) -> None:
        self.write_all([line])

    def write_all(self, lines: Iterable[str]) -> None:
        with named_errors(self._path):
            self._file.write("".join(f"{line}\n" for line in lines))
            self._file.flush()

    def close(self) -> None:
        with named_errors(self._path):
            if not self._shared:
                self._file.close()


@contextmanager
def named_errors(path: Path) -> Iterator[None]:
    """Raise `VoicelaneError` with the name of the file where the system refuses to write it."""
    try:
        yield
    except OSError as problem:
        raise VoicelaneError(f"{path}: cannot be written ({problem.strerror})") from None


def read_rttm(path: Path) -> list[Turn]:
    """Turns of an RTTM file, in seconds; lines of other types than SPEAKER are passed over."""
    turns = []
    try:
        lines = read_text(path).splitlines()
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
