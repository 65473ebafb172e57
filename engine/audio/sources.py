"""Where sound comes from: a microphone, a file, an array. Each gives blocks at its own rate."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from voicelane.audio.channels import MOST_CHANNELS, Gate, Layout, Tally, chosen, layout, mixed, separated
from voicelane.audio.decoding import RawFormat
from voicelane.audio.level import ClippingWatch, full_scale
from voicelane.audio.resampler import finite
from voicelane.audio.served import opened_as, served_devices
from voicelane.audio.sound_file import Reader, open_sound
from voicelane.base.errors import AudioError, DeviceError
from voicelane.base.timebase import SAMPLE_RATE

PORTAUDIO = threading.RLock()
"""Held while a stream is opened, or PortAudio is started anew."""
BLOCK_S = 0.02
SERVERS = ("default", "pipewire", "pulse", "sysdefault")
"""Sound servers say that they have any number of inputs; they make two of what the real device has."""
BY_SERVER = "pulse"
"""By which a source of the server is opened."""
TOLERANCE_S = 0.5
"""A file may be so much shorter than it says without a word; codecs round."""
PORTAUDIO_HELP = (
    "PortAudio, which microphones need, is missing: on Debian or Ubuntu run "
    "`sudo apt-get install libportaudio2`, elsewhere reinstall `sounddevice` with pip"
)

LIST_DEVICES = (
    "import json, sounddevice as s; print(json.dumps([list(s.query_devices()), list(s.default.device)]))"
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

    def __init__(self, device: str | None = None, channel: int | None = None) -> None:
        """`device` is (part of) a name that `voicelane devices` lists, or one that a sound server gives to a
        source of its own; the default one if None.

        All of its inputs are opened, or the one of number `channel`, from 1.
        """
        self._sounddevice, self.device = _sounddevice(), device
        self._served = ""
        try:
            self._index, found = _find_device(self._sounddevice, device)
        except DeviceError:
            self._index, found, self._served = _find_served(self._sounddevice, device)
        self.name = f"mic:{found['name']}"
        self.rate = int(found["default_samplerate"])
        inputs = int(found["max_input_channels"])
        of_server = found["name"] in SERVERS or bool(self._served)
        self.opened = min(2, inputs) if of_server and channel is None else inputs
        self.channel = channel
        if channel is not None:
            if not 1 <= channel <= inputs:
                raise DeviceError(f"{self.name}: there is no input {channel}; it has {inputs}")
            self.opened = channel
        self.channels = self.opened if channel is None else 1
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
            write(block if self.channel is None else block[:, self.channel - 1 :])

        try:
            with PORTAUDIO, opened_as(self._served):
                self._stream = self._sounddevice.InputStream(
                    samplerate=self.rate,
                    device=self._index,
                    channels=self.opened,
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
    """Sound of a file, a named pipe or standard input, read block by block, never as a whole.

    Any container and codec that libsndfile or libav know, any rate and channel count.
    """

    def __init__(
        self,
        path: Path | str,
        realtime: bool = False,
        track: int | None = None,
        raw: RawFormat | None = None,
        channels: str | int = "auto",
    ) -> None:
        """`path` is `-` for standard input; `track` counts the audio tracks of a file from 1, `raw` says what
        is in one without a header.

        `channels` is `auto` (as they differ: without silent, humming and hissing ones, people who have one
        each apart), `mix` (their mean), `separate` (a side each), `all` (as they are), or the number of one,
        from 1. Raises `AudioError` for what is no sound, and for a channel that is not there.
        """
        self.name, self.realtime = "standard input" if str(path) == "-" else str(path), realtime
        self._file = open_sound(path, self.name, track, raw)
        self.rate, self.duration_s = self._file.rate, self._file.duration_s
        try:
            self._layout = self._laid_out(channels, lambda: open_sound(path, self.name, track, raw))
        except BaseException:
            self._file.close()
            raise
        self.channels = len(self._layout.weights) if self._layout else self._file.channels
        if self._layout and self._layout.told:
            self._file.remarks.appendleft(self._layout.told)
        self.remarks = self._file.remarks
        """What a listener should know of the sound, in sentences; those of its end come when it was read."""

    @property
    def sides(self) -> int:
        """How many channels hold people of their own; 1 where its sound is one conversation."""
        return self.channels if self._layout else 1

    def blocks(self) -> Iterator[np.ndarray]:
        if self._layout is None:
            return self._whole()
        chosen = (block @ self._layout.weights.T for block in self._whole())
        return chosen if self._layout.leak_db is None else _gated(chosen, self.rate, self._layout.leak_db)

    def _laid_out(self, mode: str | int, reopened: Callable[[], Reader]) -> Layout | None:
        """What of the channels is heard; None for all of them as they are."""
        n_channels = self._file.channels
        if isinstance(mode, int):
            if not 1 <= mode <= n_channels:
                raise AudioError(f"{self.name}: there is no channel {mode}; it has {n_channels}")
            return chosen(mode, n_channels)
        if n_channels == 1 or mode == "all":
            return None
        if mode == "separate" and n_channels > MOST_CHANNELS:
            raise AudioError(f"{self.name}: {n_channels} channels are too many to separate; choose one")
        if mode == "mix" or not self._file.rewinds or n_channels > MOST_CHANNELS:
            return mixed(n_channels, "its channels are mixed" if mode != "mix" else "")
        tally = _counted(reopened(), n_channels)
        if mode == "separate":
            return separated(tally, range(n_channels), n_channels)
        return layout(tally, n_channels)

    def _whole(self) -> Iterator[np.ndarray]:
        """All channels, and at the end a word where more was promised."""
        heard, watch = 0, ClippingWatch()
        for block in self._file.blocks():
            heard += len(block)
            if remark := watch.process(block):
                self.remarks.append(remark)
            yield block
        missing_s = (self.duration_s or 0.0) - heard / self.rate
        if missing_s > TOLERANCE_S:
            self.remarks.append(
                f"its sound ends after {heard / self.rate:.1f} s, {missing_s:.1f} s before the end that it "
                "claims: it is damaged or not whole"
            )

    def interrupt(self) -> None:
        """`blocks` ends soon, even where a pipe gives nothing; from any thread."""
        self._file.end()

    def close(self) -> None:
        self._file.close()


def _gated(blocks: Iterator[np.ndarray], rate: int, leaks_db: np.ndarray) -> Iterator[np.ndarray]:
    gate = Gate(rate, leaks_db)
    for block in blocks:
        yield gate.process(block)
    yield gate.flush()


def _counted(reader: Reader, channels: int) -> Tally:
    """What is counted of a file that is read for that alone."""
    tally = Tally(reader.rate, channels)
    try:
        for block in reader.blocks():
            tally.add(finite(block)[0])
    except AudioError:
        pass  # it is told when the file is heard
    finally:
        reader.close()
    tally.finish()
    return tally


class ArraySource:
    """Samples (n,) or (n, channels) at `rate`, from memory: floats, or integers at their full scale."""

    def __init__(self, samples: np.ndarray, rate: int = SAMPLE_RATE, realtime: bool = False) -> None:
        samples = np.asarray(samples)
        scale = np.iinfo(samples.dtype).max + 1.0 if samples.dtype.kind == "i" else 1.0
        self._samples = np.asarray(samples, np.float32)
        self._samples = self._samples / np.float32(scale if scale > 1.0 else full_scale(self._samples))
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


def connected_devices(outputs: bool = False) -> list[dict[str, Any]]:
    """The same as a process of its own sees it: what was connected meanwhile too, and no stream ends.

    With `outputs`, devices that play.

    Takes about 0.15 s. Such a device can be opened here once `input_devices(refresh=True)` has seen it.
    Raises `DeviceError`.
    """
    try:
        said = subprocess.run(
            [sys.executable, "-P", "-c", LIST_DEVICES], capture_output=True, check=True, timeout=LIST_S
        )
    except subprocess.SubprocessError:
        raise DeviceError(PORTAUDIO_HELP) from None
    devices, default = json.loads(said.stdout)
    return _outputs(devices, default[1]) if outputs else _inputs(devices, default[0])


def _inputs(devices: Iterable[dict[str, Any]], default: int) -> list[dict[str, Any]]:
    return _described(devices, default, "max_input_channels")


def _outputs(devices: Iterable[dict[str, Any]], default: int) -> list[dict[str, Any]]:
    return _described(devices, default, "max_output_channels")


def _described(devices: Iterable[dict[str, Any]], default: int, channels: str) -> list[dict[str, Any]]:
    return [
        {
            "name": d["name"],
            "rate": int(d["default_samplerate"]),
            "channels": d[channels],
            "default": i == default,
        }
        for i, d in enumerate(devices)
        if d[channels] > 0
    ]


def reopen_microphone(
    device: str | None, may_refresh: Callable[[], bool] = lambda: True, channel: int | None = None
) -> MicrophoneSource:
    """A microphone that was lost, looked for anew; raises `DeviceError` while it is away.

    For `LiveSession(reconnect=…)`. It starts PortAudio anew where `may_refresh` allows that: only then
    devices that were connected meanwhile are seen, and every other open stream ends.
    """
    with PORTAUDIO:
        if may_refresh():
            input_devices(refresh=True)
        return MicrophoneSource(device, channel)


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


def _find_served(sounddevice: Any, wanted: str | None) -> tuple[int, dict[str, Any], str]:
    """A source of the sound server: by which device it is opened, what is known of it, its own name.

    Raises what `_find_device` raises where there is none of that name.
    """
    devices = [(i, d) for i, d in enumerate(sounddevice.query_devices()) if d["name"] == BY_SERVER]
    named = [s for s in served_devices() if wanted in (s.name, s.source)] if devices else []
    if not named:
        index, found = _find_device(sounddevice, wanted)
        return index, found, ""
    (index, device), source = devices[0], named[0]
    about = {"name": source.name, "default_samplerate": source.rate, "max_input_channels": source.channels}
    return index, {**device, **about}, source.source
