"""The plain state behind the window: what was said, in any portions, live or from disk, corrected or not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.labels.test_corrections import random_correction
from tests.profiles.test_store import SPACE
from tests.sessions.test_session import coverage
from voicelane import Event, LabelDesk, Recorder, SpeakerTurn, TurnRevised, open_session
from voicelane.events import (
    DeviceLost,
    DeviceReturned,
    EventsDropped,
    ListeningPaused,
    ListeningResumed,
    Overrun,
    Redone,
    SinkFailed,
    SpeakerIdentified,
    SpeakersMerged,
    StageTiming,
    StreamStarted,
    Translated,
    Undone,
    VoiceMeasured,
)
from voicelane.live import Sound, final_turns
from voicelane.sessions import colour_numbers, session_folder

pytest.importorskip("PySide6")

from voicelane.gui.model.health import Health
from voicelane.gui.model.lanes import Lane, Lanes, neighbour, spoken_samples, talk_seconds
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.model.state import DEVICE, LOST, PAUSED, REDUCERS, Gap, State, ended, reduce, reduce_all
from voicelane.gui.model.voices import VoiceTable
from voicelane.gui.work.bridge import Bridge

pytestmark = pytest.mark.qt


def turn(speaker: str, start: int, end: int, confirmed: int, final: bool = False) -> SpeakerTurn:
    return SpeakerTurn(end, speaker, start, end, confirmed, 0.9, final)


def seen(state: State) -> list[tuple]:
    """What somebody sees of the lanes: names, confirmed turns, tentative turns."""
    lanes = Lanes()
    lanes.update(state)
    return [
        (
            state.labels.shown(lane.speaker),
            lane.colour,
            [(t.start, t.end) for t in lane.turns],
            [(t.start, t.end) for t in lane.tentative],
        )
        for lane in lanes.all
    ]


def test_tentative_turns_are_those_of_the_latest_sample_until_they_are_final():
    state = reduce_all(State(), [turn("S1", 0, 900, 300), turn("S1", 0, 1_000, 400)])
    assert [(t.end, t.confirmed_end) for t in state.tentative] == [(1_000, 400)]
    both = [turn("S1", 0, 1_200, 400), turn("S2", 600, 1_200, 600)]
    state = reduce_all(state, both)
    assert list(state.tentative) == both
    state = reduce(state, turn("S1", 0, 1_200, 1_200, True))
    assert list(state.tentative) == both[1:] and len(state.finals) == 1
    nobody = replace(turn("S9", 1_300, 1_300, 1_300), sample=1_300)
    state = reduce(state, nobody)
    assert state.tentative == () and state.speakers == ("S1", "S2"), "an empty turn is nobody's"


def test_after_the_end_everything_is_confirmed_as_the_engine_said(said):
    state = ended(reduce_all(State(), said))
    assert state.tentative == () and state.speaking_since is None
    assert sorted(state.finals, key=lambda t: (t.start, t.end)) == final_turns(said, revised=False)
    assert coverage(state.labels.turns(state.finals)) == coverage(final_turns(said))
    assert len(state.voices) == sum(isinstance(e, VoiceMeasured) for e in said) > 50
    assert state.heard == max(e.sample for e in said)


@pytest.mark.parametrize("seed", range(5))
def test_however_late_the_window_looks_it_sees_the_same(said, seed, qapp):
    """The bridge leaves out tentative turns that later ones replace; with any pauses it is the same."""
    rng, found = np.random.default_rng(seed), State()
    bridge = Bridge(SoundHistory(), Health())
    n_taken = 0
    events = [e for pair in zip(said, noise(rng, len(said)), strict=True) for e in pair if e is not None]

    def take(arrived: list[Event]) -> None:
        nonlocal found, n_taken
        found, n_taken = reduce_all(found, arrived), n_taken + len(arrived)

    bridge.arrived.connect(take)
    for event in events:
        bridge.put(event)
        if rng.random() < 0.02:
            bridge.drain()
    bridge.drain()
    wanted = reduce_all(State(), events)
    assert found == replace(wanted, speakers=found.speakers) and n_taken < len(events)
    assert {name for name, *_ in seen(found)} == {name for name, *_ in seen(wanted)}


def noise(rng: np.random.Generator, n: int) -> list[Event | None]:
    """Corrections now and then."""
    return [random_correction(rng) if rng.random() < 0.01 else None for _ in range(n)]


@pytest.mark.parametrize("seed", range(10))
def test_undo_takes_back_what_is_seen_and_redo_brings_it_again(said, seed):
    rng = np.random.default_rng(seed)
    state = reduce_all(State(), said)
    for _ in range(8):
        after = reduce(state, random_correction(rng))
        if after.labels is not state.labels:
            undone = reduce(after, Undone(0))
            assert seen(undone) == seen(state) and (undone.n_undo, undone.n_redo) == (state.n_undo, 1)
            redone = reduce(undone, Redone(0))
            assert seen(redone) == seen(after) and redone.n_redo == 0
        state = after


@pytest.mark.parametrize("seed", range(4))
def test_lanes_that_follow_are_those_that_are_made_anew(said, seed):
    rng, state, lanes = np.random.default_rng(seed), State(), Lanes()
    for event in [*said, TurnRevised(0, "S1", "S2", 0, 100_000)]:
        state = reduce(state, event)
        if rng.random() < 0.01:
            state = reduce(state, random_correction(rng))
        if rng.random() < 0.2:
            lanes.update(state)
    state = ended(state)
    lanes.update(state)
    fresh = Lanes()
    fresh.update(state)
    for a, b in zip(lanes.all, fresh.all, strict=True):
        assert (a.speaker, a.colour, a.turns, a.tentative) == (b.speaker, b.colour, b.turns, b.tentative)
        assert talk_seconds(a) == talk_seconds(b) and np.array_equal(a.spans(), b.spans())
    whole = sum((t.end - t.start) / 16_000 for t in state.labels.whole(state.finals))
    assert sum(map(talk_seconds, lanes.all)) == pytest.approx(whole), "no turn is lost, or there twice"


def test_lanes_find_turns_and_neighbours(said):
    state, lanes = ended(reduce_all(State(), said)), Lanes()
    lanes.update(state)
    for lane in lanes.all:
        for t in lane.turns:
            assert lane.at(t.start) == lane.at(t.end - 1) == t
            inside = [(s, e) for s, e in lane.between(t.start, t.start + 1).T.tolist()]
            assert inside == [(t.start, t.end)]
    starts = sorted({t.start for t in state.labels.turns(state.finals)})
    walked, at = [], -1
    while (found := neighbour(lanes.all, at, 1)) is not None:
        walked.append(at := found.start)
    assert walked == starts
    assert neighbour(lanes.all, starts[-1], -1).start == starts[-2]


def test_spoken_samples_agree_with_a_flag_for_every_sample(said, rng):
    state, lanes = reduce_all(State(), said), Lanes()
    lanes.update(state)
    spans = np.sort(rng.integers(0, 640_000, (200, 2)), axis=1)
    for lane in lanes.all:
        plain = np.zeros(640_001, np.int64)
        for t in (*lane.turns, *lane.tentative):
            plain[t.start + 1 : t.end + 1] = 1
        total = np.cumsum(plain)
        np.testing.assert_array_equal(spoken_samples(lane, spans), total[spans[:, 1]] - total[spans[:, 0]])
    assert not spoken_samples(Lane("S9", 0), spans).any()


def test_the_state_of_a_recorded_session_is_that_of_the_live_one(said, home):
    recorder, desk = Recorder(session_folder("talk"), "array", SPACE), LabelDesk(said)
    desk.rename("S1", "Zoë")
    desk.assign("S2", None, *next((t.start, t.end) for t in final_turns(said) if t.speaker == "S2"))
    desk.undo()
    events = [*said, *desk.take(640_000)]
    recorder.hear(Sound(0, np.zeros(640_000, np.float32)))
    for event in events:
        recorder.put(event)
    recorder.close()
    live, stored = reduce_all(State(), events), reduce_all(State(), open_session("talk").events)
    assert replace(stored, voices=()) == replace(live, voices=())
    for a, b in zip(live.voices, stored.voices, strict=True):
        assert (a.start, a.end) == (b.start, b.end)
        np.testing.assert_allclose(a.vector, b.vector, atol=6e-5)
        assert a.similarity == pytest.approx(b.similarity, abs=6e-5)


def test_gaps_open_and_close_and_losses_are_counted():
    state = reduce_all(
        State(),
        [
            ListeningPaused(100),
            ListeningResumed(200),
            Overrun(300, 50),
            DeviceLost(400, "mic: gone"),
            ListeningPaused(450),
            EventsDropped(460, 3),
        ],
    )
    assert state.device_lost == "mic: gone" and state.lost_samples == 50 and state.dropped_events == 3
    state = reduce_all(state, [DeviceReturned(500, "mic"), ListeningResumed(600)])
    gaps = [Gap(100, 200, PAUSED), Gap(300, 350, LOST), Gap(400, 500, DEVICE), Gap(450, 600, PAUSED)]
    assert list(state.gaps) == gaps and not state.device_lost


def test_the_table_of_voices_follows_the_state(said):
    table, state = VoiceTable(), State()
    for event in said:
        state = reduce(state, event)
        if isinstance(event, SpeakerTurn):
            table.update(state)
    table.update(state)
    assert len(table) == len(state.voices) and not table.has_raw
    np.testing.assert_array_equal(table.vectors(), [v.vector for v in state.voices])
    np.testing.assert_array_equal(table.spans, [(v.start, v.end) for v in state.voices])
    assert (np.diff(table.samples) >= 0).all() and table.samples[-1] == state.voices[-1].sample
    for members in (["S1"], ["S2", "S3"], ["S9"]):
        plain = [max((v.similarity.get(s, np.nan) for s in members), default=np.nan) for v in state.voices]
        np.testing.assert_allclose(table.curve(members), np.array(plain, np.float32))
    table.update(State())
    assert len(table) == 0


ELSEWHERE = {
    StreamStarted: "the health's clock",
    StageTiming: "the health's histograms",
    SinkFailed: "the banner",
    Translated: "the exports of a session",
}
"""Events that are shown without being part of the state."""


def test_every_event_has_its_place_in_the_app():
    kinds = set(Event.__subclasses__())
    assert kinds == REDUCERS.keys() | ELSEWHERE.keys() and not REDUCERS.keys() & ELSEWHERE.keys()


def test_a_person_keeps_one_colour_live_and_in_every_order_of_speakers():
    """Also once somebody is recognised in the midst, and where others are one."""
    turns = [turn(f"S{k}", 1_000 * k, 1_000 * k + 900, 0, True) for k in range(1, 6)]
    own = colour_numbers(["Anna"])[0]
    for speaker in ("S1", "S3", "S5"):
        lanes, state = Lanes(), reduce_all(State(), turns)
        lanes.update(state)
        assert [lane.colour for lane in lanes.all] == [0, 1, 2, 3, 4]
        for event in (SpeakerIdentified(5_000, speaker, "Anna", 0.9), SpeakersMerged(5_000, "S4", "S2")):
            state = reduce(state, event)
            lanes.update(state)
            found = {state.labels.shown(lane.speaker): lane.colour for lane in lanes.all}
            assert found["Anna"] == own and len(set(found.values())) == len(found)
        assert [lane.speaker for lane in lanes.all] == ["S1", "S2", "S3", "S5"], "lanes stay in their order"
