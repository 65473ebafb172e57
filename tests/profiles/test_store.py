"""The database of profiles: what goes in comes out, and nothing damaged or foreign is ever believed."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import ROOT
from voicelane import ProfileStore, VoicelaneError
from voicelane.base import Space, StoreError
from voicelane.profiles import Recording

SPACE = Space("a" * 64, "off", "conv_transformer")
OTHER = Space("b" * 64, "off", "lstm")


def recording(seed: int = 0, sound: bytes | None = None) -> Recording:
    """A made-up voice, with a sound to keep."""
    vector = np.random.default_rng(seed).standard_normal(192)
    unit = (vector / np.linalg.norm(vector)).astype("f4")
    return Recording(unit, 12.5, 30.0, 0.4, flac=None if sound is None else lambda: sound)


@pytest.fixture
def store(home: Path) -> ProfileStore:
    return ProfileStore()


def change(store: ProfileStore, statement: str, *values: object) -> None:
    with sqlite3.connect(store.path) as db:
        db.execute(statement, values)
    db.close()


def test_reading_creates_nothing(store):
    assert store.names() == []
    with pytest.raises(StoreError, match="no profile named 'Anna'"):
        store.profile("Anna")
    for action in (lambda: store.remove("Anna"), lambda: store.rename("Anna", "Bob")):
        with pytest.raises(StoreError, match="Anna"):
            action()
    assert not store.folder.exists()


def test_what_is_added_comes_back_bit_for_bit(store):
    added = [recording(seed) for seed in range(3)]
    store.add("Anna", SPACE, added[:1])
    profile = store.add("ANNA", SPACE, added[1:])
    assert (profile.name, profile.version, profile.space) == ("Anna", 2, SPACE)
    assert profile.speech_s == 3 * 12.5
    for a, b in zip(added, ProfileStore(store.folder).profile("anna").recordings, strict=True):
        assert a.embedding.tobytes() == b.embedding.tobytes()
        assert (a.speech_s, a.snr_db, a.consistency) == (b.speech_s, b.snr_db, b.consistency)
    assert profile.person().embeddings.shape == (3, 192)


@pytest.mark.parametrize(("a", "b"), [("Anna", "aNNa"), ("Straße", "STRASSE"), ("Zoë", "Zoe\u0308")])
def test_names_are_one_whatever_their_case_and_composition(store, a, b):
    store.add(a, SPACE, [recording()])
    store.add(b, SPACE, [recording(1)])
    assert len(store.names()) == 1


@pytest.mark.parametrize("name", ["", " ", "a\tb", "a\0b", "\x1b[31mred", "S1", "s12", "x" * 101, "\u202eab"])
def test_names_that_are_no_printable_text_are_refused(store, name):
    with pytest.raises(VoicelaneError):
        store.add(name, SPACE, [recording()])
    assert not store.path.exists()


@pytest.mark.parametrize(
    "name", ["Zoë Müller", "李雷", "'; DROP TABLE profiles; --", "=1+1", "نیلوفر\u200cها", "👩‍🔬"]
)
def test_any_printable_name_is_kept_as_it_is(store, name):
    store.add(name, SPACE, [recording()])
    assert store.names() == [name] and store.profile(name).name == name


def test_every_change_raises_the_version(store):
    versions = [store.add("Anna", SPACE, [recording()]).version]
    versions.append(store.add("Anna", SPACE, [recording(1)]).version)
    store.rename("Anna", "anna")
    versions.append(store.profile("Anna").version)
    store.add("Bob", SPACE, [recording(2)])
    store.merge("Bob", "Anna")
    versions.append(store.profile("Anna").version)
    versions.append(store.add("Anna", SPACE, [recording()], replace=True).version)
    assert versions == [1, 2, 3, 4, 5]
    assert store.names() == ["Anna"]


def test_merging_gives_everything_to_one_and_names_stay_unique(store):
    store.add("Anna", SPACE, [recording(0)])
    store.add("Bob", SPACE, [recording(1)])
    with pytest.raises(StoreError, match="already"):
        store.rename("Bob", "ANNA")
    with pytest.raises(StoreError, match="same profile"):
        store.merge("Anna", "anna")
    store.merge("Bob", "Anna")
    assert store.names() == ["Anna"] and len(store.profile("Anna").recordings) == 2


def test_a_foreign_space_is_refused_and_named(store):
    store.add("Anna", SPACE, [recording()])
    store.add("Bob", OTHER, [recording()])
    for action in (
        lambda: store.add("Anna", OTHER, [recording()]),
        lambda: store.add("Anna", replace(SPACE, enhancer="seed 123"), [recording()]),
        lambda: store.merge("Bob", "Anna"),
    ):
        with pytest.raises(StoreError, match=r"(Anna|Bob).*enrol again"):
            action()
    assert len(store.profile("Anna").recordings) == 1
    assert store.add("Anna", OTHER, [recording()], replace=True).space == OTHER


def test_a_changed_profile_is_not_moved_over(store):
    old = store.add("Anna", SPACE, [recording()])
    store.add("Anna", SPACE, [recording(1)])
    with pytest.raises(StoreError, match="another program"):
        store.move(old, OTHER, [recording(2)])
    assert store.move(store.profile("Anna"), OTHER, [recording(2)]).space == OTHER


def test_only_the_owner_can_read_any_of_it(store):
    store.add("Anna", SPACE, [recording(sound=b"fLaC")])
    for path in (store.folder, *store.folder.rglob("*")):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_removing_leaves_no_trace_of_voice_or_name(store):
    vector = recording(3).embedding.tobytes()
    kept = store.add("Wilhelmina", SPACE, [recording(3, b"fLaC")])
    assert vector in store.path.read_bytes() and store.audio(kept.recordings[0])
    store.remove("wilhelmina")
    everything = b"".join(p.read_bytes() for p in store.folder.rglob("*") if p.is_file())
    assert vector not in everything and b"ilhelmina" not in everything
    assert not sounds(store)


def test_what_cannot_be_added_leaves_no_sound_behind(store):
    store.add("Anna", SPACE, [recording()])
    with pytest.raises(StoreError):
        store.add("Anna", OTHER, [recording(1, b"fLaC")])
    assert not sounds(store)


class Torn(Exception):
    """A sound that cannot be made."""


def torn() -> bytes:
    raise Torn


def sounds(store: ProfileStore) -> set[str]:
    return {p.name for p in store.audio_folder.rglob("*")}


def named(store: ProfileStore) -> set[str]:
    return {r.audio for name in store.names() for r in store.profile(name).recordings} - {""}


@pytest.mark.parametrize("act", ["add", "replace", "put_all", "move"])
def test_a_change_that_fails_at_its_third_sound_leaves_what_was_there_and_nothing_else(store, act):
    old = store.add("Anna", SPACE, [recording(0, b"fLaC old")])
    new = [recording(1, b"fLaC 1"), recording(2, b"fLaC 2"), replace(recording(3), flac=torn)]
    before = sounds(store)
    acts = {
        "add": lambda: store.add("Anna", SPACE, new),
        "replace": lambda: store.add("Anna", SPACE, new, replace=True),
        "put_all": lambda: store.put_all([("Bob", SPACE, new[:1]), ("Anna", SPACE, new[1:])], replace=True),
        "move": lambda: store.move(old, OTHER, new),
    }
    with pytest.raises(Torn):
        acts[act]()
    assert sounds(store) == before == named(store) and store.names() == ["Anna"]
    assert store.sound(store.profile("Anna").recordings[0]) == b"fLaC old"


KILLED = """
import os, sys
from tests.profiles.test_store import SPACE, recording
from voicelane import ProfileStore
from voicelane.profiles import store as store_module
from voicelane.profiles.sounds import Sounds
store, moment = ProfileStore(ask=lambda: "correct horse battery"), int(sys.argv[2])
steps = [0]
def counted(act):
    def step(*args):
        steps[0] += 1
        if steps[0] == moment:
            os.kill(os.getpid(), 9)
        return act(*args)
    return step
