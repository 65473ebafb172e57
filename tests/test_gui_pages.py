"""People, verification and sessions as somebody uses them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("PySide6")


from engine import (
    LabelDesk,
    ProfileStore,
    Recorder,
    Sound,
    Verification,
    open_session,
    read_rttm,
    session_folder,
)
from gui.enrolling import READY
from gui.state import State, reduce_all
from tests.gui_talk import TALK, names
from tests.test_store import SPACE

SLOW_MS = 30_000


def test_somebody_is_enrolled_from_a_file_and_verified(window, qtbot, tmp_path, enrolment_sound, later):
    people, studio = window.people, window.studio
    who = sorted(enrolment_sound)[0]
    sf.write(tmp_path / "a.wav", enrolment_sound[who], 16_000)
    sf.write(tmp_path / "b.wav", later[who][: 6 * 16_000], 16_000)
    window.show_page("people")
    people.enrolling.hear_file(str(tmp_path / "a.wav"))
    qtbot.waitUntil(lambda: people.enrolling.state == READY, timeout=SLOW_MS)
    assert "s of speech" in people.report.text() and not people.save.isEnabled()
    people.name.setText("Anna")
    assert people.save.isEnabled()
    people.save.click()
    qtbot.waitUntil(lambda: people.profiles.table.rowCount() == 1, timeout=SLOW_MS)
    assert ProfileStore().names() == ["Anna"] and people.profiles.chosen == "Anna"

    window.show_page("verify")
    page = window.verification
    assert page.person.currentText() == "Anna"
    studio.preferences.change(source=str(tmp_path / "b.wav"), record=False)
    with qtbot.waitSignal(studio.listening.finished, timeout=SLOW_MS):
        page.start.click()
    assert studio.conversation.state.verdicts[-1].name == "Anna"
    qtbot.waitUntil(lambda: page.verdict.text() in ("Accepted", "Rejected"))
    assert f"accepted from {studio.listening.threshold:+.1f}" in page.words.text()


def test_a_voice_of_the_conversation_is_remembered(talk, qtbot):
    talk.studio.remember("S1")
    assert talk.pages.currentWidget() is talk.people
    qtbot.waitUntil(lambda: talk.people.enrolling.state == READY, timeout=SLOW_MS)
    assert talk.people.name.text() == "", "a label is no name"
    talk.people.cancel.click()
    assert talk.people.enrolling.found is None and not talk.people.report.isVisible()


def test_profiles_are_renamed_merged_and_removed(window):
    from tests.test_store import recording

    store = ProfileStore()
    for seed, name in enumerate(("Anna", "Bob")):
        store.add(name, SPACE, [recording(seed)])
    profiles = window.people.profiles
    profiles.refresh("Bob")
    assert profiles.chosen == "Bob" and profiles.merge_button.isEnabled()
    profiles.table.item(1, 0).setText("Bert")
    assert store.names() == ["Anna", "Bert"]
    profiles.table.item(1, 0).setText("anna")
    assert "already" in window.banner.words.text() and store.names() == ["Anna", "Bert"]
    profiles.merge("Bert", "Anna")
    assert store.names() == ["Anna"] and len(store.profile("Anna").recordings) == 2
    profiles.remove("Anna")
    assert profiles.table.rowCount() == 0


def test_the_gauge_and_the_verdict_follow_the_evidence(window, qtbot):
    window.show_page("verify")
    conversation, page = window.studio.conversation, window.verification
    window.studio.listening.threshold = 2.5
    conversation.take([Verification(16_000, "Anna", 0.3, -4.0, 1.0, False)])
    qtbot.waitUntil(lambda: page.verdict.text() == "Rejected")
    qtbot.waitUntil(lambda: page.gauge._shown == -4.0)
    conversation.take([Verification(32_000, "Anna", 0.7, 6.0, 2.0, True)])
    qtbot.waitUntil(lambda: page.verdict.text() == "Accepted" and page.gauge._shown == 6.0)
    assert page.gauge.accessibleDescription() == "+6.0"
    np.testing.assert_allclose(page.curve.getData(), [(1.0, 2.0), (-4.0, 6.0)])


def recorded(name: str, people: dict[str, str], finished: bool = True) -> None:
    """A session on disk in which some speakers have names."""
    recorder = Recorder(session_folder(name), "demo.wav", SPACE)
    recorder.hear(Sound(0, np.zeros(128_000, np.float32)))
    desk = LabelDesk(TALK)
    for speaker, called in people.items():
        desk.rename(speaker, called)
    for event in [*TALK, *desk.take(128_000)]:
        recorder.put(event)
    if finished:
        recorder.close()
    else:
        recorder._events.close()
        recorder._audio.close()


def test_sessions_are_searched_by_person_and_exported(window, qtbot, tmp_path):
    recorded("one", {"S1": "Anna"})
    recorded("two", {"S2": "Jamal"})
    window.show_page("sessions")
    page = window.sessions
    qtbot.waitUntil(lambda: page.table.rowCount() == 2, timeout=SLOW_MS)
    page.search.setText("jamal")
    assert page.table.rowCount() == 1 and page.chosen == "two"
    for kind in ("rttm", "json", "csv", "srt", "wav"):
        path = tmp_path / f"out.{kind}"
        page.export(kind, path)
        qtbot.waitUntil(lambda path=path: str(path) in window.banner.words.text(), timeout=SLOW_MS)
    assert {t.speaker for t in read_rttm(tmp_path / "out.rttm")} == {"S1", "Jamal", "S3"}
    assert len(json.loads((tmp_path / "out.json").read_text())["turns"]) == 4
    with (tmp_path / "out.csv").open() as file:
        assert [row["speaker"] for row in csv.DictReader(file)] == ["S1", "Jamal", "S3", "S1"]
    assert (tmp_path / "out.wav" / "Jamal.wav").is_file() and "Jamal" in (tmp_path / "out.srt").read_text()
    page.search.setText("nobody at all")
    assert not page.open_button.isEnabled() and page._hint.isVisible()


def test_corrections_of_an_open_session_are_kept(window, qtbot):
    recorded("one", {})
    window.studio.open("one")
    qtbot.waitUntil(lambda: window.studio.conversation.title == "one", timeout=SLOW_MS)
    window.studio.conversation.correct(lambda desk: desk.merge("S2", into="S1"))
    assert names(window) == ["S1", "S3"]
    stored = reduce_all(State(), open_session("one").events)
    assert stored.labels.shown("S2") == "S1"
    window.studio.undo()
    assert names(window) == ["S1", "S2", "S3"] == sorted({t.speaker for t in open_session("one").turns()})


def test_a_session_that_another_program_records_is_not_offered(window, qtbot):
    recorder = Recorder(session_folder("running"), "mic", SPACE)
    window.sessions.offer_interrupted(window.banner)
    qtbot.waitUntil(lambda: len(window.sessions._all) == 1, timeout=SLOW_MS)
    assert window.sessions._all[0].state == "recording" and not window.banner.isVisible()
    recorder.close()


def test_an_interrupted_session_is_offered_once(window, qtbot):
    recorded("crashed", {}, finished=False)
    window.sessions.offer_interrupted(window.banner)
    qtbot.waitUntil(window.banner.isVisible, timeout=SLOW_MS)
    assert "crashed was interrupted" in window.banner.words.text()
    window.banner.action.click()
    qtbot.waitUntil(lambda: window.studio.conversation.title == "crashed", timeout=SLOW_MS)
    assert names(window) == ["S1", "S2", "S3"]
    window.sessions.offer_interrupted(window.banner)
    qtbot.waitUntil(lambda: len(window.sessions._all) == 1, timeout=SLOW_MS)
    assert not window.banner.isVisible()
