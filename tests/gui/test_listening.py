"""The window as a whole: transport, sources, errors, devices, settings, health."""

from __future__ import annotations

from typing import get_args, get_type_hints

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("PySide6")

from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenuBar,
    QProgressBar,
    QSpinBox,
    QTableWidget,
    QWidget,
)

from tests.gui.talk import turn
from voicelane import LabelDesk, PipelineConfig, VoicelaneError, open_session
from voicelane.config import PRESETS, preset
from voicelane.events import DeviceLost, DeviceReturned, EnhancerFellBack, SinkFailed, SoundRemark
from voicelane.gui.model.preferences import Preferences, Settings
from voicelane.gui.model.session_list import summaries
from voicelane.gui.window import PAGES
from voicelane.gui.work.listening import IDLE, PAUSED, RUNNING, Request, session_name
from voicelane.sessions import session_folder

pytestmark = pytest.mark.qt

SLOW_MS = 30_000
LEFT = Qt.MouseButton.LeftButton


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


@pytest.mark.slow
def test_recording_begins_and_ends_while_it_is_heard(window, qtbot, talk_file):
    """The sound before it is silence in the recording, so that its times are those of the window."""
    studio, record = window.studio, window.transport.record
    studio.preferences.change(source=str(talk_file), record=False, realtime_files=True)
    studio.listen()
    qtbot.waitUntil(lambda: studio.conversation.n_samples > 2 * 16_000, timeout=20_000)
    assert not summaries()
    record.click()
    qtbot.waitUntil(lambda: studio.conversation.n_samples > 4 * 16_000, timeout=20_000)
    with qtbot.waitSignal(studio.listening.recorded, timeout=10_000):
        record.click()
    (summary,) = summaries()
    session = open_session(summary.name)
    assert session.state == "finished" and studio.listening.state == RUNNING
    sound = np.concatenate(list(session.sound()))
    whole = sf.read(talk_file, dtype="float32")[0][: len(sound)]
    begun = int(np.flatnonzero(sound)[0])
    assert 16_000 < begun < len(sound) - 16_000
    assert np.abs(sound[begun:] - whole[begun:]).max() < 1e-4
    studio.listening.stop()
    qtbot.waitUntil(lambda: studio.listening.state == IDLE, timeout=20_000)


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


@pytest.mark.slow
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


def test_a_lost_microphone_is_told_drawn_and_forgotten_when_it_is_back(window, qtbot):
    from voicelane.gui.model.sound import SoundHistory

    conversation = window.studio.conversation
    conversation.begin("live", SoundHistory())
    conversation.live = LabelDesk()
    conversation.take([turn("S1", 0, 30_000), DeviceLost(40_000, "mic:USB: no sound has come for 5 s")])
    assert window.banner.isVisible() and "USB: no sound" in window.banner.words.text()
    before = window.listen.timeline.n_pictures
    window.listen.timeline.update()
    qtbot.waitUntil(lambda: window.listen.timeline.n_pictures > before)
    conversation.take([DeviceReturned(80_000, "mic:USB")])
    assert not window.banner.isVisible()
    assert [(g.start, g.end) for g in conversation.state.gaps] == [(40_000, 80_000)]


def test_a_recording_that_fails_is_told_at_once(window):
    conversation = window.studio.conversation
    conversation.take(
        [SinkFailed(40_000, "talk: the session cannot be recorded any more (the disk is full)")]
    )
    assert window.banner.isVisible() and "listening goes on without it" in window.banner.words.text()


def test_settings_are_kept_and_reach_the_engine(window, home):
    page = window.settings
    for box, data in ((page.theme, "dark"), (page.preset, "quick"), (page.enhancer, "mlp")):
        box.setCurrentIndex(box.findData(data))
        box.activated.emit(box.currentIndex())
    page.most.setValue(4)
    page.record.setChecked(False)
    assert window.studio.theme.dark and not window.transport.record.isChecked()
    again = Preferences().now
    assert (again.theme, again.preset, again.max_speakers, again.record) == ("dark", "quick", 4, False)
    config = again.config()
    assert config.diariser.max_speakers == 4 and config.segmentation == preset("quick").segmentation
    assert config.enhancer.model == "mlp"
    assert window.settings.preset.findText("default: labels are final after 1.26 s") >= 0
    (home / "app.toml").write_text("theme = 'pink'\n")
    broken = Preferences()
    assert broken.now == Settings() and "pink" in broken.problem


