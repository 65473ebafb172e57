"""Settings: TOML there and back, and every problem named at once."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Annotated, Literal, get_origin, get_type_hints

import pytest

from voicelane import PipelineConfig, read_config
from voicelane.base import ConfigError
from voicelane.base.settings import Within, wrong_values
from voicelane.config import LEFT_OUT, RENAMED, DiariserConfig, with_pack


def test_toml_there_and_back(tmp_path):
    config = PipelineConfig(diariser=DiariserConfig(max_speakers=3, new_speaker_llr=-1.5))
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


def test_settings_of_the_version_before_are_taken_with_a_warning(tmp_path):
    path = tmp_path / "old.toml"
    path.write_text("[reclustering]\nloop = 0.7\nstart = 0.3\n[diariser]\nknown = 0.45\nmax_speakers = 4\n")
    with pytest.warns(FutureWarning) as told:
        config = read_config(path)
    assert config.reclustering.loop_probability == 0.7 and config.diariser.max_speakers == 4
    assert config.diariser.known_llr == DiariserConfig().known_llr
    assert len(told) == 3 and all(str(path) in str(w.message) for w in told)


@pytest.mark.parametrize(("section", "name"), [*RENAMED, *LEFT_OUT])
def test_every_old_name_is_taken_for_one_release_more(tmp_path, section, name):
    path, new = tmp_path / "old.toml", RENAMED.get((section, name))
    default = getattr(getattr(PipelineConfig(), section), new) if new else 0.5
    value = default + (1 if isinstance(default, int) else 0.01)
    path.write_text(f"[{section}]\n{name} = {value}\n")
    with pytest.warns(FutureWarning, match=f"{section}.{name} ") as told:
        config = read_config(path)
    assert len(told) == 1 and path.name in str(told[0].message)
    expected = replace(getattr(PipelineConfig(), section), **({new: value} if new else {}))
    assert config == replace(PipelineConfig(), **{section: expected})


def numbers() -> list[tuple[str, str, Within]]:
    """Every setting that is a number: section, name and what its declaration says of its range."""
    kinds = {s.name: get_type_hints(s.default_factory, include_extras=True) for s in fields(PipelineConfig)}
    return [
        (section, name, kind.__metadata__[0] if get_origin(kind) is Annotated else kind)
        for section, of_section in kinds.items()
        for name, kind in of_section.items()
        if kind is not str and get_origin(kind) is not Literal
    ]


@pytest.mark.parametrize(("section", "name", "limits"), numbers())
def test_every_number_declares_its_range_and_is_held_to_it(section, name, limits):
    assert isinstance(limits, Within)
    part = getattr(PipelineConfig(), section)
    for value in (limits.low, limits.high):
        assert not any("…" in p for p in wrong_values(replace(part, **{name: value}), section))
    for value in (limits.low - 0.01, limits.high + 1, float("nan")):
        with pytest.raises(ConfigError, match=f"{section}.{name} = .*: expected"):
            replace(PipelineConfig(), **{section: replace(part, **{name: value})})


def test_a_pack_brings_its_models_unless_others_are_named(tmp_path):
    path = tmp_path / "strong.toml"
    path.write_text('[models]\npack = "strong"\n')
    config = read_config(path)
    assert (config.encoder.model, config.segmentation.model) == ("campplus", "segmentation_3")
    assert config == with_pack(PipelineConfig(), "strong") == with_pack(config, "strong")
    assert with_pack(config, "light") == PipelineConfig()
    path.write_text('[models]\npack = "strong"\n[encoder]\nmodel = "lstm"\n')
    assert read_config(path).encoder.model == "lstm"
    path.write_text('[models]\npack = "none"\n')
    with pytest.raises(ConfigError, match=r"models\.pack"):
        read_config(path)
    path.write_text("models = 3\n")
    with pytest.raises(ConfigError, match="models"):
        read_config(path)
