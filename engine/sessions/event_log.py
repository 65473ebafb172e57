"""The events of a session on disk: a line of JSON each, and the numbers of the voices in a file beside them.

A `VoiceMeasured` line says where in `voices.bin` its vectors begin, in numbers of 16 bits (−1 … 1 as −32767 …
32767); they are written before the line. Sessions of format 1 have the vectors in the lines.
"""

from __future__ import annotations

import gc
import json
import math
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from operator import methodcaller
from pathlib import Path
from typing import Any, overload

import msgspec
import numpy as np

from voicelane.base.errors import StoreError, VoicelaneError
from voicelane.base.files import private_file
from voicelane.events import (
    LARGEST,
    Count,
    Event,
    Number,
    VoiceMeasured,
    event_from_dict,
    event_kinds,
    events_problem,
)

EVENTS, VOICES = "events.jsonl", "voices.bin"
NUMBER = np.dtype("<i2")
FULL_SCALE = 32_767
SOME = 8
"""Numbers of a vector that are looked at first: hardly one begins with so many that are 0."""
HEAD = b'{"event": "'
"""How each line begins that this program writes; the kind of the event follows."""


class EventWriter:
    """Appends events to the two files of a session."""

    def __init__(self, folder: Path) -> None:
        self._lines = private_file(folder / EVENTS, new=True, append=True)
        self._voices = private_file(folder / VOICES, new=True, append=True)
        self._n_numbers = 0

    def put(self, event: Event) -> None:
        """One event, with the system on return."""
        if isinstance(event, VoiceMeasured):
            content = replace(event, vector=(), raw=None).as_dict() | self._vectors(event)
        else:
            content = event.as_dict()
        line = json.dumps(_finite(content), ensure_ascii=False, allow_nan=False)
        self._lines.write(line.encode(errors="replace") + b"\n")
        self._lines.flush()

    def sync(self) -> None:
        """Down to the disk: first the vectors, then the lines that tell of them."""
        os.fsync(self._voices.fileno())
        os.fsync(self._lines.fileno())

    def close(self) -> None:
        self._voices.close()
        self._lines.close()

    def _vectors(self, event: VoiceMeasured) -> dict[str, Any]:
        """Keeps the vectors; says where, and what else the line holds in another form."""
        vectors = [v for v in (event.vector, event.raw) if v is not None]
        numbers = np.rint(np.clip(np.concatenate(vectors), -1.0, 1.0) * FULL_SCALE).astype(NUMBER)
        at, self._n_numbers = self._n_numbers, self._n_numbers + len(numbers)
        self._voices.write(numbers.tobytes())
        self._voices.flush()
        return {
            "similarity": {who: round(cosine, 4) for who, cosine in event.similarity.items()},
            "vector": at,
            "raw": None if event.raw is None else at + len(event.vector),
            "dim": len(event.vector),
        }


