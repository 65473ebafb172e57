"""Profiles of enrolled people: an SQLite database, and beside it the sound of those who allowed that."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine.errors import StoreError
from engine.home import home_folder, private_file, private_folder
from engine.names import check_name, name_key
from engine.profile import Profile, Recording, Space, foreign, missing
from engine.rows import (
    SCHEMA,
    SEALED,
    find_profile,
    insert_recordings,
    known_profile,
    put_profile,
    read_lock,
    read_profile,
    rewrite_voices,
    schema_version,
    touch_profile,
    write_lock,
)
from engine.sounds import Sounds
from engine.vault import Vault, given_passphrase, new_vault, unlock

BUSY_S = 10.0


class ProfileStore:
    """Any number of threads and processes may share one; every call is one short transaction.

    Nothing is created before something is written. All methods raise `StoreError`.
    """

    def __init__(self, folder: Path | None = None, ask: Callable[[], str] = given_passphrase) -> None:
        """`folder` is `VOICELANE_HOME` or ~/.local/share/voicelane by default; `ask` gives the passphrase
        when one is needed, by default `VOICELANE_PASSPHRASE`."""
        self._ask = ask
        self.folder = folder or home_folder()
        self.path, self.audio_folder = self.folder / "profiles.db", self.folder / "audio"
        self._sounds = Sounds(self.audio_folder)

    def names(self) -> list[str]:
        """Names of all profiles, in order."""
        if not self.path.exists():
            return []
        with self._connected() as db:
            rows = db.execute("SELECT name FROM profiles ORDER BY key") if schema_version(db) else ()
            return [name for (name,) in rows]

    def open(self) -> None:
        """Try the passphrase, where one is needed; raises `LockedError` where it is wrong or not given."""
        if self.path.exists():
            with self._connected() as db:
                if schema_version(db):
                    self._vault(db)

    def profile(self, name: str) -> Profile:
        """The profile of that name (case does not matter), every checksum verified."""
        self._there(name)
        with self._connected() as db:
            if not schema_version(db):
                raise StoreError(missing(name))
            return read_profile(db, name, self._vault(db))

    def keep_audio(self, flac: bytes) -> str:
        """Keep the sound of a recording that is about to be added; gives the name of its file."""
        with self._named_errors():
            private_folder(self.folder)
            if not self.path.exists():
                return self._sounds.keep(flac, None)
        with self._connected() as db:
            return self._sounds.keep(flac, self._vault(db))

    def audio(self, recording: Recording) -> Path | None:
        """The file of the kept sound of a recording, None where there is none (any more)."""
        return self._sounds.path(recording.audio)

    def sound(self, recording: Recording) -> bytes | None:
        """The kept sound itself, as FLAC."""
        if not self.audio(recording):
            return None
        with self._connected() as db:
            return self._sounds.read(recording.audio, self._vault(db))

    def add(self, name: str, space: Space, recordings: Sequence[Recording], replace: bool = False) -> Profile:
        """Add recordings to a profile, which is made where there is none; `replace` drops its old ones.

        A profile of another space is refused.
        """
        name = check_name(name)
        try:
            with self._changing() as db:
                old = None if replace else find_profile(db, name)
                if old is None:
                    self._put(db, name, space, recordings)
                elif read_profile(db, name, self._vault(db)).space != space:
                    raise StoreError(foreign(read_profile(db, name, self._vault(db)), space))
                else:
                    insert_recordings(db, old, recordings, self._vault_for(db, recordings))
                    touch_profile(db, old)
                return read_profile(db, name, self._vault(db))
        except BaseException:
            self._sounds.wipe([r.audio for r in recordings])
            raise

    def put_all(self, profiles: Sequence[tuple[str, Space, Sequence[Recording]]], replace: bool) -> None:
        """Add new profiles, all or none; `replace` lets them take the place of those with equal names."""
        try:
            with self._changing() as db:
                taken = [name for name, *_ in profiles if find_profile(db, name)]
                if taken and not replace:
                    raise StoreError(
                        f"there is a profile named {', '.join(taken)} already; rename it, or say --replace"
                    )
                for name, space, recordings in profiles:
                    self._put(db, name, space, recordings)
        except BaseException:
            self._sounds.wipe([r.audio for *_, recordings in profiles for r in recordings])
            raise

    def move(self, profile: Profile, space: Space, recordings: Sequence[Recording]) -> Profile:
        """The same recordings embedded in another space; refused where the profile has changed since."""
        with self._changing() as db:
            if read_profile(db, profile.name, self._vault(db)).version != profile.version:
                raise StoreError(f"{profile.name}: was changed by another program meanwhile; try again")
            db.execute("DELETE FROM recordings WHERE profile = ?", (profile.id,))
            insert_recordings(db, profile.id, recordings, self._vault(db))
            row = (space.encoder_id, space.enhancer, space.encoder, profile.id)
            db.execute("UPDATE profiles SET encoder_id = ?, enhancer = ?, encoder = ? WHERE id = ?", row)
            touch_profile(db, profile.id)
            return read_profile(db, profile.name, self._vault(db))

    def rename(self, old: str, new: str) -> None:
        new = check_name(new)
        self._there(old)
        with self._changing() as db:
            found, other = known_profile(db, old), find_profile(db, new)
            if other not in (None, found):
                raise StoreError(
                    f"there is a profile named {new} already; merge them, or choose another name"
                )
            db.execute("UPDATE profiles SET name = ?, key = ? WHERE id = ?", (new, name_key(new), found))
            touch_profile(db, found)

    def merge(self, name: str, into: str) -> None:
        """Give all recordings of one profile to another and remove the first."""
        self._there(name)
        with self._changing() as db:
            gone, kept = read_profile(db, name, self._vault(db)), read_profile(db, into, self._vault(db))
            if gone.id == kept.id:
                raise StoreError(f"{name} and {into} are the same profile")
            if gone.space != kept.space:
                raise StoreError(foreign(gone, kept.space))
            db.execute("DELETE FROM profiles WHERE id = ?", (gone.id,))
            insert_recordings(db, kept.id, gone.recordings, self._vault(db))
            touch_profile(db, kept.id)

    def remove(self, name: str) -> None:
        """Delete a profile: its rows are overwritten in the file, its sound is unlinked."""
        self._there(name)
        with self._changing() as db:
            self._delete(db, known_profile(db, name))

    def encrypt(self, passphrase: str) -> None:
        """Make all voices unreadable without the passphrase, and those that follow; names stay readable."""
        vault = new_vault()
        lock = vault.lock(passphrase)
        with self._changing() as db:
            if read_lock(db):
                raise StoreError(f"{self.path}: is encrypted already")
            old = self._move_voices(db, None, vault)
            write_lock(db, lock)
        self._wipe(old)

    def decrypt(self) -> None:
        """Make all voices readable without a passphrase again."""
        with self._changing() as db:
            old = self._move_voices(db, self._closed(db), None)
            write_lock(db, None)
        self._wipe(old)

    def change_passphrase(self, passphrase: str) -> None:
        """From now on another passphrase opens the same key."""
        with self._changing() as db:
            write_lock(db, self._closed(db).lock(passphrase))

    def _closed(self, db: sqlite3.Connection) -> Vault:
        if vault := self._vault(db):
            return vault
        raise StoreError(f"{self.path}: is not encrypted")

    def _move_voices(self, db: sqlite3.Connection, before: Vault | None, after: Vault | None) -> list[str]:
        """All voices from one vault to another; the files of sound that are left over."""
        old, new = [], list[str]()
        try:
            for number, name in rewrite_voices(db, before, after):
                if (flac := self._sounds.read(name, before)) is not None:
                    new.append(self._sounds.keep(flac, after))
                    old.append(name)
                    db.execute("UPDATE recordings SET audio = ? WHERE number = ?", (new[-1], number))
        except BaseException:
            self._sounds.wipe(new)
            raise
        return old

    def _wipe(self, sounds: Sequence[str]) -> None:
        """Leave nothing of what was there before in the database's file or the folder of sounds."""
        self._sounds.wipe(sounds)
        with self._connected() as db:
            db.execute("PRAGMA temp_store = MEMORY")
            db.execute("VACUUM")

    def _vault(self, db: sqlite3.Connection) -> Vault | None:
        """None where nothing is encrypted; raises `LockedError` without the right passphrase."""
        lock = read_lock(db)
        return unlock(lock, self._ask()) if lock else None

    def _vault_for(self, db: sqlite3.Connection, recordings: Sequence[Recording]) -> Vault | None:
        """The vault that their sounds were kept in."""
        vault = self._vault(db)
        self._sounds.check((r.audio for r in recordings), vault)
        return vault

    def _put(self, db: sqlite3.Connection, name: str, space: Space, recordings: Sequence[Recording]) -> None:
        """A new profile, in the place of one of the same name; its version then goes on from that one's."""
        old, version = find_profile(db, name), 1
        if old is not None:
            ((version,),) = db.execute("SELECT version + 1 FROM profiles WHERE id = ?", (old,))
            self._delete(db, old)
        put_profile(db, name, space, version, self._vault_for(db, recordings), recordings)

    def _delete(self, db: sqlite3.Connection, profile: str) -> None:
        rows = db.execute("SELECT audio FROM recordings WHERE profile = ?", (profile,))
        self._sounds.wipe([name for (name,) in rows])
        db.execute("DELETE FROM profiles WHERE id = ?", (profile,))

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
                if not schema_version(db):
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
        version = schema_version(db)
        if version > SEALED:
            raise StoreError(
                f"{self.path}: was written by a newer voicelane (schema {version}, this one knows "
                f"{SEALED}); update voicelane"
            )
        tables = not version and db.execute("SELECT name FROM sqlite_master").fetchone()
        if tables and not schema_version(db):  # asked again: another process may just have made them
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
