"""What the models make of the bundled conversation, held from both sides; `--golden` writes it anew."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import DEMO
from voicelane import ArraySource, Enroller, Pipeline, SpeakerTurn, Turn, diarisation_error, read_rttm
from voicelane.labels import equal_error_rate
from voicelane.live import final_turns, rttm_line

GOLDEN = Path(__file__).parent / "golden"
TOLERANCES = {"speakers": 0, "der": 0.5, "der_as_emitted": 0.5, "eer": 1.0}
"""Percentage points, but for the number of speakers; what other processors and libraries may do."""
DIFFERENT = 1.0
"""Per cent of the speech that may be somebody else's than in the golden turns."""
PIECE_S = 2.0


def in_seconds(turns: list[SpeakerTurn]) -> list[Turn]:
    return [Turn(t.speaker, t.start / 16_000, t.end / 16_000) for t in turns]


@pytest.fixture(scope="module")
def heard() -> dict[str, list[SpeakerTurn]]:
    """The turns of the conversation at the end, and as the stream confirmed them."""
    pipeline, sound = Pipeline(), sf.read(DEMO, dtype="float32")[0]
    events = pipeline.push(sound) + pipeline.flush()
    return {"der": final_turns(events), "der_as_emitted": final_turns(events, revised=False)}


@pytest.fixture(scope="module")
def eer() -> float:
    """Equal error rate in % between all pieces of 2 s in which the truth has one person speak."""
    enroller, sound = Enroller(), sf.read(DEMO, dtype="float32")[0]
    pieces = [
        (turn.speaker, sound[int(at * 16_000) : int((at + PIECE_S) * 16_000)])
        for turn in read_rttm(DEMO.with_suffix(".rttm"))
        for at in np.arange(turn.start, turn.end - PIECE_S, PIECE_S)
    ]
    voices = [(who, enroller.listen(ArraySource(piece)).recording.embedding) for who, piece in pieces]
    pairs = [(a == b, x @ y) for (a, x), (b, y) in itertools.combinations(voices, 2)]
    scores = [np.array([score for same, score in pairs if same is kind]) for kind in (True, False)]
    return 100 * equal_error_rate(*scores)


@pytest.fixture
def figures(heard, eer) -> dict[str, float]:
    truth = read_rttm(DEMO.with_suffix(".rttm"))
    rates = {k: round(100 * diarisation_error(truth, in_seconds(t)).rate, 2) for k, t in heard.items()}
    return rates | {"speakers": len({t.speaker for t in heard["der"]}), "eer": round(eer, 2)}


def test_the_turns_are_the_golden_ones(heard, request):
    path = GOLDEN / "conversation.rttm"
    if request.config.getoption("golden"):
        path.write_text("".join(f"{rttm_line(turn, 'conversation')}\n" for turn in heard["der"]))
    golden, turns = read_rttm(path), in_seconds(heard["der"])
    assert {t.speaker for t in turns} == {t.speaker for t in golden}
    assert 100 * diarisation_error(golden, turns).rate <= DIFFERENT


def test_the_figures_are_the_golden_ones_neither_worse_nor_better(figures, request):
    path = GOLDEN / "figures.json"
    if request.config.getoption("golden"):
        path.write_text(json.dumps(figures, indent=1) + "\n")
    golden = json.loads(path.read_text())
    assert set(golden) == set(figures) == set(TOLERANCES)
    for name, tolerance in TOLERANCES.items():
        assert abs(figures[name] - golden[name]) <= tolerance, f"{name}: {figures[name]}, was {golden[name]}"
