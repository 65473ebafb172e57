"""One document, one transport: ▶ and Space play it, the red button begins another, all acts stand on it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QInputDialog, QMessageBox

from tests.gui.talk import names
from tests.gui.test_pages import answering, recorded
from voicelane import LabelDesk, open_session, read_rttm, session_names
from voicelane.config import PACKS
from voicelane.gui.model.preferences import Preferences, Settings
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.panels.settings import MODELS
from voicelane.gui.window import PAGES
from voicelane.gui.work.exporting import FOLDERS, FORMATS
from voicelane.gui.work.leaving import APART, MERGE, STAY, ask_same
from voicelane.gui.work.listening import IDLE, MICROPHONE, PAUSED, PREPARING, RUNNING, STOPPING, Request
from voicelane.live import Sound

pytestmark = pytest.mark.qt

SLOW_MS = 30_000
LEFT = Qt.MouseButton.LeftButton


def hears_a_microphone(window, state: str) -> None:
    """As if a microphone were in that state."""
    studio = window.studio
    studio.preferences.change(source=MICROPHONE)
    studio.listening.request, studio.listening.state = Request(studio.preferences.now), state
    studio.listening.changed.emit()


def test_play_and_space_act_on_what_is_on_the_screen_on_every_page(talk, loudspeakers, monkeypatch):
    studio = talk.studio
    monkeypatch.setattr(studio.listening, "start", lambda _: pytest.fail("a new one was begun"))
    talk.transport.play.click()
    assert studio.player.playing and "Pause" in talk.transport.play.accessibleName()
    talk.transport.play.click()
    assert not studio.player.playing and "Play" in talk.transport.play.accessibleName()
    for name in PAGES:
        talk.show_page(name)
        QTest.keyClick(talk, Qt.Key.Key_Space)
        assert studio.player.playing, name
        QTest.keyClick(talk, Qt.Key.Key_Space)
        assert not studio.player.playing, name


def test_after_a_click_on_the_transport_space_still_belongs_to_the_document(talk, qtbot, monkeypatch):
    """A button that was clicked must not be pressed again by the key that plays."""
    begun = []
    monkeypatch.setattr(talk.studio, "listen", lambda: begun.append(1))
    talk.activateWindow()
    qtbot.waitUntil(talk.isActiveWindow)
    talk.listen.timeline.setFocus()
    for button in (talk.transport.start, talk.transport.record, talk.transport.play):
        talk.studio.player.stop()
        qtbot.mouseClick(button, LEFT)
        assert QApplication.focusWidget() is talk.listen.timeline
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Space)
    assert len(begun) == 1 and not talk.studio.player.playing, "▶ played, Space paused"


def every_way_to_play(window) -> dict:
    turn = window.studio.conversation.lanes.all[0].turns[0]
    return {
        "button": window.transport.play.click,
        "space": lambda: QTest.keyClick(window, Qt.Key.Key_Space),
        "turn": lambda: window.studio.play(turn),
        "player": lambda: window.studio.player.play(window.studio.conversation.sound, 0),
    }


def test_nothing_is_played_over_a_live_microphone(talk, loudspeakers):
    studio = talk.studio
    for state in (PREPARING, RUNNING, STOPPING, PAUSED, IDLE):
        hears_a_microphone(talk, state)
        for name, play in every_way_to_play(talk).items():
            play()
            assert studio.player.playing == (state in (PAUSED, IDLE)), (state, name)
            assert studio.player.playing or "microphone" in talk.toasts.words[-1]
            studio.player.stop()
    studio.enrolling.state = "recording"
    studio.play()
    assert not studio.player.playing, "an enrolment has a microphone, too"
    studio.enrolling.state = "idle"


def test_what_plays_ends_before_the_microphone_hears_again(talk, monkeypatch, loudspeakers):
    studio, gone_on = talk.studio, []
    monkeypatch.setattr(studio.listening, "resume", lambda: gone_on.append(studio.player.playing))
    hears_a_microphone(talk, PAUSED)
    studio.play()
    assert studio.player.playing
    talk.transport.start.click()
    assert gone_on == [False]
    studio.listening.state = IDLE


def test_an_enrolment_ends_what_plays(talk, monkeypatch, loudspeakers):
    studio = talk.studio
    monkeypatch.setattr("voicelane.gui.work.enrolling.Job", lambda *_: None)
    studio.play()
    talk.people.enrolling.record()
    assert not studio.player.playing
    talk.people.enrolling.cancel()


def test_the_position_is_dragged(talk, loudspeakers):
    transport, studio = talk.transport, talk.studio
    assert transport.position.isVisible()
    transport.position.setValue(transport.position.maximum() // 2)
    assert studio.conversation.cursor == 64_000
    studio.play()
    transport.position.setValue(transport.position.maximum() // 4)
    assert studio.player.playing and studio.player.place == 32_000
    studio.player.stop()


def acts(window) -> list[str]:
    bar = window.listen.document
    return [b.accessibleName() for b in bar.findChildren(QAbstractButton) if b.isVisible() and b.isEnabled()]


def test_all_acts_stand_on_the_document_live_over_or_opened(talk, qtbot):
    """Save only where something is unsaved; delete not while it is still heard."""
    studio, bar = talk.studio, talk.listen.document
    bar.refresh()
    assert acts(talk) == ["Save as session", "Summary", "Export …", "Rename …", "Delete …"]
    assert bar.state.text() == "not saved" and bar.title.text() == "talk"
    studio.conversation.correct(lambda desk: desk.rename("S1", "Anna"))
    bar.refresh()
    assert "Undo the latest correction (Ctrl+Z)" in acts(talk)
    studio.listening.state = RUNNING
    bar.refresh()
    assert acts(talk) == ["Undo the latest correction (Ctrl+Z)", "Summary", "Export …", "Rename …"]
    studio.listening.state = IDLE
    recorded("one", {})
    studio.open("one")
    qtbot.waitUntil(lambda: studio.conversation.title == "one", timeout=SLOW_MS)
    bar.refresh()
    assert acts(talk) == ["Summary", "Export …", "Rename …", "Delete …"] and bar.state.text() == "saved"


def test_a_document_is_renamed_before_it_is_a_session_and_after(talk, qtbot, monkeypatch):
    studio, conversation = talk.studio, talk.studio.conversation
    recorded("taken", {})
    answers = ["taken", "Kitchen table", "Second day"]
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (answers.pop(0), True))
    talk.listen.document.rename.click()
    assert "is taken" in talk.banner.words.text() and conversation.title == "talk"
    talk.listen.document.rename.click()
    assert conversation.title == "Kitchen_table" and conversation.unsaved
    with qtbot.waitSignal(studio.kept, timeout=SLOW_MS):
        studio.save()
    assert session_names() == ["Kitchen_table", "taken"]
    talk.listen.document.rename.click()
    assert session_names() == ["Second_day", "taken"] and conversation.title == "Second_day"


def test_a_name_given_while_it_is_recorded_becomes_the_session_s(window, qtbot, talk_file):
    studio = window.studio
    studio.preferences.change(source=str(talk_file), realtime_files=False)
    studio.listen()
    qtbot.waitUntil(lambda: not studio.conversation.empty, timeout=SLOW_MS)
    studio.rename_document("Monday")
    qtbot.waitUntil(lambda: session_names() == ["Monday"], timeout=SLOW_MS)
    qtbot.waitUntil(lambda: studio.conversation.session is not None, timeout=SLOW_MS)
    assert studio.conversation.title == "Monday" and open_session("Monday").finished


def test_a_document_is_deleted_only_after_a_yes(talk, monkeypatch):
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        QTimer.singleShot(100, answering(key))
        talk.listen.document.delete.click()
        assert talk.studio.conversation.title == "talk"
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    talk.listen.document.delete.click()
    assert talk.studio.conversation.empty


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in FOLDERS])
def test_what_was_not_recorded_is_exported_as_it_stands(talk, qtbot, tmp_path, kind):
    talk.studio.conversation.correct(lambda desk: desk.rename("S2", "Jamal"))
    path = tmp_path / f"out.{kind}"
    talk.studio.export_document(kind, path)
    qtbot.waitUntil(lambda: any(str(path) in words for words in talk.toasts.words), timeout=SLOW_MS)
    assert path.stat().st_size > 0 and talk.studio.conversation.unsaved and session_names() == []
    if kind == "rttm":
        assert {t.speaker for t in read_rttm(path)} == {"S1", "Jamal", "S3"}


def test_two_speakers_who_get_one_name_are_asked_about(talk, qtbot):
    """In the list and in the timeline, which rename by one way."""
    studio, model, asked = talk.studio, talk.listen.speakers.model, []

    def answer(what: str):
        return lambda name, other: asked.append((name, other)) or what

    studio.ask_same = lambda *_: pytest.fail("nobody is called so yet")
    model.refresh()
    assert model.setData(model.index(0), "Anna")
    studio.ask_same = answer(STAY)
    assert not model.setData(model.index(1), "Anna") and names(talk) == ["Anna", "S2", "S3"]
    studio.ask_same = answer(APART)
    assert model.setData(model.index(1), "Anna") and names(talk) == ["Anna", "Anna", "S3"]
    studio.undo()
    studio.ask_same = answer(MERGE)
    talk.listen.timeline.rename("S2")
    editor = talk.listen.timeline._editor
    editor.setText("Anna")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert names(talk) == ["Anna", "S3"] and asked == [("Anna", "S1")] * 3
    studio.undo()
    assert names(talk) == ["Anna", "S2", "S3"], "one undo takes it back"


def test_the_question_has_three_answers_and_escape_is_none(talk):
    def press(words: str) -> None:
        box = QApplication.activeModalWidget()
        if words == "escape":
            QTest.keyClick(box, Qt.Key.Key_Escape)
        else:
            next(b for b in box.buttons() if words in b.text()).click()

    for words, wanted in {"same": MERGE, "Two": APART, "escape": STAY}.items():
        QTimer.singleShot(0, lambda words=words: press(words))
        assert ask_same("Anna", "S1") == wanted


def test_verify_offers_to_end_only_what_it_began(window, qtbot):
    page, studio = window.verification, window.studio
    page.person.addItem("Anna")
    hears_a_microphone(window, RUNNING)
    assert page.start.text() == "Verify" and not page.start.isEnabled()
    studio.listening.request = Request(studio.preferences.now, "Anna")
    studio.listening.changed.emit()
    assert page.start.text() == "Stop verifying" and page.start.isEnabled()
    hears_a_microphone(window, IDLE)
    assert page.start.text() == "Verify" and page.start.isEnabled()


@pytest.mark.parametrize("models", MODELS)
def test_models_are_chosen_as_a_pack(home, models):
    preferences = Preferences()
    preferences.change(models=models)
    config = Preferences().now.config()
    assert (config.encoder.model, config.segmentation.model) == PACKS[models]
    assert config.models.pack == models


OTHER = {
    bool: lambda old: not old,
    int: lambda old: old + 1,
    float: lambda old: old / 2,
    tuple: lambda old: ("x",),
}
CHOICES = {"theme": "dark", "interface": "de", "models": "strong", "enhancer": "mlp", "preset": "quick"}


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_setting_comes_back_after_a_start(home, name):
    """No name of today means something else in a file of an earlier version."""
    old = getattr(Settings(), name)
    new = CHOICES.get(name) or OTHER.get(type(old), lambda old: "something")(old)
    Preferences().change(**{name: new})
    again = Preferences()
    assert not again.problem and getattr(again.now, name) == new != old


@pytest.mark.parametrize(("encoder", "models"), [("campplus", "strong"), ("conv_transformer", "light")])
def test_an_encoder_that_was_chosen_alone_becomes_its_pack(home, encoder, models):
    home.mkdir()
    (home / "app.toml").write_text(f'encoder = "{encoder}"\n')
    preferences = Preferences()
    assert preferences.now.models == models and not preferences.problem


def test_whether_it_is_recorded_is_plain_to_see(window):
    studio = window.studio
    conversation = studio.conversation
    sound = SoundHistory()
    sound.hear(Sound(0, np.zeros(16_000, np.float32)))
    for kept, words in ((True, "being recorded"), (False, "not recorded")):
        conversation.begin("mic", sound, kept=kept)
        conversation.live = LabelDesk()
        studio.listening.state = RUNNING
        window.listen.document.refresh()
        assert window.listen.document.state.text() == words
    studio.listening.state = IDLE
