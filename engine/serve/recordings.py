"""Tasks on recordings: who speaks when in a file, and who says what."""

from __future__ import annotations

import base64
import binascii
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from voicelane.audio.sources import FileSource
from voicelane.base.errors import AudioError, ModelError, VoicelaneError
from voicelane.base.text import check_name, one_line
from voicelane.base.timebase import seconds
from voicelane.config import PipelineConfig
from voicelane.offline import TurnSink, listen, pipeline_for, sides_of
from voicelane.pipeline import Pipeline
from voicelane.profiles.embedding import TELLING_S
from voicelane.profiles.enrolment import Enroller
from voicelane.serve.floor import named_turns
from voicelane.serve.people import known, listened
from voicelane.serve.task import Answer, Work
from voicelane.sessions.session import open_session
from voicelane.sides import SidesPipeline
from voicelane.stages.recogniser import Person
from voicelane.words.alignment import assign
from voicelane.words.recogniser import Recogniser, model_folder
from voicelane.words.recording import recognise_session
from voicelane.words.store import Transcript, transcript

POLL_S = 0.1
HEARING = 0.5
"""Share of a transcription that hearing who speaks is taken for."""
NAME = "the recording"


def diarise(work: Work, path: str, most_h: float, **asked: Any) -> Answer:
    """Who speaks when: `asked` holds `people` (a client's home), `known`, `max_speakers` and `channels`."""
    with _named(path):
        turns, length_s = _heard(work, path, most_h, 1.0, **asked)
    return _told(turns, length_s), b""


def transcribe(work: Work, path: str, most_h: float, model: str, language: str = "", **asked: Any) -> Answer:
    """The same, and who says what; needs `voicelane[words]`."""
    recogniser = _recogniser(model, language)
    with tempfile.TemporaryDirectory(prefix="voicelane-") as scratch, _named(path):
        folder = Path(scratch) / "session"
        turns, length_s = _heard(work, path, most_h, HEARING, folder, **asked)
        session = open_session(str(folder))

        def tell(sample: int) -> None:
            work.tell(HEARING + (1.0 - HEARING) * seconds(sample) / max(length_s, 0.1))

        found = recognise_session(session, recogniser, Path(model).name, tell)
        words = _words(transcript(session, found))
    return {**_told(turns, length_s), "words": words, "language": found.language}, b""


def _heard(
    work: Work,
    path: str,
    most_h: float,
    share: float,
    folder: Path | None = None,
    people: str = "",
    known_speakers: Sequence[Sequence[str]] = (),
    max_speakers: int | None = None,
    channels: str | int = "auto",
) -> tuple[TurnSink, float]:
    """The turns of a recording and its length in seconds."""
    config = work.config
    if max_speakers is not None:
        config = replace(config, diariser=replace(config.diariser, max_speakers=max_speakers))
    voices = [*(known(people, work) if people else []), *references(known_speakers, config)]
    source, turns = FileSource(path, channels=channels), TurnSink()
    try:
        pipeline = _pipeline(config, sides_of(source), voices)
        session = listen(source, record=folder, sinks=[turns], pipeline=pipeline)
    except BaseException:
        source.close()
        raise
    try:
        session.start()
        while not session.wait(POLL_S):
            heard_s = seconds(pipeline.heard_samples)
            if heard_s > 3600.0 * most_h:
                raise AudioError(f"{path}: is longer than the {most_h:g} h that this server takes")
            work.tell(share * heard_s / (source.duration_s or 3600.0 * most_h))
    finally:
        session.stop()
    return turns, seconds(pipeline.heard_samples)


def _pipeline(config: PipelineConfig, sides: int, people: Sequence[Person]) -> Pipeline | SidesPipeline:
    """A fresh one; its models are shared."""
    found = pipeline_for(sides, config, people)
    found.warm_up()
    return found


def _told(turns: TurnSink, length_s: float) -> dict[str, Any]:
    rows = named_turns(turns.turns(), turns.labels)
    return {"duration_s": round(length_s, 3), "turns": rows, "remarks": turns.remarks}


def _words(found: Transcript) -> list[dict[str, Any]]:
    speakers = assign(found.words, found.turns)
    return [
        {
            "start_s": round(seconds(word.start), 3),
            "end_s": round(seconds(word.end), 3),
            "text": word.text,
            "speaker": speaker,
        }
        for word, speaker in zip(found.words, speakers, strict=True)
    ]


def references(speakers: Sequence[Sequence[str]], config: PipelineConfig) -> list[Person]:
    """People by name and a `data:` URL with their voice; raises `VoicelaneError`."""
    if not speakers:
        return []
    enroller = Enroller(config)
    return [_reference(check_name(name), url, enroller) for name, url in speakers]


def _reference(name: str, url: str, enroller: Enroller) -> Person:
    with tempfile.NamedTemporaryFile(prefix="voicelane-") as file:
        file.write(_content(name, url))
        file.flush()
        heard = listened(enroller, file.name, f"the reference of {name}")
    if heard.recording.speech_s < TELLING_S:
        raise AudioError(
            f"the reference of {name} has {heard.recording.speech_s:.1f} s of speech: too little"
        )
    return Person(name, heard.recording.embedding[None])


def _content(name: str, url: str) -> bytes:
    """What a `data:` URL holds."""
    head, _, body = url.partition(",")
    if not (head.startswith("data:") and head.endswith(";base64")):
        raise VoicelaneError(f"the reference of {name} is no data: URL in base64")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise VoicelaneError(f"the reference of {name} is no data: URL in base64") from None


class _named:
    """Errors say "the recording" for the path where the server put it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type | None, problem: BaseException | None, trace: object) -> None:
        if isinstance(problem, VoicelaneError) and self._path in str(problem):
            raise type(problem)(one_line(str(problem).replace(self._path, NAME))) from None


@lru_cache(maxsize=2)
def _recogniser(model: str, language: str) -> Recogniser:
    """Loaded once; raises `ModelError`."""
    try:
        return Recogniser(model_folder(model), language)
    except ValueError as problem:
        raise ModelError(str(problem)) from None


RECORDINGS: dict[str, Callable[..., Answer]] = {"diarise": diarise, "transcribe": transcribe}
