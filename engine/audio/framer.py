"""Re-blocking: the only place where chunks of any length become whole 20 ms frames."""

from __future__ import annotations

import numpy as np

from voicelane.base.timebase import FRAME_SAMPLES


class Framer:
    """Chunks of any length in, frames float32 (n_frames, 320) out; the remainder waits.

    `latency_samples` is the longest wait of a sample for its frame to fill up.
    """

    latency_samples = FRAME_SAMPLES - 1

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._rest = np.zeros(0, np.float32)

    def process(self, samples: np.ndarray) -> np.ndarray:
        """All frames completed by `samples` float32 (n_samples,)."""
        joined = np.concatenate((self._rest, samples))
        n_whole = len(joined) - len(joined) % FRAME_SAMPLES
        self._rest = joined[n_whole:].copy()
        return joined[:n_whole].reshape(-1, FRAME_SAMPLES)

    def flush(self) -> np.ndarray:
        """The remainder padded with zeros to one frame; (0, 320) when nothing waits."""
        rest, self._rest = self._rest, np.zeros(0, np.float32)
        padding = np.zeros(-len(rest) % FRAME_SAMPLES, np.float32)
        return np.concatenate((rest, padding)).reshape(-1, FRAME_SAMPLES)
