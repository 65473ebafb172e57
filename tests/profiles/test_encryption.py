"""Encrypted profiles: without the passphrase no voice, with it everything as it was."""

from __future__ import annotations

import sqlite3
import stat
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_main import voicelane
from tests.profiles.test_store import OTHER, SPACE, recording
from voicelane import ProfileStore
from voicelane.base import StoreError
from voicelane.base.errors import LockedError
from voicelane.profiles import export_profiles, import_profiles
from voicelane.profiles.encryption import PASSPHRASE, new_vault, unlock
from voicelane.profiles.enrolment import flac, known_people

WORDS = "correct horse battery"
SOUND = flac(np.sin(np.arange(32_000) / 20).astype("f4") * 0.3)


@pytest.fixture
def store(home: Path, monkeypatch: pytest.MonkeyPatch) -> ProfileStore:
    """Anna with sound and without, Bob; encrypted, and the passphrase given."""
    pytest.importorskip("cryptography")
    found = ProfileStore()
    found.add("Anna", SPACE, [recording(0, SOUND), recording(1)])
    found.add("Bob", SPACE, [recording(2)])
    found.encrypt(WORDS)
    monkeypatch.setenv(PASSPHRASE, WORDS)
    return found


def everything(store: ProfileStore) -> bytes:
    return b"".join(p.read_bytes() for p in sorted(store.folder.rglob("*")) if p.is_file())


def voices(store: ProfileStore) -> list[bytes]:
    return [r.embedding.tobytes() for name in store.names() for r in store.profile(name).recordings]


def plain_voices() -> list[bytes]:
    return [recording(i).embedding.tobytes() for i in range(3)]


def test_nothing_of_a_voice_is_left_in_any_file_and_the_passphrase_opens_all(store):
    content = everything(store)
    for vector in plain_voices():
        assert not any(vector[i : i + 32] in content for i in range(0, len(vector) - 32, 16))
    assert not any(SOUND[i : i + 64] in content for i in range(0, len(SOUND) - 64, 64)), "nor of the sound"
    assert b"fLaC" not in content and WORDS.encode() not in content
    assert voices(store) == plain_voices()
    assert store.sound(store.profile("Anna").recordings[0]) == SOUND
    assert {stat.S_IMODE(p.stat().st_mode) for p in store.folder.rglob("*") if p.is_file()} == {0o600}


def test_what_is_added_moved_merged_and_imported_afterwards_is_encrypted_too(store, tmp_path):
    store.add("Carla", SPACE, [recording(3, SOUND)])
    store.add("Anna", SPACE, [recording(4)])
    store.merge("Bob", "Anna")
    store.move(store.profile("Carla"), OTHER, [recording(5)])
    export_profiles(store, [store.profile("Anna")], tmp_path / "plain.zip")
    import_profiles(store, tmp_path / "plain.zip", replace=True)
    assert voices(store) == [recording(i).embedding.tobytes() for i in (0, 1, 4, 2, 5)]
    content = everything(store)
    assert b"fLaC" not in content
    assert not any(recording(i).embedding.tobytes()[:64] in content for i in range(6))


def test_without_or_with_a_wrong_passphrase_it_is_one_sentence(store, monkeypatch, capsys):
    monkeypatch.setenv(PASSPHRASE, "wrong horse battery")
    with pytest.raises(LockedError, match="passphrase of the profiles is wrong"):
        store.profile("Anna")
    monkeypatch.delenv(PASSPHRASE)
    for act in (
        lambda: store.profile("Anna"),
        lambda: store.add("Dora", SPACE, [recording(9)]),
        lambda: store.add("Dora", SPACE, [recording(9, SOUND)]),
        lambda: known_people(store, None),
        store.decrypt,
    ):
        with pytest.raises(LockedError, match=f"set {PASSPHRASE}"):
            act()
    assert store.names() == ["Anna", "Bob"], "names can be read"
    assert voicelane("profiles", "list") == 2
    assert capsys.readouterr().err.count("\n") == 1
    store.rename("Bob", "Robert")
    store.remove("Anna")
    assert store.names() == ["Robert"], "and need no passphrase to be changed or removed"


