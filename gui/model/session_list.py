"""What is recorded, in a line each: read away from the window, and again only where something changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from voicelane import VoicelaneError, session_names
from voicelane.gui.model.wording import words_for
from voicelane.sessions import Summary as Told
from voicelane.sessions import session_folder, summarise


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
    tags: tuple[str, ...] = ()
    note: str = ""

    def matches(self, text: str) -> bool:
        """Whether every word of a search is in it."""
        content = " ".join((self.name, self.source, self.note, *self.people, *self.tags)).casefold()
        return all(word in content for word in text.casefold().split())


_known: dict[Path, tuple[tuple[int, int], Summary]] = {}


def summaries() -> list[Summary]:
    """All sessions of the home folder, the latest first."""
    found = [_summary(name) for name in session_names()]
    return sorted(found, key=lambda s: s.started, reverse=True)


def _summary(name: str) -> Summary:
    """Of a finished session, read again only where its description changed."""
    folder = session_folder(name)
    about = (folder / "session.json").stat()
    key = (about.st_mtime_ns, about.st_size)
    if folder in _known and _known[folder][0] == key and _known[folder][1].state == "finished":
        return _known[folder][1]
    try:
        found = _row(summarise(name))
    except VoicelaneError as problem:
        found = Summary(name, "", "", 0.0, (), "damaged", words_for(problem))
    _known[folder] = key, found
    return found


def _row(told: Told) -> Summary:
    about = told.about
    row = Summary(told.name, about.started, about.source, about.duration_s, about.people, told.state)
    return replace(row, tags=about.tags, note=about.note)
