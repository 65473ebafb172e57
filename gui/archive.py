"""What is recorded, in a line each: read away from the window, and again only where something changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine import (
    TEXT_FORMATS,
    Session,
    StoreError,
    open_session,
    seconds,
    session_folder,
    session_names,
    write_speakers,
)


@dataclass(frozen=True)
class Summary:
    """One recorded session."""

    name: str
    started: str
    """ISO 8601, UTC."""
    source: str
    duration_s: float
    people: tuple[str, ...]
    """Names and labels, the most talkative first."""
    state: str
    """As `Session.state`, or `damaged`."""
    problem: str = ""

    def matches(self, text: str) -> bool:
        """Whether every word of a search is in it."""
        content = " ".join((self.name, self.source, *self.people)).casefold()
        return all(word in content for word in text.casefold().split())


_known: dict[Path, tuple[tuple[int, int], Summary]] = {}


def summaries() -> list[Summary]:
    """All sessions of the home folder, the latest first."""
    found = [_summary(name) for name in session_names()]
    return sorted(found, key=lambda s: s.started, reverse=True)


def _summary(name: str) -> Summary:
    folder = session_folder(name)
    events = folder / "events.jsonl"
    about = events.stat() if events.exists() else folder.stat()
    key = (about.st_mtime_ns, about.st_size)
    if folder in _known and _known[folder][0] == key and _known[folder][1].state == "finished":
        return _known[folder][1]
    try:
        found = summary_of(open_session(name))
    except StoreError as problem:
        found = Summary(name, "", "", 0.0, (), "damaged", str(problem))
    _known[folder] = key, found
    return found


def summary_of(session: Session) -> Summary:
    """A session in a line."""
    spoken: dict[str, int] = {}
    for turn in session.turns():
        name = session.labels.shown(turn.speaker)
        spoken[name] = spoken.get(name, 0) + turn.end - turn.start
    length = max((event.sample for event in session.events), default=0)
    people = tuple(sorted(spoken, key=lambda name: -spoken[name]))
    about = session.about
    return Summary(session.name, about.started, about.source, seconds(length), people, session.state)


def export(name: str, kind: str, path: Path) -> Path:
    """Write a session in a format of `TEXT_FORMATS`, or as `wav` into a folder; gives the path."""
    session = open_session(name)
    if kind == "wav":
        write_speakers(session, path)
    else:
        path.write_text(TEXT_FORMATS[kind](session), encoding="utf-8", newline="")
    return path
