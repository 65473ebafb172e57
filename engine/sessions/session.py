"""Recorded sessions as they lie on disk, finished or interrupted."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from voicelane.audio.sources import FileSource
from voicelane.base.errors import StoreError
from voicelane.base.files import home_folder
from voicelane.base.lock import held
from voicelane.base.settings import build_settings
from voicelane.base.text import check_name
from voicelane.base.timebase import samples, seconds
from voicelane.config import DenoiserConfig
from voicelane.events import Event, SpeakerTurn, VoiceMeasured
from voicelane.labels.corrections import Relabelling
from voicelane.labels.desk import LabelDesk
from voicelane.sessions.event_log import EVENTS, VOICES, append_events, read_events
from voicelane.sessions.index import forget_session
from voicelane.sessions.recorder import (
    ABOUT,
    AUDIO,
    CLEAN,
    FORMAT,
    LOCK,
    About,
    session_folder,
    told,
    write_about,
)
from voicelane.stages.denoiser import load_denoiser

WORDS = "words.json"
"""Recognised words, where somebody asked for them: `voicelane.words`."""
PICTURES = "pictures.npz"
"""What an app draws of the sound, kept so that it need not be made again."""
SPEAKERS = "speakers.npz"
"""What its speakers sound like, kept so that it need not be heard again."""
FILES = (AUDIO, CLEAN, EVENTS, VOICES, WORDS, PICTURES, SPEAKERS, LOCK, ABOUT)
"""All that a session's folder holds, what says that it is one last."""
LONGEST_S = 1e9


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

    @cached_property
    def lasting(self) -> tuple[Event, ...]:
        """The events without the turns that were tentative and the voices: what the labels are made of."""
        passing = (VoiceMeasured, SpeakerTurn)
        return tuple(e for e in self.events if not isinstance(e, passing) or getattr(e, "final", False))

    def turns(self) -> list[SpeakerTurn]:
        """The final turns with the speakers they have after all corrections, in order of time."""
        return self.labels.whole(e for e in self.lasting if isinstance(e, SpeakerTurn))

    def sound(self) -> Iterator[np.ndarray]:
        """The sound, float32 (n,) at 16 kHz, block by block up to where it ends or breaks off."""
        return self._track(AUDIO)

    def clean_sound(self) -> Iterator[np.ndarray]:
        """The same with less noise: as it was cleaned while it was recorded, or cleaned now."""
        if (self.folder / CLEAN).exists():
            yield from self._track(CLEAN)
            return
        denoiser = load_denoiser(DenoiserConfig("clean"))
        assert denoiser is not None
        for block in self.sound():
            yield denoiser.process(block)
        yield denoiser.flush()

    def _track(self, name: str) -> Iterator[np.ndarray]:
        path = self.folder / name
        if path.exists() and not path.stat().st_size:
            return  # the session ended before the encoder's first block
        source = FileSource(path)
        try:
            yield from (block[:, 0] for block in source.blocks())
        finally:
            source.close()

    def heard_samples(self) -> int:
        """Length of the sound; only that of an interrupted session has to be heard through for it. Where the
        sound is gone, up to the last event."""
        if self.finished and self.about.format > 1:
            return samples(self.about.duration_s)
        if not (self.folder / AUDIO).exists():
            return max((e.sample for e in self.events), default=0)
        return sum(len(block) for block in self.sound())

    def summary(self) -> Summary:
        """The session in a line."""
        turns = (e for e in self.lasting if isinstance(e, SpeakerTurn))
        about = told(self.folder, self.about, turns, self.labels)
        return Summary(self.name, replace(about, duration_s=seconds(self.heard_samples())), self.state)

    def _retold(self) -> Session:
        """With a summary that knows the latest corrections, on disk as well; its notes stay."""
        kept = read_about(self.folder / ABOUT)
        about = replace(self.summary().about, note=kept.note, tags=kept.tags)
        found = replace(self, about=about)
        write_about(self.folder, found.about)
        return found


@dataclass(frozen=True)
class Summary:
    """A session in a line: `about` with its length, people and turns, whatever its format."""

    name: str
    about: About
    state: str
    """As `Session.state`."""


