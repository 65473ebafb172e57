"""The rows of the database of profiles; voices pass through the vault where there is one."""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from datetime import UTC, datetime

import numpy as np

from voicelane.base.errors import StoreError
from voicelane.base.space import Space
from voicelane.base.text import name_key
from voicelane.profiles.encryption import Lock, Vault
from voicelane.profiles.profile import Profile, Recording, missing

PLAIN, SEALED = 1, 2
"""Versions of the schema."""
SCHEMA = (
    "CREATE TABLE profiles (id TEXT PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL UNIQUE, "
    "created TEXT NOT NULL, updated TEXT NOT NULL, version INTEGER NOT NULL, encoder_id TEXT NOT NULL, "
    "enhancer TEXT NOT NULL, encoder TEXT NOT NULL)",
    "CREATE TABLE recordings (number INTEGER PRIMARY KEY, profile TEXT NOT NULL "
    "REFERENCES profiles (id) ON DELETE CASCADE, embedding BLOB NOT NULL, sha256 TEXT NOT NULL, "
    "speech_s REAL NOT NULL, snr_db REAL NOT NULL, consistency REAL NOT NULL, audio TEXT NOT NULL)",
    f"PRAGMA user_version = {PLAIN}",
)


CONSENTS = (
    "CREATE TABLE IF NOT EXISTS consents (profile TEXT PRIMARY KEY "
    "REFERENCES profiles (id) ON DELETE CASCADE, given TEXT NOT NULL)"
)
"""Beside the first schema, whose programs let it be; what is deleted there takes its consent with it."""


def schema_version(db: sqlite3.Connection) -> int:
    ((version,),) = db.execute("PRAGMA user_version")
    return int(version)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def find_profile(db: sqlite3.Connection, name: str) -> str | None:
    """The id of a profile."""
    row = db.execute("SELECT id FROM profiles WHERE key = ?", (name_key(name),)).fetchone()
    return row[0] if row else None


def known_profile(db: sqlite3.Connection, name: str) -> str:
    found = find_profile(db, name)
    if found is None:
        raise missing(name)
    return found


def read_profile(db: sqlite3.Connection, name: str, vault: Vault | None) -> Profile:
    """A profile, every checksum verified; `vault` of an encrypted store."""
    row = db.execute("SELECT * FROM profiles WHERE key = ?", (name_key(name),)).fetchone()
    if row is None:
        raise missing(name)
    profile, name, _, created, updated, version, *space = row
    rows = db.execute(
        "SELECT embedding, sha256, speech_s, snr_db, consistency, audio FROM recordings WHERE profile = ? "
        "ORDER BY number",
        (profile,),
    )
    recordings = tuple(
        Recording(_vector(name, profile, blob, sha, vault), *rest) for blob, sha, *rest in rows
    )
    if not recordings:
        raise StoreError(f"{name}: the profile holds no embedding; remove it and enrol again")
    return Profile(profile, name, created, updated, Space(*space), version, recordings)


def _vector(name: str, profile: str, blob: bytes, sha256: str, vault: Vault | None) -> np.ndarray:
    damaged = StoreError(
        f"{name}: an embedding is damaged (its checksum is wrong); enrol again",
        f": `voicelane enrol {name!r} FILE --replace`",
    )
    if not isinstance(blob, bytes) or hashlib.sha256(blob).hexdigest() != sha256:
        raise damaged
    plain = vault.open(blob, _owner(profile)) if vault else blob
    if not plain or len(plain) % 4:
        raise damaged
    return np.frombuffer(plain, "<f4")


def _owner(profile: str) -> str:
    return f"an embedding of profile {profile}"


def insert_recording(
    db: sqlite3.Connection, profile: str, recording: Recording, audio: str, vault: Vault | None
) -> None:
    """A recording whose sound is kept in the file `audio`."""
    blob, sha256 = _sealed(recording.embedding, profile, vault)
    quality = (recording.speech_s, recording.snr_db, recording.consistency)
    row = (profile, blob, sha256, *quality, audio)
    db.execute("INSERT INTO recordings VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)


def read_consent(db: sqlite3.Connection, profile: str) -> str | None:
    """When a person allowed that speech is made in their voice, ISO 8601; None where they did not."""
    known = db.execute("SELECT name FROM sqlite_master WHERE name = 'consents'").fetchone()
    row = known and db.execute("SELECT given FROM consents WHERE profile = ?", (profile,)).fetchone()
    return row[0] if row else None


def write_consent(db: sqlite3.Connection, profile: str, given: str | None) -> None:
    """None withdraws it."""
    db.execute(CONSENTS)
    db.execute("DELETE FROM consents WHERE profile = ?", (profile,))
    if given:
        db.execute("INSERT INTO consents VALUES (?, ?)", (profile, given))


def put_profile(db: sqlite3.Connection, name: str, space: Space, version: int) -> str:
    """A new profile without recordings; its id."""
    new, at, spaced = uuid.uuid4().hex, now(), (space.encoder_id, space.enhancer, space.encoder)
    row = (new, name, name_key(name), at, at, version, *spaced)
    db.execute("INSERT INTO profiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    return new


def delete_profile(db: sqlite3.Connection, profile: str) -> None:
    """A profile with its recordings."""
    db.execute("DELETE FROM profiles WHERE id = ?", (profile,))


def named_sounds(db: sqlite3.Connection) -> set[str]:
    """Names of the files of sound that recordings have."""
    rows = db.execute("SELECT audio FROM recordings") if schema_version(db) else ()
    return {name for (name,) in rows}


def rewrite_voices(
    db: sqlite3.Connection, before: Vault | None, after: Vault | None
) -> list[tuple[int, str]]:
    """Every embedding out of one vault and into another (None: as it is); the numbers and sounds of all
    recordings."""
    rows = db.execute(
        "SELECT number, profile, name, embedding, sha256, audio FROM recordings "
        "JOIN profiles ON profiles.id = profile"
    ).fetchall()
    for number, profile, name, blob, sha256, _ in rows:
        new = _sealed(_vector(name, profile, blob, sha256, before), profile, after)
        db.execute("UPDATE recordings SET embedding = ?, sha256 = ? WHERE number = ?", (*new, number))
    return [(number, audio) for number, *_, audio in rows]


def _sealed(vector: np.ndarray, profile: str, vault: Vault | None) -> tuple[bytes, str]:
    """An embedding as it is stored, and its checksum."""
    blob = np.ascontiguousarray(vector, "<f4").tobytes()
    blob = vault.seal(blob, _owner(profile)) if vault else blob
    return blob, hashlib.sha256(blob).hexdigest()


def read_lock(db: sqlite3.Connection) -> Lock | None:
    """What the passphrase opens; None where the profiles are not encrypted."""
    if schema_version(db) != SEALED:
        return None
    return Lock(*db.execute("SELECT salt, wrapped FROM lock").fetchone())


def write_lock(db: sqlite3.Connection, lock: Lock | None) -> None:
    """In the place of what was there; None for profiles that are not encrypted."""
    db.execute("DROP TABLE IF EXISTS lock")
    if lock:
        db.execute("CREATE TABLE lock (salt BLOB NOT NULL, wrapped BLOB NOT NULL)")
        db.execute("INSERT INTO lock VALUES (?, ?)", lock)
    db.execute(f"PRAGMA user_version = {SEALED if lock else PLAIN}")


def touch_profile(db: sqlite3.Connection, profile: str) -> None:
    db.execute("UPDATE profiles SET version = version + 1, updated = ? WHERE id = ?", (now(), profile))
