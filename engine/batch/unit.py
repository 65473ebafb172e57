"""Many recordings, each analysed whole: the unit of work, and its result on disk.

A unit takes text and gives text, so that it can be done by another process or on another machine. Results are
written by one hand, whole or not at all: RTTM first, then the JSON file that says it is done.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from voicelane.audio.formats import may_hold_sound
from voicelane.audio.sources import FileSource
from voicelane.base.errors import VoicelaneError
from voicelane.base.files import write_through
from voicelane.base.settings import build_settings
from voicelane.base.text import file_name
from voicelane.base.timebase import seconds
from voicelane.config import PipelineConfig
from voicelane.inference.manifest import read_manifest
from voicelane.inference.onnx import installed
from voicelane.live.sinks import rttm_line
from voicelane.offline import TurnSink, listen, pipeline_for, sides_of
from voicelane.pipeline import Pipeline
from voicelane.sessions.session import open_session
from voicelane.sides import SidesPipeline
from voicelane.stages.recogniser import Person
from voicelane.words.captioner import CaptionSettings
from voicelane.words.exports import FORMATS
from voicelane.words.pieces import pieces_of, speaker_pieces
from voicelane.words.recogniser import Recogniser
from voicelane.words.recording import recognise_session
from voicelane.words.store import transcript

MOST_NAMED = 10
CAPTION_FILES = {"txt": "txt", "srt": "srt", "words.json": "json"}
"""The ending of each file of captions, and its format."""


@dataclass(frozen=True)
class Unit:
    """One recording."""

    name: str
    """Of its results, with the folders above it."""
    path: str


@dataclass(frozen=True)
class Outcome:
    """What became of one recording."""

    unit: Unit
    rttm: str = ""
    """Final turns; of what could be read where there is a `problem`."""
    heard_s: float = 0.0
    spoken_s: dict[str, float] = field(default_factory=dict)
    """Per speaker, in order of appearance."""
    problem: str = ""
    """One sentence, empty where all went well."""
    remarks: list[str] = field(default_factory=list)
    """What is worth knowing of its sound."""
    captions: dict[str, str] = field(default_factory=dict)
    """Who said what, by the endings of its files; only where that was asked for."""


def recordings(folder: Path, out: Path | None = None) -> tuple[list[Unit], list[str]]:
    """The sound files below a folder, and the names of all its other files.

    What is below `out`, which may lie in it, is neither. Names of units keep the ending only
    where it tells two apart.
    """
    if not folder.is_dir():
        raise VoicelaneError(f"{folder}: there is no such folder of recordings")
    results = out.resolve() if out and out.resolve() != folder.resolve() else None
    files = sorted(p for p in folder.rglob("*") if not p.is_dir() and results not in p.resolve().parents)
    paths = [p for p in files if p.is_file() and may_hold_sound(p)]
    others = [p.relative_to(folder).as_posix() for p in files if p not in set(paths)]
    if not paths:
        raise VoicelaneError(f"{folder}: holds no sound files{named(others)}")
    return _units(folder, paths), others


def named(files: Sequence[str]) -> str:
    """Files that are no sound, for the end of a sentence; empty where there are none."""
    more = len(files) - MOST_NAMED
    shown = [*files[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])]
    return f"; not sound by name or content: {', '.join(shown)}" if files else ""


def _units(folder: Path, paths: Sequence[Path]) -> list[Unit]:
    bare = [p.relative_to(folder).with_suffix("").as_posix() for p in paths]
    alike = Counter(name.casefold() for name in bare)
    whole = [p.relative_to(folder).as_posix() for p in paths]
    names = [b if alike[b.casefold()] == 1 else w for b, w in zip(bare, whole, strict=True)]
    return [Unit(name, str(path)) for name, path in zip(names, paths, strict=True)]


def settings_text(
    config: PipelineConfig, people: Sequence[Person] = (), captions: CaptionSettings | None = None
) -> str:
    """All that results depend on besides the sound."""
    voices = [{"name": p.name, "embeddings": p.embeddings.tolist()} for p in people]
    models = {folder.name: read_manifest(folder).sha256 for folder in installed()}
    content = {"config": asdict(config), "people": voices, "models": models}
    words = {"captions": asdict(captions)} if captions else {}
    return json.dumps(content | words, sort_keys=True)


def analyse(settings: str, name: str, path: str) -> str:
    """One unit; the outcome as JSON. Never raises for a recording that cannot be read."""
    turns, problem, heard_samples, captions = TurnSink(), "", 0, dict[str, str]()
    try:
        source = FileSource(path)
        pipeline = _pipeline(settings, sides_of(source))
        pipeline.reset()
        try:
            with _kept(settings, name) as folder:
                with listen(source, record=folder, sinks=[turns], pipeline=pipeline) as session:
                    session.wait()
                if folder:
                    captions = _captions(settings, folder)
        finally:
            heard_samples = pipeline.heard_samples
    except (VoicelaneError, OSError) as trouble:
        problem = str(trouble)
    outcome = _outcome(turns, Unit(name, path), seconds(heard_samples), problem)
    return json.dumps(asdict(replace(outcome, captions=captions)))


@contextmanager
def _kept(settings: str, name: str) -> Iterator[Path | None]:
    """Where the sound is kept until its words are recognised; nowhere if nobody asks for them."""
    if "captions" not in json.loads(settings):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="voicelane-") as scratch:
        yield Path(scratch) / file_name(Path(name).name)


def _captions(settings: str, folder: Path) -> dict[str, str]:
    """The words of a recorded session, in some formats."""
    session, asked = open_session(str(folder)), json.loads(settings)["captions"]
    pieces = speaker_pieces if asked["translate"] else pieces_of
    found = recognise_session(
        session,
        _recogniser(settings),
        Path(asked["model"]).name,
        pieces=pieces,
        translate=asked["translate"],
    )
    told = transcript(session, found)
    return {ending: FORMATS[format_](told) for ending, format_ in CAPTION_FILES.items()}


def outcome_from(text: str) -> Outcome:
    """What `analyse` gave."""
    content = json.loads(text)
    return Outcome(**content | {"unit": Unit(**content["unit"])})


def keep(outcome: Outcome, out: Path, settings: str) -> None:
    """Write the results of one recording into a folder, whole."""
    rttm, about = _files(outcome.unit, out)
    rttm.parent.mkdir(parents=True, exist_ok=True)
    content = asdict(outcome) | _identity(outcome.unit, settings)
    turns = content.pop("rttm")
    if outcome.heard_s:
        write_through(rttm, turns.encode("utf-8", "surrogateescape"))
    for ending, caption in content.pop("captions").items():
        path = about.with_name(f"{about.name.removesuffix('.json')}.{ending}")
        write_through(path, caption.encode("utf-8", "replace"))
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    write_through(about, text.encode("utf-8", "surrogateescape"))


def left(units: Iterable[Unit], out: Path, settings: str) -> list[Unit]:
    """The recordings without a result, or with one of other settings or of another state of the file."""
    return [unit for unit in units if not _is_done(unit, out, settings)]


def _outcome(turns: TurnSink, unit: Unit, heard_s: float, problem: str) -> Outcome:
    uri, shown = "_".join(Path(unit.name).name.split()), turns.labels.shown
    lines, spoken = [], dict[str, float]()
    for turn in turns.turns():
        name = shown(turn.speaker)
        lines.append(rttm_line(turn, uri, name) + "\n")
        spoken[name] = round(spoken.get(name, 0.0) + seconds(turn.end - turn.start), 3)
    return Outcome(unit, "".join(lines), round(heard_s, 3), spoken, problem, turns.remarks)


@lru_cache(maxsize=2)
def _pipeline(settings: str, sides: int) -> Pipeline | SidesPipeline:
    """The engine of these settings; one process needs one, and one for calls with a person on each side."""
    content, problems = json.loads(settings), list[str]()
    config = build_settings(PipelineConfig, content["config"], "", problems)
    assert not problems, problems
    people = [Person(p["name"], np.array(p["embeddings"], np.float32)) for p in content["people"]]
    found = pipeline_for(sides, config, people)
    found.warm_up()
    return found


@lru_cache(maxsize=1)
def _recogniser(settings: str) -> Recogniser:
    """What recognises words; one process needs one."""
    asked = json.loads(settings)["captions"]
    return Recogniser(asked["model"], asked["language"])


def _files(unit: Unit, out: Path) -> tuple[Path, Path]:
    return out / f"{unit.name}.rttm", out / f"{unit.name}.json"


def _identity(unit: Unit, settings: str) -> dict[str, Any]:
    """What a result is of: the same again means that it need not be made again."""
    path = Path(unit.path)
    bytes_, modified = (path.stat().st_size, path.stat().st_mtime_ns) if path.exists() else (0, 0)
    digest = hashlib.sha256(settings.encode()).hexdigest()
    return {"bytes": bytes_, "modified_ns": modified, "settings_sha256": digest}


def _is_done(unit: Unit, out: Path, settings: str) -> bool:
    rttm, about = _files(unit, out)
    try:
        content = json.loads(about.read_text(encoding="utf-8"))
        known = {k: content[k] for k in ("bytes", "modified_ns", "settings_sha256")}
        return rttm.is_file() and not content["problem"] and known == _identity(unit, settings)
    except (OSError, ValueError, KeyError, TypeError):
        return False
