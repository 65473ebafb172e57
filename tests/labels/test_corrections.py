"""Names over labels: the pure state, and the requests of a live session."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.live.test_session import Collector
from voicelane import (
    ArraySource,
    Event,
    JsonLinesSink,
    LabelDesk,
    LiveSession,
    Pipeline,
    RttmSink,
    SpeakerIdentified,
    SpeakerTurn,
    TurnRevised,
    VoicelaneError,
    read_rttm,
)
from voicelane.base.text import check_name
from voicelane.events import (
    DeviceLost,
    DeviceReturned,
    ListeningPaused,
    ListeningResumed,
    Redone,
    SinkFailed,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerSplit,
    TurnAssigned,
    TurnInserted,
    TurnRemoved,
    Undone,
    event_from_dict,
)
from voicelane.labels import Relabelling
from voicelane.labels.corrections import new_label

SPEAKERS = [f"S{i}" for i in range(1, 6)]


TURNS = [(SPEAKERS[i % 5], 100 * i) for i in range(20)]


def random_correction(rng: np.random.Generator) -> Event:
    a, b = map(str, rng.choice(SPEAKERS, 2))
    start = int(rng.integers(2_000))
    return (
        SpeakerRenamed(0, a, f"n{rng.integers(9)}"),
        SpeakersMerged(0, a, b),
        TurnAssigned(0, a, b, start, start + int(rng.integers(1, 900))),
        SpeakerSplit(0, a, new_label(a, ()), start),
        TurnInserted(0, a, start, start + int(rng.integers(1, 900))),
        TurnRemoved(0, a, start, start + int(rng.integers(1, 900))),
    )[rng.integers(6)]


def shown(labels: Relabelling) -> list[tuple[str, int, int]]:
    """Everybody's name and every turn of a fixed conversation, as somebody sees it."""
    names = [(labels.shown(s), 0, 0) for s in SPEAKERS]
    turns = labels.whole(turn(speaker, start) for speaker, start in TURNS)
    return names + [(labels.shown(t.speaker), t.start, t.end) for t in turns]


def turn(speaker: str, start: int) -> SpeakerTurn:
    return SpeakerTurn(start + 100, speaker, start, start + 100, start + 100, 0.9, True)


@pytest.mark.parametrize("seed", range(20))
def test_undoing_everything_in_any_history_leads_back_through_every_state(seed):
    rng = np.random.default_rng(seed)
    history = [Relabelling()]
    for _ in range(30):
        after = history[-1].after(random_correction(rng))
        if after is not history[-1]:
            history.append(after)
    now = history[-1]
    for before in reversed(history):
        assert shown(now) == shown(before)
        now = now.after(Undone(0))
    assert now.after(Undone(0)) is now
    for after in history[1:]:
        now = now.after(Redone(0))
        assert shown(now) == shown(after)
    assert now.after(Redone(0)) is now


def test_a_new_correction_ends_what_could_be_redone():
    labels = Relabelling().after(SpeakerRenamed(0, "S1", "Anna")).after(Undone(0))
    said = labels.after(SpeakerRenamed(0, "S1", "Bob"))
    assert labels.after(Redone(0)).shown("S1") == "Anna"
    assert said.after(Redone(0)) is said


