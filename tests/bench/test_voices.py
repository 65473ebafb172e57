"""What the measurements of drawn voices and digits say of sets for which it is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from voicelane.bench import digits, say, voices
from voicelane.bench.__main__ import main
from voicelane.inference import models_folder

FIRST, SECOND = np.eye(6)[:2]


@pytest.fixture
def people(rng):
    return voices.unit(rng.standard_normal((300, 6)) + 2 * FIRST)


def test_a_set_is_itself_and_a_shifted_one_is_not(people):
    assert voices.frechet(people, people) == pytest.approx(0, abs=1e-6)
    assert voices.frechet(people, people + 0.5 * FIRST) == pytest.approx(0.25, abs=1e-6)
    other = voices.unit(people + SECOND)
    assert voices.mmd(people[::2], people[1::2]) < 0.01 < voices.mmd(people, other)


def test_neighbourhoods_tell_copies_from_collapse_from_strangers(people):
    assert set(voices.neighbourhoods(people, people).values()) == {1.0}
    one = np.repeat(people[:1], 50, axis=0)
    collapsed = voices.neighbourhoods(one, people)
    assert collapsed["precision"] == 1.0 and collapsed["coverage"] < 0.1 and collapsed["recall"] < 0.1
    assert voices.neighbourhoods(-people, people)["precision"] < 0.5


def test_a_copied_set_has_no_distance_to_whom_it_was_copied_from(people):
    train, real = people[:200], people[200:]
    copied = voices.figures("copied", train[:100], train, real)["nearest"]
    assert max(copied.values()) == pytest.approx(0, abs=1e-6)
    assert voices.figures("real", real, train, real)["nearest"]["0.05"] > 0


def test_diversity_is_that_of_the_classes_and_not_between_them():
    classes = np.repeat([0, 1], 3)
    assert digits.diversity(np.repeat([[0.0], [9.0]], 3, axis=0), classes) == 0
    assert digits.diversity(np.array([[0.0], [1], [2], [9], [10], [11]]), classes) == pytest.approx(4 / 3)


def test_rates_of_a_challenge_are_those_of_both_answers():
    found = digits._passed([(True, True), (True, False), (False, True), (False, False)])
    assert found == {"digits": 50.0, "voice": 50.0, "both": 25.0, "tries": 4}


@pytest.mark.slow
def test_the_command_measures_the_shipped_network(tmp_path, rng, capsys):
    x = voices.unit(rng.standard_normal((60, 192))).astype(np.float32)
    known = {"embedding": x, "stacked": np.tile(x, 4)[:, :704], "pitch_hz": rng.uniform(90, 250, 60)}
    np.savez(tmp_path / "people.npz", held_out=np.arange(60) % 2 == 0, **known)
    shipped = str(models_folder() / "voices_conv_transformer")
    given = [
        "--people",
        str(tmp_path / "people.npz"),
        "--models",
        shipped,
        "--json",
        str(tmp_path / "r.json"),
    ]
    main(["voices", *given, "--json", str(tmp_path / "r.json"), "--steps", "2", "--guidance", "1.0"])
    found = json.loads((tmp_path / "r.json").read_text())["voices"]
    assert {"real, other half", "Gaussian", "resampled training set"} < set(found) and len(found) == 6
    assert found["resampled training set"]["nearest"]["0.95"] == pytest.approx(0, abs=1e-3)


def test_every_way_of_drawing_digits_is_on_its_curve():
    tried = [(50, 2.0, 90), (15, 2.0, 80), (4, 2.0, 70), (15, 0.0, 50), (15, 4.0, 85)]
    ways = {str(k): {"steps": s, "guidance": w, "accuracy": {"en": a}} for k, (s, w, a) in enumerate(tried)}
    assert digits.curves(ways, "en") == ([(4, 70), (15, 80), (50, 90)], [(0.0, 50), (2.0, 80), (4.0, 85)])


def test_a_sentence_that_the_recogniser_repeats_counts_once():
    said = ["yes", "that", "is", "a", "very", "good", "idea"]
    assert say.once(said + said + said[:1]) == say.once(said) == said
    assert say.once([*said, "yes"]) == [*said, "yes"] and say.once([]) == []
