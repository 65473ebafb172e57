"""What the level of a sound tells: the scale that it is in, and whether it is clipped."""

from __future__ import annotations

import numpy as np

SCALES = (1 << 15, 1 << 23, 1 << 31)
"""Full scale of integer samples of 16, 24 and 32 bits."""
LOUD, LOUD_WHOLE, LEAST_SHARE = 64.0, 32.0, 0.25
"""Samples are integers in disguise where a good part of them are beyond 1 and the loud ones beyond this,
36 dB over full scale, or half of it where all of them are whole numbers."""
FLAT, NEAR_PEAK, LEAST_PEAK = 1e-4, 0.98, 0.1
LEAST_CLIPPED, CLIPPED_SHARE = 100, 2e-3
CLIPPED = "the sound is clipped: voices are less sure and may count double; turn the recording level down"
SCALED = "its samples are integers up to {:,} in a file of floats; they are heard at that scale"


def full_scale(samples: np.ndarray) -> float:
    """What is full scale in float samples of any shape: 1, or that of the integers which they are."""
    sizes = np.abs(samples[np.isfinite(samples) & (samples != 0.0)])
    if not len(sizes) or (sizes > 1.0).mean() < LEAST_SHARE:
        return 1.0
    loud = np.percentile(sizes, 99)
    if loud < (LOUD_WHOLE if np.all(sizes == np.round(sizes)) else LOUD):
        return 1.0
    return float(next((scale for scale in SCALES if loud <= scale), SCALES[-1]))


class ClippingWatch:
    """Finds samples that lie flat at the peak of their channel, in blocks float32 (n, channels)."""

    def __init__(self) -> None:
        self._peak, self._clipped, self._heard, self._told = LEAST_PEAK, 0, 0, False

    def process(self, block: np.ndarray) -> str:
        """A sentence, once, as soon as it is clear that the sound is clipped; else nothing."""
        if self._told or len(block) < 3:
            return ""
        size = np.abs(block)
        self._peak = max(self._peak, float(size.max(initial=0.0)))
        flat = np.abs(np.diff(block, axis=0)) <= FLAT * self._peak
        at_peak = size[2:] >= NEAR_PEAK * self._peak
        self._clipped += int(np.count_nonzero(flat[1:] & flat[:-1] & at_peak))
        self._heard += int(np.count_nonzero(size > LEAST_PEAK * self._peak))
        self._told = self._clipped > LEAST_CLIPPED and self._clipped > CLIPPED_SHARE * self._heard
        return CLIPPED if self._told else ""
