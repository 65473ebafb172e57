"""A process that does one task after another: `python -m voicelane.serve.clerk DESCRIPTOR`.

Recordings, people and recorded sessions; whatever reads or writes files is done here. Paths come from the
server, never from a client.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable

from voicelane.base.errors import VoicelaneError
from voicelane.base.text import one_line
from voicelane.config import PipelineConfig
from voicelane.serve.people import PEOPLE
from voicelane.serve.recordings import RECORDINGS
from voicelane.serve.shelf import SHELF
from voicelane.serve.task import Answer, Cancelled, Work
from voicelane.serve.wire import Header, Wire
from voicelane.serve.worker import config_from

TOLD_S = 0.25
"""Between two words on progress."""

TASKS: dict[str, Callable[..., Answer]] = {**RECORDINGS, **PEOPLE, **SHELF}
"""Functions of a `Work` and of what the server says, by name."""


class Clerk:
    """Takes tasks from the server until that is gone."""

    def __init__(self, wire: Wire, config: PipelineConfig) -> None:
        self._wire, self._config = wire, config
        self._task, self._told_s = 0, 0.0

    def run(self) -> None:
        while True:
            header, _ = self._wire.receive()
            if "task" in header:  # a task that is over cannot be cancelled
                self._do(header)

    def _do(self, header: Header) -> None:
        self._task, self._told_s = header["task"], 0.0
        work = Work(self._config, self._progress)
        try:
            answer, payload = TASKS[header["what"]](work, **header["with"])
        except Cancelled:
            self._wire.send({"task": self._task, "cancelled": True})
        except (VoicelaneError, OSError) as problem:
            self._wire.send({"task": self._task, **told(problem, header["with"].get("home", ""))})
        else:
            self._wire.send({"task": self._task, "answer": answer}, payload)

    def _progress(self, share: float) -> None:
        """Tell how much is done, 0 … 1, now and then; raises `Cancelled`."""
        while self._wire.poll(0.0):
            if self._wire.receive()[0].get("cancel") == self._task:
                raise Cancelled
        if time.monotonic() - self._told_s >= TOLD_S:
            self._told_s = time.monotonic()
            self._wire.send({"task": self._task, "progress": round(min(1.0, share), 4)})


def told(problem: VoicelaneError | OSError, home: str) -> dict[str, str]:
    """A sentence without the folders of the server, and the kind of the error."""
    if isinstance(problem, OSError):
        return {"problem": problem.strerror or "the system refused it", "kind": "OSError"}
    sentence = one_line(str(problem))
    return {"problem": sentence.replace(home, "…") if home else sentence, "kind": type(problem).__name__}


def main(descriptor: str) -> None:
    """The life of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to answer
    wire = Wire(int(descriptor))
    try:
        header, _ = wire.receive()
        wire.send({"ready": True})
        Clerk(wire, config_from(header["config"])).run()
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main(sys.argv[1])
