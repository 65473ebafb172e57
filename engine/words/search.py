"""A search over all sessions: names, people, tags, notes and words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from voicelane.base.errors import StoreError
from voicelane.base.text import one_line
from voicelane.sessions.event_log import EVENTS
from voicelane.sessions.index import Hit, Index, Row, open_index
from voicelane.sessions.overview import by_name
from voicelane.sessions.recorder import ABOUT, session_folder
from voicelane.sessions.session import WORDS, Session, open_session, session_names
from voicelane.sessions.tiers import spoken
from voicelane.words.alignment import assign
from voicelane.words.lines import lines
from voicelane.words.store import transcript, words_of

MOST_HITS = 200
MOST_WORDS = 14
"""Of a line that is shown."""


@dataclass(frozen=True)
class Found:
    """What a search found, the best first."""

    hits: tuple[Hit, ...]
    left_out: tuple[str, ...]
    """Sessions that could not be searched: a sentence each."""


def search_sessions(text: str, most: int = MOST_HITS) -> Found:
    """Where the words of a text occur: any of them, in sessions of the home folder that have all of them.

    A word also stands for what begins like it, whatever its case and accents. Sessions that changed since
    the last search are read first. Raises `StoreError` where the index can be neither read nor written.
    """
    words = [word for word in one_line(text).split() if any(map(str.isalnum, word))]
    with open_index() as index:
        left_out = _follow(index)
        return Found(tuple(index.find(words, most)), tuple(left_out))


def _follow(index: Index) -> list[str]:
    """Bring the index up to date; what is wrong with the sessions that are not in it."""
    stamps, names, problems = index.stamps(), session_names(), list[str]()
    for gone in stamps.keys() - set(names):
        index.forget(gone)
    for name in names:
        try:
            stamp = _stamp(session_folder(name))
            if stamps.get(name) != stamp:
                index.put(name, stamp, list(_rows(open_session(name))))
        except (StoreError, OSError) as problem:
            index.forget(name)
            problems.append(f"{name}: {problem}")
    return problems


def _stamp(folder: Path) -> str:
    """Changes with every change of what is searched."""
    files = [folder / name for name in (ABOUT, EVENTS, WORDS)]
    found = [(file.stat().st_mtime_ns, file.stat().st_size) for file in files if file.exists()]
    return repr(found)


def _rows(session: Session) -> Iterator[Row]:
    yield Row("name", one_line(session.name))
    yield Row("tag", " ".join(session.about.tags))
    yield Row("note", one_line(session.about.note))
    for name, spans in by_name(spoken(session)).items():
        yield Row("person", one_line(name), one_line(name), (spans[0][0],))
    yield from _said(session)


def _said(session: Session) -> Iterator[Row]:
    """The words of a session, a short line each."""
    if (recognised := words_of(session)) is None:
        return
    found = transcript(session, recognised)
    speakers = assign(found.words, found.turns)
    for line in lines(found.words, speakers, lambda said, word: len(said) == MOST_WORDS):
        words = [(word.start, text) for word in line.words if (text := "".join(one_line(word.text).split()))]
        starts = tuple(start for start, _ in words)
        yield Row("words", " ".join(text for _, text in words), one_line(line.speaker), starts)
