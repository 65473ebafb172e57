"""A lock that lasts as long as its process: the system lets go of it however that ends."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from engine.home import private_file

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


def hold(path: Path) -> BinaryIO:
    """The file, locked until it is closed or its process ends; unlocked where the system knows no locks."""
    file = private_file(path)
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        pass
    return file


def held(path: Path) -> bool | None:
    """Whether a process holds that lock now; None where the system cannot tell."""
    if not path.exists():
        return False
    if not fcntl:
        return None
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return None
    return False
