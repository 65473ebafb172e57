"""Nothing is replaced unasked: whatever begins something new asks first; what is unrecorded can be saved."""

from __future__ import annotations

from datetime import datetime, tzinfo
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("PySide6")

from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from tests.conftest import ROOT
from tests.gui.talk import names
from tests.gui.test_pages import recorded
from tests.profiles.test_store import SPACE
from voicelane import open_session, session_names
from voicelane.base import StoreError
from voicelane.events import SinkFailed, SoundDropped
from voicelane.gui.model.conversation import Heard
from voicelane.gui.model.preferences import Preferences
from voicelane.gui.model.session_list import summaries
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.panels.listen import try_demo
from voicelane.gui.work.leaving import LEAVE, SAVE, STAY, ask_to_leave
from voicelane.gui.work.listening import IDLE, RUNNING
from voicelane.gui.work.saving import save_as_session
from voicelane.live import Sound
from voicelane.sessions import session_folder

pytestmark = pytest.mark.qt

SLOW_MS = 30_000


class Answer:
    """Says what was asked, and gives one answer."""

    def __init__(self, answer: str) -> None:
        self.answer, self.asked = answer, list[str]()

    def __call__(self, conversation: object, act: str) -> str:
        self.asked.append(act)
        return self.answer


def drop(*paths: Path) -> QDropEvent:
    drop.mime = QMimeData()
    drop.mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left, no_key = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    return QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, drop.mime, left, no_key, QEvent.Type.Drop)


def beginnings(window, path: Path) -> dict:
    """Every way in which the app begins to listen."""
    return {
        "play": window.transport.start.click,
        "welcome": window.listen.welcome.start.click,
        "demo": lambda: try_demo(window.studio),
        "verify": lambda: window.studio.listen("Anna"),
        "drop": lambda: window.dropEvent(drop(path)),
        "open": lambda: window.open_file(path),
    }


def test_every_way_to_listen_asks_before_it_replaces(talk, qtbot, monkeypatch, talk_file):
    studio, started = talk.studio, []
    monkeypatch.setattr(studio.listening, "start", started.append)
    monkeypatch.setattr(studio, "unlock", lambda again=False: None)
    recorded("one", {})
    for title in ("talk", "one"):
        for name, begin in beginnings(talk, talk_file).items():
            studio.ask = stay = Answer(STAY)
            begin()
            assert len(stay.asked) == 1 and not started, name
            studio.ask = Answer(LEAVE)
            begin()
            assert len(started) == 1, name
            started.clear()
        assert studio.conversation.title == title
        studio.ask = Answer(LEAVE)
        studio.open("one")
        qtbot.waitUntil(lambda: studio.conversation.title == "one", timeout=SLOW_MS)
    assert not studio.conversation.unsaved


def test_opening_a_session_asks_only_where_something_would_be_lost(talk, qtbot):
    studio = talk.studio
    recorded("one", {})
    recorded("two", {})
    studio.ask = stay = Answer(STAY)
    studio.open("one")
    assert stay.asked and studio.conversation.title == "talk"
    studio.ask = Answer(LEAVE)
    studio.open("one")
    qtbot.waitUntil(lambda: studio.conversation.title == "one", timeout=SLOW_MS)
    studio.ask = never = Answer(STAY)
    studio.open("two")
    qtbot.waitUntil(lambda: studio.conversation.title == "two", timeout=SLOW_MS)
    assert not never.asked


def test_what_was_not_recorded_is_saved_and_opens_again(talk, qtbot):
    studio, conversation = talk.studio, talk.studio.conversation
    assert talk.listen.document.save.isVisible()
    conversation.correct(lambda desk: desk.rename("S2", "Zoë"))
    with qtbot.waitSignal(studio.kept, timeout=SLOW_MS):
        talk.listen.document.save.click()
        assert not conversation.correct(lambda desk: desk.rename("S3", "too early"))
        assert "being saved" in talk.banner.words.text()
    assert not conversation.unsaved and not talk.listen.document.save.isVisible()
    conversation.correct(lambda desk: desk.rename("S1", "Anna"))
    (name,) = session_names()
    session = open_session(name)
    assert session.finished and {session.labels.shown(t.speaker) for t in session.turns()} == {
        "Anna",
        "Zoë",
        "S3",
    }
    kept = np.concatenate(list(session.sound()))
    np.testing.assert_allclose(kept, conversation.sound.read(0, 128_000), atol=1e-4)
    studio.open(name)
    qtbot.waitUntil(lambda: conversation.title == name, timeout=SLOW_MS)
    assert names(talk) == ["Anna", "Zoë", "S3"]


