"""People, verification and sessions as somebody uses them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QInputDialog, QMessageBox

from tests.gui.talk import TALK, names
from tests.profiles.test_store import SPACE
from voicelane import LabelDesk, ProfileStore, Recorder, open_session, read_rttm, session_names
from voicelane.base import StoreError
from voicelane.events import Verification, Word
from voicelane.gui.model.state import State, reduce_all
from voicelane.gui.work.enrolling import READY
from voicelane.live import Sound
from voicelane.profiles import Enrolment
from voicelane.sessions import AUDIO, remove_session, rename_session, session_folder, summarise
from voicelane.words import Recognised, write_words

pytestmark = pytest.mark.qt

SLOW_MS = 30_000


def test_somebody_is_enrolled_from_a_file_and_verified(window, qtbot, tmp_path, enrolment_sound, later):
    people, studio = window.people, window.studio
    studio.preferences.change(lab=True)
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


@pytest.mark.parametrize(("speech_s", "enough"), [(1.5, False), (2.9, False), (3.0, True), (12.0, True)])
def test_the_app_refuses_a_voice_that_the_command_line_refuses(
    window, qtbot, monkeypatch, capsys, speech_s, enough
):
    from tests.cli.test_main import voicelane
    from tests.profiles.test_store import recording

    heard = Enrolment(replace(recording(), speech_s=speech_s), np.zeros(16_000, np.float32))
    people, enrolling = window.people, window.people.enrolling
    enrolling._judged((heard, SPACE))
    people.name.setText("Anna")
    assert people.save.isEnabled() == enough
    assert (f"Only {speech_s:.1f} s of speech were found" in people.how.text()) != enough
    if enough:
        with qtbot.waitSignal(enrolling.kept, timeout=SLOW_MS):
            enrolling.keep("Anna", False)
    else:
        enrolling.keep("Anna", False)
        assert f"Anna: only {speech_s:.1f} s" in window.banner.words.text()
    assert ProfileStore().names() == ["Anna"] * enough
    monkeypatch.setattr("voicelane.cli.people._listened", lambda *_: heard)
    assert voicelane("enrol", "Ben", "ben.wav") == (0 if enough else 2)
    assert ("Ben" in ProfileStore().names()) == enough


def test_profiles_are_renamed_merged_and_removed(window):
    from tests.profiles.test_store import recording

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
    far = [Verification(16_000 * s, "Anna", 0.7, llr, float(s), True) for s, llr in ((20, 19.0), (45, -11.0))]
    conversation.take(list(far))
    qtbot.waitUntil(lambda: len(page.curve.getData()[0]) == 4)
    (left, right), (low, high) = page.plot.getPlotItem().viewRange()
    assert left <= 1.0 and right >= 45.0 and low <= -11.0 and high >= 19.0, "the curve stays in its axes"
    np.testing.assert_allclose(page.curve.getData(), [(1.0, 2.0, 20.0, 45.0), (-4.0, 6.0, 19.0, -11.0)])


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
        recorder._tracks[AUDIO].close()


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
        qtbot.waitUntil(
            lambda path=path: any(str(path) in words for words in window.toasts.words), timeout=SLOW_MS
        )
    assert {t.speaker for t in read_rttm(tmp_path / "out.rttm")} == {"S1", "Jamal", "S3"}
    assert len(json.loads((tmp_path / "out.json").read_text())["turns"]) == 4
    with (tmp_path / "out.csv").open() as file:
        assert [row["speaker"] for row in csv.DictReader(file)] == ["S1", "Jamal", "S3", "S1"]
    assert (tmp_path / "out.wav" / "Jamal.wav").is_file() and "Jamal" in (tmp_path / "out.srt").read_text()
    page.search.clear()
    page.sort(5)
    assert [page.table.item(row, 5).text() for row in range(2)] == ["one", "two"]
    page.sort(5)
    assert [page.table.item(row, 5).text() for row in range(2)] == ["two", "one"] and page.chosen == "two"
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


def answering(press: Qt.Key) -> Callable[[], None]:
    """Press a key in the next question that is asked."""
    return lambda: QTest.keyClick(QApplication.activeModalWidget(), press)


def test_sessions_are_deleted_only_after_a_yes_and_renamed_wherever_they_are_shown(
    window, qtbot, monkeypatch
):
    recorded("one", {})
    recorded("two", {})
    conversation, page = window.studio.conversation, window.sessions
    window.studio.open("one")
    qtbot.waitUntil(lambda: conversation.title == "one", timeout=SLOW_MS)
    window.show_page("sessions")
    qtbot.waitUntil(lambda: page.table.rowCount() == 2, timeout=SLOW_MS)

    def choose(name: str) -> None:
        names = [page.table.item(row, 5).text() for row in range(page.table.rowCount())]
        page.table.selectRow(names.index(name))
        assert page.chosen == name

    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        choose("one")
        QTimer.singleShot(100, answering(key))
        qtbot.keyClick(page.table, Qt.Key.Key_Delete)
        assert sorted(session_names()) == ["one", "two"], "No is the default"
    answers = ["two", "not/a name", "zwölf"]
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (answers.pop(0), True))
    for problem in ("is taken", "cannot name a session"):
        page.rename_button.click()
        assert problem in window.banner.words.text() and conversation.title == "one"
    qtbot.keyClick(page.table, Qt.Key.Key_F2)
    assert sorted(session_names()) == ["two", "zwölf"] and conversation.title == "zwölf"
    assert conversation.correct(lambda desk: desk.rename("S1", "Anna"))
    assert open_session("zwölf").labels.shown("S1") == "Anna"
    qtbot.waitUntil(lambda: {s.name for s in page._all} == {"two", "zwölf"}, timeout=SLOW_MS)
    choose("zwölf")
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    page.delete_button.click()
    assert session_names() == ["two"] and conversation.empty
    qtbot.waitUntil(lambda: page.table.rowCount() == 1, timeout=SLOW_MS)


def test_a_session_that_is_recorded_is_neither_renamed_nor_deleted(home):
    recorder = Recorder(session_folder("running"), "mic", SPACE)
    for act in (lambda: rename_session("running", "other"), lambda: remove_session("running")):
        with pytest.raises(StoreError, match="being recorded"):
            act()
    recorder.close()
    assert rename_session("running", "other").name == "other" and session_names() == ["other"]
    with pytest.raises(StoreError, match="no session"):
        rename_session("running", "third")


def test_notes_and_tags_are_kept_when_one_leaves_the_field(window, qtbot):
    recorded("one", {})
    recorded("two", {})
    window.studio.open("one")
    qtbot.waitUntil(lambda: window.studio.conversation.title == "one", timeout=SLOW_MS)
    window.show_page("sessions")
    page, notes = window.sessions, window.sessions.notes
    qtbot.waitUntil(lambda: page.table.rowCount() == 2, timeout=SLOW_MS)
    page.search.setText("one")
    assert page.chosen == "one"
    notes.tags.setFocus()
    notes.tags.setText("plan, Team")
    notes.note.setFocus()
    notes.note.setPlainText("first\nsecond <b>")
    page.table.setFocus()
    about = summarise("one").about
    assert (about.tags, about.note) == (("plan", "Team"), "first\nsecond <b>")
    assert window.studio.conversation.session.about == about, "also of the session on the screen"
    qtbot.waitUntil(lambda: page.table.item(0, 6).text() == "plan Team", timeout=SLOW_MS)
    qtbot.waitUntil(lambda: "second &lt;b&gt;" in page.table.item(0, 0).toolTip(), timeout=SLOW_MS)
    page.search.setText("two")
    assert (page.chosen, notes.tags.text(), notes.note.toPlainText()) == ("two", "", "")
    notes.tags.setFocus()
    notes.tags.setText("x" * 51)
    page.table.setFocus()
    assert any("is no tag" in words for words in window.toasts.words)
    assert summarise("two").about.tags == () and summarise("one").about == about


def test_words_are_found_in_all_sessions_and_a_click_opens_the_place(window, qtbot):
    recorded("one", {"S1": "Anna"})
    recorded("two", {"S2": "Jamal"})
    recorded("broken", {})
    turn = next(t for t in open_session("two").turns() if t.speaker == "S2")
    word = Word(turn.start + 800, turn.start + 4_000, " budget", 0.9)
    write_words(session_folder("two"), Recognised((word,), "en", "base"))
    (session_folder("broken") / "session.json").write_text("{")
    window.show_page("sessions")
    page = window.sessions
    qtbot.waitUntil(lambda: page.table.rowCount() == 3, timeout=SLOW_MS)
    page.search.setText("budg")
    qtbot.waitUntil(lambda: page.hits.list.count() == 1, timeout=SLOW_MS)
    assert page.table.rowCount() == 1 and page.chosen == "two"
    assert page.hits.list.item(0).text().endswith("Jamal: budget")
    assert "broken" in page.hits.left_out.text() and page.hits.left_out.isVisible()
    page.hits.list.itemClicked.emit(page.hits.list.item(0))
    conversation = window.studio.conversation
    qtbot.waitUntil(lambda: conversation.title == "two" and window.studio.opening is None, timeout=SLOW_MS)
    assert conversation.cursor == word.start
    page.search.clear()
    assert page.hits.list.count() == 0 and page.table.rowCount() == 3
