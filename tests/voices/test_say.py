"""Text in a chosen voice: whose may be used, what can be said, and nothing written by half."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("pyworld")
pytest.importorskip("hibari")
from tests.cli.test_main import voicelane, wav
from voicelane import ProfileStore
from voicelane.base.errors import AudioError, ModelError, StoreError, VoicelaneError
from voicelane.profiles import Enroller, export_profiles, import_profiles
from voicelane.voices import Fitter, Speaker, Voice, VoiceLibrary, engine_for, evidence, marked, speaking
from voicelane.voices.dubbing import above, laid, said, spoken
from voicelane.voices.fitting import Reach
from voicelane.voices.speech import Espeak, Hibari, checked_text, sentences
from voicelane.voices.targets import check_reference, consenting_voice
from voicelane.words.lines import Line

TEXT = "Good morning everybody. Shall we begin with the budget for next year?"


@pytest.fixture(scope="module")
def engine() -> Hibari:
    return Hibari()


@pytest.fixture(scope="module")
def reach(engine, tmp_path_factory) -> Reach:
    """Of the engine's voice, measured once for all tests."""
    before = os.environ.get("VOICELANE_HOME")
    os.environ["VOICELANE_HOME"] = str(tmp_path_factory.mktemp("speech"))
    try:
        return speaking.reach_of(engine, Fitter())
    finally:
        os.environ["VOICELANE_HOME"] = before or ""


@pytest.fixture
def measured(reach, monkeypatch) -> Reach:
    monkeypatch.setattr(speaking, "reach_of", lambda engine, fitter: reach)
    return reach


@pytest.fixture
def anna(enrolment_sound, tmp_path) -> Path:
    """A recording of one person."""
    return wav(tmp_path / "anna.wav", next(iter(enrolment_sound.values()))[: 12 * 16_000])


def test_without_consent_nothing_is_said_and_with_it_it_is(anna, measured, tmp_path, capsys):
    out = tmp_path / "out.wav"
    assert voicelane("enrol", "Anna", anna) == 0
    assert voicelane("say", TEXT, "--as", "Anna", "--out", out) == 2
    assert "has not consented" in capsys.readouterr().err and not out.exists()
    assert voicelane("say", TEXT, "--like", anna, "--out", out) == 2
    assert "this is the voice of Anna" in capsys.readouterr().err and not out.exists()
    assert voicelane("profiles", "consent", "anna", "--give") == 0
    assert voicelane("say", TEXT, "--as", "Anna", "--out", out) == 0
    assert "who consented" in sf.SoundFile(out).comment and "voicelane" in sf.SoundFile(out).comment
    assert evidence(sf.read(out, dtype="float32")[0]) > 4.0
    assert voicelane("profiles", "consent", "Anna", "--withdraw") == 0
    capsys.readouterr()
    assert voicelane("say", TEXT, "--as", "Anna", "--out", tmp_path / "again.wav") == 2
    assert voicelane("profiles", "show", "Anna") == 0
    assert "not allowed" in capsys.readouterr().out


def test_consent_is_given_at_enrolment_and_travels_with_the_profile(anna, tmp_path, capsys):
    assert voicelane("enrol", "Anna", anna, "--consent-cloning") == 0
    store = ProfileStore()
    given = store.consent("Anna")
    assert given and given[:2] == "20"
    export_profiles(store, [store.profile("Anna")], tmp_path / "anna.zip")
    elsewhere = ProfileStore(tmp_path / "elsewhere")
    assert import_profiles(elsewhere, tmp_path / "anna.zip", False) == ["Anna"]
    assert elsewhere.consent("anna") == given
    store.rename("Anna", "Anne")
    assert store.consent("Anne") == given
    store.add("Anne", store.profile("Anne").space, store.profile("Anne").recordings, replace=True)
    assert store.consent("Anne") is None
    elsewhere.remove("Anna")
    with pytest.raises(StoreError, match="no profile named"):
        elsewhere.consent("Anna")


def test_a_forged_consent_in_a_file_is_refused(anna, tmp_path):
    import json
    import zipfile

    assert voicelane("enrol", "Anna", anna) == 0
    export_profiles(ProfileStore(), [ProfileStore().profile("Anna")], tmp_path / "anna.zip")
    with zipfile.ZipFile(tmp_path / "anna.zip") as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    for wrong in ({"Ben": "2026-01-01T00:00:00+00:00"}, {"Anna": "yes"}, {"Anna": 1}, ["Anna"]):
        content = json.loads(parts["profiles.json"]) | {"consents": wrong}
        with zipfile.ZipFile(tmp_path / "forged.zip", "w") as forged:
            for name, part in (parts | {"profiles.json": json.dumps(content).encode()}).items():
                forged.writestr(name, part)
        with pytest.raises(StoreError, match="consent"):
            import_profiles(ProfileStore(tmp_path / "new"), tmp_path / "forged.zip", False)


