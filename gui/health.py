"""How the engine is doing: times of its stages, delays of its labels, load of the process."""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np
import psutil

from engine import Event, SpeakerTurn, StageTiming, StreamStarted, seconds

KEPT = 3_000
"""Latest measurements of each kind."""
LATER = ("encoder", "segmentation", "enhancer", "diariser")
"""Stages that do not run for every frame."""


class Health:
    """Fed by the engine's thread, read by the window."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = psutil.Process()
        self.clear()

    def clear(self) -> None:
        """A new stream; a label's delay only means something where the sound plays at its own speed."""
        with self._lock:
            self._began_s: float | None = None
            self.realtime = True
            self._labelled = self._confirmed = 0
            self._kept: dict[str, deque[float]] = {}
        self.measure()

    def put(self, event: Event) -> None:
        now_s = time.monotonic()
        with self._lock:
            if isinstance(event, StreamStarted):
                self._began_s = event.clock_s
            elif isinstance(event, StageTiming):
                self._stages(event)
            elif isinstance(event, SpeakerTurn) and self._began_s is not None and self.realtime:
                self._delays(event, 1e3 * (now_s - self._began_s))

    def values(self, kind: str) -> np.ndarray:
        """The latest milliseconds of a stage, of `frame` (all that a 20 ms frame takes), of `tentative` or
        `confirmed` labels."""
        with self._lock:
            return np.array(self._kept.get(kind, ()))

    def percentiles(self, kind: str) -> tuple[float, float, float] | None:
        """p50, p95 and p99 in milliseconds; None where nothing was measured."""
        values = self.values(kind)
        return tuple(np.percentile(values, (50, 95, 99)).tolist()) if len(values) else None

    def measure(self) -> None:
        """Take the load since the last time, as percent of one core."""
        self.cpu_percent = float(self._process.cpu_percent())

    def memory_mb(self) -> float:
        return float(self._process.memory_info().rss) / 2**20

    def _stages(self, event: StageTiming) -> None:
        for stage, ms in event.wall_ms.items():
            if ms:
                self._keep(stage, ms if stage in LATER else ms / event.n_frames)
        self._keep("frame", sum(event.wall_ms.values()) / event.n_frames)

    def _delays(self, turn: SpeakerTurn, now_ms: float) -> None:
        if not turn.final and turn.end > self._labelled:
            self._labelled = turn.end
            self._keep("tentative", now_ms - 1e3 * seconds(turn.end))
        if turn.confirmed_end > self._confirmed:
            self._confirmed = turn.confirmed_end
            self._keep("confirmed", now_ms - 1e3 * seconds(turn.confirmed_end))

    def _keep(self, kind: str, value_ms: float) -> None:
        self._kept.setdefault(kind, deque(maxlen=KEPT)).append(value_ms)
