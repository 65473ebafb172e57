"""The voices that somebody has made: a file for each in the private folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from voicelane.base.errors import StoreError, VoicelaneError
from voicelane.base.files import home_folder, private_folder, read_text, write_private
from voicelane.base.text import file_name, name_key
from voicelane.voices.voice import Voice

FORMAT = 1
MOST_BYTES = 1 << 20


class VoiceLibrary:
    """Voices by name, upper and lower case alike; all methods raise `StoreError`."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is `voices` in `home_folder()` by default."""
        self.folder = folder or home_folder() / "voices"

    def names(self) -> list[str]:
        """Names of all voices whose files can be read, in order."""
        return sorted((v.name for v in self.voices()[0]), key=name_key)

    def voices(self) -> tuple[list[Voice], list[str]]:
        """All voices in order of their names, and a sentence for each file that is none."""
        found, refused = [], []
        for path in sorted(self.folder.glob("*.json")):
            try:
                found.append(_read(path))
            except StoreError as problem:
                refused.append(str(problem))
        return sorted(found, key=lambda v: name_key(v.name)), refused

    def voice(self, name: str) -> Voice:
        """The voice of that name."""
        path = self._path(name)
        if not path.exists():
            raise _missing(name)
        return _read(path)

    def add(self, voice: Voice, replace: bool = False) -> None:
        """Keep a voice; without `replace` another of its name is refused."""
        path = self._path(voice.name)
        if path.exists() and not replace:
            raise StoreError(
                f"there is a voice named {voice.name} already; remove it, or choose another name"
            )
        private_folder(self.folder)
        write_private(path, json.dumps(_content(voice)).encode())

    def remove(self, name: str) -> None:
        """Delete a voice, also one whose file is damaged."""
        path = self._path(name)
        if not path.exists():
            raise _missing(name)
        path.unlink()

    def unused(self, stem: str, count: int) -> list[str]:
        """`count` names `stem`-1, `stem`-2 … that no voice has."""
        numbers = (k for k in range(1, 1_000_000) if not self._path(f"{stem}-{k}").exists())
        return [f"{stem}-{next(numbers)}" for _ in range(count)]

    def _path(self, name: str) -> Path:
        return self.folder / f"{file_name(name_key(name))}.json"


def nearest(voice: Voice, others: Iterable[Voice], count: int = 3) -> list[tuple[Voice, float]]:
    """The voices of one encoder that are most like a voice, but for itself, and their cosines to it."""
    same = (v for v in others if v.encoder_id == voice.encoder_id and v.name != voice.name)
    alike = [(other, float(other.embedding @ voice.embedding)) for other in same]
    return sorted(alike, key=lambda pair: -pair[1])[:count]


def _missing(name: str) -> StoreError:
    return StoreError(f"there is no voice named {name!r}", "; `voicelane voices list` shows which there are")


def _content(voice: Voice) -> dict[str, object]:
    vector = [float(x) for x in voice.embedding]
    own = {"name": voice.name, "kind": voice.kind, "pitch_hz": voice.pitch_hz, "encoder_id": voice.encoder_id}
    return {"format": FORMAT, **own, "embedding": vector}


def _read(path: Path) -> Voice:
    """The voice in a file, whatever may be in it."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        kept = json.loads(read_text(path))
        if kept["format"] != FORMAT:
            raise ValueError(f"format {kept['format']} is not known to this version")
        vector = np.array(kept["embedding"], np.float32)
        return Voice(kept["name"], vector, float(kept["pitch_hz"]), kept["kind"], str(kept["encoder_id"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, VoicelaneError) as problem:
        raise StoreError(
            f"{path}: not a readable voice ({problem}); remove it",
            f" with `voicelane voices remove {path.stem}`",
        ) from None
