"""Bytes of a client, in any chunks, to sound: bare samples, or a container that is decoded as it comes."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from voicelane.audio.decoding import Decoder, Pipe
from voicelane.base.errors import AudioError, VoicelaneError
from voicelane.serve.messages import BYTES_OF, Start

DTYPES: dict[str, np.dtype[Any]] = {"pcm_s16le": np.dtype("<i2"), "f32le": np.dtype("<f4")}
FULL_SCALE = 32_768.0
BLOCKS = 500
"""Decoded blocks that wait; the thread that decodes stops then."""
FINISH_S, CLOSE_S = 30.0, 5.0
"""So long the next block may take at the end, and the thread to go."""


class SoundDecoder(Protocol):
    """Bytes in, blocks float32 (n, channels) at `rate` out."""

    @property
    def rate(self) -> int:
        """In Hz, once the first block is there."""

    def put(self, data: bytes) -> int:
        """The next bytes; how many of them were taken, the rest has to come again."""

    def blocks(self) -> Iterator[np.ndarray]:
        """What is decoded by now; raises `AudioError` for what is no sound."""

    def finish(self) -> Iterator[np.ndarray]:
        """No more bytes come: the rest of the sound."""

    def close(self) -> None:
        """Let go of everything."""


class SampleDecoder:
    """Bare samples; a chunk may end in the middle of one."""

    def __init__(self, start: Start) -> None:
        self.rate, self._channels = start.rate, start.channels
        self._dtype = DTYPES[start.encoding]
        self._frame_bytes = BYTES_OF[start.encoding] * start.channels
        self._rest, self._blocks = b"", list[np.ndarray]()

    def put(self, data: bytes) -> int:
        whole = self._rest + data
        n_bytes = len(whole) - len(whole) % self._frame_bytes
        self._rest = whole[n_bytes:]
        if n_bytes:
            self._blocks.append(self._samples(whole[:n_bytes]))
        return len(data)

    def blocks(self) -> Iterator[np.ndarray]:
        taken, self._blocks = self._blocks, []
        yield from taken

    def finish(self) -> Iterator[np.ndarray]:
        return self.blocks()

    def close(self) -> None:
        """Nothing is held."""

    def _samples(self, data: bytes) -> np.ndarray:
        values = np.frombuffer(data, self._dtype).reshape(-1, self._channels)
        if values.dtype.kind == "i":
            return (values / np.float32(FULL_SCALE)).astype(np.float32)
        return values.astype(np.float32)


class ContainerDecoder:
    """Ogg, WebM or any container that libav can read from its beginning to its end.

    libav waits for bytes where it reads, so it has a thread of its own; a pipe of the system between the two
    bounds what waits.
    """

    def __init__(self) -> None:
        ours, self._bytes = os.pipe()
        os.set_blocking(self._bytes, False)
        self._pipe = Pipe(ours)
        self._decoded: queue.Queue[np.ndarray | None] = queue.Queue(BLOCKS)
        self._problem, self._over = "", False
        self.rate = 0
        self._thread = threading.Thread(target=self._decode, daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> int:
        try:
            return os.write(self._bytes, data)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return len(data)  # behind the end of its sound; `blocks` tells what was wrong

    def blocks(self) -> Iterator[np.ndarray]:
        while not self._decoded.empty():
            yield from self._next(self._decoded.get())
        if self._over and self._decoded.empty():
            self._check()

    def finish(self) -> Iterator[np.ndarray]:
        self._end_bytes()
        while not self._over:
            try:
                yield from self._next(self._decoded.get(timeout=FINISH_S))
            except queue.Empty:
                raise AudioError("the sound could not be decoded to its end in time") from None
        self._check()

    def close(self) -> None:
        self._end_bytes()
        self._pipe.end()
        while self._thread.is_alive() and not self._over:
            try:
                self._over = self._decoded.get(timeout=CLOSE_S) is None
            except queue.Empty:
                break

    def _next(self, block: np.ndarray | None) -> Iterator[np.ndarray]:
        if block is None:
            self._over = True
        else:
            yield block

    def _check(self) -> None:
        if self._problem:
            problem, self._problem = self._problem, ""
            raise AudioError(problem)

    def _end_bytes(self) -> None:
        descriptor, self._bytes = self._bytes, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _decode(self) -> None:
        """The life of the thread."""
        try:
            decoder = Decoder("the sound", self._pipe)
            self.rate = decoder.rate
            try:
                for block in decoder.blocks():
                    self._decoded.put(block)
            finally:
                decoder.close()
        except (VoicelaneError, OSError) as problem:
            self._problem = str(problem)
        finally:
            self._decoded.put(None)


def decoder_for(start: Start) -> SoundDecoder:
    """What decodes the sound that a client announced."""
    return SampleDecoder(start) if start.encoding in DTYPES else ContainerDecoder()