def summarise(name: str) -> Summary:
    """A session in a line; of a finished one only `session.json` is read.

    Where its events have another size than they were told of, they are read. Raises `StoreError`.
    """
    folder = session_folder(name)
    _check_files(name, folder)
    about = read_about(folder / ABOUT)
    events = folder / EVENTS
    if about.state == "finished" and events.exists() and events.stat().st_size == about.events_bytes:
        return Summary(folder.resolve().name, about, about.state)
    return open_session(name).summary()


def session_names() -> list[str]:
    """Names of the sessions in the home folder."""
    return sorted(p.parent.name for p in (home_folder() / "sessions").glob(f"*/{ABOUT}"))


def open_session(name: str) -> Session:
    """A session by its name or folder; raises `StoreError`."""
    folder = session_folder(name)
    _check_files(name, folder)
    being_recorded = held(folder / LOCK)  # first: a recording that ends now is then found finished
    about = read_about(folder / ABOUT)
    events = read_events(folder, about.state == "finished")
    state = {True: "recording", False: "interrupted", None: "unfinished"}[being_recorded]
    state = "finished" if about.state == "finished" else state
    told_of = [e for e in events if type(e) not in (SpeakerTurn, VoiceMeasured)]
    return Session(folder, about, events, Relabelling().after_all(told_of), state)


def remove_session(name: str) -> None:
    """Delete what a session recorded, damaged ones too; files of others in its folder stay.

    Raises `StoreError` while it is being recorded.
    """
    folder = session_folder(name)
    check_idle(name, folder)
    for file in FILES:
        (folder / file).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
    forget_session(folder)


def rename_session(name: str, new: str) -> Path:
    """Give a session another name in the folder where it lies; returns its new folder.

    Raises `StoreError` while it is being recorded, and where the name is none or is taken.
    """
    folder = session_folder(name)
    check_idle(name, folder)
    if Path(new).name != new:
        raise StoreError(f"{new!r} cannot name a session; a name holds no path")
    target = folder.with_name(session_folder(new).name)
    if target.exists():
        raise StoreError(f"{new!r} is taken; choose another name for the session")
    folder.rename(target)
    return target


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
    desk = LabelDesk(session.lasting)
    correct(desk)
    new = desk.take(max((e.sample for e in session.events), default=0))
    append_events(session.folder, new)
    found = replace(session, events=(*session.events, *new), labels=session.labels.after_all(new))
    return found._retold() if found.finished and found.about.format > 1 else found


def check_idle(name: str, folder: Path) -> None:
    """Raises `StoreError` where there is no session, or somebody records it."""
    if not (folder / ABOUT).is_file():
        raise StoreError(f"there is no session {name!r}", "; `voicelane sessions list` shows which there are")
    if held(folder / LOCK):
        raise StoreError(f"{name}: is being recorded; stop that first")


def _check_files(name: str, folder: Path) -> None:
    """Whether there is a session, made of files of its own."""
    if not (folder / ABOUT).is_file():
        raise StoreError(f"there is no session {name!r}", "; `voicelane sessions list` shows which there are")
    for part in [folder / name for name in FILES]:
        if not _is_ordinary(part):
            raise StoreError(f"{part}: is no ordinary file; a session's folder holds its own files, no links")


def _is_ordinary(path: Path) -> bool:
    """Whether a file is no link and nothing else but a file, or not there."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return True


def read_about(path: Path) -> About:
    """What a `session.json` says; raises `StoreError` where it is damaged."""
    problems: list[str] = []
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as problem:
        raise StoreError(f"{path}: is damaged ({problem})") from None
    if not isinstance(content, dict) or not isinstance(content.get("format"), int):
        raise StoreError(f"{path}: is damaged (it does not say which format it is)")
    if content["format"] > FORMAT:
        raise StoreError(f"{path}: is of format {content['format']}, newer than this voicelane; update it")
    needed = {f.name for f in fields(About) if f.default is MISSING}
    if missing := needed - content.keys():
        raise StoreError(f"{path}: is damaged (it lacks {', '.join(sorted(missing))})")
    known: dict[str, Any] = {k: v for k, v in content.items() if k in About.__dataclass_fields__}
    try:
        found = build_settings(About, known, "", problems)
    except TypeError:
        raise StoreError(f"{path}: is damaged ({'; '.join(problems)})") from None
    if not 0.0 <= found.duration_s <= LONGEST_S:
        raise StoreError(f"{path}: is damaged (a length of {found.duration_s} s)")
    return found
