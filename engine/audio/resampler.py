"""Any rate and channel count → mono at 16 kHz, as a stream."""

from __future__ import annotations

from typing import Any

import numpy as np

from voicelane.base.errors import AudioError
from voicelane.base.timebase import SAMPLE_RATE

LOUDEST = 1e4


def finite(block: np.ndarray) -> tuple[np.ndarray, int]:
    """The block with samples that are no sound (NaN, infinite, beyond 1e4) at zero, and their number."""
    bad = ~(np.abs(block) <= LOUDEST)
    count = int(np.count_nonzero(bad))
    return (np.where(bad, np.float32(0.0), block), count) if count else (block, 0)


def check_rate(rate: int, name: str) -> None:
    """Raise `AudioError` for a rate in Hz that nothing records at."""
    if not 1_000 <= rate <= 768_000:
        raise AudioError(f"{name}: a sample rate of {rate} Hz is not supported (1,000 … 768,000 Hz)")


class Resampler:
    """Blocks (n, channels) at `rate` in, mono float32 at 16 kHz out; channels are averaged, or kept as so
    many `sides`: (n, sides) comes out then.

    soxr's filter is linear-phase and its delay is taken off: output sample m is the sound at m/16000 s.
    """

    latency_samples = 0

    def __init__(self, rate: int, sides: int = 1) -> None:
        check_rate(rate, "sound")
        self._rate, self._sides = rate, sides
        self.reset()

    def reset(self) -> None:
        self._stream: Any = None
        if self._rate != SAMPLE_RATE:
            import soxr

            self._stream = soxr.ResampleStream(
                self._rate, SAMPLE_RATE, self._sides, dtype="float32", quality="HQ"
            )

    def process(self, block: np.ndarray) -> np.ndarray:
        if self._sides > 1:
            sound = block
        else:
            sound = block.mean(axis=1, dtype=np.float32) if block.shape[1] > 1 else block[:, 0]
        return sound if self._stream is None else self._stream.resample_chunk(sound)

    def flush(self) -> np.ndarray:
        nothing = np.zeros((0, self._sides) if self._sides > 1 else 0, np.float32)
        return nothing if self._stream is None else self._stream.resample_chunk(nothing, last=True)
