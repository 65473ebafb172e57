"""The process that says texts: begun when it is first wanted, away from the window, and ended at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from voicelane import PipelineConfig
from voicelane.base import ModelError
from voicelane.gui.work.jobs import Cancelled
from voicelane.voices import TextProcess, Voice


@dataclass(frozen=True)
class Order:
    """What is to be said, and how."""

    text: str
    voice: Voice
    speed: float
    language: str


class Speech:
    """Asked from threads of jobs, for one text at a time; anybody else waits."""

    def __init__(self) -> None:
        self._lock, self._over = threading.Lock(), False
        self._process: TextProcess | None = None
        self._config: PipelineConfig | None = None

    def prepare(self, config: PipelineConfig) -> None:
        """Let the process load, unless there is one already."""
        with self._lock:
            self._begun(config)

    def say(
        self, order: Order, config: PipelineConfig, waiting: Callable[[], object]
    ) -> Generator[np.ndarray]:
        """16 kHz float32 (n,), piece by piece; `waiting` is called now and then, and may raise to leave.

        Raises `VoicelaneError` where it cannot be said. Who leaves ends the process; another one begins.
        """
        with self._lock:
            process = self._begun(config)
            try:
                yield from process.say(order.text, order.voice, order.speed, order.language, waiting)
            except ModelError:
                self._end()
                raise
            except (Cancelled, GeneratorExit):
                self._end()
                if not self._over:
                    self._begun(config)
                raise

    def close(self) -> None:
        """End the process for good."""
        self._over = True
        with self._lock:
            self._end()

    def _begun(self, config: PipelineConfig) -> TextProcess:
        """Raises `Cancelled` where nothing is wanted any more."""
        if self._over:
            raise Cancelled
        if self._config != config:
            self._end()
        if self._process is None:
            self._process, self._config = TextProcess(config), config
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close()
