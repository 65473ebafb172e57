"""Files that are written whole: those of the private folder, and results wherever people want them."""

from __future__ import annotations

import codecs
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import platformdirs

MOST_LINKS = 40


def home_folder() -> Path:
    """`VOICELANE_HOME`, else the system's place for a user's data; it need not exist yet.

    Where ~/.local/share/voicelane exists, it stays in use on every system.
    """
    if named := os.environ.get("VOICELANE_HOME"):
        return Path(named)
    first = Path.home() / ".local" / "share" / "voicelane"
    return first if first.is_dir() else platformdirs.user_data_path("voicelane", appauthor=False)


def read_text(path: Path) -> str:
    """A text as any editor saves it: UTF-8 or UTF-16, with or without a byte order mark, any line ends.

    Raises `UnicodeDecodeError`, which is a `ValueError`.
    """
    with path.open("rb") as file:
        wide = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return path.read_text(encoding="utf-16" if wide else "utf-8-sig")


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
    with _in_place_of(path, 0o600) as file:
        file.write(content)


@contextmanager
def written_through(path: Path, private: bool = False) -> Iterator[BinaryIO]:
    """A file that takes the place of what `path` is when the block ends well; else nothing changes.

    A regular file is replaced whole, behind every symbolic link to it, and keeps its mode (0600 if
    `private`). Anything else, a pipe or a device, is written to once, at the end.
    """
    if is_replaceable(path):
        target = Path(os.path.realpath(path))
        with _in_place_of(target, 0o600 if private else _mode(target)) as file:
            yield file
        return
    with tempfile.TemporaryFile() as waiting:
        yield waiting
        waiting.seek(0)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND), "wb") as there:
            shutil.copyfileobj(waiting, there)


@contextmanager
def _in_place_of(target: Path, mode: int) -> Iterator[BinaryIO]:
    """The one atomic write: a file beside `target` that takes its place, on the disk, when the block ends
    well, and of which nothing stays when it does not."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)  # whatever lies there, a link elsewhere even, is not written to
    try:
        with private_file(partial, new=True) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(mode)
        _replace(partial, target)
        _sync_folder(target.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A folder, not there yet, that takes the place of `folder`, which is empty or not there, when the block
    ends well; else nothing of it stays."""
    private_folder(folder.parent)
    scratch = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    try:
        yield scratch
        scratch.replace(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def write_through(path: Path, content: bytes) -> None:
    """The whole content in the place of what `path` is, as `written_through` does it."""
    with written_through(path) as file:
        file.write(content)


def is_replaceable(path: Path) -> bool:
    """Whether `path` is a regular file, or nothing yet, and not an open one of a process (/dev/stdout)."""
    try:
        regular = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True
    return regular and not _is_descriptor(path)


def _is_descriptor(path: Path) -> bool:
    """Whether a link on the way is one of the system's to an open file."""
    for _ in range(MOST_LINKS):
        if path.absolute().as_posix().startswith(("/proc/", "/dev/fd/")):
            return True
        if not path.is_symlink():
            return False
        path = path.parent / path.readlink()
    return False


def _mode(path: Path) -> int:
    """Permissions that a file has, or that a new one gets."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _replace(partial: Path, target: Path) -> None:
    """Rename; where the target is a mount of its own (a container's file), copy into it."""
    try:
        partial.replace(target)
    except OSError as problem:
        if problem.errno not in (errno.EBUSY, errno.EXDEV):
            raise
        shutil.copyfile(partial, target)


def _sync_folder(folder: Path) -> None:
    """The names in a folder, down to the disk, where the system opens folders for that."""
    if hasattr(os, "O_DIRECTORY"):
        with suppress(OSError):  # a file system that syncs no folders
            number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(number)
            finally:
                os.close(number)
