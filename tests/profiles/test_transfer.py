"""Profiles carried in one file: the same there and here, and nothing in it is believed."""

from __future__ import annotations

import errno
import hashlib
import json
import stat
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.profiles.test_store import SPACE, recording
from voicelane import ProfileStore
from voicelane.base import StoreError
from voicelane.profiles import export_profiles, import_profiles
from voicelane.profiles.enrolment import flac
from voicelane.profiles.sounds import Sounds
from voicelane.profiles.transfer import INDEX


@pytest.fixture
def packed(home: Path, tmp_path: Path) -> Path:
    """A file with two profiles, one of them with sound, as another machine exported it."""
    store = ProfileStore(tmp_path / "elsewhere")
    sound = flac(np.sin(np.arange(32_000) / 20).astype("f4") * 0.3)
    store.add("Anna", SPACE, [recording(0, sound), recording(1)])
    store.add("Zoë", SPACE, [recording(2)])
    path = tmp_path / "people.zip"
    export_profiles(store, [store.profile(name) for name in store.names()], path)
    return path


def repack(path: Path, change: Callable[[dict[str, bytes]], Any], **options: int) -> Path:
    """The file with its parts changed."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", **options) as new:
        for name, content in members.items():
            new.writestr(name, content)
    return path


def edit_index(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, bytes]], Any]:
    def edit(members: dict[str, bytes]) -> None:
        content = json.loads(members[INDEX])
        change(content)
        members[INDEX] = json.dumps(content).encode()

    return edit


def first(content: dict[str, Any]) -> dict[str, Any]:
    return content["profiles"][0]["recordings"][0]


def as_embedding(content: bytes) -> Callable[[dict[str, bytes]], Any]:
    """Replace the first embedding, its checksum corrected."""

    def change(members: dict[str, bytes]) -> None:
        members["embeddings/0.f32"] = content
        edit_index(lambda c: first(c).update(embedding_sha256=hashlib.sha256(content).hexdigest()))(members)

    return change


def as_audio(content: bytes) -> Callable[[dict[str, bytes]], Any]:
    def change(members: dict[str, bytes]) -> None:
        members["audio/0.flac"] = content
        edit_index(lambda c: first(c).update(audio_sha256=hashlib.sha256(content).hexdigest()))(members)

    return change


def test_what_is_exported_is_imported_bit_for_bit(packed, home):
    assert stat.S_IMODE(packed.stat().st_mode) == 0o600
    there, here = ProfileStore(packed.parent / "elsewhere"), ProfileStore()
    assert import_profiles(here, packed, replace=False) == ["Anna", "Zoë"]
    for name in ("Anna", "Zoë"):
        a, b = there.profile(name), here.profile(name)
        assert a.space == b.space and a.space.encoder == b.space.encoder
        for x, y in zip(a.recordings, b.recordings, strict=True):
            assert x.embedding.tobytes() == y.embedding.tobytes()
            assert (x.speech_s, x.snr_db, x.consistency) == (y.speech_s, y.snr_db, y.consistency)
            kept, got = there.audio(x), here.audio(y)
            assert (kept and kept.read_bytes()) == (got and got.read_bytes())
    assert here.audio(here.profile("Anna").recordings[0]) is not None


def test_equal_names_need_replace_which_forgets_the_old_ones(packed):
    here = ProfileStore()
    here.add("anna", SPACE, [recording(7, b"fLaC")])
    with pytest.raises(StoreError, match=r"Anna.*--replace"):
        import_profiles(here, packed, replace=False)
    assert here.names() == ["anna"], "all or none"
    assert len(list(here.audio_folder.iterdir())) == 1
    import_profiles(here, packed, replace=True)
    assert here.names() == ["Anna", "Zoë"] and len(here.profile("Anna").recordings) == 2
    assert len(list(here.audio_folder.iterdir())) == 1, "the old sound is gone"


def test_an_import_that_fails_at_its_third_sound_leaves_no_file_and_no_profile(home, tmp_path, monkeypatch):
    elsewhere, sound = ProfileStore(tmp_path / "elsewhere"), flac(np.sin(np.arange(32_000) / 20).astype("f4"))
    for i in range(4):
        elsewhere.add(f"P{i}", SPACE, [recording(i, sound)])
    export_profiles(elsewhere, [elsewhere.profile(n) for n in elsewhere.names()], tmp_path / "four.zip")
    keep, kept = Sounds.keep, []

    def full(*args: Any) -> str:
        kept.append(keep(*args))
        if len(kept) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return kept[-1]

    monkeypatch.setattr(Sounds, "keep", full)
    here = ProfileStore()
    with pytest.raises(StoreError, match="No space left"):
        import_profiles(here, tmp_path / "four.zip", replace=False)
    assert len(kept) == 3 and not list(here.audio_folder.iterdir()) and here.names() == []
    monkeypatch.undo()
    monkeypatch.setenv("VOICELANE_HOME", str(home))
    assert len(import_profiles(here, tmp_path / "four.zip", replace=False)) == 4
    assert len(list(here.audio_folder.iterdir())) == 4


def test_packing_it_again_with_another_program_changes_nothing(packed):
    repack(packed, lambda members: None, compression=zipfile.ZIP_DEFLATED)
    assert import_profiles(ProfileStore(), packed, replace=False) == ["Anna", "Zoë"]


LONG_SILENCE = np.zeros(16_000 * 700, np.float32)
UNIT = np.full(192, 192**-0.5, "<f4")
WRONG: dict[str, tuple[str, Callable[[dict[str, bytes]], Any]]] = {
    "a path upwards": ("no part", lambda m: m.update({"../../evil.flac": b"x"})),
    "an absolute path": ("no part", lambda m: m.update({"/etc/evil": b"x"})),
    "a path inside": ("no part", lambda m: m.update({"audio/../../x.flac": b"x"})),
    "a path in the index": ("missing", edit_index(lambda c: first(c).update(audio="../../etc/passwd"))),
    "a part that is not there": ("missing", edit_index(lambda c: first(c).update(audio="audio/77.flac"))),
    "no index": ("missing", lambda m: m.pop(INDEX)),
    "no JSON": ("not valid JSON", lambda m: m.update({INDEX: b"{"})),
    "deep JSON": ("not valid JSON", lambda m: m.update({INDEX: b"[" * 100_000})),
    "a newer format": ("update", edit_index(lambda c: c.update(format=2))),
    "no format": ("format", edit_index(lambda c: c.pop("format"))),
    "no profiles": ("no profiles", edit_index(lambda c: c.update(profiles=3))),
    "no recordings": ("no recordings", edit_index(lambda c: c["profiles"][0].update(recordings=[]))),
    "a field too few": ("not whole", edit_index(lambda c: c["profiles"][0].pop("enhancer"))),
    "a field too many": ("unknown", edit_index(lambda c: first(c).update(run="rm"))),
    "a wrong type": ("expected", edit_index(lambda c: first(c).update(speech_s="12"))),
    "no number": ("no number", edit_index(lambda c: first(c).update(snr_db=float("nan")))),
    "a bad name": ("control characters", edit_index(lambda c: c["profiles"][0].update(name="a\x1bb"))),
    "a name twice": ("one name", edit_index(lambda c: c["profiles"][1].update(name="ANNA"))),
    "a changed embedding": ("checksum", lambda m: m.update({"embeddings/0.f32": UNIT.tobytes()})),
    "changed sound": ("checksum", lambda m: m.update({"audio/0.flac": b"fLaC"})),
    "an embedding of another length": ("lengths", as_embedding(np.array([1.0], "<f4").tobytes())),
    "an embedding that is none": ("no embedding", as_embedding((2 * UNIT).tobytes())),
    "an embedding of NaN": ("no embedding", as_embedding((np.nan * UNIT).tobytes())),
    "half a number": ("no embedding", as_embedding(UNIT.tobytes() + b"x")),
    "an empty embedding": ("no embedding", as_embedding(b"")),
    "sound that is none": ("no sound", as_audio(b"This is a letter.")),
    "sound that unpacks to more": ("longer", as_audio(flac(LONG_SILENCE))),
    "a bomb": ("more than", lambda m: m.update({"embeddings/9.f32": bytes(50_000_000)})),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_file_with_anything_wrong_in_it_is_named_and_changes_nothing(packed, home, what):
    words, change = WRONG[what]
    repack(packed, change, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(StoreError, match=words) as problem:
        import_profiles(ProfileStore(), packed, replace=True)
    assert "people.zip" in str(problem.value) and "\n" not in str(problem.value)
    assert not home.exists()


def test_a_member_whose_header_lies_about_its_size_is_refused(packed, home):
    bomb = bytes(1_000_000)

    def change(members: dict[str, bytes]) -> None:
        members["embeddings/9.f32"] = bomb
        sha256 = hashlib.sha256(bomb).hexdigest()
        edit = edit_index(lambda c: first(c).update(embedding="embeddings/9.f32", embedding_sha256=sha256))
        edit(members)

    content = repack(packed, change, compression=zipfile.ZIP_DEFLATED).read_bytes()
    lie = content.replace(len(bomb).to_bytes(4, "little"), (768).to_bytes(4, "little"))
    assert lie != content
    packed.write_bytes(lie)
    with pytest.raises(StoreError, match=r"people\.zip"):
        import_profiles(ProfileStore(), packed, replace=True)
    assert not home.exists()


@pytest.mark.parametrize("kind", ["text", "cut", "empty", "twice", "packed oddly"])
def test_a_file_that_is_no_whole_zip_is_named(packed, home, kind):
    content = packed.read_bytes()
    if kind == "twice":
        with warnings.catch_warnings(), zipfile.ZipFile(packed, "a") as zipped:
            warnings.simplefilter("ignore")
            zipped.writestr(INDEX, "{}")
    elif kind == "packed oddly":
        repack(packed, lambda m: None, compression=zipfile.ZIP_LZMA)
    else:
        packed.write_bytes({"text": b"a letter", "cut": content[:-300], "empty": b""}[kind])
    with pytest.raises(StoreError, match=r"people\.zip"):
        import_profiles(ProfileStore(), packed, replace=True)
    assert not home.exists()
