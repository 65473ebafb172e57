"""A session on disk while it happens: sound, events, and a small file that says what it is.

A folder holds `audio.flac` (16 kHz mono as it came), `clean.flac` (as a denoiser left it, where there was
one), `events.jsonl` with `voices.bin`, and `session.json`, which at the end tells the session in a line. All
of it is readable at any moment: a killed process loses what the FLAC encoder holds, less than a second.
While it is recorded, a lock on `recording.lock` says so.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np

from voicelane.base.errors import StoreError
from voicelane.base.files import home_folder, private_file, private_folder, write_private
from voicelane.base.lock import hold
from voicelane.base.space import Space
from voicelane.base.text import file_name
from voicelane.base.timebase import SAMPLE_RATE, samples, seconds
from voicelane.events import Event, SoundDropped, SpeakerTurn, StageTiming
from voicelane.labels.corrections import Relabelling
from voicelane.live.outbox import Sound
from voicelane.sessions.event_log import EVENTS, EventWriter

FORMAT = 2
"""Of `session.json` and what lies beside it; 1 had neither a summary nor `voices.bin`."""
AUDIO = "audio.flac"
CLEAN = "clean.flac"
ABOUT, LOCK = "session.json", "recording.lock"
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
    duration_s: float = 0.0
    """Length of the sound; this and what follows only where it is finished, from format 2 on."""
    people: tuple[str, ...] = ()
    """Names and labels, the most talkative first."""
    turns: int = 0
    """How many final turns there are."""
    events_bytes: int = 0
    """Size of `events.jsonl` that all this was told of; of another size the events have to be read."""
    tags: tuple[str, ...] = ()
    """Single words by which somebody finds it again."""
    note: str = ""
    """What somebody noted of it; may have several lines."""


def told(folder: Path, about: About, turns: Iterable[SpeakerTurn], labels: Relabelling) -> About:
    """With who spoke in the final `turns`, by the names that `labels` shows."""
    moved, spoken = labels.whole(turns), Counter[str]()
    for turn in moved:
        spoken[labels.shown(turn.speaker)] += turn.end - turn.start
    people, bytes_ = tuple(name for name, _ in spoken.most_common()), (folder / EVENTS).stat().st_size
    return replace(about, people=people, turns=len(moved), events_bytes=bytes_)


def write_about(folder: Path, about: About) -> None:
    """`session.json`, whole or as it was before."""
    write_private(folder / ABOUT, json.dumps(asdict(about), indent=1).encode())


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


def unused_name(name: str) -> str:
    """The name of a session, or that with `-2`, `-3` … behind it where there is one already."""
    names = chain([name], (f"{name}-{k}" for k in count(2)))
    return next(n for n in names if not session_folder(n).exists())


class Track:
    """One sound of a session, as FLAC."""

    def __init__(self, path: Path, comment: str = "") -> None:
        self.n_samples = 0
        self._file = private_file(path, new=True)
        self._flac = _flac(self._file, comment)

    def hear(self, sound: Sound) -> None:
        """Append sound at its place; what is missing before it becomes silence."""
        while self.n_samples < sound.sample:
            self._append(SILENCE[: sound.sample - self.n_samples])
        self._append(sound.samples)

    def flush(self) -> None:
        self._flac.flush()

    def close(self) -> None:
        self._flac.close()
        self._file.close()

    def _append(self, block: np.ndarray) -> None:
        self._flac.write(np.clip(block, -1.0, 1.0))
        self.n_samples += len(block)


class Recorder:
    """A sink that keeps a session in a new folder: the sound it hears, as it came and cleaned where it is,
    and every event."""

    def __init__(self, folder: Path, source: str, space: Space, comment: str = "") -> None:
        """`comment` goes into the metadata of the sound."""
        self.folder, self.lost_samples = free_folder(folder), 0
        self._about = _about(source, space)
        self._whole, self._synced_s = True, time.monotonic()
        self._turns, self._labels = list[SpeakerTurn](), Relabelling()
        with self._named_errors():
            private_folder(folder)
            self._lock = hold(folder / LOCK)
            write_about(folder, self._about)
            self._events = EventWriter(folder)
            self._tracks = {AUDIO: Track(folder / AUDIO, comment)}

    def hear(self, sound: Sound) -> None:
        self._keep(AUDIO, sound)

    def hear_clean(self, sound: Sound) -> None:
        """Into a file of its own, from the first such sound on."""
        self._keep(CLEAN, sound)

    def _keep(self, name: str, sound: Sound) -> None:
        with self._named_errors():
            if name not in self._tracks:
                self._tracks[name] = Track(self.folder / name)
            self._tracks[name].hear(sound)
            self._sync()

    def put(self, event: Event) -> None:
        if isinstance(event, SoundDropped):
            self.lost_samples += event.lost_samples
        elif isinstance(event, SpeakerTurn) and event.final:
            self._turns.append(event)
        self._labels = self._labels.after(event)
        if not isinstance(event, StageTiming):
            with self._named_errors():
                self._events.put(event)
                self._sync()

    def close(self) -> None:
        """Whatever failed before, the files are closed; the session is finished only if it is whole."""
        try:
            with self._named_errors():
                for track in self._tracks.values():
                    track.close()
                self._events.close()
                if self._whole:
                    self._finish()
        finally:
            self._lock.release()

    def _finish(self) -> None:
        about = replace(
            self._about,
            state="finished",
            lost_samples=self.lost_samples,
            duration_s=seconds(self._tracks[AUDIO].n_samples),
        )
        write_about(self.folder, told(self.folder, about, self._turns, self._labels))
        self._lock.release()  # some systems delete nothing that is open
        (self.folder / LOCK).unlink()

    def _sync(self) -> None:
        """Once a second, down to the disk."""
        if time.monotonic() - self._synced_s >= SYNC_S:
            for track in self._tracks.values():
                track.flush()
            self._events.sync()
            self._synced_s = time.monotonic()

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


def _about(source: str, space: Space) -> About:
    try:
        own = version("voicelane")
    except PackageNotFoundError:
        own = "not installed"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return About(FORMAT, "recording", source, now, own, space.encoder_id, space.encoder, space.enhancer, 0)


def _flac(file: Any, comment: str) -> Any:
    """An open FLAC writer on a file that is open already."""
    import soundfile

    sound = soundfile.SoundFile(file.fileno(), "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC", closefd=False)
    if comment:
        sound.comment = comment
    return sound
