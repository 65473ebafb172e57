"""What somebody notes of a session: a text and tags, in its `session.json`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from voicelane.base.errors import StoreError
from voicelane.base.text import is_text, name_key, one_line, quoted
from voicelane.sessions.recorder import ABOUT, About, session_folder, write_about
from voicelane.sessions.session import check_idle, read_about

LONGEST_NOTE, LONGEST_TAG, MOST_TAGS = 10_000, 50, 50


def note_session(name: str, note: str) -> About:
    """Keep a note of a session in the place of the one before; an empty one takes it away.

    Raises `StoreError` while it is being recorded.
    """
    found = "\n".join(one_line(line) for line in note.strip().splitlines())
    if len(found) > LONGEST_NOTE:
        raise StoreError(f"a note of {len(found)} characters is too long; {LONGEST_NOTE} are the most")
    return _changed(name, note=found)


def tag_session(name: str, tags: Iterable[str]) -> About:
    """Give a session these tags and no others; of those that differ in case only, the first.

    Raises `StoreError` while it is being recorded, and where a tag is no single word.
    """
    found: dict[str, str] = {}
    for tag in tags:
        found.setdefault(name_key(_checked(tag)), tag)
    if len(found) > MOST_TAGS:
        raise StoreError(f"{len(found)} tags are too many for a session; {MOST_TAGS} are the most")
    return _changed(name, tags=tuple(found.values()))


def _checked(tag: str) -> str:
    single = tag and is_text(tag) and "," not in tag and not any(map(str.isspace, tag))
    if not single or len(tag) > LONGEST_TAG:
        rule = f"a tag is one word of at most {LONGEST_TAG} characters, without blanks and commas"
        raise StoreError(f"{quoted(tag)} is no tag; {rule}")
    return tag


def _changed(name: str, **new: Any) -> About:
    folder = session_folder(name)
    check_idle(name, folder)
    about = replace(read_about(folder / ABOUT), **new)
    write_about(folder, about)
    return about
