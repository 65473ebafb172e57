"""Where sound comes from: a microphone, a file, an array. Each gives blocks at its own rate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from engine.audio.resampler import check_rate
from engine.audio.wav_header import UnfinishedWav, read_wav_header
from engine.errors import AudioError, DeviceError
from engine.timebase import SAMPLE_RATE

PORTAUDIO = threading.RLock()
"""Held while a stream is opened, or PortAudio is started anew."""
BLOCK_S = 0.02
UNKNOWN_FRAMES = 1 << 48  # what a streamed FLAC says of its length is more
PORTAUDIO_HELP = (
    "PortAudio, which microphones need, is missing: on Debian or Ubuntu run "
    "`sudo apt-get install libportaudio2`, elsewhere reinstall `sounddevice` with pip"
)

LIST_DEVICES = (
    "import json, sounddevice as s; print(json.dumps([list(s.query_devices()), s.default.device[0]]))"
)
LIST_S = 10.0
"""How long a process may take that lists the devices."""


class Source(Protocol):
    """What every source tells of itself; blocks are float32 (n, channels) at `rate`."""

    name: str
    rate: int
    """In Hz."""
    channels: int
    duration_s: float | None
    """Length where it is known beforehand."""

    def close(self) -> None:
        """Release the device or file."""


class PullSource(Source, Protocol):
    """A source that is read; `realtime` says whether at the speed of the sound."""

    realtime: bool

    def blocks(self) -> Iterator[np.ndarray]:
        """The sound from its beginning, in blocks of about 20 ms; raises `AudioError` on damage."""


class PushSource(Source, Protocol):
    """A source that speaks up by itself."""

    finished: threading.Event
    """Set when no more sound will come, whatever the reason."""

    def start(self, write: Callable[[np.ndarray], None]) -> None:
        """Call `write` with every block, from a thread of the audio system; it must not wait."""


class MicrophoneSource:
    """A recording device at its own rate; the audio callback copies into the ring and leaves."""

    duration_s: float | None = None

    def __init__(self, device: str | None = None) -> None:
        """`device` is (part of) a name that `voicelane devices` lists; the default one if None."""
        self._sounddevice, self.device = _sounddevice(), device
        self._index, found = _find_device(self._sounddevice, device)
        self.name = f"mic:{found['name']}"
        self.rate = int(found["default_samplerate"])
        self.channels = min(2, int(found["max_input_channels"]))
        self.finished = threading.Event()
        self.device_overflows = 0
        """Times that the device itself reported lost input."""
        self.capture_delay_s = 0.0
        """From the capture of the latest block's first sample to its callback, by PortAudio's own account."""
        self._stream: Any = None

    def start(self, write: Callable[[np.ndarray], None]) -> None:
        def hear(block: np.ndarray, frames: int, when: Any, status: Any) -> None:
            if status.input_overflow:
                self.device_overflows += 1
            self.capture_delay_s = when.currentTime - when.inputBufferAdcTime
            write(block)

        try:
            with PORTAUDIO:
                self._stream = self._sounddevice.InputStream(
                    samplerate=self.rate,
                    device=self._index,
                    channels=self.channels,
                    dtype="float32",
                    blocksize=int(self.rate * BLOCK_S),
                    callback=hear,
                    finished_callback=self.finished.set,
                )
                self._stream.start()
        except self._sounddevice.PortAudioError as problem:
            self.close()
            raise DeviceError(
                f"{self.name}: cannot be opened ({problem}); is another program using it, "
                "or is the permission to record missing?"
            ) from None

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self.finished.set()


class FileSource:
    """A sound file of any rate and channel count, read block by block, never as a whole."""

    def __init__(self, path: Path | str, realtime: bool = False) -> None:
        self.name, self.realtime = str(path), realtime
        self._file = _open_sound(Path(path))
        self.rate, self.channels = self._file.samplerate, self._file.channels
        known = self._file.frames < UNKNOWN_FRAMES
        self.duration_s: float | None = self._file.frames / self.rate if known else None

    def blocks(self) -> Iterator[np.ndarray]:
        length = max(1, int(self.rate * BLOCK_S))
        try:
            while len(block := self._file.read(length, dtype="float32", always_2d=True)):
                yield block
        except RuntimeError as problem:  # soundfile.LibsndfileError
            if self.duration_s is None:
                return  # without a length, the end of the file looks like this
            raise AudioError(
                f"{self.name}: the file is damaged ({problem}); what came before the damage was analysed"
            ) from None

    def close(self) -> None:
        self._file.close()


class ArraySource:
    """Samples float (n,) or (n, channels) at `rate`, from memory."""

    def __init__(self, samples: np.ndarray, rate: int = SAMPLE_RATE, realtime: bool = False) -> None:
        self._samples = np.asarray(samples, np.float32)
        if self._samples.ndim not in (1, 2):
            raise AudioError(f"expected samples of shape (n,) or (n, channels), got {self._samples.shape}")
        if self._samples.ndim == 1:
            self._samples = self._samples[:, None]
        self.name, self.rate, self.realtime = "array", rate, realtime
        self.channels = self._samples.shape[1]
        self.duration_s: float | None = len(self._samples) / rate

    def blocks(self) -> Iterator[np.ndarray]:
        length = max(1, int(self.rate * BLOCK_S))
        for start in range(0, len(self._samples), length):
            yield self._samples[start : start + length]

    def close(self) -> None:
        """Nothing is held."""


def input_devices(refresh: bool = False) -> list[dict[str, Any]]:
    """Recording devices: name, rate in Hz, channels, and whether it is the default.

    `refresh` finds those that were connected since the start as well. It starts PortAudio anew, which ends
    every open stream: ask for it only while nothing is recorded or played.
    """
    sounddevice = _sounddevice()
    if refresh:
        with PORTAUDIO:
            sounddevice._terminate()
            sounddevice._initialize()
    return _inputs(sounddevice.query_devices(), sounddevice.default.device[0])


def connected_devices() -> list[dict[str, Any]]:
    """The same as a process of its own sees it: what was connected meanwhile too, and no stream ends.

    Takes about 0.15 s. Such a device can be opened here once `input_devices(refresh=True)` has seen it.
    Raises `DeviceError`.
    """
    try:
        said = subprocess.run(
            [sys.executable, "-P", "-c", LIST_DEVICES], capture_output=True, check=True, timeout=LIST_S
        )
    except subprocess.SubprocessError:
        raise DeviceError(PORTAUDIO_HELP) from None
    return _inputs(*json.loads(said.stdout))


def _inputs(devices: Iterable[dict[str, Any]], default: int) -> list[dict[str, Any]]:
    return [
        {
            "name": d["name"],
            "rate": int(d["default_samplerate"]),
            "channels": d["max_input_channels"],
            "default": i == default,
        }
        for i, d in enumerate(devices)
        if d["max_input_channels"] > 0
    ]


def reopen_microphone(device: str | None, may_refresh: Callable[[], bool] = lambda: True) -> MicrophoneSource:
    """A microphone that was lost, looked for anew; raises `DeviceError` while it is away.

    For `LiveSession(reconnect=…)`. It starts PortAudio anew where `may_refresh` allows that: only then
    devices that were connected meanwhile are seen, and every other open stream ends.
    """
    with PORTAUDIO:
        if may_refresh():
            input_devices(refresh=True)
        return MicrophoneSource(device)


def _sounddevice() -> Any:
    """The sounddevice module, loaded only when a device is wanted."""
    try:
        import sounddevice
    except Exception as problem:  # OSError, or sounddevice's own error when PortAudio cannot start
        raise DeviceError(f"{PORTAUDIO_HELP} ({problem})") from None
    return sounddevice


def _find_device(sounddevice: Any, wanted: str | None) -> tuple[int, dict[str, Any]]:
    found = [(i, d) for i, d in enumerate(sounddevice.query_devices()) if d["max_input_channels"] > 0]
    names = ", ".join(repr(d["name"]) for _, d in found)
    if not found:
        raise DeviceError("no microphone found; connect one, or give an audio file instead")
    if wanted is None:
        default = [(i, d) for i, d in found if i == sounddevice.default.device[0]]
        return (default or found)[0]
    exact = [(i, d) for i, d in found if d["name"] == wanted]
    partial = [(i, d) for i, d in found if wanted.lower() in d["name"].lower()]
    if not (exact or partial):
        raise DeviceError(f"no microphone named {wanted!r}; there are: {names}")
    return (exact or partial)[0]


def _openable(path: Path) -> str | bytes:
    """The path as soundfile takes it: as bytes where the name is no text."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return str(path)


def _open_sound(path: Path) -> Any:
    """An open `soundfile.SoundFile`, with one clear sentence where that is impossible."""
    import soundfile

    if not path.is_file():
        what = (
            "there is no such file" if not path.exists() else "is a folder" if path.is_dir() else "is no file"
        )
        raise AudioError(f"{path}: {what}")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty (0 bytes)")
    header = read_wav_header(path)
    try:
        patched = UnfinishedWav(path, header.size_at) if header and header.unfinished else None
        opened = soundfile.SoundFile(patched or _openable(path))
    except (RuntimeError, OSError, TypeError) as problem:
        if header:
            check_rate(header.rate, str(path))
        raise AudioError(
            f"{path}: not a sound file that libsndfile can read "
            f"({getattr(problem, 'error_string', problem)}); "
            "convert it, for example with `ffmpeg -i INPUT output.wav`"
        ) from None
    check_rate(opened.samplerate, str(path))
    if opened.frames == 0:
        raise AudioError(f"{path}: the file holds no sound (0 samples)")
    return opened
