"""The kept sound of enrolled people: FLAC files in a folder of their own, sealed where there is a vault."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Set
from contextlib import suppress
from pathlib import Path

from voicelane.base.files import private_folder, write_private
from voicelane.profiles.encryption import Vault

NAME = re.compile(r"[0-9a-f]{32}\.flac")
OURS = re.compile(NAME.pattern + r"(\..*)?")
"""With those that are only half written."""


class Sounds:
    """Any name that is not one of ours is as if there were no file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, flac: bytes, vault: Vault | None) -> str:
        """Write a sound; gives the name of its file."""
        name = f"{uuid.uuid4().hex}.flac"
        write_private(private_folder(self._folder) / name, vault.seal(flac, name) if vault else flac)
        return name

    def path(self, name: str) -> Path | None:
        """The file, None where there is none (any more)."""
        path = self._folder / name
        return path if NAME.fullmatch(name) and path.is_file() else None

    def read(self, name: str, vault: Vault | None) -> bytes | None:
        """The sound as it was given."""
        path = self.path(name)
        if path is None:
            return None
        return vault.open(path.read_bytes(), name) if vault else path.read_bytes()

    def strays(self, known: Set[str]) -> list[Path]:
        """Files of ours that no name points to: of removed people, or of a change that was cut short."""
        if not self._folder.is_dir():
            return []
        files = [p for p in self._folder.iterdir() if OURS.fullmatch(p.name)]
        return sorted(p for p in files if p.name not in known)


def wipe(path: Path) -> None:
    """Overwrite a file before it goes; of a link, the link goes."""
    with suppress(FileNotFoundError):
        if not path.is_symlink():
            with path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
                os.fsync(file.fileno())
        path.unlink()
