"""Names over labels: the pure state, and the requests of a live session."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from engine import (
    ArraySource,
    Event,
    JsonLinesSink,
    LiveSession,
    Pipeline,
    Relabelling,
    RttmSink,
    SpeakerIdentified,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerTurn,
    Undone,
    VoicelaneError,
    event_from_dict,
    read_rttm,
)
from engine.label_desk import LabelDesk
from tests.test_live import Collector

SPEAKERS = [f"S{i}" for i in range(1, 6)]


def random_correction(rng: np.random.Generator) -> Event:
    a, b = rng.choice(SPEAKERS, 2)
    return SpeakerRenamed(0, str(a), f"n{rng.integers(9)}") if rng.random() < 0.5 else SpeakersMerged(0, a, b)


def shown(labels: Relabelling) -> list[str]:
    return [labels.shown(s) for s in SPEAKERS]


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
    assert desk.take(8) == [] and desk.take(9, last=True) == []
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
        session.rename("S1", "Zoë Müller")
        source.go_on.set()
        session.wait()
    at = next(i for i, e in enumerate(collector.events) if isinstance(e, SpeakerRenamed))
    later = [e for e in collector.events[at:] if isinstance(e, SpeakerTurn) and e.final]
    assert "S1" in {t.speaker for t in later}, "labels stay as they are"
    names = [t.speaker for t in read_rttm(tmp_path / "a.rttm")]
    assert names[0] == "S1" and set(names[-len(later) :]) == {
        {"S1": "Zoë_Müller"}.get(t.speaker, t.speaker) for t in later
    }
    assert '"name": "Zoë Müller"' in (tmp_path / "a.jsonl").read_text()
    with pytest.raises(VoicelaneError, match="has ended"):
        session.undo()


def test_every_event_there_and_back_as_json(speech):
    pipeline = Pipeline(timing=True)
    events = [*pipeline.push(speech), *pipeline.skip(160), *pipeline.flush(), Undone(3)]
    events += [SpeakerIdentified(1, "S1", "Anna", 0.5), SpeakersMerged(1, "S1", "S2")]
    assert [event_from_dict(e.as_dict()) for e in events] == events
    for broken in ({}, {"event": "Nonsense"}, {"event": "Undone"}, {"event": "Undone", "sample": "3"}):
        with pytest.raises(VoicelaneError):
            event_from_dict(broken)