def test_a_voice_of_nobody_says_a_file_and_another_encoders_is_refused(measured, tmp_path, capsys):
    encoder_id = Fitter().encoder_id
    voice = Voice("Iris", measured.voices[1], 120.0, "pseudo", encoder_id)
    VoiceLibrary().add(voice)
    VoiceLibrary().add(Voice("Odd", measured.voices[1], 120.0, "pseudo", "another"))
    text = tmp_path / "text.txt"
    text.write_text(TEXT)
    assert voicelane("say", text, "--voice", "iris", "--speed", 1.5, "--out", tmp_path / "a.flac") == 0
    assert "nobody's" in capsys.readouterr().out
    assert voicelane("say", TEXT, "--voice", "Odd", "--out", tmp_path / "b.wav") == 2
    assert "another encoder" in capsys.readouterr().err
    assert voicelane("say", TEXT, "--voice", "None", "--out", tmp_path / "b.wav") == 2
    assert not (tmp_path / "b.wav").exists()


def test_the_first_sound_comes_before_the_text_is_said(engine, measured):
    said_until = []

    class Counting:
        name, rate, languages = engine.name, engine.rate, engine.languages

        def say(self, text: str, speed: float) -> Iterator[np.ndarray]:
            for n, sound in enumerate(engine.say(text, speed)):
                said_until.append(n)
                yield sound

    target = Voice("Iris", measured.voices[1], 120.0, "pseudo", "x")
    stream = Speaker(Counting(), target, Fitter()).speak(" ".join([TEXT] * 20))
    assert len(next(stream)) and said_until == [0]
    assert sum(map(len, stream)) > 16_000 and said_until[-1] > 30


def test_the_change_moves_the_voice_towards_the_target(engine, measured):
    fitter, target = Fitter(), Voice("x", measured.voices[1], 120.0, "pseudo", "x")
    plain, other = (np.concatenate([*Speaker(engine, t, fitter).speak(TEXT)]) for t in (None, target))
    assert float(fitter.embed(other) @ target.embedding) > float(fitter.embed(plain) @ target.embedding) + 0.2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "nothing to say"),
        (" \n\t…!", "nothing to say"),
        ("a " * 150_000, "too long"),
        ("<speak>Hello</speak>", "markup"),
        ("Hello <b>there", "markup"),
        ("Привет, мир", "cannot say"),
        ("hello 你好", "cannot say"),
    ],
)
def test_text_that_nobody_can_say_is_told_in_one_sentence(text, problem, engine, tmp_path):
    with pytest.raises(VoicelaneError, match=problem) as told:
        checked_text(text, engine)
    assert "\n" not in str(told.value) and len(str(told.value)) < 200


