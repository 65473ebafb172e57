"""Whether a microphone leaves sound out without saying so: its sound then comes later for good."""

from __future__ import annotations

import math

WINDOW_S = 0.5
LEAST_BLOCKS = 10
TOLERANCE_S = 0.15


class Pace:
    """Compares the clock with the sound that has come.

    Blocks may be late and catch up again; the promptest of each half second is what counts. A clock of the
    device that is a little slow or fast changes that by a fraction of a millisecond at a time.
    """

    def __init__(self, rate: int) -> None:
        self._rate, self._written, self._blocks = rate, 0, 0
        self._began_s = self._usual_s = self._promptest_s = math.inf

    def missing_s(self, n_samples: int, now_s: float) -> float:
        """Seconds that are missing before a block that has come now; 0 nearly always."""
        self._written += n_samples
        self._blocks += 1
        self._began_s = min(self._began_s, now_s)
        self._promptest_s = min(self._promptest_s, now_s - self._written / self._rate)
        if now_s - self._began_s < WINDOW_S or self._blocks < LEAST_BLOCKS:
            return 0.0
        missing_s = self._promptest_s - self._usual_s
        self._usual_s, self._promptest_s = self._promptest_s, math.inf
        self._began_s, self._blocks = now_s, 0
        return missing_s if missing_s > TOLERANCE_S else 0.0
