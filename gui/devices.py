"""Which microphones there are: asked by a process of its own, whenever somebody looks at the list."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from engine import connected_devices
from gui.jobs import Job


class Devices(QObject):
    """`found` as `engine.connected_devices` gives them; nothing that plays or records is disturbed."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.problem = ""
        """Why there are none."""
        self._asking = False

    def ask(self) -> None:
        """One look, on another thread."""
        if not self._asking:
            self._asking = True
            Job(connected_devices, self._take, lambda sentence: self._take([], sentence))

    def _take(self, found: list[dict[str, Any]], problem: str = "") -> None:
        self._asking = False
        if (found, problem) != (self.found, self.problem):
            self.found, self.problem = found, problem
            self.changed.emit()