@pytest.mark.parametrize("seed", range(20))
def test_moves_lose_no_sample_and_agree_with_a_label_for_every_single_sample(seed):
    """The plain twin keeps one label per sample, and whether somebody put it there by hand."""
    rng = np.random.default_rng(seed)
    plain = np.repeat(np.array([s for s, _ in TURNS], object), 100)
    by_hand, labels = np.zeros(len(plain), bool), Relabelling()
    for _ in range(12):
        a, b = map(str, rng.choice(SPEAKERS, 2, replace=False))
        start, end = map(int, np.sort(rng.choice(len(plain) + 1, 2, replace=False)))
        kind = rng.integers(3)
        event = (
            TurnRevised(0, a, b, start, end),
            TurnAssigned(0, a, b, start, end),
            SpeakerSplit(0, a, b, start),
        )[kind]
        labels = labels.after(event)
        inside = np.arange(len(plain)) >= start
        inside &= (np.arange(len(plain)) < end) | (kind == 2)
        moved = (plain == a) & inside & ~(by_hand & (kind == 0))
        plain[moved] = b
        by_hand |= moved & (kind != 0)
    parts = labels.turns(turn(speaker, start) for speaker, start in TURNS)
    found = np.full(len(plain), None, object)
    for part in parts:
        assert part.start <= part.confirmed_end <= part.end
        assert (found[part.start : part.end] == None).all()  # noqa: E711 (element by element)
        found[part.start : part.end] = part.speaker
    assert (found == plain).all()


@pytest.mark.parametrize("seed", range(20))
def test_what_is_inserted_and_removed_agrees_with_a_set_of_speakers_for_every_single_sample(seed):
    """The plain twin says of every sample and speaker whether they speak: somebody's hand decides last."""
    rng = np.random.default_rng(seed)
    speaks = np.zeros((5, 2_000), bool)
    for who, start in TURNS:
        speaks[SPEAKERS.index(who), start : start + 100] = True
    labels = Relabelling()
    for _ in range(15):
        a, b = (int(i) for i in rng.choice(5, 2, replace=False))
        start, end = map(int, np.sort(rng.choice(2_001, 2, replace=False)))
        kind = rng.integers(3)
        event = (
            TurnInserted(0, SPEAKERS[a], start, end),
            TurnRemoved(0, SPEAKERS[a], start, end),
            TurnAssigned(0, SPEAKERS[a], SPEAKERS[b], start, end),
        )[kind]
        labels = labels.after(event)
        if kind == 2:
            speaks[b, start:end] |= speaks[a, start:end]
        speaks[a, start:end] = kind == 0
    found = np.zeros_like(speaks)
    for part in labels.whole(turn(speaker, start) for speaker, start in TURNS):
        assert part.start <= part.confirmed_end <= part.end
        found[SPEAKERS.index(part.speaker), part.start : part.end] = True
    assert (found == speaks).all()


def test_turns_are_joined_divided_made_longer_and_confirmed_by_inserting():
    """What is inserted is one sure turn, in the place of what was there of its speaker, and of no other."""
    finals = [turn("S1", 0), turn("S2", 50), turn("S1", 150)]
    desk = LabelDesk(finals)
    desk.insert("S1", 0, 250)
    desk.insert("S1", 200, 250)
    assert desk.insert(None, 300, 350) == "P1"
    desk.remove("S2", 50, 80)
    labels = Relabelling().after_all(desk.take(9))
    assert [(t.speaker, t.start, t.end, t.confidence) for t in labels.whole(finals)] == [
        ("S1", 0, 200, 1.0),
        ("S2", 80, 150, 0.9),
        ("S1", 200, 250, 1.0),
        ("P1", 300, 350, 1.0),
    ]
    assert [(t.start, t.end) for t in labels.after(Undone(0)).whole(finals) if t.speaker == "S2"] == [
        (50, 150)
    ]
    with pytest.raises(VoicelaneError, match="no speaker S9"):
        desk.remove("S9", 0, 9)
    with pytest.raises(VoicelaneError, match="expected a stretch"):
        desk.insert("S1", 9, 9)


def test_the_engine_s_later_thoughts_leave_alone_what_was_inserted():
    labels = Relabelling().after(TurnInserted(0, "S1", 0, 50)).after(TurnRevised(0, "S1", "S3", 0, 100))
    assert [(t.speaker, t.start, t.end) for t in labels.whole([turn("S1", 0)])] == [
        ("S1", 0, 50),
        ("S3", 50, 100),
    ]


