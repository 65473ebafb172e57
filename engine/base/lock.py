"""A lock that lasts as long as its process: the system lets go of it however that ends."""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from voicelane.base.files import private_file

PATIENCE_S = 0.05
"""Another that only looks holds it for less."""


def hold(path: Path) -> FileLock:
    """The lock on a file of its own, until it is released or its process ends; none where the file system
    knows no locks."""
    private_file(path).close()
    lock = FileLock(path, timeout=PATIENCE_S, mode=0o600)
    with suppress(OSError, NotImplementedError):
        lock.acquire()
    return lock


def held(path: Path) -> bool | None:
    """Whether a process holds that lock now; None where the system cannot tell."""
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=PATIENCE_S, mode=0o600):
            return False
    except Timeout:
        return True
    except (OSError, NotImplementedError) as problem:
        return False if getattr(problem, "errno", 0) == errno.EROFS else None
