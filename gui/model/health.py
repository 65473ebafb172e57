"""How the engine is doing: times of its stages, delays of its labels, load of the process."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
import psutil

from voicelane import Event
from voicelane.events import StageTiming
from voicelane.live import DECISION, LatencySink

KEPT = 3_000
"""Latest measurements of each kind."""


class Health:
    """Fed by the engine's thread, read by the window."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = psutil.Process()
        self.clear()

    def clear(self) -> None:
        """A new stream; a label's delay only means something where the sound plays at its own speed."""
        with self._lock:
            self.latency = LatencySink()
            self.realtime = True
            self._kept: dict[str, deque[float]] = {}
        self.measure()

    def put(self, event: Event) -> None:
        self.latency.put(event)
        if isinstance(event, StageTiming):
            with self._lock:
                self._stages(event)

    def values(self, kind: str) -> np.ndarray:
        """The latest milliseconds of a stage, of `frame` (all that a 20 ms frame takes), of `tentative` or
        `confirmed` labels as `LatencySink` measures them."""
        if kind in ("tentative", "confirmed"):
            return self._delays(kind)
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
                self._keep(stage, ms if stage in DECISION else ms / event.n_frames)
        self._keep("frame", sum(event.wall_ms.values()) / event.n_frames)

    def _delays(self, kind: str) -> np.ndarray:
        found = self.latency.delays_ms().get(kind) if self.realtime else None
        return np.zeros(0) if found is None else found[-KEPT:]

    def _keep(self, kind: str, value_ms: float) -> None:
        self._kept.setdefault(kind, deque(maxlen=KEPT)).append(value_ms)
