"""What the header of a WAV file says, where the file is not as it says."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path

LONGEST_BYTES = 1 << 20
ALL_THERE_IS = b"\xff\xff\xff\xff"
UNKNOWN_BYTES = 0x7FFF_0000
"""A length from here on is what programs write that do not know it."""


@dataclass(frozen=True)
class WavHeader:
    """Of a RIFF file."""

    rate: int
    """In Hz, as it says."""
    bytes_per_s: int
    """Of sound, as it says."""
    size_at: int
    """Where the length of the sound stands in it, in bytes from the beginning."""
    size: int
    """That length, in bytes."""
    there: int
    """Bytes that follow."""
    joined: bool
    """Whether another RIFF file follows the sound."""

    @property
    def unfinished(self) -> bool:
        """Whether it says 0 though sound follows: the program that wrote it was streaming, or was killed."""
        return self.size == 0 and self.there > 0

    def remarks(self) -> list[str]:
        """What of it is not heard, in sentences."""
        if self.there < self.size < UNKNOWN_BYTES and self.bytes_per_s:
            heard_s, claimed_s = self.there / self.bytes_per_s, self.size / self.bytes_per_s
            return [
                f"the file is cut off: of the {claimed_s:.1f} s that its header tells of, {heard_s:.1f} s "
                "are there and are heard"
            ]
        if self.joined and self.bytes_per_s:
            return [
                f"another sound file is joined to it after {self.size / self.bytes_per_s:.1f} s; it is not "
                "heard: part them, or join them with `ffmpeg` or `sox`"
            ]
        return []


def read_wav_header(path: Path) -> WavHeader | None:
    """The header, or None where this is no WAV file."""
    with path.open("rb") as file:
        start = file.read(LONGEST_BYTES)
        if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
            return None
        at, rate, bytes_per_s = 12, 0, 0
        while at + 8 <= len(start):
            kind, (size,) = start[at : at + 4], struct.unpack_from("<I", start, at + 4)
            if kind == b"data":
                file.seek(at + 8 + size + size % 2)
                joined = size > 0 and file.read(4) == b"RIFF"
                return WavHeader(rate, bytes_per_s, at + 4, size, path.stat().st_size - at - 8, joined)
            if kind == b"fmt " and at + 20 <= len(start):
                rate, bytes_per_s = struct.unpack_from("<II", start, at + 12)
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
