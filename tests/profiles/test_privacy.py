"""Voices stay with their owner: readable by nobody else, gone when removed, and never sent anywhere."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_main import voicelane, wav
from tests.conftest import ROOT
from tests.profiles.test_store import SPACE, recording
from voicelane import ProfileStore, open_session
from voicelane.base.files import private_file, write_private
from voicelane.profiles import export_profiles
from voicelane.profiles.enrolment import flac
from voicelane.sessions.exports import write_speakers

OFFLINE = """
import socket, sys
def refuse(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise OSError(f"FORBIDDEN {event}")
    if event == "socket.__new__" and arguments[1] in (socket.AF_INET, socket.AF_INET6):
        raise OSError("FORBIDDEN socket")
sys.addaudithook(refuse)
from voicelane.cli.main import main
for words in sys.argv[1].split("|"):
    print(words, flush=True)
    status = main(words.split())
    assert status == 0, (words, status)
"""


@pytest.fixture
def umask() -> Iterator[None]:
    """The most careless one."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {str(p): stat.S_IMODE(p.stat().st_mode) for p in (folder, *folder.rglob("*"))}


def check_private(folder: Path) -> None:
    found = modes(folder)
    wrong = {p: oct(mode) for p, mode in found.items() if mode != (0o700 if Path(p).is_dir() else 0o600)}
    assert len(found) > 1 and not wrong


def test_every_file_that_holds_a_voice_is_its_owners_whatever_the_umask(umask, home, tmp_path, talk_file):
    assert voicelane("enrol", "Anna", talk_file, "--keep-audio", "--force") == 0
    assert voicelane("run", talk_file, "--session", "talk", "--no-people") == 0
    assert voicelane("sessions", "export", "talk", "--format", "wav", "--out", home / "export" / "wav") == 0
    assert voicelane("profiles", "export", home / "people.zip") == 0
    (home / "voice.npz").write_bytes(b"readable by all")
    assert voicelane("embed", talk_file, "--out", home / "voice.npz") == 0
    assert voicelane("profiles", "import", home / "people.zip", "--replace") == 0
    check_private(home)
    assert {"profiles.db", "audio.flac", "people.zip", "voice.npz"} <= {p.name for p in home.rglob("*")}


def test_the_journal_of_the_profiles_is_private_too(umask, home):
    store = ProfileStore()
    store.add("Anna", SPACE, [recording()])
    with store._changing() as db:
        db.execute("UPDATE profiles SET name = 'Bob'")
        db.execute("PRAGMA cache_spill = 1")
        assert "profiles.db-journal" in {p.name for p in home.iterdir()}
        check_private(home)


def test_a_link_in_the_way_is_not_written_through(tmp_path, home):
    store, precious = ProfileStore(), tmp_path / "precious"
    store.add("Anna", SPACE, [recording()])
    precious.write_text("keep me")
    (tmp_path / "people.zip.partial").symlink_to(precious)
    (tmp_path / f"a.json.{os.getpid()}.partial").symlink_to(precious)
    export_profiles(store, [store.profile("Anna")], tmp_path / "people.zip")
    write_private(tmp_path / "a.json", b"{}")
    assert precious.read_text() == "keep me"
    with private_file(precious) as file:
        file.write(b"voice")
    assert stat.S_IMODE(precious.stat().st_mode) == 0o600


def test_removed_renamed_and_replaced_voices_and_names_leave_no_byte(home):
    """`synchronous = EXTRA` and the rollback journal as in use."""
    store, sound = ProfileStore(), flac(np.sin(np.arange(16_000) / 9).astype("f4"))
    for i in range(40):  # several pages
        store.add(f"Person {i:02d} Wilhelmina", SPACE, [recording(i, sound), recording(i + 100)])
    for i in range(40):
        if i % 2:
            store.remove(f"Person {i:02d} Wilhelmina")
        elif i % 4:
            store.add(f"Person {i:02d} Wilhelmina", SPACE, [recording(i + 200)], replace=True)
        else:
            store.rename(f"Person {i:02d} Wilhelmina", f"Other {i:02d}")
    content = b"".join(p.read_bytes() for p in home.rglob("*") if p.is_file())
    for i in range(40):
        vector, kept = recording(i).embedding.tobytes(), i % 4 == 0
        assert (vector in content) == kept and (vector[100:164] in content) == kept
        name = f"erson {i:02d} ".encode()
        assert (name in content.replace(b"PERSON", b"")) == (i % 4 == 2), name
    assert len(list(store.audio_folder.iterdir())) == 10
    assert not list(home.glob("*journal*"))


def test_sessions_take_no_links_and_no_devices(home, talk_file, tmp_path):
    assert voicelane("run", talk_file, "--session", "talk", "--no-people") == 0
    folder = home / "sessions" / "talk"
    assert len(write_speakers(open_session("talk"), tmp_path / "wav")) >= 1
    precious = tmp_path / "precious"
    precious.write_text("")
    for name in ("events.jsonl", "audio.flac", "recording.lock"):
        copy = Path(shutil.copytree(folder, tmp_path / f"copy {name}"))
        (copy / name).unlink(missing_ok=True)
        (copy / name).symlink_to(precious)
        with pytest.raises(Exception, match="no ordinary file"):
            open_session(str(copy))
        (copy / name).unlink()
        os.mkfifo(copy / name)
        with pytest.raises(Exception, match="no ordinary file"):
            open_session(str(copy))


@pytest.mark.slow
def test_nothing_needs_a_network_and_nothing_asks_for_one(home, tmp_path, enrolment_sound, later):
    """No internet socket can be made; where the system allows it, there is no network device either."""
    name, sound = next(iter(enrolment_sound.items()))
    a, b = wav(tmp_path / "a.wav", sound), wav(tmp_path / "b.wav", later[name][: 12 * 16_000])
    words = [
        f"enrol Anna {a} --keep-audio",
        f"run {b} --session talk --rttm {tmp_path / 'b.rttm'} --jsonl {tmp_path / 'b.jsonl'}",
        f"verify Anna {b}",
        f"sessions export talk --format json --out {tmp_path / 'talk.json'}",
        f"sessions export talk --format wav --out {tmp_path / 'wav'}",
        f"profiles export {tmp_path / 'people.zip'}",
        "profiles remove Anna",
        f"profiles import {tmp_path / 'people.zip'}",
        "models",
    ]
    command = [sys.executable, "-c", OFFLINE, "|".join(words)]
    unshared = ["unshare", "--net"]
    if shutil.which("unshare") and subprocess.run([*unshared, "true"], capture_output=True).returncode == 0:
        command = [*unshared, *command]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0 and "FORBIDDEN" not in found.stdout + found.stderr, found.stderr
    assert "recognising Anna" in found.stderr and "imported: Anna" in found.stdout
