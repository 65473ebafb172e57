"""Which library reads a file: libsndfile what it knows to the end, libav all the rest."""

from __future__ import annotations

import mmap
import os
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from voicelane.audio.decoding import Decoder, Pipe, RawFormat, standard_input
from voicelane.audio.level import SCALED, full_scale
from voicelane.audio.resampler import check_rate
from voicelane.audio.wav_header import UnfinishedWav, WavHeader, read_wav_header
from voicelane.base.errors import AudioError

BLOCK_S = 0.02
UNKNOWN_FRAMES = 1 << 48  # what a streamed FLAC says of its length is more
PROBES, PROBE = 100, 1_000
OGG_BEGINS, FLAC_BEGINS = b"OggS\0\2", (b"fLaC\0\0\0\x22", b"fLaC\x80\0\0\x22")


class Reader(Protocol):
    """An open file; blocks are float32 (n, channels) at `rate` in Hz."""

    rate: int
    channels: int
    duration_s: float | None
    remarks: deque[str]
    rewinds: bool
    """Whether it can be opened and read once more."""

    def blocks(self) -> Iterator[np.ndarray]:
        """The sound from its beginning."""

    def end(self) -> None:
        """`blocks` ends soon; from any thread."""

    def close(self) -> None:
        """Release the file."""


class PlainFile:
    """A file that libsndfile reads."""

    rewinds = True

    def __init__(self, path: Path, header: WavHeader | None) -> None:
        """Raises `RuntimeError`, `OSError` or `TypeError` as libsndfile does."""
        import soundfile

        patched = UnfinishedWav(path, header.size_at) if header and header.unfinished else None
        self._name, self._file = str(path), soundfile.SoundFile(patched or _openable(path))
        self.rate, self.channels = self._file.samplerate, self._file.channels
        known = self._file.frames < UNKNOWN_FRAMES
        self.duration_s: float | None = self._file.frames / self.rate if known else None
        self.remarks: deque[str] = deque()
        self._scale = self._full_scale()
        if self._scale != 1.0:
            self.remarks.append(SCALED.format(int(self._scale)))

    @property
    def empty(self) -> bool:
        return bool(self._file.frames == 0)

    def blocks(self) -> Iterator[np.ndarray]:
        length = max(1, int(self.rate * BLOCK_S))
        try:
            while len(block := self._file.read(length, dtype="float32", always_2d=True)):
                yield block if self._scale == 1.0 else block / np.float32(self._scale)
        except RuntimeError as problem:  # soundfile.LibsndfileError
            if self.duration_s is None:
                return  # without a length, the end of the file looks like this
            raise AudioError(
                f"{self._name}: the file is damaged ({problem}); what came before the damage was analysed"
            ) from None

    def _full_scale(self) -> float:
        """Of float samples, by places all over the file."""
        if self._file.subtype not in ("FLOAT", "DOUBLE") or not self._file.seekable():
            return 1.0
        probes = []
        try:
            for at in np.linspace(0, max(0, self._file.frames - PROBE), PROBES).astype(int):
                self._file.seek(int(at))
                probes.append(self._file.read(PROBE, dtype="float32").ravel())
            self._file.seek(0)
        except RuntimeError:  # it is told when the file is heard
            return 1.0
        return full_scale(np.concatenate(probes))

    def end(self) -> None:
        """A file gives its next block at once."""

    def close(self) -> None:
        self._file.close()


def open_sound(path: Path | str, name: str, track: int | None, raw: RawFormat | None) -> Reader:
    """An open file, named pipe or `-`; raises `AudioError` where there is no sound in it."""
    if str(path) == "-":
        return Decoder(name, standard_input(), track, raw)
    path = Path(path)
    if path.is_fifo():
        return Decoder(name, Pipe(os.open(path, os.O_RDONLY)), track, raw)
    _check(path)
    header = None if raw else read_wav_header(path)
    found: Reader | None = None if raw or track else _plain(path, header)
    found = found or Decoder(name, path.open("rb"), track, raw)
    found.remarks.extend(header.remarks() if header else [])
    return found


def _check(path: Path) -> None:
    if not path.is_file():
        what = (
            "there is no such file" if not path.exists() else "is a folder" if path.is_dir() else "is no file"
        )
        raise AudioError(f"{path}: {what}")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty (0 bytes)")


def _plain(path: Path, header: WavHeader | None) -> PlainFile | None:
    """The file as libsndfile reads it; None where that cannot, or hears a part alone."""
    if _for_libav(path):
        return None
    try:
        found = PlainFile(path, header)
    except (RuntimeError, OSError, TypeError):
        if header:
            check_rate(header.rate, str(path))
        return None
    try:
        check_rate(found.rate, str(path))
        if found.empty:
            raise AudioError(f"{path}: the file holds no sound (0 samples)")
    except AudioError:
        found.close()
        raise
    return found


def _for_libav(path: Path) -> bool:
    """MPEG audio, on which libsndfile chatters, and files that were joined, of which it hears the first."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        start = content[:4]
        if start[:3] == b"ID3" or (start[:1] == b"\xff" and content[1:2] >= b"\xe0"):
            return True
        if start == b"OggS":
            return _is_chained(content)
        return start == b"fLaC" and any(content.rfind(mark) > 0 for mark in FLAC_BEGINS)


def _is_chained(content: Any) -> bool:
    """Whether streams of an Ogg file begin behind its first ones."""
    at = 0
    while content[at : at + 6] == OGG_BEGINS:
        at = content.find(b"OggS", at + 6)
    return at > 0 and content.find(OGG_BEGINS, at) > 0


def _openable(path: Path) -> str | bytes:
    """The path as soundfile takes it: as bytes where the name is no text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return str(path)
