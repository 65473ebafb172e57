"""Voices on disk: kept whole, found again, damaged files told of."""

from __future__ import annotations

import json

import numpy as np
import pytest

from voicelane import VoicelaneError
from voicelane.base import StoreError
from voicelane.voices import Voice, VoiceLibrary

WHOLE = {
    "format": 1,
    "name": "x",
    "embedding": [1.0],
    "pitch_hz": 100,
    "kind": "pseudo",
    "encoder_id": "",
}


def voice(name="Brook", dim=8, seed=0, **other):
    x = np.random.default_rng(seed).standard_normal(dim)
    known = {"pitch_hz": 120.5, "kind": "pseudo", "encoder_id": "ab12"}
    return Voice(name, (x / np.linalg.norm(x)).astype(np.float32), **{**known, **other})


@pytest.fixture
def library(tmp_path):
    return VoiceLibrary(tmp_path / "voices")


def test_a_voice_comes_back_as_it_was_kept(library):
    kept = voice()
    library.add(kept)
    found = library.voice("bROOK")
    np.testing.assert_array_equal(found.embedding, kept.embedding)
    assert (found.name, found.pitch_hz, found.kind, found.encoder_id) == ("Brook", 120.5, "pseudo", "ab12")
    assert (library.folder / "brook.json").stat().st_mode & 0o777 == 0o600


def test_nothing_is_made_before_something_is_kept(library):
    assert library.names() == [] and library.voices() == ([], [])
    assert not library.folder.exists()


def test_a_second_voice_of_a_name_is_refused_unless_it_shall_replace(library):
    library.add(voice())
    with pytest.raises(StoreError, match="already"):
        library.add(voice("BROOK", seed=1))
    library.add(voice("BROOK", seed=1), replace=True)
    assert library.names() == ["BROOK"]


@pytest.mark.parametrize("method", ["voice", "remove"])
def test_a_voice_that_is_not_there_is_named(library, method):
    with pytest.raises(StoreError, match="no voice named 'Nobody'"):
        getattr(library, method)("Nobody")


def test_removed_voices_are_gone_and_new_names_are_free(library):
    library.add(voice("pseudo-1"))
    library.add(voice("pseudo-3"))
    assert library.unused("pseudo", 3) == ["pseudo-2", "pseudo-4", "pseudo-5"]
    library.remove("pseudo-1")
    assert library.names() == ["pseudo-3"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe\x00",
        b'{"format": 2}',
        b"[" * 100_000,
        json.dumps({"format": 1, "name": "x", "embedding": [1, "a"]}).encode(),
        json.dumps(
            {
                "format": 1,
                "name": "x",
                "embedding": [0, 0],
                "pitch_hz": 100,
                "kind": "pseudo",
                "encoder_id": "",
            }
        ).encode(),
        json.dumps(
            {
                "format": 1,
                "name": "x",
                "embedding": [1.0],
                "pitch_hz": None,
                "kind": "pseudo",
                "encoder_id": "",
            }
        ).encode(),
    ],
)
def test_damaged_files_are_told_of_and_can_be_removed(library, content):
    library.add(voice())
    (library.folder / "bad.json").write_bytes(content)
    voices, refused = library.voices()
    assert [v.name for v in voices] == ["Brook"]
    assert len(refused) == 1 and "bad.json" in refused[0] and "voices remove bad" in refused[0]
    library.remove("bad")
    assert library.voices()[1] == []


@pytest.mark.parametrize(
    ("name", "other", "says"),
    [
        ("", {}, "empty"),
        ("a\nb", {}, "control"),
        ("Tiny", {"pitch_hz": 3.0}, "3 Hz"),
        ("Nan", {"pitch_hz": float("nan")}, "nan Hz"),
        ("Odd", {"kind": "robot"}, "robot"),
    ],
)
def test_what_is_no_voice_is_refused(name, other, says):
    with pytest.raises(VoicelaneError, match=says):
        voice(name, **other)


def test_an_embedding_must_have_length_one():
    for vector in (np.zeros(4), np.ones(4), np.full(4, np.nan), np.eye(2)):
        with pytest.raises(VoicelaneError, match="unit vector"):
            Voice("Long", vector, 100.0, "pseudo", "ab")
