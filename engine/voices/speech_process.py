"""Text to speech in a process of its own: a line in, its sound out, in the voice of whoever said it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from multiprocessing.connection import Connection

import numpy as np

from voicelane.base.errors import VoicelaneError
from voicelane.base.helper import Helper, polite, tell
from voicelane.config import PipelineConfig
from voicelane.voices.casting import Cast
from voicelane.voices.speech import checked_text, engine_for
from voicelane.voices.voice import Voice

SOUND, WORDS = b"s", b"w"
"""What the first byte of an answer says of the rest."""


class SpeechProcess(Helper):
    """A cast that is asked now and answers later."""

    def __init__(self, config: PipelineConfig, own: Mapping[str, Voice]) -> None:
        """Starts to load; `own` are the voices of people who consented, by name."""
        super().__init__(serve, (config, dict(own)), "speaks")

    def ask(self, speaker: str, text: str, speed: float) -> None:
        """English in the voice of a speaker; raises `OSError` where the process died."""
        self._pipe.send_bytes(json.dumps([speaker, text, speed]).encode())

    def answer(self, timeout_s: float = 0.0) -> np.ndarray | None:
        """16 kHz float32 (n,), None while it is not there.

        Raises `EOFError` or `OSError` where the process died, `VoicelaneError` where it cannot be said.
        """
        if not self._pipe.poll(timeout_s):
            return None
        said = self._pipe.recv_bytes()
        if said[:1] == WORDS:
            raise VoicelaneError(said[1:].decode())
        return np.frombuffer(said[1:], np.float32)


def serve(pipe: Connection, config: PipelineConfig, own: Mapping[str, Voice]) -> None:
    """The life of the process, until nobody is there any more."""
    polite()
    try:
        cast = Cast(engine_for("en"), config, own)
    except VoicelaneError as problem:
        return tell(pipe, {"problem": str(problem)})
    tell(pipe, {"ready": True})
    while True:
        try:
            speaker, text, speed = json.loads(pipe.recv_bytes())
            pipe.send_bytes(_said(cast, speaker, text, speed))
        except (EOFError, OSError):
            return None


def _said(cast: Cast, name: str, text: str, speed: float) -> bytes:
    """The answer: sound, or why there is none."""
    try:
        speaker = cast.speaker(name)
        pieces = speaker.speak(checked_text(text, speaker.engine), speed)
        return SOUND + np.concatenate([np.zeros(0, np.float32), *pieces]).tobytes()
    except VoicelaneError as problem:
        return WORDS + str(problem).encode()
