"""Profiles in one file, to carry elsewhere: a zip of JSON, raw float32 and FLAC, each with a checksum."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import itertools
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from voicelane.base.errors import StoreError, VoicelaneError
from voicelane.base.files import written_through
from voicelane.base.settings import build_settings
from voicelane.base.space import Space
from voicelane.base.text import check_name, is_text, name_key, quoted
from voicelane.base.timebase import SAMPLE_RATE
from voicelane.profiles.enrolment import LONGEST_S
from voicelane.profiles.profile import Profile, Recording
from voicelane.profiles.store import ProfileStore

FORMAT = 1
INDEX = "profiles.json"
DATE = re.compile(r"\d{4}-\d\d-\d\dT[\d:]{5,8}(\.\d+)?(Z|[+-]\d\d:\d\d)")
MEMBER = re.compile(r"(embeddings/\d{1,6}\.f32|audio/\d{1,6}\.flac)")
MOST_BYTES = {".json": 16 << 20, ".f32": 64 << 10, ".flac": 32 << 20}
MOST_TOTAL_BYTES = 2 << 30
MOST_MEMBERS = 100_000
UNIT_ERROR = 1e-3
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    EOFError,
    ValueError,
    OverflowError,
    struct.error,
    MemoryError,
)
"""What zipfile raises for damage; RuntimeError: encrypted, or odd packing."""
LONGEST_SPACE = 200

T = TypeVar("T")


@dataclass(frozen=True)
class _Recording:
    """A recording in the index; every field must be there."""

    embedding: str = ""
    embedding_sha256: str = ""
    audio: str = ""
    audio_sha256: str = ""
    speech_s: float = -1.0
    snr_db: float = 0.0
    consistency: float = 0.0


@dataclass(frozen=True)
class _Profile:
    """A profile in the index."""

    name: str = ""
    created: str = ""
    updated: str = ""
    version: int = 0
    encoder_id: str = ""
    enhancer: str = ""
    encoder: str = ""


def export_profiles(store: ProfileStore, profiles: Sequence[Profile], path: Path) -> None:
    """Write profiles with their kept sound into one file that only its owner can read."""
    numbers, index = itertools.count(), []
    with (
        written_through(path, private=True) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as zipped,
    ):
        for profile in profiles:
            recordings = [_pack(zipped, store, r, next(numbers)) for r in profile.recordings]
            index.append(_profile_entry(profile) | {"recordings": recordings})
        content = {"format": FORMAT, "profiles": index, "consents": _consents(store, profiles)}
        zipped.writestr(INDEX, json.dumps(content, ensure_ascii=False, indent=1))


def _consents(store: ProfileStore, profiles: Sequence[Profile]) -> dict[str, str]:
    """Who allowed speech in their voice, and when; older versions read past it."""
    given = {profile.name: store.consent(profile.name) for profile in profiles}
    return {name: when for name, when in given.items() if when}


def _profile_entry(p: Profile) -> dict[str, Any]:
    space = {"encoder_id": p.space.encoder_id, "enhancer": p.space.enhancer, "encoder": p.space.encoder}
    return {"name": p.name, "created": p.created, "updated": p.updated, "version": p.version} | space


def _pack(zipped: zipfile.ZipFile, store: ProfileStore, recording: Recording, n: int) -> dict[str, Any]:
    """The index entry of a recording, once its files are in the zip."""
    audio = store.sound(recording)
    files = {"embedding": (f"embeddings/{n}.f32", recording.embedding.astype("<f4").tobytes())}
    if audio is not None:
        files["audio"] = (f"audio/{n}.flac", audio)
    entry: dict[str, Any] = {"audio": "", "audio_sha256": ""}
    for kind, (name, content) in files.items():
        zipped.writestr(name, content)
        entry |= {kind: name, f"{kind}_sha256": hashlib.sha256(content).hexdigest()}
    quality = {name: getattr(recording, name) for name in ("speech_s", "snr_db", "consistency")}
    return entry | quality


def import_profiles(store: ProfileStore, path: Path, replace: bool) -> list[str]:
    """Names of the profiles taken from a file: all of them, or none where anything in it is wrong."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as zipped:
            return _Import(store, path, zipped).run(replace)
    except (*DAMAGED, OSError) as problem:
        if isinstance(problem, OSError) and problem.filename:
            raise  # there is no such file, or it cannot be read
        what = quoted(str(problem), 200)
        raise StoreError(f"{path}: not a whole file of profiles ({what}); export it again") from None


