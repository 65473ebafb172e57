"""Profiles of enrolled people: an SQLite database, and beside it the sound of those who allowed that."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from voicelane.base.errors import StoreError
from voicelane.base.files import home_folder, private_file, private_folder
from voicelane.base.space import Space
from voicelane.base.text import check_name, name_key
from voicelane.profiles.encryption import Vault, given_passphrase, new_vault, unlock
from voicelane.profiles.profile import Profile, Recording, foreign, missing
from voicelane.profiles.schema import (
    SCHEMA,
    SEALED,
    delete_profile,
    find_profile,
    insert_recording,
    known_profile,
    named_sounds,
    now,
    put_profile,
    read_consent,
    read_lock,
    read_profile,
    rewrite_voices,
    schema_version,
    touch_profile,
    write_consent,
    write_lock,
)
from voicelane.profiles.sounds import Sounds, wipe

BUSY_S = 10.0


class ProfileStore:
    """Any number of threads and processes may share one; every call is one short transaction.

    Nothing is created before something is written. All methods raise `StoreError`.
    """

    def __init__(self, folder: Path | None = None, ask: Callable[[], str] = given_passphrase) -> None:
        """`folder` is `home_folder()` by default; `ask` gives the passphrase
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
        """Try the passphrase, where one is needed; raises `LockedError` where it is wrong or not given.

        Sound of a change that was cut short by a crash goes now.
        """
        if self.path.exists():
            self._sweep()
            with self._connected() as db:
                if schema_version(db):
                    self._vault(db)

    def profile(self, name: str) -> Profile:
        """The profile of that name (case does not matter), every checksum verified."""
        self._there(name)
        with self._connected() as db:
            if not schema_version(db):
                raise missing(name)
            return read_profile(db, name, self._vault(db))

    def audio(self, recording: Recording) -> Path | None:
        """The file of the kept sound of a recording, None where there is none (any more)."""
        return self._sounds.path(recording.audio)

    def sound(self, recording: Recording) -> bytes | None:
        """The kept sound itself, as FLAC."""
        if not self.audio(recording):
            return None
        with self._connected() as db:
            return self._sounds.read(recording.audio, self._vault(db))

    def consent(self, name: str) -> str | None:
        """When this person allowed that speech is made in their voice (ISO 8601, UTC); None where not."""
        self._there(name)
        with self._connected() as db:
            if not schema_version(db):
                raise missing(name)
            return read_consent(db, known_profile(db, name))

    def set_consent(self, name: str, given: bool) -> None:
        """Record that a person allows speech in their voice from now on, or withdraws that."""
        self._there(name)
        with self._changing() as db:
            found = known_profile(db, name)
            before = read_consent(db, found)
            write_consent(db, found, (before or now()) if given else None)
            touch_profile(db, found)

    def add(self, name: str, space: Space, recordings: Sequence[Recording], replace: bool = False) -> Profile:
        """Add recordings to a profile, which is made where there is none; `replace` drops its old ones.

        A profile of another space is refused.
        """
        name = check_name(name)
        with self._changing() as db:
            old = None if replace else find_profile(db, name)
            if old is None:
                self._put(db, name, space, recordings)
            elif read_profile(db, name, self._vault(db)).space != space:
                raise foreign(read_profile(db, name, self._vault(db)), space)
            else:
                self._insert(db, old, recordings)
                touch_profile(db, old)
            return read_profile(db, name, self._vault(db))

    def put_all(
        self,
        profiles: Sequence[tuple[str, Space, Sequence[Recording]]],
        replace: bool,
        consents: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Add new profiles, all or none; `replace` lets them take the place of those with equal names.

        `consents` says which of them allowed speech in their voice, and when.
        """
        with self._changing() as db:
            taken = [name for name, *_ in profiles if find_profile(db, name)]
            if taken and not replace:
                raise StoreError(
                    f"there is a profile named {', '.join(taken)} already; rename it", ", or say --replace"
                )
            for name, space, recordings in profiles:
                self._put(db, name, space, recordings)
            for name, given in consents.items():
                write_consent(db, known_profile(db, name), given)

    def move(self, profile: Profile, space: Space, recordings: Sequence[Recording]) -> Profile:
        """The same recordings embedded in another space; refused where the profile has changed since."""
        with self._changing() as db:
            if read_profile(db, profile.name, self._vault(db)).version != profile.version:
                raise StoreError(f"{profile.name}: was changed by another program meanwhile; try again")
            db.execute("DELETE FROM recordings WHERE profile = ?", (profile.id,))
            self._insert(db, profile.id, recordings)
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
                raise foreign(gone, kept.space)
            db.execute("DELETE FROM profiles WHERE id = ?", (gone.id,))
            self._insert(db, kept.id, gone.recordings)
            touch_profile(db, kept.id)

    def remove(self, name: str) -> None:
        """Delete a profile: its rows are overwritten in the file, then its sound."""
        self._there(name)
        with self._changing() as db:
            delete_profile(db, known_profile(db, name))

    def encrypt(self, passphrase: str) -> None:
        """Make all voices unreadable without the passphrase, and those that follow; names stay readable."""
        vault = new_vault()
        lock = vault.lock(passphrase)
        with self._changing() as db:
            if read_lock(db):
                raise StoreError(f"{self.path}: is encrypted already")
            self._move_voices(db, None, vault)
            write_lock(db, lock)
        self._vacuum()

    def decrypt(self) -> None:
        """Make all voices readable without a passphrase again."""
        with self._changing() as db:
            self._move_voices(db, self._closed(db), None)
            write_lock(db, None)
        self._vacuum()

    def change_passphrase(self, passphrase: str) -> None:
        """From now on another passphrase opens the same key."""
        with self._changing() as db:
            write_lock(db, self._closed(db).lock(passphrase))

    def _closed(self, db: sqlite3.Connection) -> Vault:
        if vault := self._vault(db):
            return vault
        raise StoreError(f"{self.path}: is not encrypted")

    def _move_voices(self, db: sqlite3.Connection, before: Vault | None, after: Vault | None) -> None:
        """All voices from one vault to another."""
        for number, name in rewrite_voices(db, before, after):
            if (flac := self._sounds.read(name, before)) is not None:
                row = (self._sounds.keep(flac, after), number)
                db.execute("UPDATE recordings SET audio = ? WHERE number = ?", row)

    def _vacuum(self) -> None:
        """Leave nothing of what was there before in the database's file."""
        with self._connected() as db:
            db.execute("PRAGMA temp_store = MEMORY")
            db.execute("VACUUM")

    def _sweep(self) -> None:
        """Wipe the sounds that no row names; nobody writes meanwhile, so none is about to be named."""
        with self._connected() as db:
            if self._sounds.strays(named_sounds(db)):
                db.execute("BEGIN IMMEDIATE")
                for path in self._sounds.strays(named_sounds(db)):
                    wipe(path)
                db.rollback()

    def _vault(self, db: sqlite3.Connection) -> Vault | None:
        """None where nothing is encrypted; raises `LockedError` without the right passphrase."""
        lock = read_lock(db)
        return unlock(lock, self._ask()) if lock else None

    def _put(self, db: sqlite3.Connection, name: str, space: Space, recordings: Sequence[Recording]) -> None:
        """A new profile, in the place of one of the same name; its version then goes on from that one's."""
        old, version = find_profile(db, name), 1
        if old is not None:
            ((version,),) = db.execute("SELECT version + 1 FROM profiles WHERE id = ?", (old,))
            delete_profile(db, old)
        self._insert(db, put_profile(db, name, space, version), recordings)

    def _insert(self, db: sqlite3.Connection, profile: str, recordings: Sequence[Recording]) -> None:
        """Recordings with their sounds: those of a change that fails are swept, since no row names them."""
        vault = self._vault(db)
        for r in recordings:
            audio = self._sounds.keep(r.flac(), vault) if r.flac else r.audio
            insert_recording(db, profile, r, audio, vault)

    def _there(self, name: str) -> None:
        if not self.path.exists():
            raise missing(name)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction; from its first moment on nobody else writes. Then sounds that no row names go."""
        with self._named_errors():
            private_folder(self.folder)
            if not self.path.exists():
                private_file(self.path).close()
        try:
            with self._connected() as db, self._transaction(db):
                yield db
        except BaseException:
            with suppress(StoreError):  # what was wrong first is to be told
                self._sweep()
            raise
        self._sweep()

    @contextmanager
    def _transaction(self, db: sqlite3.Connection) -> Iterator[None]:
        db.execute("BEGIN IMMEDIATE")
        try:
            if not schema_version(db):
                for statement in SCHEMA:
                    db.execute(statement)
            yield
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
