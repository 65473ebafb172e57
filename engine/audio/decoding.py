"""Sound out of any container that libav knows, decoded as a stream in constant memory."""

from __future__ import annotations

import os
import select
import stat
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from voicelane.audio.resampler import check_rate
from voicelane.base.errors import AudioError, ConfigError

POLL_S = 0.1
CLOSED = -1
SPOOL_BYTES = 1 << 16
MOST_DAMAGED = 10_000
MICROSECONDS = 1e6
DELAY_S = 0.3
"""By so much the packets of a file may be longer than its sound."""
GUESSED = {"aac", "ac3", "amr", "eac3", "loas"}
"""Containers whose length libav guesses."""
JOINED = {"flac", "mp3", "ogg"}
"""Those that may be several files one after the other, and tell the length of the first."""
SAFELY = {"protocol_whitelist": "none"}
"""A playlist must not open other files, or the network."""
PACKETS_LOST = "{} pieces of it are damaged and were left out"
RAW_FORMATS = ("u8", "s8", "s16le", "s16be", "s24le", "s32le", "f32le", "f64le", "mulaw", "alaw")


class Pipe:
    """A stream of bytes that cannot be rewound; another thread may end the reading of it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._ended, self._waiting = descriptor, False, b""

    def put_back(self, start: bytes) -> None:
        """What was read comes again."""
        self._waiting = start + self._waiting

    def read(self, most: int) -> bytes:
        """Up to `most` bytes as soon as there are any; none at the end."""
        if self._waiting:
            given, self._waiting = self._waiting[:most], self._waiting[most:]
            return given
        while not self._ended:
            if os.name == "nt" or select.select([self._descriptor], [], [], POLL_S)[0]:
                return os.read(self._descriptor, most)
        return b""

    def end(self) -> None:
        """`read` gives nothing any more, from a tenth of a second on."""
        self._ended = True

    def close(self) -> None:
        """Once; the number may be another file's afterwards."""
        self.end()
        descriptor, self._descriptor = self._descriptor, CLOSED
        if descriptor != CLOSED:
            os.close(descriptor)


def standard_input() -> Pipe | BinaryIO:
    """What is piped or redirected into the program; raises `AudioError` where that is a terminal."""
    try:
        if os.isatty(0):
            raise AudioError("standard input is a terminal; pipe sound into it, or name a file")
        own = os.dup(0)
    except OSError:
        raise AudioError("standard input is closed; pipe sound into it, or name a file") from None
    return os.fdopen(own, "rb") if stat.S_ISREG(os.fstat(own).st_mode) else Pipe(own)


def rewindable(pipe: Pipe) -> Pipe | BinaryIO:
    """The pipe, or all of it in a temporary file where its container must be read from the end (MP4)."""
    start = pipe.read(SPOOL_BYTES)
    pipe.put_back(start)
    if start[4:8] != b"ftyp":
        return pipe
    whole: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115
    while part := pipe.read(SPOOL_BYTES):
        whole.write(part)
    pipe.close()
    whole.seek(0)
    return whole


@dataclass(frozen=True)
class RawFormat:
    """Samples without a header."""

    codec: str
    """One of `RAW_FORMATS`, in libav's words."""
    rate: int
    """In Hz."""
    channels: int

    @staticmethod
    def parse(text: str) -> RawFormat:
        """`CODEC:RATE:CHANNELS`, as in s16le:16000:1; raises `ConfigError`."""
        codec, *numbers = text.split(":")
        if codec not in RAW_FORMATS or len(numbers) != 2 or not all(n.isdecimal() for n in numbers):
            raise ConfigError(
                f"--raw {text}: expected CODEC:RATE:CHANNELS, as in s16le:16000:1, with one of "
                f"{', '.join(RAW_FORMATS)}"
            )
        found = RawFormat(codec, *map(int, numbers))
        check_rate(found.rate, f"--raw {text}")
        if not 1 <= found.channels <= 64:
            raise ConfigError(f"--raw {text}: expected 1 … 64 channels")
        return found

    def options(self) -> dict[str, str]:
        """As libav's demuxer takes them."""
        return {"sample_rate": str(self.rate), "ch_layout": f"{self.channels}C"}


