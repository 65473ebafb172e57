"""A recogniser in a process of its own: sound in, words out, as text and plain numbers."""

from __future__ import annotations

import json
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from voicelane.base.errors import VoicelaneError
from voicelane.base.helper import Helper, polite, tell
from voicelane.words.recogniser import Heard, Recogniser, model_folder


class RecogniserProcess(Helper):
    """A recogniser that is asked now and answers later; it never holds up whoever asks."""

    def __init__(self, model: str | Path, language: str = "", translate: bool = False) -> None:
        """Fetches the model if need be and starts to load it. Raises `ModelError`."""
        super().__init__(serve, (str(model_folder(model)), language, translate), "recognises words")

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


def serve(pipe: Connection, model: str, language: str, translate: bool) -> None:
    """The life of the process: sound in, words out, until nobody is there any more."""
    polite()
    try:
        recogniser = Recogniser(model, language)
        if translate:
            recogniser.check_translates()
    except VoicelaneError as problem:
        return tell(pipe, {"problem": str(problem)})
    tell(pipe, {"ready": True})
    while True:
        try:
            asked = pipe.recv_bytes()
            tell(pipe, _heard(recogniser, np.frombuffer(asked[1:], np.float32), bool(asked[0])))
        except (EOFError, OSError):
            return None


def _heard(recogniser: Recogniser, sound: np.ndarray, translate: bool) -> dict[str, Any]:
    """The answer: what was heard, or why that cannot be told."""
    try:
        return asdict(recogniser.hear(sound, translate))
    except (VoicelaneError, RuntimeError, ValueError) as problem:  # CTranslate2 says RuntimeError
        return {"problem": f"a piece could not be recognised ({' '.join(str(problem).split())})"}
