"""Nobody is forgotten: the diariser on long sessions of voices as the shipped encoder's scale draws them."""

from __future__ import annotations

import copy
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import DEMO
from tests.stages.conversation import Said
from tests.stages.gathering import Cast, gathering
from voicelane import Event, Pipeline, SpeakerTurn, TurnRevised
from voicelane.base.timebase import samples, seconds
from voicelane.config import DiariserConfig, EncoderConfig, ReclusteringConfig
from voicelane.live import final_turns
from voicelane.stages.diariser import Diariser
from voicelane.stages.encoder import SegmentEnd, SegmentStart, load_encoder
from voicelane.stages.scale import Scale, load_scale, ratio_features
from voicelane.stages.segmenter import Heard, Window

SHORT = ReclusteringConfig(max_stretches=120)
"""Looks back over a minute of speech."""
RETURNS_S = (0.0, 300.0, 960.0, 3_600.0, 14_400.0)


def held_bytes(diariser: Diariser) -> int:
    """Memory that a copy of it takes."""
    tracemalloc.start()
    twin = copy.deepcopy(diariser)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert twin is not diariser
    return size


@pytest.fixture(scope="module")
def scale() -> Scale:
    return load_scale(EncoderConfig(), load_encoder(EncoderConfig()))


def talk(order: Sequence[int], start_s: float, length_s: float = 4.0) -> list[Said]:
    """Turns one after the other, half a second apart."""
    starts = (start_s + (length_s + 0.5) * k for k in range(len(order)))
    return [(person, start, start + length_s) for person, start in zip(order, starts, strict=True)]


def heard(items: Iterator[Heard], diariser: Diariser) -> list[Event]:
    """The revisions and the final turns."""
    return settled([event for item in items for event in diariser.process([item])] + diariser.flush())


def settled(events: Sequence[Event]) -> list[Event]:
    """Those that a session keeps."""
    return [e for e in events if isinstance(e, TurnRevised) or (isinstance(e, SpeakerTurn) and e.final)]


def labels(said: Sequence[Said], turns: Sequence[SpeakerTurn]) -> list[str]:
    """The speaker that most of each turn of `said` went to."""
    starts, ends = (np.array([seconds(getattr(t, edge)) for t in turns]) for edge in ("start", "end"))
    found = []
    for _, start, end in said:
        shared = np.minimum(end, ends) - np.maximum(start, starts)
        found.append(turns[int(shared.argmax())].speaker if shared.max() > 0 else "")
    return found


