"""Sound files of many kinds, headers that lie, damaged models and profiles: what is seen, what is lost."""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.cli.test_main import voicelane, wav
from tests.profiles.test_store import SPACE, recording
from voicelane import FileSource, ProfileStore, open_session, read_rttm
from voicelane.inference import models_folder
from voicelane.profiles import export_profiles

SECONDS = 4
RATE_AT, LENGTH_AT = 24, 40  # of the plain WAV header that libsndfile writes


@pytest.fixture
def talk(speech: np.ndarray) -> np.ndarray:
    return speech[: SECONDS * 16_000]


KINDS = {  # format, subtype, by how much a sample may differ
    "24 bits": ("WAV", "PCM_24", 2.0**-23),
    "float64": ("WAV", "DOUBLE", 0.0),
    "mu-law": ("WAV", "ULAW", 0.04),
    "mu-law in AU": ("AU", "ULAW", 0.04),
    "FLAC of 24 bits": ("FLAC", "PCM_24", 2.0**-23),
    "RF64": ("RF64", "PCM_16", 2.0**-15),
    "WAVEX": ("WAVEX", "FLOAT", 0.0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_sample_of_every_format_is_heard(tmp_path, talk, kind):
    """Seen: nothing. Lost: nothing but what the format itself rounds away."""
    form, subtype, tolerance = KINDS[kind]
    sf.write(tmp_path / "a", talk, 16_000, subtype, format=form)
    source = FileSource(tmp_path / "a")
    heard = np.concatenate(list(source.blocks()))[:, 0]
    assert source.rate == 16_000 and source.duration_s == SECONDS and len(heard) == len(talk)
    assert np.abs(heard - talk).max() <= tolerance


@pytest.mark.skipif("MP3" not in sf.available_formats(), reason="this libsndfile knows no MP3")
def test_an_mp3_is_heard_whole(tmp_path, talk):
    """Seen: nothing. Lost: nothing but what the compression takes; the length is right to 0.1 s."""
    sf.write(tmp_path / "a.mp3", np.stack([talk] * 2, axis=1), 16_000, format="MP3")
    heard = np.concatenate(list(FileSource(tmp_path / "a.mp3").blocks()))[:, 0]
    assert abs(len(heard) - len(talk)) < 1_600
    power = [np.abs(np.fft.rfft(x[16_000:48_000])) for x in (heard, talk)]
    assert np.corrcoef(*power)[0, 1] > 0.95
    assert voicelane("run", tmp_path / "a.mp3", "--rttm", tmp_path / "a.rttm") == 0


def with_number(path: Path, at: int, value: int) -> Path:
    """The file with another number in its header."""
    content = bytearray(path.read_bytes())
    content[at : at + 4] = struct.pack("<I", value)
    path.write_bytes(bytes(content))
    return path


def test_a_header_that_lies_about_the_rate_is_believed(tmp_path, speech, capsys):
    """48 kHz sound that says 16 kHz plays at a third of its speed; nothing can know better.
    Seen: slow turns. Lost: nothing, all samples are counted as the header says."""
    thrice = np.repeat(speech[: 6 * 16_000], 3)
    path = with_number(wav(tmp_path / "a.wav", thrice, 48_000, subtype="PCM_16"), RATE_AT, 16_000)
    assert voicelane("run", path, "--session", tmp_path / "talk") == 0
    session = open_session(str(tmp_path / "talk"))
    assert session.finished and session.heard_samples() == len(thrice)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("rate", [0, 1, 4_000_000_000])
def test_a_rate_that_cannot_be_is_one_sentence(tmp_path, talk, rate, capsys):
    """Seen: the file, the rate, and which rates can be. Lost: nothing is begun."""
    path = with_number(wav(tmp_path / "a.wav", talk, subtype="PCM_16"), RATE_AT, rate)
    assert voicelane("run", path) == 2
    error = capsys.readouterr().err.splitlines()
    told = f"voicelane: {path}: a sample rate of {rate} Hz is not supported (1,000 … 768,000 Hz)"
    assert error[-1] == told and not any("Traceback" in line for line in error)


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 0x7FFFFFFF, 10_000_000])
def test_a_wav_that_does_not_know_its_length_is_heard_as_far_as_it_goes(tmp_path, talk, claimed):
    """A streamed file, one whose writer was killed, one that was cut off. Lost: nothing that is there."""
    path = with_number(wav(tmp_path / "a.wav", talk, subtype="PCM_16"), LENGTH_AT, claimed)
    if not claimed:
        with_number(path, 4, 0)
    source = FileSource(path)
    heard = np.concatenate(list(source.blocks()))[:, 0]
    source.close()
    assert len(heard) == len(talk) and np.abs(heard - talk).max() <= 2**-15


