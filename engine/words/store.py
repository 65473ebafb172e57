"""The words of a recorded session: a file beside its events, or the captions that were made live."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from operator import attrgetter
from pathlib import Path

import msgspec

from voicelane.base.errors import StoreError
from voicelane.base.files import write_private
from voicelane.base.timebase import seconds
from voicelane.events import Caption, SpeakerTurn, Translated, Word, word_problem
from voicelane.sessions.session import WORDS, Session

FORMAT = 1


@dataclass(frozen=True)
class Translation:
    """A piece of speech in English."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Recognised:
    """What a recogniser heard, in order of time."""

    words: tuple[Word, ...]
    language: str = ""
    """Of most of it, as a code."""
    model: str = ""
    format: int = FORMAT
    translations: tuple[Translation, ...] = ()
    """In English, where that was asked for."""


@dataclass(frozen=True)
class Transcript:
    """Words, and the turns they are spoken in, whose speakers are the names that are shown."""

    name: str
    words: tuple[Word, ...]
    turns: tuple[SpeakerTurn, ...]
    language: str = ""
    model: str = ""
    started: str = ""
    """ISO 8601, UTC."""
    duration_s: float = 0.0
    translations: tuple[Translation, ...] = ()
    """In English, where that was asked for."""
    tags: tuple[str, ...] = ()
    note: str = ""
    """What somebody noted of the session."""


def write_words(folder: Path, recognised: Recognised) -> None:
    """The words of the session in a folder, whole or as they were before."""
    content = json.dumps(asdict(recognised), ensure_ascii=False)
    write_private(folder / WORDS, content.encode("utf-8", "replace"))


def read_words(folder: Path) -> Recognised | None:
    """What `write_words` wrote, None where it did not; raises `StoreError` where it is damaged."""
    path = folder / WORDS
    if not path.exists():
        return None
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Recognised)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise StoreError(
            f"{path}: is damaged ({problem}); make it anew", " with `voicelane captions`"
        ) from None
    if found.format > FORMAT:
        raise StoreError(f"{path}: is of format {found.format}, newer than this voicelane; update it")
    if wrong := next(filter(None, map(word_problem, found.words)), ""):
        raise StoreError(f"{path}: is damaged ({wrong}); make it anew", " with `voicelane captions`")
    return found


def words_of(session: Session) -> Recognised | None:
    """The words of a session, None where nobody asked for any; raises `StoreError`."""
    return read_words(session.folder) or _captioned(session)


def _captioned(session: Session) -> Recognised | None:
    """The words that were recognised while it was heard."""
    captions = [e for e in session.events if isinstance(e, Caption) and e.final]
    if not captions:
        return None
    words = sorted((w for c in captions for w in c.words), key=attrgetter("start", "end"))
    languages = [c.language for c in captions]
    told = [e for e in session.events if isinstance(e, Translated)]
    translations = tuple(Translation(e.start, e.end, e.text) for e in told)
    return Recognised(tuple(words), max(set(languages), key=languages.count), translations=translations)


def transcript(session: Session, recognised: Recognised) -> Transcript:
    """Words of a session with the names that it shows now."""
    shown = session.labels.shown
    turns = tuple(replace(turn, speaker=shown(turn.speaker)) for turn in session.turns())
    return Transcript(
        session.name,
        recognised.words,
        turns,
        recognised.language,
        recognised.model,
        session.about.started,
        seconds(session.heard_samples()),
        recognised.translations,
        session.about.tags,
        session.about.note,
    )
