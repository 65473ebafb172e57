"""Every wrong frame has one cause, and all causes together are the diarisation error."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pyannote.metrics")

from voicelane import Turn
from voicelane.bench.diarisation import score
from voicelane.bench.errors import CAUSES, draw, shares

A_THEN_B = [Turn("A", 0, 4), Turn("B", 4, 10)]


def turns(rng: np.random.Generator, names: str, n: int, length_s: float) -> list[Turn]:
    found, at = [], dict.fromkeys(names, 0.0)
    for _ in range(n):
        name = names[rng.integers(len(names))]
        start = at[name] + round(rng.uniform(0, 3), 1)
        end = min(length_s, start + round(rng.uniform(0.2, 4), 1))
        if end > start:
            found.append(Turn(name, start, end))
        at[name] = end + 0.2
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_causes_sum_to_the_error(seed):
    rng = np.random.default_rng(seed)
    reference, hypothesis = turns(rng, "ABC", 14, 60.0), turns(rng, "wxyz", 14, 60.0)
    total = sum(shares(reference, hypothesis, 60.0).values())
    assert total == pytest.approx(score(reference, hypothesis, 60.0)["der"], abs=0.1)


@pytest.mark.parametrize(
    ("cause", "hypothesis"),
    [
        ("missed", [Turn("x", 0, 4), Turn("y", 4, 8)]),
        ("false alarm", [Turn("x", 0, 4), Turn("y", 4, 12)]),
        ("extra voice", [*A_THEN_B, Turn("z", 5, 6)]),
        ("late", [Turn("x", 0, 6), Turn("y", 6, 10)]),
        ("merged", [Turn("x", 0, 10)]),
        ("split", [Turn("x", 0, 4), Turn("y", 4, 8), Turn("z", 8, 10)]),
        ("confused", [Turn("x", 0, 4), Turn("y", 4, 8), Turn("x", 8, 10)]),
    ],
)
def test_each_kind_of_error_is_told_apart(cause, hypothesis):
    found = {name for name, share in shares(A_THEN_B, hypothesis, 14.0).items() if share}
    assert found == {cause}


def test_what_is_missed_or_confused_of_two_at_once_is_told_apart():
    reference = [Turn("A", 0, 6), Turn("B", 4, 10)]
    assert shares(reference, [Turn("x", 0, 6), Turn("y", 6, 10)], 12.0)["missed overlap"] > 0
    found = shares(reference, [Turn("x", 0, 6), Turn("z", 4, 6), Turn("y", 6, 10)], 12.0)
    assert found["overlap"] > 0 and found["split"] == 0


def test_nothing_said_and_nothing_found_is_no_error():
    assert set(shares([], [], 5.0).values()) == {0.0} and set(shares([], [], 5.0)) == set(CAUSES)
    assert shares([], [Turn("x", 1, 2)], 5.0)["false alarm"] > 0


def test_the_picture_is_written(tmp_path):
    pytest.importorskip("matplotlib")
    draw(A_THEN_B, [Turn("x", 0, 7), Turn("y", 7, 11)], 14.0, "made up", tmp_path / "one.png")
    assert (tmp_path / "one.png").stat().st_size > 5_000
