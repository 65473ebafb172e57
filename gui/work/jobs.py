"""Slow work away from the window: a function on a thread of its own, its result back in the window's."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from typing import Any, ClassVar

from PySide6.QtCore import QObject, Qt, Signal

from voicelane import VoicelaneError
from voicelane.gui.model.language import later, tr

UNEXPECTED = later("something unexpected went wrong; please report what the terminal says")


class Cancelled(Exception):
    """Nobody wants the result of the work any more."""


class Course:
    """How far work has come, 0 … 1, and whether it is still wanted: between its thread and the window's."""

    def __init__(self) -> None:
        self.share, self.cancelled = 0.0, False

    def cancel(self) -> None:
        """The work ends at its next step."""
        self.cancelled = True

    def reach(self, share: float) -> None:
        """A step of the work is done; raises `Cancelled` where it is to end."""
        if self.cancelled:
            raise Cancelled
        self.share = min(1.0, share)


class Job(QObject):
    """Runs once; `done` or `failed` is called in the thread that made it; `done` gets None where the work was
    cancelled."""

    _done, _failed = Signal(object), Signal(str)
    running: ClassVar[set[Job]] = set()

    def __init__(
        self,
        work: Callable[[], Any],
        done: Callable[[Any], None] | None = None,
        failed: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self._work, self._on_done, self._on_failed = work, done, failed
        self._done.connect(self._finish, Qt.ConnectionType.QueuedConnection)
        self._failed.connect(self._fail, Qt.ConnectionType.QueuedConnection)
        Job.running.add(self)
        self._thread = threading.Thread(target=self._run, name="job", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            result = self._work()
        except Cancelled:
            self._done.emit(None)
        except VoicelaneError as problem:
            self._failed.emit(problem.plain)
        except OSError as problem:
            where = problem.filename or tr("the system")
            self._failed.emit(f"{where}: {problem.strerror or problem}")
        except Exception:
            traceback.print_exc()
            self._failed.emit(tr(UNEXPECTED))
        else:
            self._done.emit(result)

    def _finish(self, result: object) -> None:
        Job.running.discard(self)
        if self._on_done:
            self._on_done(result)

    def _fail(self, sentence: str) -> None:
        Job.running.discard(self)
        if self._on_failed:
            self._on_failed(sentence)