def test_undo_takes_back_what_was_said_by_hand_and_never_what_the_engine_found_out():
    labels = Relabelling().after(TurnAssigned(0, "S1", "S2", 0, 50)).after(TurnRevised(0, "S1", "S3", 0, 100))
    assert [t.speaker for t in labels.turns([turn("S1", 0)])] == ["S2", "S3"]
    assert [t.speaker for t in labels.after(Undone(0)).turns([turn("S1", 0)])] == ["S3"]


def test_a_split_takes_along_everybody_who_was_that_speaker_by_then():
    labels = Relabelling().after_all([SpeakersMerged(0, "S2", "S1"), SpeakerSplit(0, "S1", "S1b", 100)])
    turns = [turn("S1", 0), turn("S1", 100), turn("S2", 200), turn("S3", 300)]
    assert [labels.shown(t.speaker) for t in labels.turns(turns)] == ["S1", "S1b", "S1b", "S3"]


def test_a_part_of_a_speaker_gets_a_label_of_its_own():
    taken = ["S1", "S12"]
    for _ in range(60):
        label = new_label("S1", taken)
        assert label not in taken and not label[1:].isdigit()
        taken.append(label)
    assert taken[2:4] == ["S1b", "S1c"] and new_label("S1b", ["S1b"]) == "S1c"
    with pytest.raises(VoicelaneError):
        check_name("S1b")


@pytest.mark.parametrize("seed", range(20))
def test_merged_speakers_are_shown_alike_ever_after_and_nobody_else_changes(seed):
    rng = np.random.default_rng(seed)
    labels = Relabelling().after_all(random_correction(rng) for _ in range(6))
    after = labels.after(SpeakersMerged(0, "S1", "S2"))
    assert after.shown("S1") == after.shown("S2") == labels.shown("S2")
    moved = labels.states[-1].root("S1")
    for speaker in SPEAKERS:
        if labels.states[-1].root(speaker) != moved:
            assert after.shown(speaker) == labels.shown(speaker)
    renamed = after.after(SpeakerRenamed(0, "S1", "Anna"))
    assert renamed.shown("S1") == renamed.shown("S2") == "Anna"


def test_what_somebody_says_stands_over_what_was_recognised_and_undo_brings_that_back():
    labels = Relabelling().after(SpeakerIdentified(0, "S1", "Anna", 0.6))
    assert labels.shown("S1") == "Anna"
    said = labels.after(SpeakerRenamed(0, "S1", "Anne")).after(SpeakerIdentified(0, "S1", "Bob", 0.6))
    assert said.shown("S1") == "Anne" and said.after(Undone(0)).shown("S1") == "Bob"


def test_the_desk_refuses_what_makes_no_sense_and_hands_on_the_rest_once():
    desk = LabelDesk()
    desk.see([turn("S1", 0), turn("S2", 200)])
    for senseless in (
        lambda: desk.rename("S9", "Anna"),
        lambda: desk.merge("S1", "S1"),
        lambda: desk.merge("S1", "S3"),
        desk.undo,
        desk.redo,
        lambda: desk.assign("S9", "S1", 0, 100),
        lambda: desk.assign("S1", "S9", 0, 100),
        lambda: desk.assign("S1", "S1", 0, 100),
        lambda: desk.assign("S1", "S2", 100, 100),
        lambda: desk.split("S9", 100),
        *(
            lambda bad=bad: desk.rename("S1", bad)
            for bad in ("", "  ", "a\nb", "a\x1b[2J", "\u202eanna", "s7")
        ),
    ):
        with pytest.raises(VoicelaneError):
            senseless()
    desk.rename("S1", " Zoë ")
    desk.merge("S2", "S1")
    desk.undo()
    assert desk.take(7) == [SpeakerRenamed(7, "S1", "Zoë"), SpeakersMerged(7, "S2", "S1"), Undone(7)]
    assert desk.split("S1", 50) == "S1b" and desk.assign("S2", None, 200, 250) == "S2b"
    desk.undo()
    desk.redo()
    assert desk.assign("S2", "S1b", 250, 300) == "S1b"
    assert [type(e).__name__ for e in desk.take(8)] == [
        "SpeakerSplit",
        "TurnAssigned",
        "Undone",
        "Redone",
        "TurnAssigned",
    ]
    assert desk.take(9) == [] and desk.take(9, last=True) == []
    with pytest.raises(VoicelaneError, match="has ended"):
        desk.rename("S1", "Anna")