class Vector(Sequence[float]):
    """A voice's numbers as they lie on disk; they become Python's own only where one is asked for."""

    __slots__ = ("_at", "_n", "_numbers")

    def __init__(self, numbers: np.ndarray, at: int, n: int) -> None:
        """`n` of the numbers from place `at` on."""
        self._numbers, self._at, self._n = numbers, at, n

    @property
    def _row(self) -> np.ndarray:
        return self._numbers[self._at : self._at + self._n]

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[float]: ...
    def __getitem__(self, index: int | slice) -> float | Sequence[float]:
        if isinstance(index, slice):
            return Vector(part := self._row[index], 0, len(part))
        return float(self._row[index] / FULL_SCALE)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return (self._row / np.float32(FULL_SCALE)).astype(dtype or np.float32, copy=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


class _VoiceLine(msgspec.Struct):
    """A `VoiceMeasured` as its line tells it: numbers, or where they begin."""

    sample: Count
    start: Count
    end: Count
    similarity: dict[str, Number]
    vector: tuple[Number, ...] | Count
    raw: tuple[Number, ...] | Count | None = None
    dim: Count = 0

    def event(self, numbers: np.ndarray) -> VoiceMeasured:
        """With its vectors, which must be there."""
        return VoiceMeasured(
            self.sample,
            self.start,
            self.end,
            self.similarity,
            Vector(numbers, self.vector, self.dim) if isinstance(self.vector, int) else self.vector,
            Vector(numbers, self.raw, self.dim) if isinstance(self.raw, int) else self.raw,
        )


def _all_there(voices: Sequence[_VoiceLine], numbers: np.ndarray) -> bool:
    """Whether the file holds every vector that lines tell of; what was lost in a crash is missing or 0."""
    vectors, raws = ([v for v in voices if isinstance(getattr(v, n), int)] for n in ("vector", "raw"))
    if not vectors and not raws:
        return True
    places = np.array([v.vector for v in vectors] + [v.raw for v in raws])
    dims = np.array([v.dim for v in vectors] + [v.dim for v in raws])
    if dims.min() < 1 or (places + dims).max() > len(numbers):
        return False
    first = numbers[places[:, None] + np.arange(min(SOME, int(dims.min())))].any(axis=1)
    return all(numbers[at : at + dim].any() for at, dim in zip(places[~first], dims[~first], strict=True))


_DECODERS: dict[bytes, msgspec.json.Decoder[Any]] = {
    name.encode(): msgspec.json.Decoder(_VoiceLine if kind is VoiceMeasured else kind)
    for name, kind in event_kinds().items()
}


def read_events(folder: Path, finished: bool) -> tuple[Event, ...]:
    """The events of a session; a crash may have torn lines or lost vectors, which are passed over.

    Raises `StoreError`, with the number of the line, where a `finished` session is damaged.
    """
    path, voices = folder / EVENTS, folder / VOICES
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    content = voices.read_bytes() if voices.exists() else b""
    numbers = np.frombuffer(content, NUMBER, len(content) // NUMBER.itemsize)
    if lines and not lines[-1]:
        del lines[-1]
    try:
        with _no_collection():
            return tuple(_all_at_once(lines, numbers))
    except (msgspec.MsgspecError, ValueError, KeyError, RecursionError, VoicelaneError):
        return tuple(_one_by_one(path, lines, numbers, finished))


def _all_at_once(lines: list[bytes], numbers: np.ndarray) -> list[Event]:
    """Every line, those of one kind together; raises something where one is damaged."""
    places: dict[bytes, list[int]] = defaultdict(list)
    if not all(map(methodcaller("startswith", HEAD), lines)):
        raise ValueError("a line begins as no event does")
    for number, kind in enumerate([line[len(HEAD) : line.index(b'"', len(HEAD))] for line in lines]):
        places[kind].append(number)
    events: list[Any] = [None] * len(lines)
    for name, at in places.items():
        decoded = _DECODERS[name].decode_lines(b"\n".join([lines[i] for i in at]))
        for number, event in zip(at, _checked(decoded, numbers), strict=True):
            events[number] = event
    return events


def _one_by_one(path: Path, lines: list[bytes], numbers: np.ndarray, finished: bool) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        try:
            yield _event(line, numbers)
        except (msgspec.MsgspecError, ValueError, RecursionError, VoicelaneError) as problem:
            if finished:
                raise StoreError(f"{path}, line {number}: is damaged ({problem})") from None


def _event(line: bytes, numbers: np.ndarray) -> Event:
    content = json.loads(line)
    if not isinstance(content, dict):
        raise VoicelaneError("not an event")
    if content.get("event") == VoiceMeasured.__name__:
        return _checked([msgspec.convert(content, _VoiceLine)], numbers)[0]
    return event_from_dict(content)


def _checked(found: Sequence[Any], numbers: np.ndarray) -> Sequence[Event]:
    """Decoded lines of one kind as events; raises `VoicelaneError` where one cannot be."""
    if found and isinstance(found[0], _VoiceLine):
        if not _all_there(found, numbers):
            raise VoicelaneError(f"its voice is not in {VOICES}")
        found = [line.event(numbers) for line in found]
    if problem := events_problem(found):
        raise VoicelaneError(f"not a whole event ({problem})")
    return found


@contextmanager
def _no_collection() -> Iterator[None]:
    """What is read holds no circles; to look for some while it grows takes a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def append_events(folder: Path, events: Sequence[Event]) -> None:
    """Corrections behind the events that are there, on lines of their own even after a torn one."""
    path = folder / EVENTS
    lines = "".join(json.dumps(e.as_dict(), ensure_ascii=False) + "\n" for e in events).encode()
    torn = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
    with path.open("ab") as file:
        file.write(b"\n" + lines if torn else lines)
        file.flush()
        os.fsync(file.fileno())


def _finite(content: Any) -> Any:
    """The content with what JSON cannot say: beyond all numbers is the largest, no number is 0."""
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, tuple | list):
        return [_finite(value) for value in content]
    if isinstance(content, float) and not -LARGEST <= content <= LARGEST:
        return 0.0 if math.isnan(content) else math.copysign(float(LARGEST), content)
    return content
