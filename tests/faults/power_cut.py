"""What a disk can hold after a power cut, from the record of all that a process did to its files.

What was synced is there. Of the rest each write is there, is not there, or is torn at a sector of 512 bytes;
changes of the folder (new files, removed ones) are there up to any of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SECTOR = 512


@dataclass(frozen=True)
class Step:
    """One thing a process did: `write`, `cut`, `sync` or `unlink`."""

    what: str
    number: int
    """Of the file, whatever it is called."""
    offset: int
    path: Path
    data: bytes = b""


def read_record(path: Path) -> list[Step]:
    content, at, found = path.read_bytes(), 0, []
    while at < len(content):
        end = content.index(b"\n", at)
        what, number, offset, length, name = content[at:end].decode().split(" ", 4)
        at = end + 1 + int(length)
        found.append(Step(what, int(number), int(offset), Path(name), content[end + 1 : at]))
    return found


@dataclass
class Disk:
    """Contents by number and names by path: as they are for certain, and what is on its way."""

    contents: dict[int, bytes] = field(default_factory=dict)
    names: dict[Path, int] = field(default_factory=dict)
    waiting: list[Step] = field(default_factory=list)
    renamings: list[tuple[Path, int | None]] = field(default_factory=list)

    def take(self, step: Step) -> None:
        if step.what == "unlink":
            self.renamings.append((step.path, None))
        elif step.what == "sync" and step.path.is_dir():
            for path, number in self.renamings:
                self._name(self.names, path, number)
            self.renamings.clear()
        elif step.what == "sync":
            for waiting in [s for s in self.waiting if s.number == step.number]:
                self.contents[step.number] = applied(self.contents.get(step.number, b""), waiting)
                self.waiting.remove(waiting)
        else:
            if self._latest(step.path) != step.number:
                self.renamings.append((step.path, step.number))
                self.contents.pop(step.number, None)
                self.waiting = [s for s in self.waiting if s.number != step.number]
            self.waiting.append(step)

    def _latest(self, path: Path) -> int | None:
        for changed, number in reversed(self.renamings):
            if changed == path:
                return number
        return self.names.get(path)

    @staticmethod
    def _name(names: dict[Path, int], path: Path, number: int | None) -> None:
        names.pop(path, None)
        if number is not None:
            names[path] = number

    def after_a_cut(self, rng: np.random.Generator) -> dict[str, bytes]:
        """Files by name as the next start may find them."""
        names, contents = dict(self.names), dict(self.contents)
        for path, number in self.renamings[: int(rng.integers(len(self.renamings) + 1))]:
            self._name(names, path, number)
        for step in self.waiting:
            fate = rng.integers(3)
            if fate and step.data:
                torn = len(step.data) if fate == 1 else sectors(step.data, rng)
                step = Step("write", step.number, step.offset, step.path, step.data[:torn])
            if fate:
                contents[step.number] = applied(contents.get(step.number, b""), step)
        return {path.name: contents.get(number, b"") for path, number in names.items()}


def sectors(data: bytes, rng: np.random.Generator) -> int:
    """Bytes up to some sector."""
    return SECTOR * int(rng.integers(len(data) // SECTOR + 1))


def applied(content: bytes, step: Step) -> bytes:
    """The content after a write or a cut."""
    if step.what == "cut":
        return content[: step.offset].ljust(step.offset, b"\0")
    before = content[: step.offset].ljust(step.offset, b"\0")
    return before + step.data + content[step.offset + len(step.data) :]