class _Import:
    """One file on its way into the store; nothing in it is believed."""

    def __init__(self, store: ProfileStore, path: Path, zipped: zipfile.ZipFile) -> None:
        self._store, self._path, self._zipped = store, path, zipped
        self._names = set(zipped.namelist())
        self._content = dict[str, Any]()

    def run(self, replace: bool) -> list[str]:
        """Check everything first; then all profiles with their sound go in, in one transaction."""
        self._check_members()
        rows = [self._profile(entry) for entry in self._index()]
        names = [profile.name for profile, _ in rows]
        if len({name_key(name) for name in names}) < len(names):
            raise self._wrong("holds two profiles of one name")
        parts = [p for _, recordings in rows for r in recordings for p in (r.embedding, r.audio) if p]
        if len(set(parts)) < len(parts):
            raise self._wrong("uses one part for two recordings")
        embeddings = [[self._embedding(r) for r in recordings] for _, recordings in rows]
        if any(len({len(v) for v in vectors}) > 1 for vectors in embeddings):
            raise self._wrong("holds a profile whose embeddings are of different lengths")
        self._store.put_all(
            [
                (p.name, Space(p.encoder_id, p.enhancer, p.encoder), list(map(self._recording, own, vectors)))
                for (p, own), vectors in zip(rows, embeddings, strict=True)
            ],
            replace,
            self._consents(names),
        )
        return names

    def _consents(self, names: Sequence[str]) -> dict[str, str]:
        """Those of the profiles in the file."""
        found = self._content.get("consents", {})
        when = list(found.values()) if isinstance(found, dict) else [None]
        if not set(found) <= set(names) or not all(isinstance(w, str) and DATE.fullmatch(w) for w in when):
            raise self._wrong(f"{INDEX}: a consent in it is of nobody, or has no date")
        return dict(found)

    def _check_members(self) -> None:
        """Names, number and sizes, before anything is unpacked."""
        members = self._zipped.infolist()
        names = [m.filename for m in members]
        for name in names:
            if name != INDEX and not MEMBER.fullmatch(name):
                raise self._wrong(f"holds {name!r}, which is no part of it")
        if any(m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for m in members):
            raise self._wrong("is packed in a way that this voicelane does not read")
        if INDEX not in names or len(set(names)) < len(names):
            raise self._wrong(f"{INDEX} is missing, or a part is there twice")
        big = any(m.file_size > MOST_BYTES[Path(m.filename).suffix] for m in members)
        if any(m.compress_size > self._path.stat().st_size for m in members):  # zipfile reserves so much
            raise self._wrong("says of a part that it is longer than the whole file")
        if big or len(members) > MOST_MEMBERS or sum(m.file_size for m in members) > MOST_TOTAL_BYTES:
            raise self._wrong("holds more than profiles can; nothing of it was unpacked")

    def _index(self) -> list[Any]:
        try:
            content = json.loads(self._zipped.read(INDEX).decode("utf-8"))
        except (ValueError, RecursionError) as problem:
            raise self._wrong(f"{INDEX} is not valid JSON ({problem})") from None
        if not isinstance(content, dict) or not isinstance(content.get("format"), int):
            raise self._wrong(f"{INDEX} does not say which format it is")
        if content["format"] != FORMAT:
            raise self._wrong(
                f"is of format {quoted(content['format'])}, this voicelane knows {FORMAT}; update it"
            )
        if not isinstance(content.get("profiles"), list):
            raise self._wrong(f"{INDEX} lists no profiles")
        self._content = content
        return content["profiles"]

    def _profile(self, entry: Any) -> tuple[_Profile, list[_Recording]]:
        recordings = entry.pop("recordings", None) if isinstance(entry, dict) else None
        if not isinstance(recordings, list) or not recordings:
            raise self._wrong("a profile in it has no recordings")
        found = self._row(_Profile, entry)
        try:
            found = dataclasses.replace(found, name=check_name(found.name))
        except VoicelaneError as problem:
            raise self._wrong(str(problem)) from None
        if any(
            len(s) > LONGEST_SPACE or not is_text(s)
            for s in (found.encoder_id, found.enhancer, found.encoder)
        ):
            raise self._wrong(f"the encoder of {found.name} has no name that can be one")
        return found, [self._row(_Recording, r) for r in recordings]

    def _row(self, kind: type[T], entry: Any) -> T:
        """A table of the index, no field missing, unknown or of a wrong type."""
        known = {f.name for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
        if not isinstance(entry, dict) or known - entry.keys():
            raise self._wrong(f"{INDEX} is not whole")
        problems: list[str] = []
        found = build_settings(kind, entry, "", problems)
        if problems:
            raise self._wrong(f"{INDEX}: {problems[0]}")
        return found

    def _embedding(self, row: _Recording) -> np.ndarray:
        """The embedding of a recording, once everything that belongs to it is checked."""
        content = self._part(row.embedding, row.embedding_sha256)
        vector = np.frombuffer(content[: len(content) // 4 * 4], "<f4")
        if len(content) % 4 or not abs(float(np.linalg.norm(vector)) - 1.0) < UNIT_ERROR:
            raise self._wrong(f"{row.embedding} is no embedding")
        if not (np.isfinite((row.speech_s, row.snr_db, row.consistency)).all() and row.speech_s >= 0.0):
            raise self._wrong(f"the quality of {row.embedding} is no number")
        if row.audio:
            self._check_sound(row.audio, self._part(row.audio, row.audio_sha256))
        return vector

    def _recording(self, row: _Recording, vector: np.ndarray) -> Recording:
        """The recording; its sound is unpacked again when the store takes it."""
        sound = partial(self._part, row.audio, row.audio_sha256) if row.audio else None
        return Recording(vector, row.speech_s, row.snr_db, row.consistency, flac=sound)

    def _part(self, name: str, sha256: str) -> bytes:
        if not MEMBER.fullmatch(name) or name not in self._names:
            raise self._wrong(f"{quoted(name)} is missing")
        content = self._zipped.read(name)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise self._wrong(f"{name} is damaged (its checksum is wrong)")
        return content

    def _check_sound(self, name: str, audio: bytes) -> None:
        import soundfile

        try:
            found = soundfile.info(io.BytesIO(audio))
        except RuntimeError as problem:  # soundfile.LibsndfileError
            raise self._wrong(f"{name} is no sound ({problem})") from None
        if (found.format, found.samplerate, found.channels) != ("FLAC", SAMPLE_RATE, 1):
            raise self._wrong(f"{name} is not 16 kHz mono FLAC")
        if found.frames > (LONGEST_S + 1.0) * SAMPLE_RATE:
            raise self._wrong(f"{name} is longer than the {LONGEST_S:.0f} s that are kept of a recording")

    def _wrong(self, what: str) -> StoreError:
        return StoreError(f"{self._path}: {what}")