def test_text_that_can_be_said_is_left_as_it_is(engine):
    assert (
        checked_text(" Café, naïve: 3 < 5 & 7 > 2.\n\nIt's fine. ", engine)
        == "Café, naïve: 3 < 5 & 7 > 2.\n\nIt's fine."
    )
    assert sentences("One. Two?\n\nThree") == ["One.", "Two?", "Three"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--speed", 9), "expected 0.5 … 2"),
        (("--engine", "nobody"), "no speech engine named"),
        (("--language", "de"), "needs espeak-ng"),
    ],
)
def test_what_cannot_be_asked_for_is_told_and_writes_nothing(options, problem, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert voicelane("say", TEXT, "--voice", "Iris", "--out", tmp_path / "a.wav", *options) == 2
    assert problem in capsys.readouterr().err and not (tmp_path / "a.wav").exists()


def test_a_file_that_is_no_text_and_an_ending_that_is_no_sound_are_told(tmp_path, capsys):
    (tmp_path / "noise.txt").write_bytes(bytes(range(128, 256)))
    assert voicelane("say", tmp_path / "noise.txt", "--voice", "Iris", "--out", tmp_path / "a.wav") == 2
    assert "is no text" in capsys.readouterr().err
    (tmp_path / "long.txt").write_text("a" * (1 << 20) + "b")
    assert voicelane("say", tmp_path / "long.txt", "--voice", "Iris", "--out", tmp_path / "a.wav") == 2
    assert "megabyte" in capsys.readouterr().err
    assert voicelane("say", TEXT, "--voice", "Iris", "--out", tmp_path / "a.txt") == 2
    assert "sound is written as" in capsys.readouterr().err
    assert voicelane("say", TEXT, "--voice", "Iris", "--out", tmp_path / "no folder" / "a.wav") == 2
    assert "no folder" in capsys.readouterr().err
    assert not (tmp_path / "a.wav").exists() and not (tmp_path / "a.txt").exists()


def test_references_that_tell_no_voice_are_refused(tmp_path, anna, rng, capsys):
    with pytest.raises(AudioError, match="two people"):
        check_reference("x", 10.0, two_voices=True)
    short = wav(tmp_path / "short.wav", sf.read(anna, dtype="float32")[0][:24_000])
    music = np.sin(
        np.cumsum(2 * np.pi * np.repeat(rng.choice([220.0, 330.0, 440.0, 523.0], 40), 4_000) / 16_000)
    )
    tune = wav(tmp_path / "tune.wav", (0.2 * music).astype(np.float32))
    hiss = wav(tmp_path / "hiss.wav", 0.1 * rng.standard_normal(160_000).astype(np.float32))
    for path in (short, tune, hiss):
        assert voicelane("say", TEXT, "--like", path, "--out", tmp_path / "a.wav") == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and path.name in told
    assert not (tmp_path / "a.wav").exists()


def test_a_failure_on_the_way_leaves_what_was_there(measured, tmp_path, monkeypatch):
    VoiceLibrary().add(Voice("Iris", measured.voices[1], 120.0, "pseudo", Fitter().encoder_id))
    (tmp_path / "a.wav").write_bytes(b"mine")

    def broken(self: Speaker, text: str, speed: float = 1.0) -> Iterator[np.ndarray]:
        yield np.zeros(100, np.float32)
        raise ModelError("the voice broke")

    monkeypatch.setattr(Speaker, "speak", broken)
    assert voicelane("say", TEXT, "--voice", "Iris", "--out", tmp_path / "a.wav") == 2
    assert (tmp_path / "a.wav").read_bytes() == b"mine" and len(list(tmp_path.glob("a.wav*"))) == 1


def test_espeak_is_used_where_it_is_installed(tmp_path, monkeypatch):
    """A program of that name that speaks a tone."""
    sound = tmp_path / "tone.wav"
    sf.write(sound, 0.1 * np.sin(np.arange(4_410) / 5), 22_050)
    program = tmp_path / "espeak-ng"
    program.write_text(
        f'#!/bin/sh\n[ "$2" = xx ] && {{ echo no such voice >&2; exit 1; }}\ncat >/dev/null; cat {sound}\n'
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    engine = engine_for("de")
    assert isinstance(engine, Espeak) and [len(s) for s in engine.say("Eins. Zwei.", 1.0)] == [4_410, 4_410]
    assert checked_text("Grüße, мир", engine)
    with pytest.raises(ModelError, match="no such voice"):
        engine_for("xx")


class Toy:
    """A speaker who takes a tenth of a second a letter."""

    def __init__(self, engine) -> None:
        self.engine = engine

    def speak(self, text: str, speed: float = 1.0) -> Iterator[np.ndarray]:
        yield np.ones(round(1_600 * len(text) / speed), np.float32)


def test_lines_are_laid_on_their_times_and_hurried_where_they_must(engine):
    lines = [Line("a", (), "aaaaaaaaaa"), Line("b", (), "bb")]
    starts = {"aaaaaaaaaa": 8_000, "bb": 20_000}
    lines = [Timed(line, starts[line.translation]) for line in lines]
    pieces = list(spoken(lines, {"a": Toy(engine), "b": Toy(engine)}))
    assert [(at, len(s)) for at, s in pieces] == [(8_000, 12_000), (20_000, 3_200)]
    whole = np.concatenate([*laid(iter(pieces), 40_000)])
    assert len(whole) == 40_000 and whole[8_000:20_000].all() and not whole[24_000:].any()
    assert len(said(Toy(engine), "a" * 100, 1_600)) == round(160_000 / 1.4)
    mixed = np.concatenate([*above(laid(iter(pieces), 40_000), [np.ones(30_000, np.float32)])])
    assert len(mixed) == 40_000 and 0 < mixed[0] < 0.3 and mixed[-1] == 0


class Timed:
    """A line that begins at a sample."""

    def __init__(self, line: Line, start: int) -> None:
        self.speaker, self.translation, self.start = line.speaker, line.translation, start


def test_consent_of_a_profile_of_another_encoder_is_no_voice(anna, home):
    enroller = Enroller()
    store = ProfileStore()
    from voicelane.base.space import Space
    from voicelane.profiles.profile import Recording

    store.add("Anna", Space("other", "off", "other"), [Recording(np.eye(8, dtype="f4")[0], 9.0, 30.0, 1.0)])
    store.set_consent("Anna", True)
    with pytest.raises(StoreError, match="cannot be compared"):
        consenting_voice("Anna", store, enroller)


def test_verify_warns_of_the_mark_and_of_nothing_else(anna, tmp_path, capsys):
    assert voicelane("enrol", "Anna", anna) == 0
    made = wav(tmp_path / "made.wav", marked(sf.read(anna, dtype="float32")[0]))
    capsys.readouterr()
    assert voicelane("verify", "Anna", anna) == 0
    assert "mark" not in capsys.readouterr().err
    assert voicelane("verify", "Anna", made) == 0
    assert "carries the mark" in capsys.readouterr().err