Sounds.keep = counted(Sounds.keep)
store_module.wipe = counted(store_module.wipe)
if sys.argv[1] == "add":
    store.add("Carla", SPACE, [recording(i, b"fLaC new") for i in range(3)])
elif sys.argv[1] == "remove":
    store.remove("Anna")
else:
    store.encrypt("correct horse battery")
print(steps[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("act", ["add", "remove", "encrypt"])
def test_a_kill_at_any_moment_leaves_no_sound_that_no_row_names(home, act):
    """Every change is killed before its first, second … file is written or wiped; the next start sweeps."""
    pytest.importorskip("cryptography")
    for moment in range(1, 20):
        shutil.rmtree(home, ignore_errors=True)
        store = ProfileStore(ask=lambda: "correct horse battery")
        store.add("Anna", SPACE, [recording(i, b"fLaC old") for i in range(3)])
        run = [sys.executable, "-c", KILLED, act, str(moment)]
        ended = subprocess.run(run, cwd=ROOT, capture_output=True, text=True)
        assert ended.returncode in (0, -9), ended.stderr
        store.open()
        assert sounds(store) == named(store), moment
        assert all(store.sound(r) for name in store.names() for r in store.profile(name).recordings)
        if ended.returncode == 0:
            break
    assert moment > 3, "there were moments to be killed at"


def test_only_its_own_files_are_swept_and_links_lead_nowhere(store, tmp_path):
    store.add("Anna", SPACE, [recording(0, b"fLaC")])
    precious = tmp_path / "precious"
    precious.write_bytes(b"keep me")
    (store.audio_folder / f"{'a' * 32}.flac").symlink_to(precious)
    (store.audio_folder / f"{'b' * 32}.flac.123.partial").write_bytes(b"half a voice")
    (store.audio_folder / "notes.txt").write_text("mine")
    store.rename("Anna", "Bob")
    assert sounds(store) == named(store) | {"notes.txt"} and precious.read_bytes() == b"keep me"


@pytest.mark.parametrize("at", [0, 400, 767])
def test_one_flipped_bit_of_an_embedding_is_found(store, at):
    store.add("Anna", SPACE, [recording()])
    blob = bytearray(recording().embedding.tobytes())
    blob[at] ^= 1
    change(store, "UPDATE recordings SET embedding = ?", bytes(blob))
    with pytest.raises(StoreError, match=r"Anna.*damaged.*enrol again"):
        store.profile("Anna")
    assert store.names() == ["Anna"]
    store.add("Anna", SPACE, [recording()], replace=True)
    assert store.profile("Anna").recordings


def test_a_newer_schema_is_refused_untouched(store):
    store.add("Anna", SPACE, [recording()])
    change(store, "PRAGMA user_version = 99")
    before = store.path.read_bytes()
    for action in (store.names, lambda: store.profile("Anna"), lambda: store.remove("Anna")):
        with pytest.raises(StoreError, match=r"newer voicelane.*update"):
            action()
    assert store.path.read_bytes() == before


def damage(path: Path, kind: str) -> None:
    content = path.read_bytes()
    if kind == "garbage":
        path.write_bytes(b"This is no database.\n" * 500)
    elif kind == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.write_bytes(content[:4096] + bytes(len(content) - 4096))


@pytest.mark.parametrize("kind", ["garbage", "cut", "zeroed"])
def test_a_damaged_database_is_one_sentence(store, kind):
    store.add("Anna", SPACE, [recording()])
    damage(store.path, kind)
    for action in (store.names, lambda: store.profile("Anna"), lambda: store.add("B", SPACE, [recording()])):
        with pytest.raises(StoreError, match=r"profiles\.db.*damaged.*enrol again") as problem:
            action()
        assert "\n" not in str(problem.value)


def test_an_empty_file_is_a_database_that_is_about_to_be_made(store):
    store.folder.mkdir()
    store.path.touch()
    assert store.names() == []
    with pytest.raises(StoreError, match="no profile"):
        store.profile("Anna")
    assert store.add("Anna", SPACE, [recording()]).version == 1


def test_a_database_that_is_held_by_another_program_is_one_sentence(store, monkeypatch):
    monkeypatch.setattr("voicelane.profiles.store.BUSY_S", 0.1)
    store.add("Anna", SPACE, [recording()])
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.names() == ["Anna"], "reading goes on"
    with pytest.raises(StoreError, match="another program"):
        store.remove("Anna")
    other.close()
    store.remove("Anna")


WRITER = """
import sys
from tests.profiles.test_store import SPACE, recording
from voicelane import ProfileStore
store, own = ProfileStore(), sys.argv[1]
for i in range(25):
    store.add("both", SPACE, [recording(i)])
    store.add(f"{own}{i}", SPACE, [recording(i)])
    assert "both" in store.names() and store.profile("both").recordings
"""


@pytest.mark.slow
def test_two_processes_write_at_once_and_nothing_is_lost(store):
    """Both begin on a database that is not there yet."""
    command = [sys.executable, "-c", WRITER]
    writers = [subprocess.Popen([*command, own], cwd=ROOT, stderr=subprocess.PIPE) for own in ("a", "b")]
    problems = [w.communicate(timeout=200)[1] for w in writers]
    assert [w.returncode for w in writers] == [0, 0], problems
    assert len(store.names()) == 51
    both = store.profile("both")
    assert both.version == len(both.recordings) == 50
