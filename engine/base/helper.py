"""Work in a process of its own: messages in, messages out, and it may die without taking anybody along."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from voicelane.base.errors import ModelError

NICE = 5
"""A helper lets the engine go first."""
READY_S = 120.0
"""What is not loaded by then never will be."""
POLL_S = 0.03
"""How soon whoever waits for an answer can leave."""


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

    def wait_until_ready(self, waiting: Callable[[], object] = lambda: None) -> None:
        """`waiting` is called now and then, and may raise to leave. Raises `ModelError` where its models
        cannot be loaded."""
        try:
            said = json.loads(self._pipe.recv_bytes()) if self._comes(waiting) else {}
        except (EOFError, OSError):
            said = {"problem": f"the process that {self._purpose} died while it loaded its model"}
        if "ready" not in said:
            self.close()
            late = f"the process that {self._purpose} could not be loaded in time"
            raise ModelError(str(said.get("problem", late)))

    def _comes(self, waiting: Callable[[], object]) -> bool:
        """Whether there is an answer within the time that loading may take."""
        until_s = time.monotonic() + READY_S
        while not (there := self._pipe.poll(POLL_S)) and time.monotonic() < until_s:
            waiting()
        return there

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
