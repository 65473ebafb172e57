"""How a command ends when it is told to, or when nobody reads what it says any more."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from io import TextIOWrapper
from types import FrameType

CLOSED = 128 + getattr(signal, "SIGPIPE", 13)
"""The status of a program whose reader went away."""
ASKED_TO_END = 128 + signal.SIGINT
"""The status after Ctrl-C, which is how listening to a microphone ends."""
GONE = (errno.EPIPE, errno.EIO)  # a closed pipe, a terminal that was closed


class Interrupted(KeyboardInterrupt):
    """A signal that asks the program to end; `status` is what it ends with by convention."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number


class Outlet(TextIOWrapper):
    """A standard stream whose reader may go: from then on what is written is dropped, and `gone` says so."""

    gone = False

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as problem:
            self._drop(problem)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as problem:
            self._drop(problem)

    def _drop(self, problem: OSError) -> None:
        if problem.errno not in GONE:
            raise problem
        self.gone = True
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, self.fileno())
        os.close(nothing)


def standard_streams() -> None:
    """Make standard output and error bear any text, being closed, and their reader going away."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, _nowhere())
        elif type(stream) is TextIOWrapper and stream is getattr(sys, f"__{name}__"):
            interactive, encoding = stream.line_buffering, stream.encoding
            kept = Outlet(stream.detach(), encoding, "replace", line_buffering=interactive)
            setattr(sys, name, kept)
            setattr(sys, f"__{name}__", kept)
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a file name that is no text must not end a session


def answer_signals() -> None:
    """From now on the signals that ask a program to end raise `Interrupted`, once; `nohup` is respected."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and (name == "SIGINT" or signal.getsignal(number) is not signal.SIG_IGN):
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted(number)


def _nowhere() -> TextIOWrapper:
    """A stream that takes the place of a closed one, its descriptor too."""
    return TextIOWrapper(io.FileIO(os.open(os.devnull, os.O_WRONLY), "w"))
