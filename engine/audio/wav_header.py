"""What the header of a WAV file says, for files that libsndfile does not take as they are."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path

LONGEST_BYTES = 1 << 20
ALL_THERE_IS = b"\xff\xff\xff\xff"


@dataclass(frozen=True)
class WavHeader:
    """Of a RIFF file."""

    rate: int
    """In Hz, as it says."""
    size_at: int
    """Where the length of the sound stands in it, in bytes from the beginning."""
    unfinished: bool
    """Whether it says 0 though sound follows: the program that wrote it was streaming, or was killed."""


def read_wav_header(path: Path) -> WavHeader | None:
    """The header, or None where this is no WAV file."""
    with path.open("rb") as file:
        start = file.read(LONGEST_BYTES)
    if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
        return None
    at, rate = 12, 0
    while at + 8 <= len(start):
        kind, (size,) = start[at : at + 4], struct.unpack_from("<I", start, at + 4)
        if kind == b"data":
            return WavHeader(rate, at + 4, size == 0 and path.stat().st_size > at + 8)
        if kind == b"fmt " and at + 16 <= len(start):
            (rate,) = struct.unpack_from("<I", start, at + 12)
        at += 8 + size + size % 2
    return None


class UnfinishedWav(io.FileIO):
    """A file that reads as if its header said: as much sound as there is."""

    def __init__(self, path: Path, size_at: int) -> None:
        super().__init__(path)
        self._size_at = size_at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        at, n = self.tell(), super().readinto(buffer)
        view = memoryview(buffer).cast("B")
        for i, byte in enumerate(ALL_THERE_IS, self._size_at - at):
            if 0 <= i < n:
                view[i] = byte
        return n