def rewritten(folder: Path, content: bytes) -> None:
    """Weights, and a manifest that agrees with them."""
    (folder / "model.onnx").write_bytes(content)
    manifest = folder / "manifest.toml"
    sha256 = hashlib.sha256(content).hexdigest()
    manifest.write_text(re.sub('sha256 = ".*"', f'sha256 = "{sha256}"', manifest.read_text()))


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def exchanged(a: Path, b: Path) -> None:
    a_bytes, b_bytes = a.read_bytes(), b.read_bytes()
    a.write_bytes(b_bytes)
    b.write_bytes(a_bytes)


MODELS: dict[str, Callable[[Path], object]] = {
    "one bit of the weights": lambda m: flipped(m / "vad/model.onnx"),
    "the manifest of another": lambda m: shutil.copy(m / "lstm/manifest.toml", m / "vad"),
    "weights exchanged": lambda m: exchanged(m / "vad/model.onnx", m / "lstm/model.onnx"),
    "no weights": lambda m: (m / "vad/model.onnx").unlink(),
    "no folder": lambda m: shutil.rmtree(m / "vad"),
    "no network, though the sum is right": lambda m: rewritten(m / "vad", b"This is no network."),
    "weights and sum of another": lambda m: rewritten(m / "vad", (m / "lstm/model.onnx").read_bytes()),
}


@pytest.mark.parametrize("what", MODELS)
def test_a_damaged_model_is_named_and_nothing_recorded_is_touched(
    tmp_path, monkeypatch, speech, what, capsys
):
    """Seen: one sentence that names the model and says what to do, status 2. Lost: nothing."""
    copy = shutil.copytree(models_folder(), tmp_path / "models")
    MODELS[what](copy)
    monkeypatch.setenv("VOICELANE_MODELS", str(copy))
    sound, kept = wav(tmp_path / "a.wav", speech[:32_000]), tmp_path / "a.rttm"
    kept.write_text("what was there before\n")
    assert voicelane("run", sound, "--rttm", kept, "--session", tmp_path / "talk") == 2
    error = capsys.readouterr().err.replace("preparing …\n", "")
    assert error.startswith("voicelane: ") and error.count("\n") == 1
    assert "vad" in error and "reinstall" in error
    assert kept.read_text() == "what was there before\n" and not (tmp_path / "talk").exists()


def another_database(path: Path, *statements: str) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        for statement in statements:
            db.execute(statement)
    db.close()


PROFILES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "garbage": ("damaged", lambda p: p.write_bytes(b"This is no database.\n" * 500)),
    "a half": ("damaged", lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2])),
    "somebody else's": ("another program", lambda p: another_database(p, "CREATE TABLE songs (a)")),
    "somebody else's profiles": (
        "damaged",
        lambda p: another_database(p, "CREATE TABLE profiles (a)", "PRAGMA user_version = 1"),
    ),
    "a newer one": ("newer voicelane", lambda p: another_database(p, "PRAGMA user_version = 99")),
}


@pytest.mark.parametrize("what", PROFILES)
def test_a_foreign_or_damaged_database_is_named_and_not_written_to(tmp_path, home, speech, what, capsys):
    """Seen: one sentence that names the file and says what to do; `run` says it and goes on without names.
    Lost: nothing: not a byte of the file changes."""
    words, damage = PROFILES[what]
    store = ProfileStore()
    store.add("Anna", SPACE, [recording()])
    damage(store.path)
    before = store.path.read_bytes()
    for arguments in (("list",), ("show", "Anna"), ("rename", "Anna", "Zoë"), ("remove", "Anna")):
        assert voicelane("profiles", *arguments) == 2
        error = capsys.readouterr().err
        assert f"{store.path}: " in error and words in error and error.count("\n") == 1
        assert "enrol again" in error or "update" in error
    sound = wav(tmp_path / "a.wav", speech)
    assert voicelane("run", sound, "--rttm", tmp_path / "a.rttm") == 0
    assert "nobody is recognised by name" in capsys.readouterr().err and read_rttm(tmp_path / "a.rttm")
    assert store.path.read_bytes() == before


def test_a_damaged_export_is_refused_whole(tmp_path, home, rng, capsys):
    """A bit is flipped, or the file cut, at sixty places. Seen: one sentence, or the
    profile where the byte does not matter. Lost: nothing: the profiles that were there stay."""
    store, path = ProfileStore(tmp_path / "elsewhere"), tmp_path / "people.zip"
    anna = store.add("Anna", SPACE, [recording(1)])
    export_profiles(store, [anna], path)
    whole, here = path.read_bytes(), ProfileStore()
    here.add("Zoë", SPACE, [recording(2)])
    for at in rng.choice(len(whole), 60, replace=False):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :]):
            path.write_bytes(damaged)
            status, error = voicelane("profiles", "import", path), capsys.readouterr().err
            names = here.names()
            assert "Zoë" in names
            if status == 0:
                (name,) = set(names) - {"Zoë"}
                found = here.profile(name).recordings[0].embedding
                assert found.tobytes() == anna.recordings[0].embedding.tobytes()
                here.remove(name)
            else:
                assert status == 2 and str(path) in error and error.count("\n") == 1 and names == ["Zoë"]
