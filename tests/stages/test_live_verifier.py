"""Who each speaker of a conversation is, with evidence that grows with what the speaker says."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest
import soundfile as sf

from tests.conftest import DEMO, SPLIT_S
from voicelane import (
    ArraySource,
    Enroller,
    Event,
    LiveVerifier,
    Person,
    Pipeline,
    SpeakerIdentified,
    VoicelaneError,
    read_rttm,
)
from voicelane.base import Space
from voicelane.cli.main import main
from voicelane.events import Verification
from voicelane.live import final_turns
from voicelane.stages import Calibration, find_calibration

RATE = 16_000


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return find_calibration("conv_transformer", Enroller().space)


@pytest.fixture(scope="module")
def people(enrolment_sound) -> list[Person]:
    enroller = Enroller()
    return [
        Person(who, enroller.listen(ArraySource(sound)).recording.embedding[None])
        for who, sound in enrolment_sound.items()
    ]


@pytest.fixture(scope="module")
def told(people, calibration, rest) -> list[Event]:
    pipeline = Pipeline(people=people, live_verifier=LiveVerifier(people, calibration, 5.0))
    return pipeline.push(rest) + pipeline.flush()


def by_speaker(events: list[Event]) -> dict[str, list[Verification]]:
    found: dict[str, list[Verification]] = defaultdict(list)
    for event in events:
        if isinstance(event, Verification):
            found[event.speaker].append(event)
    return found


def test_each_speaker_is_compared_with_the_nearest_person_second_by_second(told):
    found, names = by_speaker(told), {e.speaker: e.name for e in told if isinstance(e, SpeakerIdentified)}
    assert len(set(names.values())) == 3
    judged = {s: found[s] for s in names if s in found}  # not who is known by the last re-clustering alone
    assert {names[s] for s in judged} == set(names.values())
    assert sum(verdicts[-1].heard_s > 3 for verdicts in judged.values()) >= 2
    for speaker, verdicts in judged.items():
        assert verdicts[-1].name == names[speaker] and verdicts[-1].accepted and verdicts[-1].llr > 0
        assert all(int(a.heard_s) != int(b.heard_s) for a, b in pairwise(verdicts))


def who_said_most(events: list[Event]) -> dict[str, str]:
    """By the reference, the person whose speech is most of what each label stands for."""
    shared: dict[str, Counter[str]] = defaultdict(Counter)
    for turn in final_turns(events):
        for said in read_rttm(DEMO.with_suffix(".rttm")):
            start, end = turn.start / RATE + SPLIT_S, turn.end / RATE + SPLIT_S
            overlap = min(end, said.end) - max(start, said.start)
            shared[turn.speaker][said.speaker] += max(0.0, overlap)
    return {label: people.most_common(1)[0][0] for label, people in shared.items()}


def test_strangers_are_not_accepted(people, calibration, rest):
    """Each of the three is a stranger where only another one is enrolled, by whatever labels they go."""
    for person in people:
        pipeline = Pipeline(live_verifier=LiveVerifier([person], calibration))
        events = pipeline.push(rest) + pipeline.flush()
        said = who_said_most(events)
        last = [(v[-1].llr, said[s] == person.name) for s, v in by_speaker(events).items() if s in said]
        own, strange = (max(llr for llr, is_own in last if is_own == wanted) for wanted in (True, False))
        assert own > max(calibration.threshold(5.0), strange)
        assert strange < calibration.threshold(5.0)


def test_it_changes_nothing_else_and_reset_equals_new(people, calibration, speech, told):
    verifier = LiveVerifier(people, calibration, 5.0)
    pipeline, plain = Pipeline(people=people, live_verifier=verifier), Pipeline(people=people)
    first = pipeline.push(speech) + pipeline.flush()
    pipeline.reset()
    again = [e for i in range(0, len(speech), 777) for e in pipeline.push(speech[i : i + 777])]
    assert first == again + pipeline.flush() and any(by_speaker(first))
    assert [e for e in first if not isinstance(e, Verification)] == plain.push(speech) + plain.flush()


def test_it_falls_silent_when_it_cannot_be_trusted(people, calibration):
    class Voice:
        name, spoken_samples, centroid = "S1", 3 * RATE, people[0].embeddings[0]

    verifier = LiveVerifier(people, calibration)
    assert verifier.hear(0, [Voice()]) and not verifier.hear(0, [Voice()])
    verifier.reset()
    verifier.distrust()
    assert not verifier.hear(0, [Voice()])


def test_another_space_or_nobody_is_refused(people, calibration):
    with pytest.raises(VoicelaneError, match="nobody to compare with"):
        LiveVerifier([], calibration)
    other = replace(calibration, space=Space("0", "off", "another"))
    with pytest.raises(VoicelaneError, match="the calibration is for"):
        Pipeline(live_verifier=LiveVerifier(people, other))


def test_run_shows_how_the_evidence_grows(tmp_path, enrolment_sound, rest, capsys):
    for who, sound in enrolment_sound.items():
        sf.write(tmp_path / f"{who}.wav", sound, RATE)
        assert main(["enrol", who, str(tmp_path / f"{who}.wav")]) == 0
    sf.write(tmp_path / "talk.wav", rest[: 25 * RATE], RATE)
    assert main(["run", str(tmp_path / "talk.wav"), "--verify", "5"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "log-likelihood ratio" in line]
    assert any(" is accepted as " in line for line in lines) and len(lines) > 6
    assert main(["run", str(tmp_path / "talk.wav"), "--verify", "5", "--encoder", "lstm"]) == 2
