"""Work in a process of its own: messages in, messages out, and it may die without taking anybody along."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from voicelane.base.errors import ModelError

NICE = 5
"""A helper lets the engine go first."""
READY_S = 120.0
"""What is not loaded by then never will be."""


class Helper:
    """A process that says once that it is ready, or why it is not, then answers."""

    def __init__(self, serve: Callable[..., None], settings: tuple[Any, ...], purpose: str) -> None:
        """Starts `serve(pipe, *settings)`; `purpose` is what the process does, for sentences."""
        self._serve, self._settings, self._purpose = serve, settings, purpose
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=self._serve, args=(theirs, *self._settings), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Raises `ModelError` where its models cannot be loaded."""
        try:
            said = json.loads(self._pipe.recv_bytes()) if self._pipe.poll(READY_S) else {}
        except (EOFError, OSError):
            said = {"problem": f"the process that {self._purpose} died while it loaded its model"}
        if "ready" not in said:
            self.close()
            late = f"the process that {self._purpose} could not be loaded in time"
            raise ModelError(str(said.get("problem", late)))

    def restart(self) -> None:
        """A new process in the place of the old one; raises `ModelError`."""
        self.close()
        self._begin()
        self.wait_until_ready()

    def close(self) -> None:
        self._pipe.close()
        self._process.kill()
        self._process.join()


def polite() -> None:
    """What every helper does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    if hasattr(os, "nice"):
        os.nice(NICE)


def tell(pipe: Connection, content: dict[str, Any]) -> None:
    """A message in words and numbers."""
    pipe.send_bytes(json.dumps(content).encode())
