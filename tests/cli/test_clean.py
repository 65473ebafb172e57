"""`voicelane clean` as a user meets it, good input and bad."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from voicelane import Turn
from voicelane.audio import ArraySource, muted
from voicelane.base import Space
from voicelane.cleaning import clean_file
from voicelane.cli.main import main
from voicelane.config import DenoiserConfig
from voicelane.labels import others
from voicelane.profiles import ProfileStore, Recording


def voicelane(*arguments: object) -> int:
    return main([str(a) for a in arguments])


def noisy_file(path: Path, rate: int = 16_000, channels: int = 1, seconds: float = 1.5) -> Path:
    rng = np.random.default_rng(0)
    t = np.arange(int(rate * seconds)) / rate
    tone = 0.2 * np.sin(2 * np.pi * 300 * t)[:, None] + 0.05 * rng.standard_normal((len(t), channels))
    sf.write(path, tone, rate)
    return path


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (16_000, 2), (44_100, 2), (96_000, 1)])
@pytest.mark.parametrize("ending", ["wav", "flac"])
def test_rate_channels_and_length_stay(tmp_path, rate, channels, ending):
    given = noisy_file(tmp_path / "in.wav", rate, channels)
    assert voicelane("clean", given, "--out", tmp_path / f"out.{ending}") == 0
    before, after = sf.info(given), sf.info(tmp_path / f"out.{ending}")
    assert (after.samplerate, after.channels, after.frames) == (rate, channels, before.frames)
    sound, _ = sf.read(tmp_path / f"out.{ending}")
    assert 0 < np.square(sound).mean() < np.square(sf.read(given)[0]).mean()


def test_steps_refine_what_was_cleaned(tmp_path):
    given = noisy_file(tmp_path / "in.wav")
    for steps in (0, 2):
        assert voicelane("clean", given, "--out", tmp_path / f"{steps}.wav", "--steps", steps) == 0
    cleaned, refined = (sf.read(tmp_path / f"{steps}.wav")[0] for steps in (0, 2))
    assert refined.shape == cleaned.shape and not np.array_equal(refined, cleaned)


def test_nothing_is_overwritten_unless_told(tmp_path, capsys):
    given = noisy_file(tmp_path / "in.wav")
    before = given.read_bytes()
    assert voicelane("clean", given, "--out", given) == 2
    assert "is there already" in capsys.readouterr().err and given.read_bytes() == before
    assert voicelane("clean", given, "--out", given, "--force") == 0
    assert given.read_bytes() != before and sf.info(given).frames == 24_000


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--out", "out.mp3"), "expected a name that ends in .wav or .flac"),
        (("--out", "out.wav", "--strength", "2"), "--strength 2: expected 0 … 1"),
        (("--out", "out.wav", "--steps", "31"), "--steps 31: expected 0 … 30"),
        (("--out", "out.wav", "--strength", "nan"), "--strength nan: expected 0 … 1"),
        (
            ("--out", "out.wav", "--keep", "Nobody"),
            "named 'Nobody'; nobody is enrolled yet",
        ),
        (("--out", "out.wav", "--keep-like", "nothing.wav"), "nothing.wav"),
        (("--out", "out.wav", "--keep", "Anna", "--steps", "2"), "leave --steps out"),
        (("--out", "out.wav", "--guidance", "6"), "--guidance 6: expected 0 … 5"),
        (("--out", "out.wav", "--model", "nothing"), "no cleaner model named 'nothing'"),
    ],
)
def test_a_wrong_wish_is_answered_in_a_sentence(tmp_path, monkeypatch, capsys, arguments, sentence):
    monkeypatch.setenv("VOICELANE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert voicelane("clean", noisy_file(tmp_path / "in.wav"), *arguments) == 2
    assert sentence in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.glob("out*")) == []


def test_what_is_no_sound_leaves_no_file(tmp_path, capsys):
    (tmp_path / "in.wav").write_text("no sound at all")
    assert voicelane("clean", tmp_path / "in.wav", "--out", tmp_path / "out.wav") == 2
    assert voicelane("clean", "mic", "--out", tmp_path / "out.wav") == 2
    assert "voicelane run mic --clean" in capsys.readouterr().err
    assert not (tmp_path / "out.wav").exists()


def said(path: Path, sound: np.ndarray) -> Path:
    sf.write(path, sound, 16_000)
    return path


@pytest.fixture
def talk(tmp_path, enrolment_sound, later) -> tuple[Path, int]:
    """One of two who are enrolled, then the other, and the sample where it changes."""
    for who, sound in list(enrolment_sound.items())[:2]:
        assert voicelane("enrol", who, said(tmp_path / f"{who}.wav", sound)) == 0
    first, second = list(later.values())[:2]
    return said(tmp_path / "talk.wav", np.concatenate((first, second))), len(first)


def softer_db(out: Path, talk: tuple[Path, int]) -> list[float]:
    """By how much each of the two became softer."""
    before, after = (np.split(sf.read(path)[0], [talk[1]]) for path in (talk[0], out))
    return [10 * np.log10(np.mean(b**2) / np.mean(a**2)) for b, a in zip(before, after, strict=True)]


def test_one_voice_is_kept_and_the_others_turned_down(tmp_path, talk, enrolment_sound, capsys):
    out, second = tmp_path / "out.wav", list(enrolment_sound)[1]
    assert voicelane("clean", talk[0], "--out", out, "--keep", second) == 0
    assert f"{second} alone: {out}" in capsys.readouterr().out
    other, own = softer_db(out, talk)
    assert other > 15.0 and own < 8.0 and sf.info(out).frames == sf.info(talk[0]).frames
    assert voicelane("clean", talk[0], "--out", out, "--keep", second, "--guidance", 0, "--force") == 0
    assert softer_db(out, talk)[1] > own + 1.0, "without guidance the person is anybody"


def test_a_recording_says_whose_voice_is_kept(tmp_path, talk, enrolment_sound):
    out, first = tmp_path / "out.wav", next(iter(enrolment_sound))
    assert voicelane("clean", talk[0], "--out", out, "--keep-like", tmp_path / f"{first}.wav") == 0
    own, other = softer_db(out, talk)
    assert other > 15.0 and own < 8.0


def test_who_is_enrolled_is_told_where_a_name_is_unknown(tmp_path, talk, enrolment_sound, capsys):
    assert voicelane("clean", talk[0], "--out", tmp_path / "out.wav", "--keep", "Zoë") == 2
    first, second = list(enrolment_sound)[:2]
    assert f"no profile named 'Zoë'; enrolled are {first}, {second}" in capsys.readouterr().err


def test_a_profile_of_another_encoder_is_refused(tmp_path, talk, capsys):
    store, recording = ProfileStore(), Recording(np.eye(1, 192, dtype="f4")[0], 12.0, 30.0, 0.9)
    store.add("Far", Space("another", "off", "another"), [recording])
    assert voicelane("clean", talk[0], "--out", tmp_path / "out.wav", "--keep", "Far") == 2
    assert "Far: was enrolled with encoder another" in capsys.readouterr().err


def test_whose_voice_is_kept_is_said_once(tmp_path, talk, capsys):
    with pytest.raises(SystemExit) as left:
        voicelane("clean", talk[0], "--out", tmp_path / "out.wav", "--keep", "Anna", "--keep-like", talk[0])
    assert left.value.code == 2 and "--keep-like: not allowed with argument --keep" in capsys.readouterr().err


def test_where_somebody_else_speaks_alone_it_is_softer(rng):
    sound = rng.standard_normal((32_000, 2)).astype("f4")
    turns = [Turn("S1", 0.3, 0.9), Turn("Anna", 0.5, 0.7), Turn("S2", 0.85, 1.0), Turn("S1", 1.2, 1.24)]
    spans = others(turns, "Anna")
    assert spans == [(0.3, 0.5), (0.7, 1.0), (1.2, 1.24)]
    found = np.concatenate(list(muted(iter(np.split(sound, [100, 9_000])), 16_000, spans, 1.0)))
    heard = np.repeat([True, False, True, False, True], [4_800, 3_200, 3_200, 4_800, 16_000])
    np.testing.assert_array_equal(found[heard], sound[heard])
    still = ~np.convolve(heard, np.ones(961), "same").astype(bool)
    np.testing.assert_allclose(found[still], 0.1 * sound[still], atol=1e-6)


def test_nothing_is_muted_where_the_person_was_not_recognised(rng):
    sound = rng.standard_normal((3_200, 1)).astype("f4")
    assert others([Turn("S1", 0.0, 0.2)], "Anna") == []
    np.testing.assert_array_equal(np.concatenate(list(muted(iter([sound]), 16_000, [], 1.0))), sound)


def test_memory_does_not_grow_with_the_length(tmp_path):
    def peak(seconds: int) -> int:
        block = np.random.default_rng(0).standard_normal((16_000, 1)).astype("f4") * 0.1
        source = ArraySource(block)
        source.blocks = lambda: (block for _ in range(seconds))
        tracemalloc.start()
        clean_file(source, tmp_path / f"{seconds}.wav", DenoiserConfig("clean"))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)
    assert peak(60) < 1.3 * peak(15)
