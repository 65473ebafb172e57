"""Whatever the program writes into a session, it opens again; the numbers of the voices as well."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.profiles.test_store import SPACE
from tests.sessions.test_session import hand_made
from voicelane import Recorder, SpeakerTurn, open_session
from voicelane.base import StoreError
from voicelane.base.text import is_text
from voicelane.events import (
    LABELS,
    Caption,
    Event,
    EventsDropped,
    SpeakerRenamed,
    StageTiming,
    Verification,
    VoiceMeasured,
    Word,
    event_kinds,
)
from voicelane.live import Sound
from voicelane.sessions import AUDIO, correct_session, session_folder, summarise
from voicelane.sessions.event_log import VOICES, Vector

PLACES = st.integers(0, 1 << 40)
NUMBERS = st.floats(-1e6, 1e6)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
NAMES = st.one_of(
    st.from_regex(r"S[1-9][0-9]?[b-z]?", fullmatch=True),
    st.text(max_size=30).filter(lambda text: bool(text.strip()) and is_text(text)),
)
UNIT = st.lists(st.floats(-1, 1, width=32), min_size=4, max_size=4).filter(lambda v: max(map(abs, v)) > 0.01)

WORDS = st.builds(Word, PLACES, PLACES, TEXT, NUMBERS).filter(lambda word: word.start <= word.end)


def values(kind: type[Event], name: str, type_: object) -> st.SearchStrategy:
    """Everything that a field of a class of events may be."""
    if kind is VoiceMeasured and name in ("vector", "raw"):
        vectors = UNIT.map(tuple)
        return vectors if name == "vector" else st.none() | vectors
    if name in LABELS:
        return NAMES | st.just("") if kind in (Verification, Caption) and name == "speaker" else NAMES
    if name == "words":
        return st.lists(WORDS, max_size=3).map(tuple)
    if type_ in (int, float, str, bool):
        return {int: PLACES, float: NUMBERS, str: TEXT, bool: st.booleans()}[type_]
    if get_origin(type_) is dict:
        return st.dictionaries(NAMES, NUMBERS, max_size=3)
    assert type(None) in get_args(type_), (kind, name)
    return st.none() | NUMBERS


def of_kind(kind: type[Event]) -> st.SearchStrategy[Event]:
    types = get_type_hints(kind)
    built = st.builds(kind, **{f.name: values(kind, f.name, types[f.name]) for f in fields(kind)})
    return built.filter(lambda e: getattr(e, "start", 0) <= getattr(e, "end", 1 << 60))


KINDS = [kind for kind in event_kinds().values() if kind is not StageTiming]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_event_that_can_be_written_is_read_again(kind, data, tmp_path_factory):
    events = data.draw(st.lists(of_kind(kind), min_size=1, max_size=4))
    folder = tmp_path_factory.mktemp("sessions") / "talk"
    recorder = Recorder(folder, "array", SPACE)
    for event in events:
        recorder.put(event)
    recorder.close()
    session = open_session(str(folder))
    assert session.finished
    for event, again in zip(events, session.events, strict=True):
        if not isinstance(event, VoiceMeasured):
            assert again == event
        else:
            assert (again.sample, again.start, again.end) == (event.sample, event.start, event.end)
            np.testing.assert_allclose(again.vector, event.vector, atol=2e-5)
            assert (again.raw is None) == (event.raw is None)
            assert again.similarity == pytest.approx(event.similarity, abs=1e-4)


def test_all_kinds_are_tried():
    assert {SpeakerTurn, Verification, VoiceMeasured, SpeakerRenamed, EventsDropped} <= set(KINDS)
    assert len(KINDS) == len(Event.__subclasses__()) - 1


def test_a_recording_of_the_verify_page_opens_again(tmp_path):
    """Its verdicts are about all speech: their speaker is nobody."""
    recorder = Recorder(tmp_path / "talk", "array", SPACE)
    recorder.put(Verification(16_000, "Zoë", 0.5, 1.5, 3.0, True))
    recorder.close()
    assert open_session(str(tmp_path / "talk")).events[0].speaker == ""


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_that_json_cannot_say_is_written_as_one_that_it_can(tmp_path, number):
    recorder = Recorder(tmp_path / "talk", "array", SPACE)
    recorder.put(Verification(16_000, "Zoë", number, 1.5, 3.0, True))
    recorder.close()
    (event,) = open_session(str(tmp_path / "talk")).events
    assert np.isfinite(event.score) and (number != number or np.sign(event.score) == np.sign(number))


def voiced(folder: Path, n: int, finish: bool = True) -> Recorder:
    recorder = Recorder(folder, "array", SPACE)
    for i in range(n):
        vector = tuple(np.eye(8, dtype=np.float32)[i % 8].tolist())
        recorder.put(VoiceMeasured(i, 0, i, {"S1": 0.5}, vector, vector[::-1]))
    if finish:
        recorder.close()
    return recorder


def test_vectors_lie_beside_the_lines_as_numbers(tmp_path):
    voiced(tmp_path / "talk", 5)
    assert (tmp_path / "talk" / VOICES).stat().st_size == 5 * 2 * 8 * 2
    assert max(map(len, (tmp_path / "talk" / "events.jsonl").read_bytes().splitlines())) < 200
    voice = open_session(str(tmp_path / "talk")).events[3]
    assert isinstance(voice.vector, Vector) and len(voice.vector) == 8
    assert voice.vector == (0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)
    np.testing.assert_array_equal(np.asarray(voice.raw)[::-1], np.asarray(voice.vector))


def test_voices_that_did_not_reach_the_disk_are_passed_over_only_after_a_crash(tmp_path):
    recorder = voiced(tmp_path / "cut", 5, finish=False)
    voices = tmp_path / "cut" / VOICES
    voices.write_bytes(voices.read_bytes()[:-20])
    assert len(open_session(str(tmp_path / "cut")).events) == 4
    voices.write_bytes(bytes(5 * 2 * 8 * 2))  # the length got there, the content did not
    assert not open_session(str(tmp_path / "cut")).events
    recorder.close()
    with pytest.raises(StoreError, match=r"line 1.*voices\.bin"):
        open_session(str(tmp_path / "cut"))


def as_format_1(folder: Path) -> None:
    """The session as an earlier voicelane wrote it."""
    session = open_session(str(folder))
    lines = [json.dumps(_plain(event)) + "\n" for event in session.events]
    (folder / "events.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / VOICES).unlink()
    about = json.loads((folder / "session.json").read_text())
    old = {k: v for k, v in about.items() if k not in ("duration_s", "people", "turns", "events_bytes")}
    (folder / "session.json").write_text(json.dumps(old | {"format": 1}))


def _plain(event: Event) -> dict:
    content = {"event": type(event).__name__, **asdict(event)}
    return content | {k: list(content[k]) for k in ("vector", "raw") if content.get(k) is not None}


def test_a_session_of_format_1_opens_and_is_listed(home):
    hand_made("old", ["S1", "S2"])
    folder = session_folder("old")
    new = open_session("old")
    as_format_1(folder)
    old = open_session("old")
    assert old.about.format == 1 and old.events == new.events and old.turns() == new.turns()
    told = summarise("old").about
    assert (told.duration_s, told.turns) == (2.0, 2) and set(told.people) == {"S1", "S2"}
    renamed = correct_session(old, lambda desk: desk.rename("S1", "Zoë"))
    assert "Zoë" in {renamed.labels.shown(t.speaker) for t in open_session("old").turns()}


def test_voices_of_format_1_are_read_from_their_lines(tmp_path):
    voiced(tmp_path / "talk", 3)
    before = open_session(str(tmp_path / "talk")).events
    as_format_1(tmp_path / "talk")
    for old, new in zip(open_session(str(tmp_path / "talk")).events, before, strict=True):
        assert tuple(old.vector) == tuple(new.vector) and tuple(old.raw) == tuple(new.raw)


def test_a_finished_session_is_listed_without_reading_its_events(home, monkeypatch):
    hand_made("talk", ["S1", "S2", "S1"])
    monkeypatch.setattr("voicelane.sessions.session.read_events", None)
    told = summarise("talk")
    assert told.about.people == ("S1", "S2") and told.about.turns == 3 and told.state == "finished"


def test_a_correction_is_told_in_the_list(home):
    session = hand_made("talk", ["S1", "S2"])
    correct_session(session, lambda desk: desk.rename("S2", "Zoë"))
    assert set(summarise("talk").about.people) == {"S1", "Zoë"}


def test_the_length_is_that_of_the_sound_and_not_of_the_last_event(tmp_path):
    recorder = Recorder(tmp_path / "talk", "array", SPACE)
    recorder.hear(Sound(0, np.zeros(48 * 16_000, np.float32)))
    recorder.put(SpeakerTurn(15 * 16_000, "S1", 0, 16_000, 16_000, 0.9, True))
    recorder.close()
    assert summarise(str(tmp_path / "talk")).about.duration_s == 48.0
    assert open_session(str(tmp_path / "talk")).heard_samples() == 48 * 16_000


def test_an_interrupted_session_is_as_long_as_what_was_kept_of_its_sound(tmp_path):
    recorder = Recorder(tmp_path / "talk", "array", SPACE)
    recorder.hear(Sound(0, np.random.default_rng(0).normal(0, 0.1, 80_000).astype(np.float32)))
    recorder._tracks[AUDIO].flush()
    told = summarise(str(tmp_path / "talk"))
    assert told.state == "recording" and 4.0 < told.about.duration_s <= 5.0
    recorder.close()


def test_a_session_whose_length_cannot_be_is_damaged(home):
    hand_made("talk", ["S1"])
    path = session_folder("talk") / "session.json"
    for length in ("-1.0", "Infinity", "NaN", "1e300"):
        path.write_text(path.read_text().replace('"duration_s": 1.0', f'"duration_s": {length}'))
        with pytest.raises(StoreError, match="damaged"):
            summarise("talk")
        path.write_text(path.read_text().replace(f'"duration_s": {length}', '"duration_s": 1.0'))