def by_person(said: Sequence[Said], turns: Sequence[SpeakerTurn]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for (person, *_), label in zip(said, labels(said, turns), strict=True):
        found.setdefault(person, []).append(label)
    return found


def named(events: Sequence[Event]) -> set[str]:
    """All names that a listener ever hears."""
    return {e.speaker for e in events if isinstance(e, SpeakerTurn)} | {
        e.into for e in events if isinstance(e, TurnRevised)
    }


def absence(others_s: float, silence_s: float = 0.0) -> list[Said]:
    """Two people speak, three others have the floor for so long, and the two are back."""
    others = talk([2, 3, 4] * round(others_s / 13.5), 28.0)
    return talk([0, 1] * 3, 1.0) + others + talk([0, 1] * 3, others[-1][2] + 0.5 + silence_s)


def kept(said: Sequence[Said], turns: Sequence[SpeakerTurn]) -> bool:
    """Whether everybody has one name from the first turn to the last, and nobody else has it."""
    by = by_person(said, turns)
    return len({tuple(set(v)) for v in by.values()}) == len(by) and all(len(set(v)) == 1 for v in by.values())


@pytest.mark.parametrize(("silence_s", "seed"), [(0.0, 0), (0.0, 1), (14_400.0, 2)])
def test_two_who_leave_the_floor_to_others_come_back_as_themselves(scale, seed, silence_s):
    said = absence(360.0, silence_s)
    diariser = Diariser(DiariserConfig(), SHORT, scale)
    events = heard(gathering(Cast(scale, 5, np.random.default_rng(seed)), said), diariser)
    assert kept(said, final_turns(events))
    back = labels(said, final_turns(events, revised=False))[-6:]
    assert back[2:] == [back[2], back[3]] * 2 and set(back[2:]) == set(labels(said, final_turns(events))[:2])


@pytest.mark.slow
def test_sixteen_minutes_of_others_are_no_matter_with_the_settings_of_everybody(scale):
    said = absence(960.0)
    diariser = Diariser(DiariserConfig(), ReclusteringConfig(), scale)
    events = heard(gathering(Cast(scale, 5, np.random.default_rng(7)), said), diariser)
    assert kept(said, final_turns(events)) and len(named(events)) == 5


@pytest.mark.parametrize(("most", "seed"), [(1, 0), (3, 1), (3, 2)])
def test_never_more_names_than_allowed_over_the_whole_session(scale, most, seed):
    rng = np.random.default_rng(seed)
    said = talk(rng.integers(6, size=40).tolist(), 1.0, 3.0)
    events: list[Event] = []
    diariser = Diariser(DiariserConfig(max_speakers=most), ReclusteringConfig(max_stretches=80), scale)
    for item in gathering(Cast(scale, 6, rng), said):
        events += diariser.process([item])
    events += diariser.flush()
    assert named(events) == {f"S{k + 1}" for k in range(most)}
    assert {t.speaker for t in final_turns(events)} <= named(events)


def meetings(n_people: int, hours: float, rng: np.random.Generator) -> list[Said]:
    """Everybody joins at some time, says two sentences, and two more after 5 and 16 minutes, 1 and 4 hours;
    three others say something now and then."""
    joins = np.linspace(60.0, 3_600.0 * hours - RETURNS_S[-1] - 300.0, n_people)
    visits = sorted((a + after, person) for person, a in enumerate(joins.tolist()) for after in RETURNS_S)
    said: list[Said] = []
    for at, person in visits:
        at = max(at, said[-1][2] + 0.5 if said else 0.0)
        said += talk([person] * 2, at, 4.0)
        said += talk([n_people + int(rng.integers(3))], said[-1][2] + 1.0, float(rng.uniform(3, 6)))
    return said


@pytest.mark.slow
def test_eight_hours_and_fifty_people_each_of_whom_keeps_a_name(scale):
    """And neither memory nor the time per window grows once all are known."""
    rng = np.random.default_rng(2)
    said = meetings(50, 8.0, rng)
    diariser, cast = Diariser(DiariserConfig(), ReclusteringConfig(), scale), Cast(scale, 53, rng)
    events, sizes, costs, windows = list[Event](), dict[int, int](), Counter[int](), Counter[int]()
    for item in gathering(cast, said):
        hour = getattr(item, "end", 0) // samples(3_600.0)
        began = time.process_time()
        events += settled(diariser.process([item]))
        costs[hour], windows[hour] = costs[hour] + time.process_time() - began, windows[hour] + 1
        if hour not in sizes:
            sizes[hour] = held_bytes(diariser)
    events += settled(diariser.flush())
    by = by_person(said, final_turns(events))
    own = {person: Counter(v).most_common(1)[0][0] for person, v in by.items()}
    right = [label == own[person] for person in range(50) for label in by[person]]
    assert np.mean(right) >= 0.98
    assert len(set(own.values())) >= 51 and len(named(events)) <= 58
    assert sizes[7] <= 1.1 * sizes[5]
    assert costs[7] / windows[7] <= 1.5 * costs[5] / windows[5]


def later(item: Heard, by: int) -> Heard:
    """The same `by` samples later."""
    if isinstance(item, SegmentStart):
        return replace(item, start=item.start + by)
    if isinstance(item, SegmentEnd):
        return replace(item, end=item.end + by)
    pieces = tuple(replace(p, start=p.start + by, end=p.end + by, heard=p.heard) for p in item.pieces)
    start, end, settled = (x + by for x in (item.start, item.end, item.settled))
    return replace(item, start=start, end=end, settled=settled, pieces=pieces)


@pytest.mark.slow
def test_the_people_of_real_sound_keep_their_names_after_hours_of_others(scale):
    """The first half of the demo, four hours of other people, and its second half."""
    speech, _ = sf.read(DEMO, dtype="float32")
    items = Pipeline().split(speech)
    half = next(i.settled for i in items if isinstance(i, Window) and i.settled > len(speech) // 2)
    others = talk([0, 1, 2] * 40, seconds(len(speech)) + 10.0)
    away = samples(4 * 3_600.0)
    said = [
        *(i for i in items if getattr(i, "end", 0) <= half),
        *gathering(Cast(scale, 3, np.random.default_rng(3)), others),
        *(later(i, away) for i in items if getattr(i, "start", 0) > half),
    ]
    turns = final_turns(heard(iter(said), Diariser(DiariserConfig(), SHORT, scale)))
    once = {t.speaker for t in turns if t.end <= half}
    again = {t.speaker for t in turns if t.start >= away}
    assert len(once) == 3 and again == once


def test_ratios_are_what_was_fitted(scale, rng):
    a, b = (scale.plda.mean + 0.1 * rng.standard_normal((n, scale.dim)) for n in (4, 3))
    a_s, b_s = rng.uniform(0.1, 40.0, 4), rng.uniform(0.1, 40.0, 3)
    lengths = (np.clip(s, *scale.lengths_s) for s in (a_s[:, None], b_s[None]))
    np.testing.assert_allclose(
        scale.ratios(a, a_s, b, b_s), ratio_features(a @ b.T, *lengths) @ scale.weights, atol=1e-9
    )
