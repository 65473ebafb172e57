"""The kept sound of enrolled people: FLAC files in a folder of their own, sealed where there is a vault."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from engine.errors import StoreError
from engine.home import private_folder, write_private
from engine.vault import MAGIC, Vault

NAME = re.compile(r"[0-9a-f]{32}\.flac")


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

    def check(self, names: Iterable[str], vault: Vault | None) -> None:
        """Raise `StoreError` where a sound was kept before the store was encrypted, or decrypted."""
        for path in filter(None, map(self.path, names)):
            with path.open("rb") as file:
                if (file.read(len(MAGIC)) == MAGIC) != (vault is not None):
                    raise StoreError("the profiles were encrypted or decrypted meanwhile; try again")

    def wipe(self, names: Iterable[str]) -> None:
        """Overwrite files before they go."""
        for path in filter(None, map(self.path, names)):
            with suppress(FileNotFoundError):
                with path.open("r+b") as file:
                    file.write(bytes(path.stat().st_size))
                    os.fsync(file.fileno())
                path.unlink()