def test_the_app_is_set_as_the_engine_is():
    """No default stands in two places; the app lays its choices over a preset of the engine."""
    assert Settings().config() == PipelineConfig()
    assert set(get_args(get_type_hints(Settings)["preset"])) == set(PRESETS)
    for name in PRESETS:
        assert Settings(preset=name).config() == preset(name)
    with pytest.raises(VoicelaneError, match="no preset 'hasty'"):
        preset("hasty")
    with pytest.raises(TypeError):
        PRESETS["quick"]["step_s"] = 1.0


@pytest.mark.parametrize(
    ("speed", "now"), [("balanced", "default"), ("quick", "quick"), ("careful", "careful")]
)
def test_choices_of_version_0_1_are_kept(home, speed, now):
    home.mkdir()
    (home / "app.toml").write_text(f'speed = "{speed}"\ntheme = "dark"\nmax_speakers = 7\n')
    found = Preferences()
    assert not found.problem and found.now == Settings(preset=now, theme="dark", max_speakers=7, toured=True)


def test_a_file_is_opened_by_the_keyboard(window, qtbot, monkeypatch, talk_file):
    """Ctrl+O asks for a file and listens to it, as dropping it would."""
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QFileDialog

    answers = ["", str(talk_file)]
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (answers.pop(0), ""))
    opened = []
    monkeypatch.setattr(window.studio.listening, "start", lambda request: opened.append(request.title))
    for n_opened in (0, 1):
        QTest.keyClick(window, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
        assert len(opened) == n_opened
    assert opened == ["talk.wav"] and window.pages.currentWidget() is window.listen


def test_what_is_worth_knowing_of_the_sound_is_said_quietly_and_once(talk):
    line = next(w for w in talk.listen.findChildren(QLabel) if w.accessibleName() == "About the sound")
    assert not line.isVisible()
    talk.studio.conversation.take(
        [SoundRemark(0, "channel 2 is silent")] * 2 + [SoundRemark(9, "it is clipped")]
    )
    assert line.isVisible() and line.text() == "About the sound: channel 2 is silent; it is clipped"
    assert not talk.banner.isVisible()
    talk.studio.conversation.clear()
    assert not line.isVisible()


def test_health_in_the_status_bar_opens_the_page(window, said):
    for event in said:
        window.studio.health.put(event)
    window.studio.conversation.take([EnhancerFellBack(1, "the model is damaged")])
    window.status.refresh()
    assert window.status.line.text() == "Ready"
    window.studio.preferences.change(lab=True)
    window.status.refresh()
    assert "frame" in window.status.line.text() and "lost 0.0 s" in window.status.line.text()
    window.status.line.click()
    assert window.pages.currentWidget() is window.health
    window.health.refresh()
    assert "p99" in window.health.histograms["vad"].words.text()
    assert window.health.histograms["enhancer"].words.text() == "not measured yet"
    assert window.health.values["Enhancer"].text() == "the model is damaged"


def test_session_names_are_allowed_names():
    for source in ("microphone", "demo", "a folder/ö: talk?.wav"):
        folder = session_folder(session_name(Request(Settings(source=source))))
        assert folder.name.startswith("20")


def test_the_theme_changes_everything_at_once(talk, qtbot):
    light = talk.grab().toImage().pixelColor(640, 400)
    talk.studio.preferences.change(theme="dark")
    before = talk.listen.timeline.n_pictures
    talk.listen.timeline.update()
    qtbot.waitUntil(lambda: talk.listen.timeline.n_pictures > before)
    dark = talk.grab().toImage().pixelColor(640, 400)
    assert light.lightness() > 150 > dark.lightness() or light != dark


def test_what_went_wrong_in_the_background_is_told(window, qtbot, capsys):
    from voicelane.gui.work.jobs import Job

    def fail() -> None:
        raise ZeroDivisionError

    Job(fail, None, window.studio.noticed.emit)
    qtbot.waitUntil(window.banner.isVisible)
    assert "unexpected" in window.banner.words.text() and "ZeroDivisionError" in capsys.readouterr().err
