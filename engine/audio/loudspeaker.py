"""The loudspeaker: plays what it is given, piece after piece, and silence while there is nothing."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from voicelane.audio.sources import PORTAUDIO
from voicelane.base.errors import DeviceError
from voicelane.base.timebase import SAMPLE_RATE


class Loudspeaker:
    """The system's default one, mono."""

    def __init__(self) -> None:
        """Raises `DeviceError` where there is none."""
        self._pieces = deque[np.ndarray]()
        with PORTAUDIO:
            try:
                import sounddevice

                self._rate = _rate(sounddevice)
                self._stream = sounddevice.OutputStream(
                    samplerate=self._rate, channels=1, dtype="float32", callback=self.fill
                )
                self._stream.start()
            except Exception as problem:  # PortAudio's, or OSError where there is no PortAudio
                raise DeviceError(
                    f"no sound can be played ({problem}); is a loudspeaker connected?"
                ) from None

    def play(self, sound: np.ndarray) -> None:
        """16 kHz float32 (n,), behind what still waits."""
        import soxr

        self._pieces.append(soxr.resample(sound, SAMPLE_RATE, self._rate).astype(np.float32))

    @property
    def silent(self) -> bool:
        """Whether nothing waits to be played."""
        return not self._pieces

    def close(self) -> None:
        self._stream.close()

    def fill(self, out: np.ndarray, *_: Any) -> None:
        """PortAudio's callback: float32 (n, 1)."""
        filled = 0
        while filled < len(out) and self._pieces:
            piece = self._pieces[0]
            part = piece[: len(out) - filled]
            out[filled : filled + len(part), 0] = part
            filled += len(part)
            if len(part) < len(piece):
                self._pieces[0] = piece[len(part) :]
            else:
                self._pieces.popleft()
        out[filled:] = 0.0


def _rate(library: Any) -> int:
    """16 kHz, or the device's own rate where it takes no other."""
    try:
        library.check_output_settings(samplerate=SAMPLE_RATE, channels=1)
        return SAMPLE_RATE
    except library.PortAudioError:
        return int(library.query_devices(kind="output")["default_samplerate"])
