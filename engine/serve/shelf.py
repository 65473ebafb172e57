"""Tasks on recorded sessions of a client. A name is looked for among those that are there, never opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from voicelane.base.errors import StoreError
from voicelane.base.text import quoted
from voicelane.serve.floor import named_turns
from voicelane.serve.task import Answer, Missing, Work
from voicelane.sessions.exports import TEXT_FORMATS
from voicelane.sessions.recorder import ABOUT
from voicelane.sessions.session import open_session, relabel_session, remove_session, summarise


def list_sessions(work: Work, home: str) -> Answer:
    """A row each; a damaged one says what is wrong."""
    return {"sessions": [_row(folder) for folder in _folders(home).values()]}, b""


def show_session(work: Work, home: str, name: str) -> Answer:
    """A session with its turns."""
    session = open_session(str(_folder(home, name)))
    about = asdict(session.summary().about)
    turns = named_turns(session.turns(), session.labels)
    return {"name": session.name, "about": about, "turns": turns}, b""


def export_session(work: Work, home: str, name: str, format_: str) -> Answer:
    """A session as the text of one of `TEXT_FORMATS`."""
    session = open_session(str(_folder(home, name)))
    return {}, TEXT_FORMATS[format_](session).encode("utf-8", "replace")


def relabel(work: Work, home: str, name: str, speaker: str, new: str) -> Answer:
    """A speaker of a session gets another name."""
    session = relabel_session(open_session(str(_folder(home, name))), speaker, new)
    return {"turns": named_turns(session.turns(), session.labels)}, b""


def delete_session(work: Work, home: str, name: str) -> Answer:
    """Nothing is left of it."""
    remove_session(str(_folder(home, name)))
    return {}, b""


def _folders(home: str) -> dict[str, Path]:
    found = sorted((Path(home) / "sessions").glob(f"*/{ABOUT}"))
    return {path.parent.name: path.parent for path in found}


def _folder(home: str, name: str) -> Path:
    """One of those that are there; raises `Missing`."""
    if name not in (there := _folders(home)):
        raise Missing(f"there is no session {quoted(name)}")
    return there[name]


def _row(folder: Path) -> dict[str, Any]:
    try:
        found = summarise(str(folder))
    except StoreError as problem:
        return {"name": folder.name, "state": "damaged", "problem": str(problem).replace(str(folder), "")}
    about = found.about
    row = {"name": folder.name, "state": found.state, "started": about.started}
    return {**row, "duration_s": about.duration_s, "people": about.people, "turns": about.turns}


SHELF: dict[str, Callable[..., Answer]] = {
    "list_sessions": list_sessions,
    "show_session": show_session,
    "export_session": export_session,
    "relabel": relabel,
    "delete_session": delete_session,
}
