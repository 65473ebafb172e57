"""A conversation that was not recorded, or only in part, becomes a session."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from voicelane import Recorder, Session, open_session
from voicelane.base import StoreError, samples
from voicelane.events import SoundDropped
from voicelane.gui.model.conversation import Heard
from voicelane.live import Sound
from voicelane.sessions import remove_session
from voicelane.words import write_words

BLOCK = samples(10.0)
NOTHING = np.zeros(0, np.float32)


def save_as_session(folder: Path, heard: Heard) -> Session:
    """The session in a new folder: all events, and the sound as far as it can still be read.

    Raises `StoreError`, and leaves nothing, where it cannot be written.
    """
    recorder = Recorder(folder, heard.source, heard.space)
    try:
        try:
            _write(recorder, heard)
        finally:
            recorder.close()
    except StoreError:
        with suppress(StoreError, OSError):
            remove_session(str(folder.resolve()))
        raise
    if heard.words is not None:
        write_words(folder, heard.words)
    return open_session(str(folder.resolve()))


def _write(recorder: Recorder, heard: Heard) -> None:
    n_written = _write_sound(recorder, heard)
    for event in heard.events:
        recorder.put(event)
    if n_written < heard.n_samples:
        recorder.put(SoundDropped(heard.n_samples, heard.n_samples - n_written))
        recorder.hear(Sound(heard.n_samples, NOTHING))


def _write_sound(recorder: Recorder, heard: Heard) -> int:
    """Gives how many samples were there."""
    at = 0
    while at < heard.n_samples:
        try:
            block = heard.sound.read(at, at + BLOCK)
        except (OSError, ValueError):  # the temporary file is gone, or closed
            break
        if not len(block):
            break
        recorder.hear(Sound(at, block))
        at += len(block)
    return at
