"""A recogniser in a process of its own: sound in, words out, as text and plain numbers."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from voicelane.base.errors import ModelError, VoicelaneError
from voicelane.words.recogniser import Heard, Recogniser, model_folder

NICE = 5
"""The recogniser lets the engine go first."""
READY_S = 120.0
"""A model that is not loaded by then never will be."""


class RecogniserProcess:
    """A recogniser that is asked now and answers later; it never holds up whoever asks."""

    def __init__(self, model: str | Path, language: str = "", translate: bool = False) -> None:
        """Fetches the model if need be and starts to load it. Raises `ModelError`."""
        self._settings = str(model_folder(model)), language, translate
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, *self._settings), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int | None:
        """Of the process."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Raises `ModelError` where the model cannot be loaded."""
        try:
            said = json.loads(self._pipe.recv_bytes()) if self._pipe.poll(READY_S) else {}
        except (EOFError, OSError):
            said = {"problem": "the process that recognises words died while it loaded its model"}
        if "ready" not in said:
            self.close()
            raise ModelError(str(said.get("problem", "the model of captions could not be loaded in time")))

    def ask(self, sound: np.ndarray, translate: bool = False) -> None:
        """What is said in float32 (n,), and in English?; raises `OSError` where the process died."""
        self._pipe.send_bytes(bytes([translate]) + np.ascontiguousarray(sound, np.float32).tobytes())

    def answer(self, timeout_s: float = 0.0) -> Heard | None:
        """What was heard, None while that is not known.

        Raises `EOFError` or `OSError` where the process died, `VoicelaneError` where it cannot tell.
        """
        if not self._pipe.poll(timeout_s):
            return None
        said = self._pipe.recv_bytes()
        if problem := json.loads(said).get("problem"):
            raise VoicelaneError(problem)
        return msgspec.json.decode(said, type=Heard)

    def restart(self) -> None:
        """A new process in the place of the old one; raises `ModelError`."""
        self.close()
        self._begin()
        self.wait_until_ready()

    def close(self) -> None:
        self._pipe.close()
        self._process.kill()
        self._process.join()


def serve(pipe: Connection, model: str, language: str, translate: bool) -> None:
    """The life of the process: sound in, words out, until nobody is there any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    if hasattr(os, "nice"):
        os.nice(NICE)
    try:
        recogniser = Recogniser(model, language)
        if translate:
            recogniser.check_translates()
    except VoicelaneError as problem:
        return _say(pipe, {"problem": str(problem)})
    _say(pipe, {"ready": True})
    while True:
        try:
            asked = pipe.recv_bytes()
            _say(pipe, _heard(recogniser, np.frombuffer(asked[1:], np.float32), bool(asked[0])))
        except (EOFError, OSError):
            return None


def _heard(recogniser: Recogniser, sound: np.ndarray, translate: bool) -> dict[str, Any]:
    """The answer: what was heard, or why that cannot be told."""
    try:
        return asdict(recogniser.hear(sound, translate))
    except (VoicelaneError, RuntimeError, ValueError) as problem:  # CTranslate2 says RuntimeError
        return {"problem": f"a piece could not be recognised ({' '.join(str(problem).split())})"}


def _say(pipe: Connection, content: dict[str, Any]) -> None:
    pipe.send_bytes(json.dumps(content).encode())
