"""Timers that rest while nothing moves, so that an open window costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from voicelane.gui.work.studio import Studio

REST_AFTER_MS = 3_000
"""What still falls or fades when something ends has come to rest by then."""


class Ticking(QTimer):
    """Calls `act` every so often while anything is heard, played or opened, and a while after any change."""

    def __init__(self, parent: QObject, studio: Studio, interval_ms: int, act: Callable[[], object]) -> None:
        super().__init__(parent, interval=interval_ms)
        self._studio, self._act, self._left_ms = studio, act, REST_AFTER_MS
        self.timeout.connect(self._tick)
        studio.stirred.connect(self.wake)
        self.wake()

    def wake(self) -> None:
        """Something changed."""
        self._left_ms = REST_AFTER_MS
        if not self.isActive():
            self.start()

    def _tick(self) -> None:
        self._act()
        self._left_ms = REST_AFTER_MS if self._studio.busy else self._left_ms - self.interval()
        if self._left_ms <= 0:
            self.stop()
