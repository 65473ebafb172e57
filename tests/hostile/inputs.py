"""Hostile input, and what must hold of all that comes out; the property tests and the fuzzer share it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voicelane import Session, VoicelaneError, read_rttm
from voicelane.base import Space
from voicelane.base.text import check_name
from voicelane.events import Event, SpeakerRenamed, SpeakerTurn
from voicelane.labels.corrections import Relabelling
from voicelane.live.sinks import JsonLinesSink, RttmSink
from voicelane.profiles import Recording
from voicelane.profiles.store import ProfileStore
from voicelane.profiles.transfer import INDEX
from voicelane.sessions.event_log import EVENTS
from voicelane.sessions.exports import TEXT_FORMATS
from voicelane.sessions.recorder import ABOUT, About

SPACE = Space("a" * 64, "off", "conv_transformer")
CLOCK = r"\d\d+:\d\d:\d\d[,.]\d{3}"
CUE = re.compile(f"{CLOCK} --> {CLOCK}")
UNIT = np.full(4, 0.5, "<f4")
LONGEST_SENTENCE = 8_000
ABOUT_NOW = About(1, "finished", "talk.wav", "2026-01-01T10:00:00+00:00", "0.1", "a" * 64, "lstm", "off", 0)


def legal(name: str) -> str | None:
    """The name as the engine keeps it, None where it refuses it."""
    try:
        return check_name(name)
    except VoicelaneError as problem:
        check_sentence(str(problem))
        return None


def check_sentence(text: str) -> None:
    """One line that a terminal shows as it is, of bounded length."""
    assert text and text.isprintable(), f"not printable: {text[:300]!r}"
    assert len(text) <= LONGEST_SENTENCE, f"{len(text)} characters: {text[:300]!r}"


def turns(n: int) -> list[Event]:
    """`n` final turns of speakers S1, S2, …, one second each."""
    return [
        SpeakerTurn(16_000 * i, f"S{i + 1}", 16_000 * i, 16_000 * (i + 1), 0, 0.5, True) for i in range(n)
    ]


def talk(names: Sequence[str]) -> list[Event]:
    """One turn for each name."""
    return [*turns(len(names)), *(SpeakerRenamed(0, f"S{i}", name) for i, name in enumerate(names, 1))]


def session_of(names: Sequence[str], folder: Path = Path("talk")) -> Session:
    """A finished session with one turn for each name."""
    events = tuple(talk(names))
    return Session(folder, ABOUT_NOW, events, Relabelling().after_all(events), "finished")


def write_session(folder: Path, about: bytes, events: bytes) -> Path:
    """A session's folder without sound."""
    folder.mkdir()
    (folder / ABOUT).write_bytes(about)
    (folder / EVENTS).write_bytes(events)
    return folder


def check_exports(session: Session, folder: Path) -> None:
    """Every text format holds each turn exactly once, whatever the names are."""
    n, found = len(session.turns()), {k: write(session) for k, write in TEXT_FORMATS.items()}
    for kind, text in found.items():
        text.encode("utf-8")
        assert "\0" not in text, kind
    check_rttm(found["rttm"], folder / "export.rttm", n)
    rows = list(csv.reader(io.StringIO(found["csv"], newline="")))
    assert len(rows) == n + 1 and all(len(row) == 5 for row in rows)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for row in rows for cell in row)
    assert len(json.loads(found["json"])["turns"]) == n
    for kind in ("srt", "vtt"):
        check_cues(found[kind], n)


def check_rttm(text: str, path: Path, n: int) -> None:
    """`n` lines of ten fields, which are read back as `n` turns that end after they begin."""
    lines = text.splitlines()
    assert len(lines) == n and all(len(line.split()) == 10 for line in lines), text[:500]
    path.write_text(text, encoding="utf-8", newline="")
    assert len(read_rttm(path)) == n


def check_cues(text: str, n: int) -> None:
    """`n` cues: each its times, then one line of text, then an empty line or the end."""
    lines = text.splitlines()
    at = [i for i, line in enumerate(lines) if "-->" in line]
    assert len(at) == n and all(CUE.fullmatch(lines[i]) for i in at), text[:500]
    assert all(lines[i + 1].strip() and not "".join(lines[i + 2 : i + 3]) for i in at), text[:500]
    heads = 1 if text.startswith("WEBVTT") else n
    assert sum(map(bool, lines)) == 2 * n + heads, text[:500]


def check_names(names: Sequence[str], folder: Path) -> None:
    """Names through the store, the sinks and every export; illegal ones are refused with a sentence."""
    kept = [found for name in names if (found := legal(name)) is not None]
    store = ProfileStore(folder / "home")
    for name in kept:
        store.add(name, SPACE, [Recording(UNIT, 5.0, 20.0, 1.0)], replace=True)
        assert store.profile(name).name == name and name in store.names()
    rttm, lines = RttmSink(folder / "live.rttm", "talk"), JsonLinesSink(folder / "live.jsonl")
    for sink in (rttm, lines):
        for event in talk(kept):
            sink.put(event)
        sink.close()
    check_rttm((folder / "live.rttm").read_text("utf-8"), folder / "again.rttm", len(kept))
    written = (folder / "live.jsonl").read_bytes().split(b"\n")
    assert len(written) == 2 * len(kept) + 1 and all(json.loads(line) for line in written[:-1])
    check_exports(session_of(kept), folder)


def zip_of(members: Sequence[tuple[str, bytes]], packing: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these members, whatever they are called."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packing) as zipped:
        for name, content in members:
            zipped.writestr(name, content)
    return file.getvalue()


def index_of(*names: str, **changes: object) -> bytes:
    """profiles.json of people who share one embedding each in `embeddings/N.f32`; `changes` to recordings."""
    profiles = []
    for i, name in enumerate(names):
        row = {"embedding": f"embeddings/{i}.f32", "embedding_sha256": sha256(UNIT.tobytes()), "audio": ""}
        quality = {"audio_sha256": "", "speech_s": 5.0, "snr_db": 20.0, "consistency": 1.0}
        head = {"name": name, "created": "2026", "updated": "2026", "version": 1, "encoder_id": "a" * 64}
        profiles.append(
            head | {"enhancer": "off", "encoder": "lstm", "recordings": [row | quality | changes]}
        )
    return json.dumps({"format": 1, "profiles": profiles}).encode()


def packed(*names: str) -> bytes:
    """A file of profiles as `profiles export` writes it, with small embeddings."""
    return zip_of(
        [(INDEX, index_of(*names)), *((f"embeddings/{i}.f32", UNIT.tobytes()) for i in range(len(names)))]
    )


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
