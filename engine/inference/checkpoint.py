"""Weights out of a torch checkpoint: a reader that can build arrays and nothing else.

A checkpoint is a ZIP of raw arrays and a program for a stack machine that puts names to them. That program
is interpreted here for the few instructions that arrays need; whatever else it holds, a call of any other
function above all, is refused. Source: PEP 307 for the instructions, `torch.save` for the layout.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from voicelane.base.errors import ModelError
from voicelane.base.text import quoted

STORAGES: dict[str, np.dtype[Any]] = {
    "torch FloatStorage": np.dtype("<f4"),
    "torch DoubleStorage": np.dtype("<f8"),
    "torch HalfStorage": np.dtype("<f2"),
    "torch LongStorage": np.dtype("<i8"),
}
REBUILD, ORDERED = "torch._utils _rebuild_tensor_v2", "collections OrderedDict"
MOST_BYTES = 1 << 30


class Name(str):
    """A function or a class that the program names: never imported, only compared."""


class Storage(NamedTuple):
    """One raw array of the archive."""

    dtype: np.dtype[Any]
    key: str
    size: int


def read_checkpoint(file: BinaryIO) -> dict[str, np.ndarray]:
    """The arrays of a checkpoint by name, from `state_dict` where it has one.

    Raises `ModelError` for what is no checkpoint, is damaged, or asks for anything but arrays.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            (program,) = [n for n in archive.namelist() if n.endswith("/data.pkl")]
            folder = program.removesuffix("data.pkl")
            content = Reader(archive.read(program), lambda key: archive.read(f"{folder}data/{key}")).run()
    except ModelError:
        raise
    except Exception as problem:  # zipfile, struct and numpy raise a dozen kinds for damage
        raise ModelError(f"the checkpoint is damaged ({quoted(str(problem))}); download it again") from None
    arrays = content.get("state_dict", content) if isinstance(content, dict) else {}
    found = {str(k): v for k, v in arrays.items() if isinstance(v, np.ndarray)}
    if not found:
        raise ModelError("the checkpoint holds no arrays by name; download it again")
    return found


class Reader:
    """The stack machine."""

    def __init__(self, program: bytes, load: Callable[[str], bytes]) -> None:
        """`load` gives the bytes of a raw array by its key."""
        self._program, self._load, self._at = program, load, 0
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memory: dict[int, Any] = {}
        self._storages: dict[str, np.ndarray] = {}

    def run(self) -> Any:
        """What the program leaves on the stack."""
        while (code := self._take(1)) != b".":
            if code not in INSTRUCTIONS:
                raise ModelError(f"the checkpoint asks for more than arrays (instruction {code!r}); refused")
            INSTRUCTIONS[code](self)
        return self._stack.pop()

    def _take(self, n_bytes: int) -> bytes:
        found = self._program[self._at : self._at + n_bytes]
        if len(found) < n_bytes:
            raise ValueError("its program breaks off")
        self._at += n_bytes
        return found

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _line(self) -> str:
        end = self._program.index(b"\n", self._at)
        found = self._program[self._at : end].decode()
        self._at = end + 1
        return found

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def push_number(self, form: str) -> None:
        self.push(self._number(form))

    def push_text(self) -> None:
        self.push(self._take(self._number("<I")).decode())

    def push_name(self) -> None:
        self.push(Name(f"{self._line()} {self._line()}"))

    def push_last(self, n: int) -> None:
        values = self._stack[len(self._stack) - n :] if n else []
        del self._stack[len(self._stack) - n :]
        self.push(tuple(values))

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def to_mark(self) -> list[Any]:
        start = self._marks.pop()
        values = self._stack[start:]
        del self._stack[start:]
        return values

    def remember(self, form: str) -> None:
        self._memory[self._number(form)] = self._stack[-1]

    def recall(self, form: str) -> None:
        self.push(self._memory[self._number(form)])

    def set_item(self) -> None:
        key, value = self._stack[-2:]
        del self._stack[-2:]
        self._put({key: value})

    def set_items(self) -> None:
        values = self.to_mark()
        self._put(dict(zip(values[::2], values[1::2], strict=True)))

    def _put(self, items: dict[Any, Any]) -> None:
        if not isinstance(self._stack[-1], dict):
            raise ValueError("its program fills what is no table")
        self._stack[-1].update(items)

    def extend(self) -> None:
        values = self.to_mark()
        self._stack[-1].extend(values)

    def skip_protocol(self) -> None:
        self._take(1)

    def drop_state(self) -> None:
        """Attributes set on an object: of no use for arrays."""
        self._stack.pop()

    def push_storage(self) -> None:
        """(`storage`, class, key, device, size) → a reference to a raw array."""
        kind, name, key, _, size = self._stack.pop()
        if kind != "storage" or not isinstance(name, Name) or name not in STORAGES:
            raise ModelError(f"the checkpoint asks for more than arrays ({quoted(str(name))}); refused")
        self.push(Storage(STORAGES[name], str(key), int(size)))

    def call(self) -> None:
        """Two functions are known: an empty table, and an array from a storage."""
        given, name = self._stack.pop(), self._stack.pop()
        if not isinstance(name, Name) or name not in (REBUILD, ORDERED):
            raise ModelError(f"the checkpoint asks for more than arrays ({quoted(str(name))}); refused")
        self.push(dict(*given) if name == ORDERED else self._array(*given))

    def _array(
        self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
    ) -> np.ndarray:
        if storage.key not in self._storages:
            content = np.frombuffer(self._load(storage.key), storage.dtype)
            if content.nbytes > MOST_BYTES or len(content) < storage.size:
                raise ValueError(f"array {storage.key} is not of {storage.size} numbers")
            self._storages[storage.key] = content
        flat = self._storages[storage.key][offset:]
        reach = 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if all(shape) else 0
        if reach > len(flat) or min((*shape, *strides), default=0) < 0:
            raise ValueError("an array reaches beyond its numbers")
        steps = [s * storage.dtype.itemsize for s in strides]
        return np.lib.stride_tricks.as_strided(flat, shape, steps, writeable=False).copy()


INSTRUCTIONS: dict[bytes, Callable[[Reader], None]] = {
    b"\x80": Reader.skip_protocol,
    b"(": Reader.mark,
    b")": lambda r: r.push(()),
    b"]": lambda r: r.push([]),
    b"}": lambda r: r.push({}),
    b"t": lambda r: r.push(tuple(r.to_mark())),
    b"\x85": lambda r: r.push_last(1),
    b"\x86": lambda r: r.push_last(2),
    b"\x87": lambda r: r.push_last(3),
    b"N": lambda r: r.push(None),
    b"\x88": lambda r: r.push(True),
    b"\x89": lambda r: r.push(False),
    b"K": lambda r: r.push_number("<B"),
    b"M": lambda r: r.push_number("<H"),
    b"J": lambda r: r.push_number("<i"),
    b"G": lambda r: r.push_number(">d"),
    b"\x8a": lambda r: r.push(int.from_bytes(r._take(r._number("<B")), "little", signed=True)),
    b"X": Reader.push_text,
    b"c": Reader.push_name,
    b"q": lambda r: r.remember("<B"),
    b"r": lambda r: r.remember("<I"),
    b"h": lambda r: r.recall("<B"),
    b"j": lambda r: r.recall("<I"),
    b"s": Reader.set_item,
    b"u": Reader.set_items,
    b"e": Reader.extend,
    b"Q": Reader.push_storage,
    b"R": Reader.call,
    b"b": Reader.drop_state,
}
