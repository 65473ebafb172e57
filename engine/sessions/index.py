"""An index of the texts of sessions (SQLite's FTS5) in the home folder: made of them, and never the truth."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from voicelane.base.errors import StoreError
from voicelane.base.files import home_folder, private_file, private_folder

INDEX = "sessions.db"
VERSION = 1
"""Of the tables; those of another are made anew."""
BUSY_S = 10.0
MARK = "\x01"
"""Before what matches; `one_line` leaves none in a text."""
ROOM = 1 << 20
"""Rows of `texts` from session number times this on are of that session."""
SCHEMA = (
    "CREATE TABLE known (number INTEGER PRIMARY KEY, session TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL)",
    "CREATE VIRTUAL TABLE texts USING fts5(text, kind UNINDEXED, who UNINDEXED, starts UNINDEXED, "
    "tokenize = 'unicode61 remove_diacritics 2')",
    f"PRAGMA user_version = {VERSION}",
)
PUT = "INSERT INTO texts (rowid, text, kind, who, starts) VALUES (?, ?, ?, ?, ?)"
MATCHING = f"SELECT rowid / {ROOM} FROM texts WHERE texts MATCH ?"
FIND = (
    f"SELECT rowid / {ROOM}, kind, who, starts, highlight(texts, 0, '{MARK}', '') FROM texts "
    "WHERE texts MATCH ?{} ORDER BY rank, rowid LIMIT ?"
)


@dataclass(frozen=True)
class Row:
    """A text of a session in one line."""

    kind: str
    """`name`, `person`, `tag`, `note` or `words`."""
    text: str
    who: str = ""
    """The name of the person who says it, or whose name it is."""
    starts: tuple[int, ...] = ()
    """The sample at which each word of it begins, or the one at which all do; empty where it has no time."""


@dataclass(frozen=True)
class Hit:
    """A text that matches a search."""

    session: str
    kind: str
    """As `Row.kind`."""
    who: str
    sample: int | None
    """At which the first word that matches begins; None where it has no time."""
    text: str


class Index:
    """The open index; every call is one short transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def stamps(self) -> dict[str, str]:
        """What `put` was told of each session."""
        return dict(self._db.execute("SELECT session, stamp FROM known"))

    def put(self, session: str, stamp: str, rows: Iterable[Row]) -> None:
        """The texts of a session in the place of those it had; `stamp` says of which state they are."""
        with self._changing() as db:
            self._drop(session)
            put = db.execute("INSERT INTO known (session, stamp) VALUES (?, ?)", (session, stamp))
            first = ROOM * (put.lastrowid or 0)
            texts = ((n, r.text, r.kind, r.who, json.dumps(r.starts)) for n, r in enumerate(rows, first))
            db.executemany(PUT, islice(texts, ROOM))

    def forget(self, session: str) -> None:
        """No text of a session any more, in no page of the file."""
        if self._db.execute("SELECT 1 FROM known WHERE session = ?", (session,)).fetchone():
            with self._changing() as db:
                self._drop(session)
                db.execute("INSERT INTO texts (texts) VALUES ('optimize')")

    def find(self, words: Sequence[str], most: int) -> list[Hit]:
        """Texts with any of the words, or what begins so, of sessions that have all; the best first."""
        each = [f'"{word.replace(chr(34), chr(34) * 2)}"*' for word in words]
        if not each:
            return []
        every = each if len(each) > 1 else []
        all_of = f" AND rowid / {ROOM} IN ({' INTERSECT '.join([MATCHING] * len(every))})" if every else ""
        rows = self._db.execute(FIND.format(all_of), (" OR ".join(each), *every, most)).fetchall()
        names = dict(self._db.execute("SELECT number, session FROM known"))
        return [_hit(names[number], *row) for number, *row in rows if number in names]

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db

    def _drop(self, session: str) -> None:
        row = self._db.execute("SELECT number FROM known WHERE session = ?", (session,)).fetchone()
        if row:
            first = ROOM * row[0]
            self._db.execute("DELETE FROM texts WHERE rowid BETWEEN ? AND ?", (first, first + ROOM - 1))
            self._db.execute("DELETE FROM known WHERE number = ?", row)


@contextmanager
def open_index() -> Iterator[Index]:
    """The index of the home folder, made anew where it is none; raises `StoreError`."""
    path = private_folder(home_folder()) / INDEX
    try:
        with closing(_connected(path)) as db:
            yield Index(db)
    except sqlite3.Error as problem:
        if not isinstance(problem, sqlite3.OperationalError):
            path.unlink(missing_ok=True)
        raise StoreError(f"{path}: cannot be used ({problem}); try again") from None


def forget_session(folder: Path) -> None:
    """Leave nothing of the session that lay in a folder in the index, whatever becomes of the rest of it."""
    path = home_folder() / INDEX
    if not path.exists() or folder.parent != home_folder() / "sessions":
        return
    try:
        with open_index() as index:
            index.forget(folder.name)
    except StoreError:
        path.unlink(missing_ok=True)


def _connected(path: Path) -> sqlite3.Connection:
    """An index as this program makes it; what else lies there makes way."""
    if not _is_index(path):
        path.unlink(missing_ok=True)
        with closing(_connection(path)) as db:
            db.executescript("".join(f"{line};" for line in SCHEMA))
    return _connection(path)


def _is_index(path: Path) -> bool:
    with suppress(sqlite3.DatabaseError), closing(_connection(path)) as db:
        return bool(db.execute("PRAGMA user_version").fetchone() == (VERSION,))
    return False


def _connection(path: Path) -> sqlite3.Connection:
    """What is deleted is overwritten; nothing waits for the disk, as all of it can be made again."""
    if not path.exists():
        private_file(path).close()
    db = sqlite3.connect(path, timeout=BUSY_S)
    db.execute("PRAGMA secure_delete = ON")
    db.execute("PRAGMA synchronous = OFF")
    return db


def _hit(session: str, kind: str, who: str, starts: str, marked: str) -> Hit:
    """Of a text with `MARK`s; the first says which word it is."""
    samples, number = json.loads(starts), marked.partition(MARK)[0].count(" ")
    sample = samples[min(number, len(samples) - 1)] if samples else None
    return Hit(session, kind, who, sample, marked.replace(MARK, ""))
