"""Files that are written whole, the folder they lie in, and locks that end with their process."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from voicelane.base import home_folder, write_through, written_through
from voicelane.base.files import write_private
from voicelane.base.lock import held, hold


@pytest.mark.parametrize("write", [write_private, write_through])
def test_what_is_written_is_whole_and_leaves_nothing_beside_it(write, tmp_path):
    path = tmp_path / "a"
    for content in (b"one", b"", b"two" * 10_000):
        write(path, content)
        assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_changes_nothing(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError), written_through(path) as file:
        file.write(b"after")
        raise ZeroDivisionError
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_a_file_keeps_its_mode_and_a_private_one_is_its_owners(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"")
    path.chmod(0o640)
    write_through(path, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    write_private(path, b"x")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_first_data_folder_stays_in_use_and_the_systems_is_taken_else(tmp_path, monkeypatch):
    monkeypatch.delenv("VOICELANE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    if sys.platform == "linux":
        assert home_folder() == tmp_path / "data" / "voicelane"
    first = tmp_path / ".local" / "share" / "voicelane"
    assert home_folder() != first
    first.mkdir(parents=True)
    assert home_folder() == first
    monkeypatch.setenv("VOICELANE_HOME", str(tmp_path / "named"))
    assert home_folder() == tmp_path / "named"


HOLDER = """
import sys
from pathlib import Path
from voicelane.base.lock import hold
lock = hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.readline()
"""


def test_a_lock_is_seen_from_outside_and_ends_with_its_process(tmp_path):
    path = tmp_path / "a.lock"
    assert held(path) is False
    command = [sys.executable, "-c", HOLDER, str(path)]
    holder = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    assert held(path) is True and held(path) is True
    holder.send_signal(signal.SIGKILL)
    holder.communicate(timeout=30)
    assert held(path) is False and path.exists(), "what is left tells of a process that was interrupted"


def test_a_lock_is_seen_inside_its_own_process_until_it_is_released(tmp_path):
    path = tmp_path / "a.lock"
    lock = hold(path)
    assert held(path) is True
    lock.release()
    assert held(path) is False and stat.S_IMODE(path.stat().st_mode) == 0o600
