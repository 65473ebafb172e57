"""The folder of profiles and recorded sessions: only its owner can read it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


def home_folder() -> Path:
    """`VOICELANE_HOME`, else ~/.local/share/voicelane; it need not exist yet."""
    named = os.environ.get("VOICELANE_HOME")
    return Path(named) if named else Path.home() / ".local" / "share" / "voicelane"


def private_folder(path: Path) -> Path:
    """The folder, made with mode 0700 where it does not exist, and so are those above it."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path


def private_file(path: Path, new: bool = False, append: bool = False) -> BinaryIO:
    """An empty file of mode 0600, open for writing; with `new` it must not exist yet.

    With `append` every write goes to its end, wherever another program has moved that.
    """
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)
    flags |= (os.O_EXCL if new else os.O_TRUNC) | (os.O_APPEND if append else 0)
    file = os.open(path, flags, 0o600)
    if hasattr(os, "fchmod") and stat.S_ISREG(os.fstat(file).st_mode):
        os.fchmod(file, 0o600)  # it may have been there before, and readable
    return os.fdopen(file, "wb")


def write_private(path: Path, content: bytes) -> None:
    """The whole content or, after a crash, what was there before; mode 0600."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)  # whatever lies there, a link elsewhere even, is not written to
    with private_file(partial, new=True) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
