"""Settings: TOML there and back, and every problem named at once."""

from __future__ import annotations

import pytest

from engine import ConfigError, DiariserConfig, PipelineConfig, read_config


def test_toml_there_and_back(tmp_path):
    config = PipelineConfig(diariser=DiariserConfig(max_speakers=3, new_speaker=0.25))
    path = tmp_path / "settings.toml"
    path.write_text(config.to_toml())
    assert read_config(path) == config


def test_an_empty_file_is_the_default(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("")
    assert read_config(path) == PipelineConfig()


def test_whole_numbers_are_taken_where_seconds_are_expected(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[encoder]\nwindow_s = 2\n")
    assert read_config(path).encoder.window_s == 2.0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "[vad]\nspeed = 1\n[diariser]\nmax_speakers = 'many'\n",
            ["vad.speed", "max_speakers", "expected int"],
        ),
        ("[encoder]\nwindow_s = 99\nstep_s = -1\n", ["encoder.window_s", "0.5 … 10.0", "encoder.step_s"]),
        ("vad = 3\n", ["vad", "expected a table"]),
        ("[vad\n", ["not valid TOML"]),
        ("[diariser]\nmax_speakers = true\n", ["expected int, got True"]),
        ("[encoder]\nfirst_s = nan\n", ["encoder.first_s"]),
    ],
)
def test_every_problem_is_named_with_the_file(tmp_path, text, words):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as problem:
        read_config(path)
    assert all(word in str(problem.value) for word in [*words, "settings.toml"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        read_config(tmp_path / "nowhere.toml")
