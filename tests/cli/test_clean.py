"""`voicelane clean` as a user meets it, good input and bad."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from voicelane import Turn
from voicelane.audio import ArraySource
from voicelane.cleaning import clean_file, merged, silenced
from voicelane.cli.main import main
from voicelane.config import DenoiserConfig


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
        (("--out", "out.wav", "--keep", "Nobody"), "there is no profile named 'Nobody'"),
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


def test_outside_the_turns_that_are_kept_it_is_silent(rng):
    sound = rng.standard_normal((32_000, 2)).astype("f4")
    turns = [Turn("Anna", 1.2, 1.5), Turn("Anna", 0.5, 0.9), Turn("Anna", 0.85, 1.0)]
    assert merged(turns) == [(0.5, 1.0), (1.2, 1.5)]
    found = np.concatenate(list(silenced(iter(np.split(sound, [100, 9_000])), 16_000, merged(turns), 0.75)))
    heard = np.repeat([False, True, False, True, False], [8_000, 8_000, 3_200, 4_800, 8_000])
    np.testing.assert_array_equal(found[heard], sound[heard])
    still = ~np.convolve(heard, np.ones(961), "same").astype(bool)
    np.testing.assert_allclose(found[still], 0.25 * sound[still], atol=1e-6)
    nobody = np.concatenate(list(silenced(iter([sound]), 16_000, merged([]), 1.0)))
    assert not nobody.any()


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
