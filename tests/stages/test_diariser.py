"""The diariser on made-up voices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.stages.conversation import SCALE, VOICES, Said, conversation
from voicelane import Event, SpeakerTurn
from voicelane.config import DiariserConfig, ReclusteringConfig
from voicelane.events import VoiceMeasured
from voicelane.live import final_turns
from voicelane.stages.diariser import Diariser
from voicelane.stages.voices import Speaker, choose

RATE = 16_000
LIVE = ReclusteringConfig(every_s=0.0)


def heard(said: Sequence[Said], config: DiariserConfig | None = None, **how: float) -> list[Event]:
    diariser = Diariser(config or DiariserConfig(), LIVE, SCALE)
    return diariser.process(conversation(said, **how)) + diariser.flush()


def spoken(said: Sequence[Said], config: DiariserConfig | None = None, **how: float) -> list[SpeakerTurn]:
    return final_turns(heard(said, config, **how))


def names(turns: Sequence[SpeakerTurn]) -> list[str]:
    return [t.speaker for t in turns]


def turns_of(order: Sequence[int], length_s: float = 4.0, pause_s: float = 2.0) -> list[Said]:
    starts = 1.0 + np.arange(len(order)) * (length_s + pause_s)
    return [(voice, start, start + length_s) for voice, start in zip(order, starts.tolist(), strict=True)]


def test_voices_that_take_turns_get_a_name_each_and_keep_it():
    turns = spoken(turns_of([0, 1, 2, 0, 2, 1, 0]))
    assert names(turns) == ["S1", "S2", "S3", "S1", "S3", "S2", "S1"]
    assert all(t.end - t.start == 4 * RATE for t in turns[3:])
    assert all(3.5 * RATE <= t.end - t.start <= 4 * RATE for t in turns)  # a new voice's first moments


def test_somebody_who_joins_late_is_found():
    assert names(spoken(turns_of([0, 1] * 15 + [5])))[-1] == "S3"


def test_more_than_four_people_are_found():
    order = [0, 1, 2, 3, 4, 5, 6, 7, 3, 0, 7]
    assert names(spoken(turns_of(order))) == [f"S{v + 1}" for v in order]


def test_a_change_without_a_pause_is_found_where_it_is():
    known = turns_of([0, 1])
    turns = spoken([*known, (0, 13.0, 17.0), (1, 17.0, 21.0)])[2:]
    assert names(turns) == ["S1", "S2"]
    assert turns[0].end == turns[1].start == 17 * RATE


def test_quick_turns_are_kept_apart():
    said = [(k % 2, 13 + 0.7 * k, 13.7 + 0.7 * k) for k in range(8)]
    turns = spoken([*turns_of([0, 1]), *said])[2:]
    assert names(turns) == ["S1", "S2"] * 4
    assert [t.start for t in turns] == [pytest.approx(a * RATE, abs=1_000) for _, a, _ in said]


def test_two_people_at_once_are_both_reported():
    turns = spoken([*turns_of([0, 1]), (0, 13.0, 18.0), (1, 16.0, 21.0)])[2:]
    assert [(t.speaker, t.start, t.end) for t in turns] == [
        ("S1", 13 * RATE, 18 * RATE),
        ("S2", 16 * RATE, 21 * RATE),
    ]


def test_a_short_sound_goes_to_the_nearest_voice_and_founds_nobody():
    turns = spoken([*turns_of([0, 1]), (6, 13.0, 13.8), (0, 19.0, 22.0)])
    assert set(names(turns)) == {"S1", "S2"}


def test_a_short_first_sound_leaves_no_ghost():
    turns = spoken([(6, 1.0, 1.8), *((v, a + 8, b + 8) for v, a, b in turns_of([0, 1]))])
    assert names(turns) == ["S1", "S1", "S2"]


def test_never_more_speakers_than_allowed():
    turns = spoken(turns_of([0, 1, 2, 3, 4, 5]), DiariserConfig(max_speakers=2))
    assert set(names(turns)) == {"S1", "S2"}


def test_a_name_is_tentative_within_half_a_second_of_enough_speech_and_final_within_two_and_a_half():
    first, confirmed = None, None
    for event in heard([*turns_of([0, 1]), (1, 13.0, 20.0)]):
        if isinstance(event, SpeakerTurn) and event.speaker == "S2" and event.start == 13 * RATE:
            first = first or event.sample
            confirmed = confirmed or (event.sample if event.confirmed_end >= 14 * RATE else None)
    assert first <= (13.0 + 0.4 + 0.5) * RATE
    assert confirmed <= (14.0 + 1.6 + 0.5) * RATE


def view_of(events: Sequence[Event]) -> list[SpeakerTurn]:
    """What a listener has on show who follows the rule of `SpeakerTurn`."""
    final, likely, at = [], {}, -1
    for event in events:
        if isinstance(event, SpeakerTurn) and event.final:
            final.append(event)
            likely.pop((event.speaker, event.start), None)
        elif isinstance(event, SpeakerTurn):
            if event.sample != at or event.end == event.start:
                likely, at = {}, event.sample
            if event.end > event.start:
                likely[event.speaker, event.start] = event
    return final + list(likely.values())


def unsure(turns: Sequence[SpeakerTurn]) -> set[tuple[str, int, int]]:
    """What is likely, but not confirmed."""
    return {(t.speaker, t.start, t.end) for t in turns if t.end > t.confirmed_end and not t.final}


@pytest.mark.parametrize("seed", range(5))
def test_replaying_the_events_gives_the_diarisers_own_view(seed):
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.uniform(0.2, 2.5, 20)) + 13
    said = [(int(rng.integers(3)), a, a + rng.uniform(0.3, 3.0)) for a in starts.tolist()]
    diariser, events = Diariser(DiariserConfig(), LIVE, SCALE), []
    for item in conversation([*turns_of([0, 1]), *said], noise=0.08, seed=seed):
        events += diariser.process([item])
        wanted = {(t.speaker, t.start, t.end) for t in diariser._turns._published if t.end > t.confirmed_end}
        shown = {
            (t.speaker, t.start, t.end) for t in view_of(events) if not t.final and t.end > t.confirmed_end
        }
        assert shown == wanted


@pytest.mark.parametrize("seed", range(5))
def test_what_is_confirmed_is_what_becomes_final(seed):
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.uniform(0.2, 2.5, 20)) + 13
    said = [(int(rng.integers(3)), a, a + rng.uniform(0.3, 3.0)) for a in starts.tolist()]
    events = heard([*turns_of([0, 1]), *said], noise=0.08, seed=seed)
    turns = [e for e in events if isinstance(e, SpeakerTurn)]
    final = [t for t in turns if t.final]
    for turn in turns:
        if turn.confirmed_end > turn.start:
            assert any(
                (f.speaker, f.start) == (turn.speaker, turn.start) and f.end >= turn.confirmed_end
                for f in final
            )


def test_voices_are_measured_only_where_that_is_asked_for():
    items = conversation(turns_of([0, 1]))
    silent, telling = (Diariser(DiariserConfig(), LIVE, SCALE, measuring=m) for m in (False, True))
    assert not any(isinstance(e, VoiceMeasured) for e in silent.process(items))
    last = [e for e in telling.process(items) if isinstance(e, VoiceMeasured)][-1]
    assert last.similarity["S2"] > 0.8 > 0.2 > last.similarity["S1"]


def test_the_one_before_keeps_the_word_unless_clearly_beaten():
    scores = np.array([0.5, 0.53, 0.1])
    assert choose(scores, 0, 0.05) == 0 and choose(scores, 0, 0.01) == 1 and choose(scores, -1, 0.5) == 1
    assert choose(scores, 1, 0.0, taken=1) == 0 and choose(np.zeros(0), -1, 0.1) == -1
    assert choose(np.array([0.9]), -1, 0.0, taken=0) == -1


def test_a_speakers_cache_is_bounded_and_forgets_the_oldest():
    speaker = Speaker("S1", 3, 192)
    for k in range(6):
        speaker.learn(VOICES[k], 8_000, 16_000)
    assert np.allclose(speaker.centroid @ VOICES[:6].T, [0, 0, 0, *[3**-0.5] * 3], atol=1e-5)
    assert speaker.spoken_samples == 6 * RATE