def test_requests_from_many_threads_arrive_in_one_order_that_makes_sense():
    desk, taken = LabelDesk(), []
    desk.see([turn(s, 0) for s in SPEAKERS])

    def ask(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(200):
            try:
                desk.undo() if rng.random() < 0.4 else desk.merge(*map(str, rng.choice(SPEAKERS, 2)))
            except VoicelaneError:
                continue

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    while any(t.is_alive() for t in threads):
        taken += desk.take(0)
    taken += desk.take(0, last=True)
    labels = Relabelling()
    for event in taken:
        before, labels = labels, labels.after(event)
        assert labels is not before
    assert len(taken) > 100


class Paced:
    """A source that waits, half way, until it is told to go on."""

    def __init__(self, samples: np.ndarray) -> None:
        self._source = ArraySource(samples)
        self.name, self.rate, self.channels, self.duration_s = "paced", 16_000, 1, None
        self.realtime, self.go_on = False, threading.Event()

    def blocks(self):
        for i, block in enumerate(self._source.blocks()):
            if i == 600:
                assert self.go_on.wait(60)
            yield block

    def close(self) -> None:
        self.go_on.set()


def test_a_live_rename_reaches_every_sink_and_all_later_turns(speech, tmp_path):
    source, pipeline, collector = Paced(speech), Pipeline(), Collector()
    seen = threading.Event()

    class Watcher(Collector):
        def put(self, event):
            if isinstance(event, SpeakerTurn) and event.final:
                seen.set()

    sinks = [collector, Watcher(), RttmSink(tmp_path / "a.rttm", "a"), JsonLinesSink(tmp_path / "a.jsonl")]
    with LiveSession(source, pipeline, sinks) as session:
        assert seen.wait(60)
        session.corrections.rename("S1", "Zoë Müller")
        source.go_on.set()
        session.wait()
    at = next(i for i, e in enumerate(collector.events) if isinstance(e, SpeakerRenamed))
    later = [e for e in collector.events[at:] if isinstance(e, SpeakerTurn) and e.final]
    assert "S1" in {t.speaker for t in later}, "labels stay as they are"
    names = [t.speaker for t in read_rttm(tmp_path / "a.rttm")]
    assert "S1" not in names and "Zoë_Müller" in names, "the file is put right at the end"
    assert '"name": "Zoë Müller"' in (tmp_path / "a.jsonl").read_text()
    with pytest.raises(VoicelaneError, match="has ended"):
        session.corrections.undo()


def test_every_event_there_and_back_as_json(speech):
    pipeline = Pipeline(timing=True)
    events = [*pipeline.push(speech), *pipeline.skip(160), *pipeline.flush(), Undone(3)]
    events += [SpeakerIdentified(1, "S1", "Anna", 0.5), SpeakersMerged(1, "S1", "S2")]
    events += [TurnAssigned(1, "S1", "S2", 0, 9), SpeakerSplit(1, "S1", "S1b", 5), Redone(2)]
    events += [DeviceLost(1, "gone"), DeviceReturned(2, "mic"), ListeningPaused(3), ListeningResumed(4)]
    events += [SinkFailed(5, "the disk is full")]
    assert [event_from_dict(e.as_dict()) for e in events] == events
    for broken in ({}, {"event": "Nonsense"}, {"event": "Undone"}, {"event": "Undone", "sample": "3"}):
        with pytest.raises(VoicelaneError):
            event_from_dict(broken)
