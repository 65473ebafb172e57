"""Every panel as somebody uses it: clicks, keys, drops, and what comes of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("PySide6")

from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QMenuBar,
    QProgressBar,
    QSpinBox,
    QTableWidget,
    QWidget,
)

from engine import (
    DeviceLost,
    DeviceReturned,
    EnhancerFellBack,
    LabelDesk,
    ProfileStore,
    Recorder,
    Sound,
    SpeakerTurn,
    Verification,
    VoiceMeasured,
    open_session,
    read_rttm,
    session_folder,
)
from gui.archive import summaries
from gui.enrolling import READY
from gui.listening import IDLE, PAUSED, RUNNING, Request, session_name
from gui.panels.speakers import MIME
from gui.panels.timeline import describe
from gui.panels.timeline_menu import lane_menu, turn_menu
from gui.panels.timeline_rows import HEADER
from gui.preferences import Preferences, Settings
from gui.state import State, reduce_all
from gui.window import PAGES, Window
from tests.test_store import SPACE

SLOW_MS = 30_000
LEFT = Qt.MouseButton.LeftButton


def turn(speaker: str, start: int, end: int, final: bool = True) -> SpeakerTurn:
    return SpeakerTurn(end, speaker, start, end, end if final else start, 0.9, final)


TALK = [
    turn("S1", 0, 30_000),
    turn("S2", 30_000, 60_000),
    turn("S3", 50_000, 90_000),
    turn("S1", 100_000, 128_000),
]


@pytest.fixture
def talk(window: Window, speech: np.ndarray) -> Window:
    """Eight seconds of three people, over and not recorded, all of it on the screen."""
    conversation = window.studio.conversation
    from gui.sound import SoundHistory

    sound = SoundHistory()
    sound.hear(Sound(0, speech[:128_000]))
    conversation.begin("talk", sound)
    conversation.live = LabelDesk()
    conversation.take(list(TALK))
    conversation.end(None)
    window.listen.timeline.whole()
    QApplication.processEvents()
    return window


@pytest.fixture
def talk_file(tmp_path: Path, speech: np.ndarray) -> Path:
    sf.write(tmp_path / "talk.wav", speech[:128_000], 16_000)
    return tmp_path / "talk.wav"


def place_of(window: Window, number: int, sample: int) -> QPoint:
    """A point of the timeline: in a lane, at a sample."""
    timeline = window.listen.timeline
    y = timeline.rows.lane_top(number) + timeline.rows.lane // 2
    return QPoint(HEADER + round(timeline.view.x(sample)), y)


def names(window: Window) -> list[str]:
    conversation = window.studio.conversation
    return [conversation.shown(lane.speaker) for lane in conversation.lanes.all]


def test_an_empty_window_says_what_to_do_and_every_page_opens(window, qtbot):
    hints = [w.text() for w in window.findChildren(QWidget) if hasattr(w, "text") and w.isVisible()]
    assert any("drop a file here" in text for text in hints)
    for name in PAGES:
        window.show_page(name)
        assert window.pages.currentWidget().isVisible()
        window.grab()
    assert "Nobody is enrolled yet" in window.verification.words.text()


def test_every_control_has_a_name_and_the_keyboard_reaches_it(window):
    controls = (QAbstractButton, QComboBox, QLineEdit, QSpinBox)
    found = [w for kind in controls for w in window.findChildren(kind)]
    parts_of_others = QComboBox | QSpinBox | QLineEdit | QMenuBar | QTableWidget
    own = [w for w in found if not isinstance(w.parent(), parts_of_others)]
    assert len(own) > 30
    assert [w for w in own if not (w.accessibleName() or getattr(w, "text", str)())] == []
    assert [w for w in own if w.focusPolicy() == Qt.FocusPolicy.NoFocus] == []
    assert window.listen.timeline.accessibleName() and window.listen.speakers.list.accessibleName()
    assert all(bar.accessibleName() for bar in window.findChildren(QProgressBar))


def test_a_file_is_heard_recorded_and_can_be_opened_again(window, qtbot, talk_file):
    studio = window.studio
    window.transport.choose_file(str(talk_file))
    assert window.transport.source.currentText() == "talk.wav"
    with qtbot.waitSignal(studio.listening.finished, timeout=SLOW_MS):
        window.transport.start.click()
    assert studio.listening.state == IDLE and studio.conversation.sound.n_samples == 128_000
    live = studio.conversation.state
    assert live.finals and live.voices and not window.banner.isVisible()
    qtbot.waitUntil(lambda: len(window.sessions._all) == 1, timeout=SLOW_MS)
    window.show_page("sessions")
    window.sessions.open_button.click()
    qtbot.waitUntil(lambda: studio.conversation.title.endswith("_talk"), timeout=SLOW_MS)
    qtbot.waitUntil(lambda: studio.conversation.sound.n_samples == 128_000, timeout=SLOW_MS)
    assert studio.conversation.state.finals == live.finals
    assert window.pages.currentWidget() is window.listen


def test_pause_and_go_on_and_stop(window, qtbot, talk_file):
    studio, transport = window.studio, window.transport
    studio.preferences.change(source=str(talk_file), realtime_files=True, record=False)
    transport.start.click()
    qtbot.waitUntil(lambda: studio.listening.state == RUNNING, timeout=SLOW_MS)
    assert not transport.source.isEnabled() and transport.stop.isEnabled()
    transport.start.click()
    assert studio.listening.state == PAUSED and studio.listening.session.paused
    assert "paused" in transport.title.text()
    transport.start.click()
    assert studio.listening.state == RUNNING
    qtbot.waitUntil(lambda: studio.conversation.sound.n_samples > 16_000, timeout=SLOW_MS)
    assert transport.progress.isVisible()
    with qtbot.waitSignal(studio.listening.finished, timeout=SLOW_MS):
        transport.stop.click()
    assert 16_000 < studio.conversation.sound.n_samples < 128_000
    assert not summaries(), "recording was off"


def test_what_cannot_be_opened_is_said_in_the_banner(window, qtbot, tmp_path):
    window.studio.preferences.change(source=str(tmp_path / "nothing.wav"))
    window.transport.start.click()
    qtbot.waitUntil(window.banner.isVisible, timeout=SLOW_MS)
    assert "there is no such file" in window.banner.words.text()
    assert window.studio.listening.state == IDLE and window.studio.conversation.empty
    window.banner.close_button.click()
    assert not window.banner.isVisible()


def test_a_file_that_breaks_off_is_told_and_what_came_before_is_kept(window, qtbot, tmp_path, speech):
    path, studio = tmp_path / "broken.flac", window.studio
    sf.write(path, speech, 16_000)
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 2_000] = bytes(2_000)
    path.write_bytes(bytes(whole))
    studio.preferences.change(source=str(path))
    with qtbot.waitSignal(studio.listening.finished, timeout=SLOW_MS):
        window.transport.start.click()
    assert "damaged" in window.banner.words.text()
    kept = studio.conversation.session
    assert kept is not None and kept.finished and 0 < kept.heard_samples() < len(speech)


def test_a_dropped_file_is_heard(window, qtbot, talk_file):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(talk_file))])
    drop = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        mime,
        LEFT,
        Qt.KeyboardModifier.NoModifier,
        QEvent.Type.Drop,
    )
    with qtbot.waitSignal(window.studio.listening.finished, timeout=SLOW_MS):
        window.dropEvent(drop)
    assert window.studio.conversation.state.finals


def test_microphones_come_and_go_in_the_list_and_the_chosen_one_stays(window):
    studio, box = window.studio, window.transport.source
    studio.devices.found = [{"name": "USB Audio"}, {"name": "Webcam"}]
    studio.devices.changed.emit()
    box.setCurrentIndex(box.findText("USB Audio"))
    box.activated.emit(box.currentIndex())
    assert studio.preferences.now.device == "USB Audio"
    studio.devices.found = [{"name": "Webcam"}]
    studio.devices.changed.emit()
    assert box.currentText() == "USB Audio" and window.settings.device.currentText() == "USB Audio"
    assert Request(studio.preferences.now).live and Request(studio.preferences.now).title == "USB Audio"


def test_a_click_on_a_turn_plays_it_and_the_cursor_moves(talk, qtbot, loudspeakers, speech):
    timeline = talk.listen.timeline
    qtbot.mouseClick(timeline, LEFT, pos=place_of(talk, 1, 45_000))
    assert talk.studio.conversation.turn == TALK[1] and loudspeakers[0].running
    loudspeakers[0].play(10)
    heard = np.concatenate(loudspeakers[0].heard)
    np.testing.assert_allclose(heard, speech[30_000 : 30_000 + len(heard)], atol=1e-4)
    assert talk.studio.player.place == 30_000 + len(heard)
    with qtbot.waitSignal(timeline.painted):
        pass
    loudspeakers[0].play(60)
    qtbot.waitUntil(lambda: not talk.studio.player.playing)
    qtbot.mouseClick(timeline, LEFT, pos=place_of(talk, 1, 95_000))
    assert talk.studio.conversation.turn is None
    assert talk.studio.conversation.cursor == pytest.approx(95_000, abs=2 * timeline.view.per_pixel)


def test_the_timeline_by_keyboard(talk, qtbot, loudspeakers):
    timeline, conversation = talk.listen.timeline, talk.studio.conversation
    timeline.setFocus()
    for key, cursor in (
        (Qt.Key.Key_End, 128_000),
        (Qt.Key.Key_Left, 112_000),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_Right, 16_000),
        (Qt.Key.Key_Down, 30_000),
        (Qt.Key.Key_Down, 50_000),
        (Qt.Key.Key_Up, 30_000),
    ):
        qtbot.keyClick(timeline, key)
        assert conversation.cursor == cursor, key
    assert conversation.turn == TALK[1]
    qtbot.keyClick(timeline, Qt.Key.Key_Space)
    assert talk.studio.player.playing
    qtbot.keyClick(timeline, Qt.Key.Key_Space)
    assert not talk.studio.player.playing
    before = timeline.view.per_pixel
    qtbot.keyClick(timeline, Qt.Key.Key_Plus)
    assert timeline.view.per_pixel == pytest.approx(before / 1.25)
    qtbot.keyClick(timeline, Qt.Key.Key_F)
    assert timeline.view.follow
    qtbot.keyClick(timeline, Qt.Key.Key_0)
    assert timeline.view.start == 0 and not timeline.view.follow


def test_wheel_drag_and_overview_move_the_view(talk, qtbot):
    timeline = talk.listen.timeline
    x = HEADER + 300
    before = timeline.view.sample(300)
    wheel = QWheelEvent(
        QPointF(x, 100),
        QPointF(x, 100),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(timeline, wheel)
    view = timeline.view
    assert view.sample(300) == pytest.approx(before, abs=3 * view.per_pixel)
    qtbot.mousePress(timeline, LEFT, pos=QPoint(x, 60))
    qtbot.mouseMove(timeline, QPoint(x - 60, 60))
    qtbot.mouseRelease(timeline, LEFT, pos=QPoint(x - 60, 60))
    assert timeline.view.start == pytest.approx(view.start + 60 * view.per_pixel, rel=0.05)
    assert not talk.studio.player.playing, "a drag is no click"
    timeline.zoom(2.0, 100)
    qtbot.mouseClick(timeline, LEFT, pos=QPoint(timeline.width() // 2, timeline.height() - 10))
    middle = (timeline.view.start + timeline.view.end) / 2
    assert middle == pytest.approx(64_000, abs=4_000)


def test_a_name_is_edited_in_its_lane(talk, qtbot):
    timeline = talk.listen.timeline
    qtbot.mouseDClick(timeline, LEFT, pos=QPoint(40, place_of(talk, 1, 0).y()))
    editor = timeline.findChild(QLineEdit)
    assert editor is not None and editor.text() == "S2"
    editor.setText("Zoë")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert names(talk) == ["S1", "Zoë", "S3"]


def chosen(menu: QMenu, *words: str) -> None:
    """Trigger an entry of a menu, or of a menu in it."""
    for word in words[:-1]:
        menu = next(a.menu() for a in menu.actions() if word in a.text() and a.menu())
    next(a for a in menu.actions() if words[-1] in a.text()).trigger()


def test_assign_split_undo_and_redo_from_the_menus(talk):
    timeline, studio = talk.listen.timeline, talk.studio
    conversation = studio.conversation
    assert timeline.turn_at(QPointF(place_of(talk, 2, 80_000))) == TALK[2]
    chosen(turn_menu(timeline, studio, TALK[1], 45_000), "belongs to", "S1")
    assert names(talk) == ["S1", "S3"]
    assert [t.start for t in conversation.lanes.all[0].turns] == [0, 30_000, 100_000]
    talk.listen.speakers.refresh()
    talk.listen.speakers.undo.click()
    assert names(talk) == ["S1", "S2", "S3"]
    talk.listen.speakers.refresh()
    talk.listen.speakers.redo.click()
    assert names(talk) == ["S1", "S3"]
    chosen(turn_menu(timeline, studio, TALK[2], 70_000), "Split S3 here")
    assert names(talk) == ["S1", "S3", "S3b"]
    chosen(turn_menu(timeline, studio, TALK[0], 0), "belongs to", "Somebody new")
    assert "S1b" in names(talk)
    conversation.cursor = 110_000
    chosen(lane_menu(timeline, studio, conversation.lanes.all[0], lambda _: None), "Split S1 at the cursor")
    assert names(talk).count("S1c") == 1
    for _ in range(4):
        studio.undo()
    assert names(talk) == ["S1", "S2", "S3"]
    studio.undo()
    assert "nothing to undo" in talk.banner.words.text()


def test_speakers_are_renamed_in_place_and_merged_by_dropping(talk, qtbot):
    speakers, model = talk.listen.speakers, talk.listen.speakers.model
    speakers.refresh()
    assert model.rowCount() == 3 and model.data(model.index(0)) == "S1"
    assert model.setData(model.index(2), "Mei")
    speakers.refresh()
    assert model.data(model.index(2)) == "Mei"
    mime = model.mimeData([model.index(2)])
    assert mime.hasFormat(MIME)
    assert model.dropMimeData(mime, Qt.DropAction.CopyAction, -1, -1, model.index(0))
    speakers.refresh()
    assert names(talk) == ["S1", "S2"]
    assert not model.dropMimeData(
        model.mimeData([model.index(0)]), Qt.DropAction.CopyAction, 0, 0, model.index(0)
    )
    QTest.keyClick(talk, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: names(talk) == ["S1", "S2", "Mei"])
    speakers.list.grab()


def test_a_speaker_who_is_known_is_marked_and_likeness_is_live(window, said):
    conversation = window.studio.conversation
    from gui.sound import SoundHistory

    conversation.begin("live", SoundHistory())
    conversation.live = LabelDesk()
    measured = [i for i, event in enumerate(said) if isinstance(event, VoiceMeasured)]
    conversation.take(said[: measured[len(measured) // 2] + 1])
    window.listen.speakers.refresh()
    delegate = window.listen.speakers.list._delegate
    assert -1 <= delegate.likeness(conversation.lanes.all[0]) <= 1
    window.grab()
    conversation.live = None
    assert delegate.likeness(conversation.lanes.all[0]) is None


def test_curves_and_map_show_every_voice_and_a_click_plays(window, said, speech, loudspeakers, qtbot):
    conversation = window.studio.conversation
    from gui.sound import SoundHistory

    sound = SoundHistory()
    sound.hear(Sound(0, np.resize(speech, 640_000)))
    conversation.begin("talk", sound)
    conversation.take(said)
    conversation.end(None)
    window.listen.timeline.whole()
    curves, voice_map = window.listen.curves, window.listen.map
    qtbot.waitUntil(lambda: bool(curves._curves))
    assert curves._curves.keys() == {lane.speaker for lane in conversation.lanes.all}
    low, high = curves.plot.getPlotItem().viewRange()[0]
    assert low == pytest.approx(0, abs=0.1) and high == pytest.approx(
        conversation.view.end / 16_000, rel=0.02
    )
    voice_map.refresh()
    points = voice_map.points.points()
    assert len(points) == len(conversation.voices) > 50
    owned = [p for p in points if voice_map._turn(int(p.data())) is not None]
    assert len(owned) > 0.8 * len(points)
    voice_map._clicked(None, [owned[3]], None)
    assert loudspeakers[-1].running and conversation.turn is not None
    assert conversation.shown(conversation.turn.speaker) in describe(conversation, conversation.turn)
    assert not voice_map.raw.isEnabled()


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


def test_an_interrupted_session_is_offered_once(window, qtbot, monkeypatch):
    monkeypatch.setattr("gui.archive.BUSY_S", -1.0)
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


def test_a_lost_microphone_is_told_drawn_and_forgotten_when_it_is_back(window, qtbot):
    from gui.sound import SoundHistory

    conversation = window.studio.conversation
    conversation.begin("live", SoundHistory())
    conversation.live = LabelDesk()
    conversation.take([turn("S1", 0, 30_000), DeviceLost(40_000, "mic:USB: no sound has come for 5 s")])
    assert window.banner.isVisible() and "USB: no sound" in window.banner.words.text()
    with qtbot.waitSignal(window.listen.timeline.painted):
        window.listen.timeline.update()
    conversation.take([DeviceReturned(80_000, "mic:USB")])
    assert not window.banner.isVisible()
    assert [(g.start, g.end) for g in conversation.state.gaps] == [(40_000, 80_000)]


def test_settings_are_kept_and_reach_the_engine(window, home):
    page = window.settings
    for box, data in ((page.theme, "dark"), (page.speed, "quick"), (page.enhancer, "mlp")):
        box.setCurrentIndex(box.findData(data))
        box.activated.emit(box.currentIndex())
    page.most.setValue(4)
    page.record.setChecked(False)
    assert window.studio.theme.dark and not window.transport.record.isChecked()
    again = Preferences().now
    assert (again.theme, again.speed, again.max_speakers, again.record) == ("dark", "quick", 4, False)
    config = again.config()
    assert config.diariser.max_speakers == 4 and config.segmentation.confirm_s == 0.8
    assert config.enhancer.model == "mlp"
    (home / "app.toml").write_text("theme = 'pink'\n")
    broken = Preferences()
    assert broken.now == Settings() and "the defaults are used" in broken.problem


def test_health_in_the_status_bar_opens_the_page(window, said):
    for event in said:
        window.studio.health.put(event)
    window.studio.conversation.take([EnhancerFellBack(1, "the model is damaged")])
    window.status.refresh()
    assert "frame" in window.status.line.text() and "lost 0.0 s" in window.status.line.text()
    window.status.line.click()
    assert window.pages.currentWidget() is window.health
    window.health.refresh()
    assert "p99" in window.health.histograms["vad"].words.text()
    assert window.health.histograms["enhancer"].words.text() == "not measured yet"
    assert window.health.values["Enhancer"].text() == "the model is damaged"


def test_session_names_are_allowed_names():
    for source in ("microphone", "demo", "/tmp/a b/ö: talk?.wav"):
        folder = session_folder(session_name(Request(Settings(source=source))))
        assert folder.name.startswith("20")


def test_the_theme_changes_everything_at_once(talk, qtbot):
    light = talk.grab().toImage().pixelColor(640, 400)
    talk.studio.preferences.change(theme="dark")
    with qtbot.waitSignal(talk.listen.timeline.painted):
        talk.listen.timeline.update()
    dark = talk.grab().toImage().pixelColor(640, 400)
    assert light.lightness() > 150 > dark.lightness() or light != dark


def test_what_went_wrong_in_the_background_is_told(window, qtbot, capsys):
    from gui.jobs import Job

    def fail() -> None:
        raise ZeroDivisionError

    Job(fail, None, window.studio.noticed.emit)
    qtbot.waitUntil(window.banner.isVisible)
    assert "unexpected" in window.banner.words.text() and "ZeroDivisionError" in capsys.readouterr().err
