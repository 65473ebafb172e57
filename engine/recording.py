"""A session on disk while it happens: sound, events, and a small file that says what it is.

A folder holds `audio.flac` (16 kHz mono as the engine heard it), `events.jsonl` and `session.json`. All of
it is readable at any moment: a killed process loses what the FLAC encoder holds, less than a second.
While it is recorded, a lock on `recording.lock` says so.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import StoreError
from engine.events import Event, SoundDropped, StageTiming, VoiceMeasured
from engine.home import home_folder, private_file, private_folder, write_private
from engine.lock import hold
from engine.names import file_name
from engine.outbox import Sound
from engine.profile import Space
from engine.timebase import SAMPLE_RATE, samples

FORMAT = 1
AUDIO, EVENTS, ABOUT, LOCK = "audio.flac", "events.jsonl", "session.json", "recording.lock"
SYNC_S = 1.0
FULL_BYTES = 64 << 10
SILENCE = np.zeros(samples(1.0), np.float32)


@dataclass(frozen=True)
class About:
    """What `session.json` says."""

    format: int
    state: str
    """`recording` (for ever, if that was interrupted) or `finished`; `Session.state` tells them apart."""
    source: str
    started: str
    """ISO 8601, UTC."""
    version: str
    """Of voicelane."""
    encoder_id: str
    encoder: str
    enhancer: str
    lost_samples: int
    """Sound that the engine heard and the disk was too slow for; silence stands for it."""


def session_folder(name: str) -> Path:
    """Where a session lies: a path as it is, a bare name in `sessions` of the home folder."""
    if os.sep in name or (os.altsep and os.altsep in name):
        return Path(name)
    if name != file_name(name) or not name.isprintable():
        raise StoreError(f"{name!r} cannot name a session; use letters and digits, or give a folder's path")
    return home_folder() / "sessions" / name


def free_folder(folder: Path) -> Path:
    """The folder, if a session can be recorded into it; raises `StoreError` where something is there."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(f"{folder}: there is something already; choose another name for the session")
    return folder


class Recorder:
    """A sink that keeps a session in a new folder: the sound it hears, and every event."""

    def __init__(self, folder: Path, source: str, space: Space) -> None:
        self.folder, self.lost_samples = free_folder(folder), 0
        self._about = _about(source, space)
        self._whole, self._written, self._synced_s = True, 0, time.monotonic()
        with self._named_errors():
            private_folder(folder)
            self._lock = hold(folder / LOCK)
            self._write_about()
            self._events = private_file(folder / EVENTS, new=True, append=True)
            self._audio_file = private_file(folder / AUDIO, new=True)
            self._audio = _flac(self._audio_file)

    def hear(self, sound: Sound) -> None:
        """Append sound at its place; what is missing before it becomes silence."""
        with self._named_errors():
            while self._written < sound.sample:
                self._append(SILENCE[: sound.sample - self._written])
            self._append(sound.samples)
            self._sync()

    def put(self, event: Event) -> None:
        if isinstance(event, SoundDropped):
            self.lost_samples += event.lost_samples
        if not isinstance(event, StageTiming):
            with self._named_errors():
                self._events.write(json.dumps(_brief(event), ensure_ascii=False).encode(errors="replace"))
                self._events.write(b"\n")
                self._events.flush()
                self._sync()

    def close(self) -> None:
        """Whatever failed before, the files are closed; the session is finished only if it is whole."""
        with self._lock, self._named_errors():
            self._audio.close()
            self._audio_file.close()
            self._events.close()
            if self._whole:
                self._about = replace(self._about, state="finished", lost_samples=self.lost_samples)
                self._write_about()
                (self.folder / LOCK).unlink()

    def _append(self, block: np.ndarray) -> None:
        self._audio.write(np.clip(block, -1.0, 1.0))
        self._written += len(block)

    def _sync(self) -> None:
        """Once a second, down to the disk."""
        if time.monotonic() - self._synced_s >= SYNC_S:
            self._audio.flush()
            os.fsync(self._events.fileno())
            self._synced_s = time.monotonic()

    def _write_about(self) -> None:
        write_private(self.folder / ABOUT, json.dumps(asdict(self._about), indent=1).encode())

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError) as problem:  # soundfile's errors are RuntimeErrors
            self._whole = False
            reason = getattr(problem, "strerror", None) or str(problem)
            if shutil.disk_usage(self.folder.parent).free < FULL_BYTES:  # libsndfile says "System error."
                reason = os.strerror(errno.ENOSPC)
            raise StoreError(f"{self.folder}: the session cannot be recorded any more ({reason})") from None


def _brief(event: Event) -> dict[str, Any]:
    """The event as JSON takes it; numbers of voices get four digits, a quarter of the disk."""
    content = event.as_dict()
    if isinstance(event, VoiceMeasured):
        content["similarity"] = {who: round(cosine, 4) for who, cosine in event.similarity.items()}
        for name in ("vector", "raw"):
            content[name] = content[name] and [round(x, 4) for x in content[name]]
    return content


def _about(source: str, space: Space) -> About:
    try:
        own = version("voicelane")
    except PackageNotFoundError:
        own = "not installed"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return About(FORMAT, "recording", source, now, own, space.encoder_id, space.encoder, space.enhancer, 0)


def _flac(file: Any) -> Any:
    """An open FLAC writer on a file that is open already."""
    import soundfile

    return soundfile.SoundFile(file.fileno(), "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC", closefd=False)
