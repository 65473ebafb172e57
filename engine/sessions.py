"""Recorded sessions as they lie on disk, finished or interrupted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.audio.sources import FileSource
from engine.errors import StoreError, VoicelaneError
from engine.events import Event, SpeakerTurn, event_from_dict
from engine.home import home_folder
from engine.label_desk import LabelDesk
from engine.lock import held
from engine.names import check_name
from engine.recording import ABOUT, AUDIO, EVENTS, FORMAT, LOCK, About, session_folder
from engine.relabelling import Relabelling
from engine.settings import build_settings


@dataclass(frozen=True, eq=False)
class Session:
    """A recorded session with the names that were given in it and after it."""

    folder: Path
    about: About
    events: tuple[Event, ...]
    labels: Relabelling
    state: str
    """`finished`, `recording` (right now), `interrupted`, or `unfinished` where the system cannot tell."""

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @property
    def finished(self) -> bool:
        """False while it is recorded, and for ever after a crash."""
        return self.state == "finished"

    def turns(self) -> list[SpeakerTurn]:
        """The final turns with the speakers they have after all corrections, in order of time."""
        return self.labels.turns(e for e in self.events if isinstance(e, SpeakerTurn) and e.final)

    def sound(self) -> Iterator[np.ndarray]:
        """The sound, float32 (n,) at 16 kHz, block by block up to where it ends or breaks off."""
        path = self.folder / AUDIO
        if path.exists() and not path.stat().st_size:
            return  # the session ended before the encoder's first block
        source = FileSource(path)
        try:
            yield from (block[:, 0] for block in source.blocks())
        finally:
            source.close()

    def heard_samples(self) -> int:
        """Length of the sound."""
        return sum(len(block) for block in self.sound())


def session_names() -> list[str]:
    """Names of the sessions in the home folder."""
    return sorted(p.parent.name for p in (home_folder() / "sessions").glob(f"*/{ABOUT}"))


def open_session(name: str) -> Session:
    """A session by its name or folder; raises `StoreError`."""
    folder = session_folder(name)
    if not (folder / ABOUT).is_file():
        raise StoreError(f"there is no session {name!r}; `voicelane sessions list` shows which there are")
    for part in (folder / ABOUT, folder / EVENTS, folder / AUDIO, folder / LOCK):
        if part.is_symlink() or (part.exists() and not part.is_file()):
            raise StoreError(f"{part}: is no ordinary file; a session's folder holds its own files, no links")
    being_recorded = held(folder / LOCK)  # first: a recording that ends now is then found finished
    about = _about(folder / ABOUT)
    events = tuple(_events(folder / EVENTS, about.state == "finished"))
    state = {True: "recording", False: "interrupted", None: "unfinished"}[being_recorded]
    state = "finished" if about.state == "finished" else state
    return Session(folder, about, events, Relabelling().after_all(events), state)


def remove_session(name: str) -> None:
    """Delete what a session recorded, damaged ones too; files of others in its folder stay.

    Raises `StoreError` while it is being recorded.
    """
    folder = session_folder(name)
    if not (folder / ABOUT).is_file():
        raise StoreError(f"there is no session {name!r}; `voicelane sessions list` shows which there are")
    if held(folder / LOCK):
        raise StoreError(f"{name}: is being recorded; stop that first")
    for file in (AUDIO, EVENTS, LOCK, ABOUT):
        (folder / file).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()


def relabel_session(session: Session, old: str, new: str) -> Session:
    """Call the speakers that are shown as `old`, or have that label, `new`; the change is kept."""
    new = check_name(new)
    speakers = sorted({t.speaker for t in session.turns()})
    found = session.labels.speakers_shown_as(old, speakers)
    if not found:
        there = ", ".join(sorted({session.labels.shown(s) for s in speakers})) or "nobody"
        raise StoreError(f"nobody is called {old!r} in {session.name}; there are: {there}")

    def rename(desk: LabelDesk) -> None:
        for speaker in found:
            desk.rename(speaker, new)

    return correct_session(session, rename)


def correct_session(session: Session, correct: Callable[[LabelDesk], object]) -> Session:
    """The session after corrections by hand, which are kept.

    >>> correct_session(session, lambda desk: desk.merge("S2", into="S1"))
    """
    desk = LabelDesk(session.events)
    correct(desk)
    new = desk.take(max((e.sample for e in session.events), default=0))
    _append(session.folder / EVENTS, new)
    return replace(session, events=(*session.events, *new), labels=session.labels.after_all(new))


def _about(path: Path) -> About:
    problems: list[str] = []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as problem:
        raise StoreError(f"{path}: is damaged ({problem})") from None
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise StoreError(f"{path}: is damaged (it does not say which format it is)")
    if content["format"] > FORMAT:
        raise StoreError(f"{path}: is of format {content['format']}, newer than this voicelane; update it")
    if missing := About.__dataclass_fields__.keys() - content.keys():
        raise StoreError(f"{path}: is damaged (it lacks {', '.join(sorted(missing))})")
    known: dict[str, Any] = {k: v for k, v in content.items() if k in About.__dataclass_fields__}
    try:
        return build_settings(About, known, "", problems)
    except TypeError:
        raise StoreError(f"{path}: is damaged ({'; '.join(problems)})") from None


def _events(path: Path, finished: bool) -> Iterator[Event]:
    """The events of a session; a crash may have torn lines, which are passed over."""
    for number, line in enumerate(path.read_bytes().splitlines() if path.exists() else (), 1):
        try:
            content = json.loads(line)
            if not isinstance(content, dict):
                raise VoicelaneError("not an event")
            yield event_from_dict(content)
        except (ValueError, RecursionError, VoicelaneError) as problem:
            if finished:
                raise StoreError(f"{path}, line {number}: is damaged ({problem})") from None


def _append(path: Path, events: Sequence[Event]) -> None:
    """Events behind those that are there, on lines of their own even after a torn one."""
    lines = "".join(json.dumps(e.as_dict(), ensure_ascii=False) + "\n" for e in events).encode()
    with path.open("ab") as file:
        torn = file.tell() and not path.read_bytes().endswith(b"\n")
        file.write(b"\n" + lines if torn else lines)
        file.flush()
        os.fsync(file.fileno())
