"""Enrolled people are recognised by name in the stream, and nobody else is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests import laws
from tests.conftest import DEMO, SPLIT_S
from tests.stages.conversation import flat_scale
from voicelane import (
    ArraySource,
    Enroller,
    Event,
    Person,
    Pipeline,
    PipelineConfig,
    SpeakerIdentified,
    VoicelaneError,
    read_rttm,
)
from voicelane.config import EnhancerConfig
from voicelane.events import EnhancerFellBack
from voicelane.live import final_turns
from voicelane.stages.recogniser import LEAD_LLR, Recogniser

RATE = 16_000


@dataclass
class Voice:
    """A speaker as the recogniser sees one."""

    name: str
    mean: np.ndarray
    centroid: np.ndarray
    spoken_samples: int = 2 * RATE


@pytest.fixture(scope="session")
def people(enrolment_sound: dict[str, np.ndarray]) -> list[Person]:
    enroller = Enroller()
    found = {who: enroller.listen(ArraySource(x)).recording for who, x in enrolment_sound.items()}
    return [Person(f"name of {who}", r.embedding[None]) for who, r in found.items()]


def hear(pipeline: Pipeline, sound: np.ndarray, bounds: list[int] | None = None) -> list[Event]:
    pieces = np.split(sound, sorted(bounds or []))
    return [e for piece in pieces for e in pipeline.push(piece)] + pipeline.flush()


def identified(events: list[Event]) -> list[SpeakerIdentified]:
    return [e for e in events if isinstance(e, SpeakerIdentified)]


def said_by(events: list[Event], label: str) -> dict[str, float]:
    """Seconds that each true speaker says in the turns of a label."""
    reference = read_rttm(DEMO.with_suffix(".rttm"))
    found: dict[str, float] = {}
    for turn in final_turns(events):
        if turn.speaker == label:
            start, end = turn.start / RATE + SPLIT_S, turn.end / RATE + SPLIT_S
            for t in reference:
                overlap = max(0.0, min(t.end, end) - max(t.start, start))
                found[t.speaker] = found.get(t.speaker, 0.0) + overlap
    return found


def check_names(events: list[Event]) -> None:
    """Each label that was given a name holds mostly that person's speech."""
    for found in identified(events):
        shares = said_by(events, found.speaker)
        assert found.name == f"name of {max(shares, key=shares.__getitem__)}"


def test_everybody_who_is_enrolled_is_recognised_in_the_rest_of_the_conversation(people, rest):
    events = hear(Pipeline(people=people), rest)
    assert {e.name for e in identified(events)} == {p.name for p in people}
    check_names(events)


@pytest.mark.parametrize("absent", range(3))
@pytest.mark.slow
def test_somebody_who_is_not_enrolled_keeps_a_label(people, rest, absent):
    known = [p for i, p in enumerate(people) if i != absent]
    events = hear(Pipeline(people=known), rest)
    assert {e.name for e in identified(events)} == {p.name for p in known}
    check_names(events)
    assert {t.speaker for t in final_turns(events)} > {e.speaker for e in identified(events)}


@pytest.mark.slow
def test_people_change_nothing_but_add_their_events(people, rest):
    with_people, without = hear(Pipeline(people=people), rest), hear(Pipeline(), rest)
    laws.same([e for e in with_people if not isinstance(e, SpeakerIdentified)], without, 0.0)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.slow
def test_any_chunking_recognises_the_same_at_the_same_sample(people, rest, seed):
    bounds = np.random.default_rng(seed).integers(0, len(rest), 40).tolist()
    laws.same(hear(Pipeline(people=people), rest, bounds), hear(Pipeline(people=people), rest), 1e-4)


@pytest.mark.slow
def test_reset_forgets_who_was_recognised(people, rest):
    pipeline = Pipeline(people=people)
    first = hear(pipeline, rest)
    pipeline.reset()
    again = hear(pipeline, rest)
    assert {e.name for e in identified(again)} == {p.name for p in people}
    laws.same(again, first, 0.0)


def test_nobody_is_recognised_once_the_enhancer_has_fallen_back(people, rest):
    """Their embeddings are of another space then."""
    events = hear(Pipeline(PipelineConfig(enhancer=EnhancerConfig("no-such-model")), people=people), rest)
    assert any(isinstance(e, EnhancerFellBack) for e in events)
    assert not identified(events) and final_turns(events)


@pytest.mark.parametrize(
    "embeddings", [np.zeros((0, 192)), np.ones((2, 256)), np.ones(192), np.full((1, 192), np.nan)]
)
def test_embeddings_that_no_encoder_made_are_refused_by_name(embeddings):
    with pytest.raises(VoicelaneError, match=r"Anna.*enrol again"):
        Pipeline(people=[Person("Anna", embeddings)])


def test_an_identity_is_published_once_and_again_only_when_it_changes():
    anna, bob, else_ = np.eye(3)
    recogniser = Recogniser([Person("Anna", anna[None]), Person("Bob", bob[None])], flat_scale(3), 2.4)

    def names(centroid: np.ndarray, spoken_samples: int = 2 * RATE) -> list[str]:
        unit = centroid / np.linalg.norm(centroid)
        return [e.name for e in recogniser.hear(0, [Voice("S1", unit, unit, spoken_samples)], np.zeros(3))]

    assert names(anna, RATE) == [], "too little speech"
    assert names(anna + else_) == ["Anna"]
    assert names(anna) == names(anna + 3 * else_) == names(anna + bob) == []
    assert names(bob + 0.5 * anna) == ["Bob"]
    assert names(bob) == []
    recogniser.reset()
    assert names(bob) == ["Bob"]


@pytest.mark.parametrize("seed", range(50))
def test_who_is_recognised_is_the_nearest_near_enough_and_clearly_so(seed):
    rng = np.random.default_rng(seed)
    crowd = [Person(f"n{i}", unit_rows(rng.standard_normal((2, 6)))) for i in range(4)]
    centroid = unit_rows(rng.standard_normal((1, 6)))[0]
    scores = sorted((float(unit_rows(p.embeddings.mean(axis=0)[None])[0] @ centroid), p.name) for p in crowd)
    found = Recogniser(crowd, flat_scale(6), 2.4).hear(9, [Voice("S1", centroid, centroid)], np.zeros(6))
    (rival, _), (best, name) = scores[-2:]
    wanted = [(name, pytest.approx(best))] if best >= 0.45 and 20 * (best - rival) >= LEAD_LLR else []
    assert [(e.name, e.score) for e in found] == wanted


def unit_rows(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.slow
def test_the_threshold_is_a_setting(people, rest):
    config = PipelineConfig()
    strict = replace(config, diariser=replace(config.diariser, known_llr=20.0))
    assert not identified(hear(Pipeline(strict, people=people), rest))