def test_a_sealed_voice_serves_nobody_else_and_no_change_goes_unnoticed(store):
    with sqlite3.connect(store.path) as db:
        rows = db.execute("SELECT number, embedding, sha256 FROM recordings").fetchall()
        for (number, *_), (_, *other) in zip(rows, rows[::-1], strict=True):
            db.execute("UPDATE recordings SET embedding = ?, sha256 = ? WHERE number = ?", (*other, number))
    db.close()
    with pytest.raises(StoreError, match="swapped"):
        store.profile("Bob")
    (sound,) = store.audio_folder.iterdir()
    sound.write_bytes(sound.read_bytes()[:-1] + b"x")
    kept = replace(recording(0), audio=sound.name)
    with pytest.raises(StoreError, match="damaged"):
        store.sound(kept)


def test_decrypting_gives_back_what_was_there(store, monkeypatch):
    store.decrypt()
    monkeypatch.delenv(PASSPHRASE)
    assert voices(store) == plain_voices()
    assert store.sound(store.profile("Anna").recordings[0]) == SOUND
    with pytest.raises(StoreError, match="not encrypted"):
        store.decrypt()


def test_another_passphrase_rewrites_one_row_and_the_old_one_opens_nothing(store, monkeypatch):
    with sqlite3.connect(store.path) as db:
        before = db.execute("SELECT * FROM recordings").fetchall()
    store.change_passphrase("another horse battery")
    with sqlite3.connect(store.path) as db:
        assert db.execute("SELECT * FROM recordings").fetchall() == before
    with pytest.raises(LockedError, match="wrong"):
        store.profile("Anna")
    monkeypatch.setenv(PASSPHRASE, "another horse battery")
    assert voices(store) == plain_voices()


def test_sound_that_was_heard_before_the_store_was_encrypted_is_not_taken_in_plain(home):
    pytest.importorskip("cryptography")
    store, heard = ProfileStore(ask=lambda: WORDS), recording(0, SOUND)
    store.encrypt(WORDS)
    profile = store.add("Anna", SPACE, [heard])
    assert store.sound(profile.recordings[0]) == SOUND and b"fLaC" not in everything(store)


def test_the_commands(home, monkeypatch, capsys):
    pytest.importorskip("cryptography")
    ProfileStore().add("Anna", SPACE, [recording()])
    monkeypatch.setattr(sys, "stdin", open("/dev/null"))  # noqa: PTH123, SIM115
    assert voicelane("profiles", "encrypt") == 2 and f"set {PASSPHRASE}" in capsys.readouterr().err
    monkeypatch.setenv(PASSPHRASE, "short")
    assert voicelane("profiles", "encrypt") == 2 and "too short" in capsys.readouterr().err
    monkeypatch.setenv(PASSPHRASE, WORDS)
    assert voicelane("profiles", "encrypt") == 0
    assert "without it nobody can bring the voices back" in capsys.readouterr().out
    assert voicelane("profiles", "encrypt") == 2 and "already" in capsys.readouterr().err
    assert voicelane("profiles", "list") == 0 and "Anna" in capsys.readouterr().out
    monkeypatch.setenv("VOICELANE_NEW_PASSPHRASE", WORDS[::-1])
    assert voicelane("profiles", "passphrase") == 0
    assert voicelane("profiles", "show", "Anna") == 2 and "wrong" in capsys.readouterr().err
    monkeypatch.setenv(PASSPHRASE, WORDS[::-1])
    assert voicelane("profiles", "decrypt") == 0 and voicelane("profiles", "show", "Anna") == 0


def test_without_the_package_it_says_so(store, monkeypatch):
    for name in [n for n in sys.modules if n.startswith("cryptography")]:
        monkeypatch.setitem(sys.modules, name, None)
    unlock.cache_clear()
    with pytest.raises(LockedError, match=r"pip install 'voicelane\[encryption\]'"):
        store.profile("Anna")


def test_a_vault_opens_only_what_it_sealed():
    pytest.importorskip("cryptography")
    vault = new_vault()
    sealed = vault.seal(b"voice", "Anna")
    assert vault.open(sealed, "Anna") == b"voice" and sealed != vault.seal(b"voice", "Anna")
    for wrong, what in ((sealed, "Bob"), (sealed[:-1], "Anna"), (b"", "Anna"), (b"x" + sealed, "Anna")):
        with pytest.raises(StoreError):
            vault.open(wrong, what)