def test_two_sessions_of_one_second_have_two_names(talk, qtbot, monkeypatch):
    class Noon(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Noon:
            return cls(2026, 11, 27, 12)

    monkeypatch.setattr("voicelane.gui.work.listening.datetime", Noon)
    for count in (1, 2, 3):
        talk.studio.conversation.kept = False
        with qtbot.waitSignal(talk.studio.kept, timeout=SLOW_MS):
            talk.studio.save()
        assert len(session_names()) == count


def test_ctrl_s_saves_what_is_over_and_never_ends_what_is_heard(talk, qtbot, monkeypatch):
    studio, control = talk.studio, Qt.KeyboardModifier.ControlModifier
    monkeypatch.setattr(studio.listening, "stop", lambda: pytest.fail("it was ended"))
    studio.listening.state = RUNNING
    QTest.keyClick(talk, Qt.Key.Key_S, control)
    assert "still being heard" in talk.banner.words.text() and not studio.conversation.saving
    studio.listening.state = IDLE
    with qtbot.waitSignal(studio.kept, timeout=SLOW_MS):
        QTest.keyClick(talk, Qt.Key.Key_S, control)
        studio.ask = asked = Answer(LEAVE)
        talk.transport.start.click()
        assert not asked.asked and "being saved" in talk.banner.words.text()
    QTest.keyClick(talk, Qt.Key.Key_S, control)
    assert len(session_names()) == 1 and talk.toasts.words[-1] == "Talk is saved"
    monkeypatch.undo()


def test_saving_first_then_goes_on(talk, qtbot, monkeypatch):
    studio, started = talk.studio, []
    monkeypatch.setattr(studio.listening, "start", started.append)
    studio.ask = Answer(SAVE)
    talk.transport.start.click()
    qtbot.waitUntil(lambda: len(started) == 1, timeout=SLOW_MS)
    assert len(session_names()) == 1


def heard(talk) -> Heard:
    conversation = talk.studio.conversation
    return Heard("mic", SPACE, tuple(conversation._log), conversation.sound, conversation.n_samples)


def test_without_its_sound_the_events_are_saved(talk):
    """The session is as long as what was heard, and says that its sound is missing."""
    all_there = heard(talk)
    all_there.sound.close()
    session = save_as_session(session_folder("silent"), all_there)
    assert session.turns() and session.heard_samples() == 128_000
    assert session.events[-1] == SoundDropped(128_000, 128_000) and session.about.lost_samples == 128_000
    (summary,) = summaries()
    assert summary.duration_s == 8.0 and summary.state == "finished"


def test_a_disk_that_is_full_leaves_no_half_session_and_nothing_is_lost(talk, qtbot, monkeypatch):
    def refuse(self: object, sound: Sound) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("voicelane.sessions.recorder.Recorder.hear", refuse)
    talk.studio.save()
    qtbot.waitUntil(lambda: "disk is full" in talk.banner.words.text(), timeout=SLOW_MS)
    assert (
        session_names() == [] and talk.studio.conversation.unsaved and talk.listen.document.save.isVisible()
    )


def test_a_recording_of_a_part_or_one_that_failed_does_not_count(window):
    conversation = window.studio.conversation
    for events in ([], [SinkFailed(0, "the disk is full")]):
        sound = SoundHistory()
        sound.hear(Sound(0, np.zeros(16_000, np.float32)))
        conversation.begin("mic", sound, "mic", SPACE, kept=True)
        conversation.take(events)
        assert conversation.unsaved == bool(events)
        conversation.end(None)
        assert conversation.unsaved
    conversation.clear()
    assert not conversation.unsaved


@pytest.mark.slow
def test_recording_that_began_late_leaves_something_to_save(window, qtbot, talk_file):
    studio = window.studio
    studio.preferences.change(source=str(talk_file), record=False, realtime_files=True)
    studio.listen()
    qtbot.waitUntil(lambda: studio.conversation.n_samples > 16_000, timeout=20_000)
    window.transport.record.click()
    with qtbot.waitSignal(studio.listening.finished, timeout=SLOW_MS):
        studio.listening.stop()
    assert studio.conversation.unsaved and len(session_names()) == 1
    with qtbot.waitSignal(studio.kept, timeout=SLOW_MS):
        studio.save()
    assert len(session_names()) == 2


@pytest.mark.slow
def test_what_is_still_heard_is_ended_and_saved_before_the_window_closes(window, qtbot, talk_file):
    studio = window.studio
    studio.preferences.change(source=str(talk_file), record=False, realtime_files=True)
    studio.listen()
    qtbot.waitUntil(lambda: studio.conversation.n_samples > 2 * 16_000, timeout=20_000)
    studio.ask = asked = Answer(SAVE)
    assert not window.close()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=SLOW_MS)
    (name,) = session_names()
    assert open_session(name).heard_samples() == studio.conversation.n_samples and asked.asked == ["Quit"]


