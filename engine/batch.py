"""Many recordings, each analysed whole: the unit of work, and its result on disk.

A unit takes text and gives text, so that it can be done by another process or on another machine. Results are
written by one hand, whole or not at all: RTTM first, then the JSON file that says it is done.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from engine.audio.sources import FileSource
from engine.config import PipelineConfig
from engine.errors import VoicelaneError
from engine.events import Event, SpeakerIdentified, SpeakerTurn, TurnRevised
from engine.inference.manifest import read_manifest
from engine.inference.onnx import installed
from engine.live import LiveSession
from engine.people import Person
from engine.pipeline import Pipeline
from engine.relabelling import Relabelling
from engine.settings import build_settings
from engine.sinks import rttm_line
from engine.timebase import seconds

ENDINGS = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")


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


def recordings(folder: Path) -> list[Unit]:
    """The sound files below a folder; names keep the ending only where it tells two apart."""
    if not folder.is_dir():
        raise VoicelaneError(f"{folder}: there is no such folder of recordings")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
    if not paths:
        raise VoicelaneError(f"{folder}: holds no sound files ({' '.join(ENDINGS)})")
    bare = [p.relative_to(folder).with_suffix("").as_posix() for p in paths]
    alike = Counter(name.casefold() for name in bare)
    whole = [p.relative_to(folder).as_posix() for p in paths]
    names = [b if alike[b.casefold()] == 1 else w for b, w in zip(bare, whole, strict=True)]
    return [Unit(name, str(path)) for name, path in zip(names, paths, strict=True)]


def settings_text(config: PipelineConfig, people: Sequence[Person] = ()) -> str:
    """All that results depend on besides the sound."""
    voices = [{"name": p.name, "embeddings": p.embeddings.tolist()} for p in people]
    models = {folder.name: read_manifest(folder).sha256 for folder in installed()}
    return json.dumps({"config": asdict(config), "people": voices, "models": models}, sort_keys=True)


def analyse(settings: str, name: str, path: str) -> str:
    """One unit; the outcome as JSON. Never raises for a recording that cannot be read."""
    turns, unit, problem = _Turns(), Unit(name, path), ""
    pipeline = _pipeline(settings)
    pipeline.reset()
    try:
        with LiveSession(FileSource(path), pipeline, [turns]) as session:
            session.wait()
    except (VoicelaneError, OSError) as trouble:
        problem = str(trouble)
    return json.dumps(asdict(turns.outcome(unit, seconds(pipeline.heard_samples), problem)))


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
        _write_whole(rttm, turns)
    _write_whole(about, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def left(units: Iterable[Unit], out: Path, settings: str) -> list[Unit]:
    """The recordings without a result, or with one of other settings or of another state of the file."""
    return [unit for unit in units if not _is_done(unit, out, settings)]


class _Turns:
    """A sink that keeps what results are made of."""

    def __init__(self) -> None:
        self._turns: list[SpeakerTurn] = []
        self._labels = Relabelling()

    def put(self, event: Event) -> None:
        if isinstance(event, SpeakerTurn) and event.final:
            self._turns.append(event)
        elif isinstance(event, SpeakerIdentified | TurnRevised):
            self._labels = self._labels.after(event)

    def close(self) -> None:
        """Nothing is held."""

    def outcome(self, unit: Unit, heard_s: float, problem: str) -> Outcome:
        turns, uri = self._labels.turns(self._turns), "_".join(Path(unit.name).name.split())
        lines, spoken = [], dict[str, float]()
        for turn in turns:
            shown = self._labels.shown(turn.speaker)
            lines.append(rttm_line(turn, uri, shown) + "\n")
            spoken[shown] = round(spoken.get(shown, 0.0) + seconds(turn.end - turn.start), 3)
        return Outcome(unit, "".join(lines), round(heard_s, 3), spoken, problem)


@lru_cache(maxsize=1)
def _pipeline(settings: str) -> Pipeline:
    """The engine of these settings; one process needs one."""
    content, problems = json.loads(settings), list[str]()
    config = build_settings(PipelineConfig, content["config"], "", problems)
    assert not problems, problems
    people = [Person(p["name"], np.array(p["embeddings"], np.float32)) for p in content["people"]]
    found = Pipeline(config, people=people)
    found.warm_up()
    return found


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


def _write_whole(path: Path, text: str) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_text(text, encoding="utf-8", errors="surrogateescape")
    partial.replace(path)
