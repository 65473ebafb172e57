"""Both sides of a meeting on this computer: the microphone, and what the loudspeakers are given."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator

import numpy as np

from voicelane.audio.echo import EchoGate
from voicelane.base.errors import DeviceError
from voicelane.base.timebase import SAMPLE_RATE

NAME = "mic+system"
RECORDER = "parec"
DEVICES = ("@DEFAULT_SOURCE@", "@DEFAULT_MONITOR@")
SAMPLE_BYTES = 4
BLOCK_S, LATE_S, POLL_S = 0.1, 0.3, 0.05
"""Sound comes in such blocks; a lane so late is silent meanwhile: a sleeping monitor gives nothing."""
READ_BYTES = 1 << 16
HELP = (
    f"{NAME}: needs PulseAudio or PipeWire with `{RECORDER}` (apt-get install pulseaudio-utils); on other "
    "systems choose a loopback device with mic:NAME"
)


class MeetingSource:
    """Two lanes at 16 kHz: who sits at the microphone, and who is heard from the computer.

    Own sound that comes back in the other lane is taken out of it.
    """

    name, rate, channels, sides = NAME, SAMPLE_RATE, 2, 2
    realtime = True
    duration_s: float | None = None

    def __init__(self, devices: tuple[str, str] = DEVICES) -> None:
        """`devices` are two sources of the sound server. Raises `DeviceError`."""
        if shutil.which(RECORDER) is None:
            raise DeviceError(HELP)
        self._ended = False
        self._recorders = [_recorder(device) for device in devices]

    def blocks(self) -> Iterator[np.ndarray]:
        """Both lanes until `interrupt`; raises `DeviceError` where the sound server goes away."""
        lanes, gate = [Lane(recorder) for recorder in self._recorders], EchoGate(SAMPLE_RATE)
        began_s, given = time.monotonic(), 0
        while not self._ended:
            select.select([lane.descriptor for lane in lanes], [], [], POLL_S)
            for lane in lanes:
                lane.take()
            due = int((time.monotonic() - began_s - LATE_S) * SAMPLE_RATE)
            ready = max(min(lane.waiting for lane in lanes), due - given)
            if ready >= BLOCK_S * SAMPLE_RATE:
                given += ready
                yield gate.process(np.stack([lane.give(ready) for lane in lanes], axis=1))

    def interrupt(self) -> None:
        """`blocks` ends soon; from any thread."""
        self._ended = True

    def close(self) -> None:
        """Let go of both devices."""
        self._ended = True
        for recorder in self._recorders:
            recorder.kill()
            recorder.communicate()


class Lane:
    """What one recorder gives."""

    def __init__(self, recorder: subprocess.Popen[bytes]) -> None:
        assert recorder.stdout
        self.descriptor = recorder.stdout.fileno()
        os.set_blocking(self.descriptor, False)
        self._bytes = bytearray()

    @property
    def waiting(self) -> int:
        """Samples that are there."""
        return len(self._bytes) // SAMPLE_BYTES

    def take(self) -> None:
        """What has come; raises `DeviceError` at the end."""
        try:
            data = os.read(self.descriptor, READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise DeviceError(f"{NAME}: the sound server has gone; is it running?")
        self._bytes += data

    def give(self, n_samples: int) -> np.ndarray:
        """So many samples, silence for what is not there."""
        n_bytes = min(n_samples, self.waiting) * SAMPLE_BYTES
        found = np.zeros(n_samples, np.float32)
        found[: n_bytes // SAMPLE_BYTES] = np.frombuffer(bytes(self._bytes[:n_bytes]), "<f4")
        del self._bytes[:n_bytes]
        return found


def _recorder(device: str) -> subprocess.Popen[bytes]:
    form = ["--raw", "--format=float32le", f"--rate={SAMPLE_RATE}", "--channels=1", "--latency-msec=20"]
    command = [RECORDER, f"--device={device}", "--client-name=voicelane", *form]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
