"""A recorded session on its way to the screen: what is known at once, pictures, then the sound."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import Session, open_session
from voicelane.base import StoreError, written_through
from voicelane.gui.model.conversation import Recorded
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.work.jobs import Job
from voicelane.sessions import AUDIO, PICTURES

BLOCK = 1 << 17
"""Samples that are taken in at once."""


class Opening:
    """One session; `share` says how much of its sound is there, None while its events are read."""

    def __init__(
        self,
        name: str,
        shown: Callable[[Recorded], bool],
        ended: Callable[[], None],
        failed: Callable[[str], None],
    ) -> None:
        """`shown` says whether it is still wanted, once it can be seen; `ended` comes when all is there."""
        self.name = name
        self.share: float | None = None
        self._shown, self._ended, self._failed = shown, ended, failed
        Job(lambda: readied(name), self._show, failed)

    def _show(self, recorded: Recorded) -> None:
        self.share = 0.0
        if self._shown(recorded):
            Job(lambda: self._load(recorded), lambda _: self._ended(), self._failed)
        else:
            self._ended()

    def _load(self, recorded: Recorded) -> None:
        """The sound of a session into its history, and its pictures into a file for the next time."""
        sound, length = recorded.sound, max(1, recorded.state.heard)
        waiting, n = list[np.ndarray](), 0
        for block in recorded.session.sound():
            waiting.append(block)
            n += len(block)
            if n >= BLOCK:
                sound.hear_recorded(np.concatenate(waiting))
                waiting, n = [], 0
                self.share = min(1.0, sound.n_samples / length)
        if waiting:
            sound.hear_recorded(np.concatenate(waiting))
        if not sound.pictured and recorded.session.finished:
            keep_pictures(recorded.session.folder, sound)


def readied(name: str) -> Recorded:
    """A session with its pictures, where there are some."""
    recorded = Recorded(open_session(name))
    take_pictures(recorded.session, recorded.sound)
    return recorded


def keep_pictures(folder: Path, sound: SoundHistory) -> None:
    """Write what is drawn of a sound beside it; without it, it is made again the next time."""
    try:
        size = (folder / AUDIO).stat().st_size
        content: dict[str, Any] = {"audio_bytes": np.int64(size), **sound.pictures()}
        with written_through(folder / PICTURES, private=True) as file:
            np.savez_compressed(file, **content)
    except (OSError, StoreError):  # a disk that is full, or a folder that is gone
        return


def take_pictures(session: Session, sound: SoundHistory) -> bool:
    """What `keep_pictures` wrote of just this sound."""
    path, audio = session.folder / PICTURES, session.folder / AUDIO
    try:
        with np.load(path) as file:
            found = {name: file[name] for name in file.files}
        whole = int(found.pop("audio_bytes")) == audio.stat().st_size
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
    return whole and sound.take_pictures(found)