class Decoder:
    """One audio track of a file or a pipe, as blocks float32 (n, channels) at `rate`.

    Damaged pieces are left out and told in `remarks`, as a player does it.
    """

    def __init__(
        self, name: str, file: Pipe | BinaryIO, track: int | None = None, raw: RawFormat | None = None
    ) -> None:
        """`track` counts the audio tracks from 1; None is the one that players take.

        Raises `AudioError` for what holds no sound that libav can decode; the file is closed then.
        """
        self.remarks: deque[str] = deque()
        self._name, self._file, self._damaged = name, file, 0
        self.rewinds = not isinstance(file, Pipe) and name != "standard input"
        self._converter: Any = None
        try:
            if isinstance(file, Pipe) and raw is None:
                self._file = file = rewindable(file)
            self._container = _opened(name, file, raw)
            self._stream = _chosen(name, self._container, track)
            if track is None and len(_tracks(self._container)) > 1:
                self.remarks.append(
                    f"{_listed(self._container)}: track {_number(self._container, self._stream)} is "
                    "heard, choose another with --track N"
                )
            self.duration_s = _length_s(self._container, self._stream, file)
            self._frames = self._decoded()
            self._first = next(self._frames, None)
            if self._first is None:
                raise AudioError(f"{name}: the file holds no sound that can be decoded")
            self.rate, self._layout = self._first.sample_rate, self._first.layout
            self.channels = self._layout.nb_channels
            check_rate(self.rate, name)
        except BaseException:
            self.close()
            raise

    def blocks(self) -> Iterator[np.ndarray]:
        """The sound from its beginning; `AudioError` where reading fails."""
        yield from self._all()
        if self._damaged:
            self.remarks.append(PACKETS_LOST.format(self._damaged))

    def end(self) -> None:
        """`blocks` ends soon; from any thread."""
        if isinstance(self._file, Pipe):
            self._file.end()

    def close(self) -> None:
        if container := getattr(self, "_container", None):
            container.close()
        self._file.close()

    def _all(self) -> Iterator[np.ndarray]:
        first, self._first = self._first, None
        if first is not None:
            yield from self._arrays(first)
        for frame in self._frames:
            yield from self._arrays(frame)

    def _decoded(self) -> Iterator[Any]:
        """All frames; a packet that cannot be decoded is passed over."""
        import av

        for packet in self._packets():
            try:
                yield from packet.decode()
            except av.FFmpegError:
                self._damaged += 1
                if self._damaged > MOST_DAMAGED:
                    return

    def _packets(self) -> Iterator[Any]:
        import av

        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError as problem:
            self.remarks.append(f"the file is damaged ({_reason(problem)}); what came before was analysed")

    def _arrays(self, frame: Any) -> Iterator[np.ndarray]:
        """The samples of a frame, in the form of the first one."""
        same = frame.sample_rate == self.rate and frame.layout.nb_channels == self.channels
        for part in [frame] if same else self._converted(frame):
            if part.samples:
                yield samples_of(part)

    def _converted(self, frame: Any) -> list[Any]:
        """Where a file changes its rate or its channels on the way."""
        import av

        form = (frame.sample_rate, frame.layout.name, frame.format.name)
        if self._converter is None or self._converter[0] != form:
            self._converter = form, av.AudioResampler("flt", self._layout.name, self.rate)
        frame.pts = None
        return list(self._converter[1].resample(frame))


def samples_of(frame: Any) -> np.ndarray:
    """A decoded frame as float32 (n, channels), full scale at 1."""
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(-1, frame.layout.nb_channels)
    if values.dtype.kind == "u":
        return (values.astype(np.float32) - 128.0) / 128.0
    if values.dtype.kind == "i":
        return (values / float(1 << (8 * values.itemsize - 1))).astype(np.float32)
    return np.ascontiguousarray(values, np.float32)


def _opened(name: str, file: Pipe | BinaryIO, raw: RawFormat | None) -> Any:
    import av

    av.logging.set_level(None)
    try:
        return av.open(
            file,
            format=raw.codec if raw else None,
            options=SAFELY | (raw.options() if raw else {}),
            metadata_errors="ignore",
        )
    except (av.FFmpegError, ValueError, OSError) as problem:
        raise AudioError(
            f"{name}: not a sound file that can be decoded ({_reason(problem)}); is it whole?"
        ) from None


def _reason(problem: Exception) -> str:
    return str(getattr(problem, "strerror", "") or problem)


def _chosen(name: str, container: Any, track: int | None) -> Any:
    tracks = _tracks(container)
    if not tracks:
        raise AudioError(f"{name}: not a sound file, it holds no audio track that can be decoded")
    if track is None:
        best = container.streams.best("audio")
        return best if best in tracks else tracks[0]
    if not 1 <= track <= len(tracks):
        raise AudioError(f"{name}: there is no track {track}; {_listed(container)}")
    return tracks[track - 1]


def _tracks(container: Any) -> list[Any]:
    """Those whose codec libav knows."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def _number(container: Any, stream: Any) -> int:
    return [s.index for s in _tracks(container)].index(stream.index) + 1


def _listed(container: Any) -> str:
    """Its audio tracks in one sentence."""
    tracks = _tracks(container)
    told = []
    for number, stream in enumerate(tracks, 1):
        about = [stream.metadata.get("language", ""), stream.metadata.get("title", "")]
        words = [w for w in (*about, stream.codec_context.name, f"{stream.codec_context.channels} ch") if w]
        told.append(f"{number} ({', '.join(words)})")
    return f"{len(tracks)} audio track{'s' if len(tracks) > 1 else ''}: {', '.join(told)}"


def _length_s(container: Any, stream: Any, file: Pipe | BinaryIO) -> float | None:
    """Length of a track; its packets tell where the container may not know it. None for a pipe."""
    if isinstance(file, Pipe):
        return None
    known_s = stream.duration and float(stream.duration * stream.time_base)
    if known_s is None and container.duration:
        known_s = container.duration / MICROSECONDS
    kind = container.format.name
    if known_s and kind not in GUESSED | JOINED:
        return float(known_s)
    counted_s = _counted_s(file, stream.index)
    alone = known_s and kind in JOINED and abs(counted_s - known_s) < DELAY_S
    return known_s if alone else counted_s or None


def _counted_s(file: BinaryIO, index: int) -> float:
    """Seconds of all packets of a stream, those that hold a codec's delay as well.

    They are counted in a container of their own: where files were joined, libav does not find back.
    """
    import av

    at = file.tell()
    file.seek(0)
    counted_s = 0.0
    try:
        with av.open(file, "r", options=SAFELY, metadata_errors="ignore") as container:
            for packet in container.demux(container.streams[index]):
                counted_s += float((packet.duration or 0) * packet.time_base)
    except (av.FFmpegError, OSError, ValueError, IndexError):
        counted_s = 0.0
    file.seek(at)
    return counted_s
