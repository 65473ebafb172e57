"""The same voice in two lanes: in whose it is an echo, and what is left of that lane without it."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

FRAME_S = 0.02
LATEST_FRAMES = 17
"""An echo comes up to a third of a second late."""
KEPT_FRAMES, LEAST_FRAMES = 500, 50
"""Frames with sound in the other lane that the echo is learnt from: ten seconds, at least one."""
ACTIVE_DB, FLOOR_DB = -60.0, -120.0
LOW_SHARE = 0.3
"""An echo is as loud as in the quietest part of the frames; what is louder has a voice of its own."""
ALIKE = 0.5
"""Correlation of the levels of two lanes, in dB, from which one has the other's sound."""
ABOVE_ECHO_DB = 10.0
AROUND_FRAMES = 6
"""A room makes an echo longer by that."""
LEAST_DB = 1.0
"""Levels that vary by less tell nothing."""
HOLD_FRAMES = 3


class Leak:
    """How loud and how late one lane's sound comes back in another, learnt while it sounds; levels in dB."""

    def __init__(self) -> None:
        self._source, self._other = (deque[float](maxlen=KEPT_FRAMES) for _ in range(2))
        self._echo, self._since = Echo(0, float("-inf")), 0

    def hear(self, source_db: float, other_db: float) -> float:
        """A frame of both; the level in dB below which the other has no voice of its own."""
        self._source.append(source_db)
        self._other.append(other_db)
        self._since += source_db > ACTIVE_DB
        if self._since >= LEAST_FRAMES:
            self._since = 0
            self._echo = echo_of(np.array(self._source), np.array(self._other))
        last = len(self._source) - self._echo.late_frames
        around = list(self._source)[max(0, last - AROUND_FRAMES) : last + 1]
        return max(around, default=FLOOR_DB) + self._echo.level_db + ABOVE_ECHO_DB


class Echo(NamedTuple):
    """What a lane has of another one."""

    late_frames: int
    level_db: float
    """Relative to its source; minus infinity where there is none."""


def echo_of(source_db: np.ndarray, other_db: np.ndarray) -> Echo:
    """The echo of one lane in another, of their levels (n,): at the lag at which they are most alike."""
    found = [_at_lag(source_db, other_db, lag) for lag in range(LATEST_FRAMES + 1)]
    alike, echo = max(found, key=lambda item: item[0])
    return echo if alike >= ALIKE else Echo(0, float("-inf"))


def _at_lag(source_db: np.ndarray, other_db: np.ndarray, lag: int) -> tuple[float, Echo]:
    """How alike the levels are where the source sounds, −1 … 1, and the echo that they would be."""
    source, other = source_db[: len(source_db) - lag], other_db[lag:]
    active = source > ACTIVE_DB
    source, other = source[active], other[active]
    if len(source) < LEAST_FRAMES // 2 or source.std() < LEAST_DB or other.std() < LEAST_DB:
        return -1.0, Echo(0, float("-inf"))
    level_db = float(np.quantile(other - source, LOW_SHARE))
    return float(np.corrcoef(source, other)[0, 1]), Echo(lag, level_db)


class EchoGate:
    """Two lanes (n, 2) in, the same number of samples out: silent where a lane has only the other's echo.

    The microphone hears the loudspeakers, or a meeting sends one's own voice back: then a voice is in both
    lanes, and counts in the one where it is louder and earlier.
    """

    latency_samples = 0

    def __init__(self, rate: int) -> None:
        self._length = max(1, round(FRAME_S * rate))
        self.reset()

    def reset(self) -> None:
        self._leaks = Leak(), Leak()  # of lane 1 in lane 0, and of lane 0 in lane 1
        self._held, self._gain = np.full(2, HOLD_FRAMES), np.ones(2, np.float32)

    def process(self, block: np.ndarray) -> np.ndarray:
        """The block, frame by frame; its last frame may be a short one."""
        frames = [block[i : i + self._length] for i in range(0, len(block), self._length)]
        return np.concatenate([self._gated(frame) for frame in frames]) if frames else block

    def _gated(self, frame: np.ndarray) -> np.ndarray:
        """A frame, faded where a lane becomes an echo or its own."""
        mine, theirs = levels_db(frame)
        least = np.array([self._leaks[0].hear(theirs, mine), self._leaks[1].hear(mine, theirs)])
        own = np.array([mine, theirs]) > least
        self._held = np.where(own, HOLD_FRAMES, np.maximum(self._held - 1, 0))
        gain = (self._held > 0).astype(np.float32)
        ramp = np.linspace(0.0, 1.0, len(frame), dtype=np.float32)[:, None]
        faded = frame * (self._gain + (gain - self._gain) * ramp)
        self._gain = gain
        return faded


def levels_db(frame: np.ndarray) -> np.ndarray:
    """Level of each lane of a frame (n, lanes), in dBFS."""
    power = np.square(frame, dtype=np.float64).mean(axis=0)
    return np.maximum(FLOOR_DB, 10.0 * np.log10(power + 1e-12))
