"""What is kept on disk is used by the settings that made it, and by no others."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from voicelane.base import ConfigError
from voicelane.rt_models.training import augment, shards
from voicelane.rt_models.training.__main__ import main
from voicelane.rt_models.training.caches import adopt, digest, keep

SETTINGS = {"bands": 80, "speeds": (0.9, 1.1)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "numbers.npy"


def make(path: Path, value: float, **settings: object) -> float:
    """What is kept, made of `value` where it is not there."""
    keep(path, SETTINGS | settings, lambda: np.save(path, np.array(value)))
    return float(np.load(path))


def test_it_is_made_once_and_carries_the_hash_of_its_settings(path):
    assert make(path, 1.0) == make(path, 2.0) == 1.0
    record = json.loads(path.with_name("numbers.npy.made.json").read_text())
    assert record["settings"] == {"bands": 80, "speeds": [0.9, 1.1]}
    assert record["sha256"] == digest(record["settings"])


@pytest.mark.parametrize(("change", "named"), [({"bands": 40}, "bands"), ({"phase": True}, "phase")])
def test_other_settings_are_refused_by_name_and_what_is_there_stays(path, change, named):
    make(path, 1.0)
    with pytest.raises(ConfigError, match=rf"numbers\.npy: was made with other settings \({named}\)"):
        make(path, 2.0, **change)
    assert make(path, 3.0) == 1.0


def test_what_was_not_finished_is_made_again(path):
    def fail() -> None:
        path.write_bytes(b"half")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        keep(path, SETTINGS, fail)
    assert make(path, 2.0) == 2.0


def test_files_that_are_made_together_are_made_again_together(tmp_path):
    a, b = tmp_path / "a.npy", tmp_path / "b.npy"

    def both(value: float) -> list[float]:
        keep(a, SETTINGS, lambda: [np.save(p, np.array(value)) for p in (a, b)], b)
        return [float(np.load(p)) for p in (a, b)]

    assert both(1.0) == both(2.0) == [1.0, 1.0]
    b.unlink()
    assert both(3.0) == [3.0, 3.0]


def test_one_of_unknown_settings_is_refused_until_it_is_adopted(path):
    np.save(path, np.array(1.0))
    with pytest.raises(ConfigError, match="does not say with which settings"):
        make(path, 2.0)
    assert adopt(path.parent) == [path] and adopt(path.parent) == []
    assert make(path, 3.0) == 1.0
    with pytest.raises(ConfigError, match="other settings"):  # from now on it is known
        make(path, 4.0, bands=40)


def test_the_command_adopts_what_is_in_the_work_folder(path, capsys):
    np.save(path, np.array(1.0))
    main(["adopt", "--work", str(path.parent)])
    assert str(path) in capsys.readouterr().out and make(path, 2.0) == 1.0


def test_shards_belong_to_their_augmentation_and_material(cache, tmp_path):
    rooms = augment.simulate_rooms(2, 0, tmp_path / "rooms.npz")
    noises = [np.random.default_rng(1).standard_normal(16_000).astype(np.float32)]
    speeds, config = np.ones(len(cache)), augment.AugmentConfig()
    first = augment.Augmenter(config, rooms, noises, cache)
    quiet = augment.Augmenter(dataclasses.replace(config, noise=0.0), rooms, noises, cache)
    elsewhere = augment.Augmenter(config, rooms[:1], noises, cache)

    def build(how: augment.Augmenter, **changes: object) -> shards.Shard:
        values = {"speeds": speeds, "seed": 3, "n_mels": 40} | changes
        return shards.build_shard(cache, how, path=tmp_path / "shard.f16", **values)

    width = build(first).width
    assert build(first).width == width == 40
    for how, changes, named in (
        (quiet, {}, "augment"),
        (elsewhere, {}, "rooms"),
        (first, {"seed": 4}, "seed"),
        (first, {"n_mels": 80}, "n_mels"),
        (first, {"speeds": 1.1 * speeds}, "speeds"),
    ):
        with pytest.raises(ConfigError, match=rf"\({named}\)"):
            build(how, **changes)


def test_more_rooms_are_not_taken_for_fewer(tmp_path):
    augment.simulate_rooms(2, 0, tmp_path / "rooms.npz")
    with pytest.raises(ConfigError, match=r"\(count\)"):
        augment.simulate_rooms(3, 0, tmp_path / "rooms.npz")
