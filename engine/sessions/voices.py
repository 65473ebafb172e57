"""The voices of a session's speakers, kept beside it: made of its sound, and never the truth."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from voicelane.base.errors import StoreError
from voicelane.base.files import write_private
from voicelane.sessions.event_log import EVENTS
from voicelane.sessions.session import SPEAKERS, Session


class Heard(NamedTuple):
    """What n speakers of a session sound like."""

    speakers: tuple[str, ...]
    """Labels."""
    vectors: np.ndarray
    """Unit vectors float32 (n, dim)."""
    spoken_s: np.ndarray
    """Seconds of speech behind each, (n,)."""


def read_heard(session: Session, space: str) -> Heard | None:
    """What was kept of the session as it is now, in an embedding space; None where nothing was."""
    try:
        with np.load(session.folder / SPEAKERS, allow_pickle=False) as kept:
            if str(kept["of"]) != _of(session, space):
                return None
            return Heard(tuple(kept["speakers"].tolist()), kept["vectors"], kept["spoken_s"])
    except (OSError, ValueError, KeyError, EOFError):
        return None


def write_heard(session: Session, space: str, heard: Heard) -> None:
    """Keep it, for `read_heard`; where that cannot be, it is heard again the next time."""
    content = io.BytesIO()
    np.savez(
        content,
        of=_of(session, space),
        speakers=np.array(heard.speakers, np.str_),
        vectors=heard.vectors,
        spoken_s=heard.spoken_s,
    )
    with suppress(OSError, StoreError):  # a disk that is full, or may not be written to
        write_private(session.folder / SPEAKERS, content.getvalue())


def _of(session: Session, space: str) -> str:
    """Every correction makes the events longer."""
    return f"{space} {(session.folder / EVENTS).stat().st_size}"