def test_the_window_does_not_close_over_something_unsaved_without_asking(talk, qtbot):
    talk.studio.ask = Answer(STAY)
    assert not talk.close() and talk.isVisible()
    talk.studio.ask = Answer(SAVE)
    assert not talk.close()
    qtbot.waitUntil(lambda: not talk.isVisible(), timeout=SLOW_MS)
    assert len(session_names()) == 1


@pytest.mark.parametrize("kept", [False, True])
def test_the_question_names_what_is_lost_and_escape_changes_nothing(talk, kept):
    conversation, seen = talk.studio.conversation, list[str]()
    conversation.kept = kept

    def look(press: str) -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        seen.append(box.text())
        if press == "escape":
            QTest.keyClick(box, Qt.Key.Key_Escape)
        else:
            next(b for b in box.buttons() if press in b.text()).click()

    answers = {"escape": STAY, "Begin": LEAVE} | ({} if kept else {"Save as session": SAVE})
    for press, wanted in answers.items():
        QTimer.singleShot(0, lambda press=press: look(press))
        assert ask_to_leave(conversation, "Begin") == wanted
    assert all(("not recorded" in text) != kept for text in seen)
    assert talk.studio.listening.state == IDLE


def test_several_dropped_files_are_heard_one_after_the_other(window, qtbot, tmp_path, speech):
    """One that cannot be read is told and passed over; each becomes a session; stopping ends the row."""
    paths = [tmp_path / name for name in ("a.wav", "broken.wav", "b.wav")]
    for path in paths:
        sf.write(path, speech[: 3 * 16_000], 16_000)
    paths[1].write_bytes(b"no sound at all")
    studio, titles = window.studio, list[str]()
    studio.conversation.replaced.connect(lambda: titles.append(studio.conversation.title))
    window.dropEvent(drop(*paths))
    qtbot.waitUntil(lambda: len(session_names()) == 2 and studio.listening.state == IDLE, timeout=SLOW_MS)
    assert titles == ["a.wav", "b.wav"] and "broken.wav" in window.banner.words.text()
    assert window.banner.isVisible(), "also when the next one was heard"
    studio.preferences.change(realtime_files=True)
    window.dropEvent(drop(paths[0], paths[2]))
    qtbot.waitUntil(lambda: studio.listening.state == RUNNING, timeout=SLOW_MS)
    window.dropEvent(drop(paths[2]))
    assert "2 files are heard after this one" in window.toasts.words[-1]
    with qtbot.waitSignal(studio.listening.finished, timeout=SLOW_MS):
        window.transport.stop.click()
    assert studio.listening.state == IDLE and titles[2:] == ["a.wav"]


def test_file_dialogs_begin_where_the_last_one_ended(window, monkeypatch, tmp_path):
    from PySide6.QtWidgets import QFileDialog

    begun = []
    answers = [str(tmp_path / "x" / "talk.wav"), str(tmp_path / "y" / "out.rttm"), str(tmp_path), ""]
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()

    def answer(_parent: object, _title: str, start: str, *_: object) -> tuple[str, str]:
        begun.append(start)
        return answers.pop(0), ""

    for name in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, name, answer)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *given: answer(*given)[0])
    files = window.studio.files
    files.to_open(window, "", "")
    files.to_save(window, "", "out.rttm", "")
    files.folder(window, "")
    assert files.to_open(window, "", "") == ""
    places = [Path.home(), tmp_path / "x" / "out.rttm", tmp_path / "y", tmp_path]
    assert [Path(start) for start in begun] == places
    assert Preferences().now.folder == str(tmp_path)


def test_every_file_dialog_is_one_that_remembers():
    for path in sorted((ROOT / "gui").rglob("*.py")):
        assert path.name == "files.py" or "QFileDialog" not in path.read_text(), path
