"""Wall and CPU time of named pieces of work on one thread."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """`with stopwatch("vad"): …` adds to `wall_ms["vad"]` and `cpu_ms["vad"]` until `take`."""

    def __init__(self) -> None:
        self._wall_ms: dict[str, float] = {}
        self._cpu_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.thread_time()
        yield
        self._wall_ms[name] = self._wall_ms.get(name, 0.0) + (time.perf_counter() - wall) * 1e3
        self._cpu_ms[name] = self._cpu_ms.get(name, 0.0) + (time.thread_time() - cpu) * 1e3

    def take(self) -> tuple[dict[str, float], dict[str, float]]:
        """Wall and CPU ms per name since the last call."""
        taken = self._wall_ms, self._cpu_ms
        self._wall_ms, self._cpu_ms = {}, {}
        return taken
