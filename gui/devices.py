"""Which microphones there are, asked again and again, as they come and go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from engine import PORTAUDIO, VoicelaneError, input_devices
from gui.jobs import Job

WATCH_MS = 3_000


class Devices(QObject):
    """`found` as `engine.input_devices` gives them; new ones are only seen while nothing plays or records."""

    changed = Signal()

    def __init__(self, idle: Callable[[], bool]) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.problem = ""
        """Why there are none."""
        self._idle, self._asking = idle, False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.ask)

    def watch(self) -> None:
        """Ask now, and every three seconds."""
        self.ask()
        self._timer.start(WATCH_MS)

    def ask(self) -> None:
        """One look, on another thread."""
        if not self._asking and (self._idle() or not self.found):
            self._asking = True
            Job(self._look, self._take, lambda sentence: self._take(([], sentence)))

    def _look(self) -> tuple[list[dict[str, Any]], str]:
        with PORTAUDIO:
            try:
                return input_devices(refresh=self._idle()), ""
            except VoicelaneError as problem:
                return [], str(problem)

    def _take(self, answer: tuple[list[dict[str, Any]], str]) -> None:
        self._asking = False
        if answer != (self.found, self.problem):
            self.found, self.problem = answer
            self.changed.emit()
