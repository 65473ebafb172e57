"""Profiles of enrolled people: an SQLite database, and beside it the sound of those who allowed that."""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.home import home_folder, private_file, private_folder, write_private
from engine.names import check_name, name_key
from engine.profile import Profile, Recording, Space, foreign, missing

SCHEMA_VERSION = 1
BUSY_S = 10.0
SCHEMA = (
    "CREATE TABLE profiles (id TEXT PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL UNIQUE, "
    "created TEXT NOT NULL, updated TEXT NOT NULL, version INTEGER NOT NULL, encoder_id TEXT NOT NULL, "
    "enhancer TEXT NOT NULL, encoder TEXT NOT NULL)",
    "CREATE TABLE recordings (number INTEGER PRIMARY KEY, profile TEXT NOT NULL "
    "REFERENCES profiles (id) ON DELETE CASCADE, embedding BLOB NOT NULL, sha256 TEXT NOT NULL, "
    "speech_s REAL NOT NULL, snr_db REAL NOT NULL, consistency REAL NOT NULL, audio TEXT NOT NULL)",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)


class ProfileStore:
    """Any number of threads and processes may share one; every call is one short transaction.

    Nothing is created before something is written. All methods raise `StoreError`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is `VOICELANE_HOME` or ~/.local/share/voicelane by default."""
        self.folder = folder or home_folder()
        self.path, self.audio_folder = self.folder / "profiles.db", self.folder / "audio"

    def names(self) -> list[str]:
        """Names of all profiles, in order."""
        if not self.path.exists():
            return []
        with self._connected() as db:
            rows = db.execute("SELECT name FROM profiles ORDER BY key") if _version(db) else ()
            return [name for (name,) in rows]

    def profile(self, name: str) -> Profile:
        """The profile of that name (case does not matter), every checksum verified."""
        self._there(name)
        with self._connected() as db:
            if not _version(db):
                raise StoreError(missing(name))
            return _read(db, name)

    def keep_audio(self, flac: bytes) -> str:
        """Keep the sound of a recording that is about to be added; gives the name of its file."""
        with self._named_errors():
            private_folder(self.folder)
            name = f"{uuid.uuid4().hex}.flac"
            write_private(private_folder(self.audio_folder) / name, flac)
        return name

    def audio(self, recording: Recording) -> Path | None:
        """The kept sound of a recording, None where there is none (any more)."""
        path = self.audio_folder / recording.audio
        return path if recording.audio and path.is_file() else None

    def add(self, name: str, space: Space, recordings: Sequence[Recording], replace: bool = False) -> Profile:
        """Add recordings to a profile, which is made where there is none; `replace` drops its old ones.

        A profile of another space is refused.
        """
        name = check_name(name)
        try:
            with self._changing() as db:
                old = None if replace else _find(db, name)
                if old is None:
                    self._put(db, name, space, recordings)
                elif _read(db, name).space != space:
                    raise StoreError(foreign(_read(db, name), space))
                else:
                    _insert(db, old, recordings)
                    _touch(db, old)
                return _read(db, name)
        except BaseException:
            self._unlink([r.audio for r in recordings])
            raise

    def put_all(self, profiles: Sequence[tuple[str, Space, Sequence[Recording]]], replace: bool) -> None:
        """Add new profiles, all or none; `replace` lets them take the place of those with equal names."""
        try:
            with self._changing() as db:
                taken = [name for name, *_ in profiles if _find(db, name)]
                if taken and not replace:
                    raise StoreError(
                        f"there is a profile named {', '.join(taken)} already; rename it, or say --replace"
                    )
                for name, space, recordings in profiles:
                    self._put(db, name, space, recordings)
        except BaseException:
            self._unlink([r.audio for *_, recordings in profiles for r in recordings])
            raise

    def move(self, profile: Profile, space: Space, recordings: Sequence[Recording]) -> Profile:
        """The same recordings embedded in another space; refused where the profile has changed since."""
        with self._changing() as db:
            if _read(db, profile.name).version != profile.version:
                raise StoreError(f"{profile.name}: was changed by another program meanwhile; try again")
            db.execute("DELETE FROM recordings WHERE profile = ?", (profile.id,))
            _insert(db, profile.id, recordings)
            row = (space.encoder_id, space.enhancer, space.encoder, profile.id)
            db.execute("UPDATE profiles SET encoder_id = ?, enhancer = ?, encoder = ? WHERE id = ?", row)
            _touch(db, profile.id)
            return _read(db, profile.name)

    def rename(self, old: str, new: str) -> None:
        new = check_name(new)
        self._there(old)
        with self._changing() as db:
            found, other = _known(db, old), _find(db, new)
            if other not in (None, found):
                raise StoreError(
                    f"there is a profile named {new} already; merge them, or choose another name"
                )
            db.execute("UPDATE profiles SET name = ?, key = ? WHERE id = ?", (new, name_key(new), found))
            _touch(db, found)

    def merge(self, name: str, into: str) -> None:
        """Give all recordings of one profile to another and remove the first."""
        self._there(name)
        with self._changing() as db:
            gone, kept = _read(db, name), _read(db, into)
            if gone.id == kept.id:
                raise StoreError(f"{name} and {into} are the same profile")
            if gone.space != kept.space:
                raise StoreError(foreign(gone, kept.space))
            db.execute("UPDATE recordings SET profile = ? WHERE profile = ?", (kept.id, gone.id))
            db.execute("DELETE FROM profiles WHERE id = ?", (gone.id,))
            _touch(db, kept.id)

    def remove(self, name: str) -> None:
        """Delete a profile: its rows are overwritten in the file, its sound is unlinked."""
        self._there(name)
        with self._changing() as db:
            self._delete(db, _known(db, name))

    def _put(self, db: sqlite3.Connection, name: str, space: Space, recordings: Sequence[Recording]) -> None:
        """A new profile, in the place of one of the same name; its version then goes on from that one's."""
        old, now, version = _find(db, name), _now(), 1
        if old is not None:
            ((version,),) = db.execute("SELECT version + 1 FROM profiles WHERE id = ?", (old,))
            self._delete(db, old)
        new, spaced = uuid.uuid4().hex, (space.encoder_id, space.enhancer, space.encoder)
        row = (new, name, name_key(name), now, now, version, *spaced)
        db.execute("INSERT INTO profiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        _insert(db, new, recordings)

    def _delete(self, db: sqlite3.Connection, profile: str) -> None:
        self._unlink([n for (n,) in db.execute("SELECT audio FROM recordings WHERE profile = ?", (profile,))])
        db.execute("DELETE FROM profiles WHERE id = ?", (profile,))

    def _unlink(self, names: Sequence[str]) -> None:
        for name in names:
            if name:
                (self.audio_folder / name).unlink(missing_ok=True)

    def _there(self, name: str) -> None:
        if not self.path.exists():
            raise StoreError(missing(name))

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; from its first moment on nobody else writes."""
        with self._named_errors():
            private_folder(self.folder)
            if not self.path.exists():
                private_file(self.path).close()
        with self._connected() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                if not _version(db):
                    for statement in SCHEMA:
                        db.execute(statement)
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with self._named_errors():
            db = sqlite3.connect(self.path, timeout=BUSY_S, isolation_level=None)
            try:
                db.execute("PRAGMA synchronous = EXTRA")  # what is said to be kept outlives a power cut
                db.execute("PRAGMA secure_delete = ON")
                db.execute("PRAGMA foreign_keys = ON")
                self._check(db)
                yield db
            finally:
                db.close()

    def _check(self, db: sqlite3.Connection) -> None:
        version = _version(db)
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"{self.path}: was written by a newer voicelane (schema {version}, this one knows "
                f"{SCHEMA_VERSION}); update voicelane"
            )
        tables = not version and db.execute("SELECT name FROM sqlite_master").fetchone()
        if tables and not _version(db):  # asked again: another process may just have made them
            raise StoreError(f"{self.path}: is a database of another program; move it away and enrol again")

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """SQLite's errors as sentences."""
        try:
            yield
        except sqlite3.Error as problem:
            code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                what = f"another program has been writing for {BUSY_S:.0f} s; try again"
            elif code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
                what = f"is damaged ({problem}); restore a copy, or move it away and enrol again"
            else:
                what = f"cannot be used ({problem})"
            raise StoreError(f"{self.path}: {what}") from None
        except OSError as problem:
            raise StoreError(f"{problem.filename or self.folder}: {problem.strerror}") from None


def _version(db: sqlite3.Connection) -> int:
    ((version,),) = db.execute("PRAGMA user_version")
    return int(version)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _find(db: sqlite3.Connection, name: str) -> str | None:
    """The id of a profile."""
    row = db.execute("SELECT id FROM profiles WHERE key = ?", (name_key(name),)).fetchone()
    return row[0] if row else None


def _known(db: sqlite3.Connection, name: str) -> str:
    found = _find(db, name)
    if found is None:
        raise StoreError(missing(name))
    return found


def _read(db: sqlite3.Connection, name: str) -> Profile:
    row = db.execute("SELECT * FROM profiles WHERE key = ?", (name_key(name),)).fetchone()
    if row is None:
        raise StoreError(missing(name))
    profile, name, _, created, updated, version, *space = row
    rows = db.execute(
        "SELECT embedding, sha256, speech_s, snr_db, consistency, audio FROM recordings WHERE profile = ? "
        "ORDER BY number",
        (profile,),
    )
    recordings = tuple(Recording(_vector(name, blob, sha), *rest) for blob, sha, *rest in rows)
    if not recordings:
        raise StoreError(f"{name}: the profile holds no embedding; remove it and enrol again")
    return Profile(profile, name, created, updated, Space(*space), version, recordings)


def _vector(name: str, blob: bytes, sha256: str) -> np.ndarray:
    if hashlib.sha256(blob).hexdigest() != sha256:
        raise StoreError(
            f"{name}: an embedding is damaged (its checksum is wrong); enrol again: "
            f"`voicelane enrol {name!r} FILE --replace`"
        )
    return np.frombuffer(blob, "<f4")


def _insert(db: sqlite3.Connection, profile: str, recordings: Sequence[Recording]) -> None:
    for r in recordings:
        blob = np.ascontiguousarray(r.embedding, "<f4").tobytes()
        sha256 = hashlib.sha256(blob).hexdigest()
        row = (profile, blob, sha256, r.speech_s, r.snr_db, r.consistency, r.audio)
        db.execute("INSERT INTO recordings VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)


def _touch(db: sqlite3.Connection, profile: str) -> None:
    db.execute("UPDATE profiles SET version = version + 1, updated = ? WHERE id = ?", (_now(), profile))
