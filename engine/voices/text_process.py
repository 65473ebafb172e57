"""Texts said in a process of its own: in any voice and language, the sound as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import numpy as np

from voicelane.base.errors import ModelError, VoicelaneError
from voicelane.base.helper import POLL_S, Helper, polite, tell
from voicelane.config import PipelineConfig
from voicelane.voices.fitting import Fitter
from voicelane.voices.speaking import Speaker, reach_of
from voicelane.voices.speech import Engine, checked_text, engine_for
from voicelane.voices.voice import Voice

SOUND, WORDS, END = b"s", b"w", b"e"
"""What the first byte of an answer says of the rest."""
DIED = "the process that speaks died; try again"


class TextProcess(Helper):
    """Says one text after the other."""

    def __init__(self, config: PipelineConfig) -> None:
        """Starts to load the encoder of the settings, and the English voice."""
        super().__init__(serve, (config,), "speaks")
        self._ready = False

    def say(
        self, text: str, voice: Voice, speed: float, language: str, waiting: Callable[[], object]
    ) -> Iterator[np.ndarray]:
        """16 kHz float32 (n,), piece by piece; `waiting` is called now and then, and may raise to leave.

        Raises `VoicelaneError` for a text that cannot be said, `ModelError` where the process could not be
        loaded or died. Who leaves before the end has to `close` the process: the rest would be taken for the
        next text.
        """
        if not self._ready:
            self.wait_until_ready(waiting)
            self._ready = True
        try:
            self._pipe.send((text, voice, speed, language))
            while (answer := self._answer(waiting))[:1] == SOUND:
                yield np.frombuffer(answer[1:], np.float32)
        except (EOFError, OSError):
            raise ModelError(DIED) from None
        if answer[:1] == WORDS:
            raise VoicelaneError(answer[1:].decode())

    def _answer(self, waiting: Callable[[], object]) -> bytes:
        while not self._pipe.poll(POLL_S):
            waiting()
        return self._pipe.recv_bytes()


class _Reader:
    """What says texts, with all that it has loaded."""

    def __init__(self, config: PipelineConfig) -> None:
        """Ready to speak English; raises `ModelError`."""
        self._fitter, self._engines = Fitter(config), dict[str, Engine]()
        engine = self._engine("en")
        reach_of(engine, self._fitter)
        for _ in engine.say("Ready.", 1.0):  # the first time takes seconds
            pass

    def answers(self, text: str, voice: Voice, speed: float, language: str) -> Iterator[bytes]:
        """Sound and an end, or why there is none."""
        try:
            engine = self._engine(language)
            for piece in Speaker(engine, voice, self._fitter).speak(checked_text(text, engine), speed):
                yield SOUND + piece.tobytes()
        except VoicelaneError as problem:
            yield WORDS + problem.plain.encode()
        else:
            yield END

    def _engine(self, language: str) -> Engine:
        if language not in self._engines:
            self._engines[language] = engine_for(language)
        return self._engines[language]


def serve(pipe: Connection, config: PipelineConfig) -> None:
    """The life of the process, until nobody is there any more."""
    polite()
    try:
        reader = _Reader(config)
    except VoicelaneError as problem:
        return tell(pipe, {"problem": problem.plain})
    tell(pipe, {"ready": True})
    while True:
        try:
            for answer in reader.answers(*pipe.recv()):
                pipe.send_bytes(answer)
        except (EOFError, OSError):
            return None
