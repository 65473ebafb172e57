"""Files of speech that nobody said: each carries the mark, and says in its metadata what it is."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from voicelane.base.errors import ConfigError
from voicelane.base.files import written_through
from voicelane.base.timebase import SAMPLE_RATE
from voicelane.voices.watermark import Marker

FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "OPUS"),
    ".opus": ("OGG", "OPUS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
COMMENT = "synthetic speech, made by voicelane: {}; `voicelane detect` hears its mark"


def check_ending(path: Path) -> tuple[str, str]:
    """Container and codec by the ending of a file; raises `ConfigError` for one that is not known."""
    if path.suffix.lower() not in FORMATS:
        known = ", ".join(FORMATS)
        raise ConfigError(f"{path}: sound is written as {known}; let the name of the file end so")
    return FORMATS[path.suffix.lower()]


class SyntheticSound:
    """An open file that takes 16 kHz sound and writes it with the mark."""

    def __init__(self, file: Any) -> None:
        self._file, self._marker = file, Marker()
        self.written_samples = 0

    def write(self, sound: np.ndarray) -> None:
        """Float32 (n,), behind what was written."""
        self._append(self._marker.process(sound))

    def end(self) -> None:
        """The rest of it."""
        self._append(self._marker.flush())

    def _append(self, sound: np.ndarray) -> None:
        self._file.write(np.clip(sound, -1.0, 1.0))
        self.written_samples += len(sound)


def check_output(path: Path) -> None:
    """Raises `ConfigError` or `OSError` where speech cannot be written there; nothing is made or changed."""
    check_ending(path)
    if not path.parent.is_dir():
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))


@contextmanager
def synthetic_file(path: Path, about: str) -> Iterator[SyntheticSound]:
    """A file that is there when the block ends well, and else as it was; `about` says whose voice it is.

    Raises `ConfigError` for an ending that is not known.
    """
    import soundfile

    container, codec = check_ending(path)
    with (
        written_through(path) as file,
        soundfile.SoundFile(file, "w", SAMPLE_RATE, 1, codec, format=container) as sound,
    ):
        sound.software, sound.comment = "voicelane", COMMENT.format(about)
        marked = SyntheticSound(sound)
        yield marked
        marked.end()
