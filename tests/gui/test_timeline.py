"""Timeline, speakers, curves and map as somebody uses them: clicks, keys, drops, and what comes of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QRegion, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
    QMenu,
    QWidget,
)

from tests.gui.talk import TALK, names, place_of, turn
from voicelane import LabelDesk
from voicelane.events import DeviceLost, VoiceMeasured
from voicelane.gui.panels.speakers import MIME
from voicelane.gui.panels.timeline.menu import lane_menu, turn_menu
from voicelane.gui.panels.timeline.rows import HEADER
from voicelane.gui.panels.timeline.view import describe
from voicelane.live import Sound

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton


def test_a_click_on_a_turn_plays_it_and_the_cursor_moves(talk, qtbot, loudspeakers, speech):
    timeline = talk.listen.timeline
    qtbot.mouseClick(timeline, LEFT, pos=place_of(talk, 1, 45_000))
    assert talk.studio.conversation.turn == TALK[1] and loudspeakers[0].running
    loudspeakers[0].play(10)
    heard = np.concatenate(loudspeakers[0].heard)
    np.testing.assert_allclose(heard, speech[30_000 : 30_000 + len(heard)], atol=1e-4)
    assert talk.studio.player.place == 30_000 + len(heard)
    before = timeline.n_pictures
    qtbot.waitUntil(lambda: timeline.n_pictures > before)
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


@pytest.mark.parametrize("size", [(480, 240), (1_001, 533)])
def test_every_pixel_of_the_timeline_is_drawn(talk, size):
    """It tells Qt that nothing shines through, which saves drawing what lies behind."""
    timeline, behind = talk.listen.timeline, QColor("magenta")
    assert timeline.testAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
    timeline.resize(*size)
    image = QImage(*size, QImage.Format.Format_RGB32)
    image.fill(behind)
    timeline.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    pixels = np.frombuffer(image.constBits(), np.uint32)
    assert len(pixels) == size[0] * size[1] and not (pixels == behind.rgb()).any()


def editing(talk, qtbot) -> QLineEdit:
    """The editor of the name S2, after a double click on it."""
    timeline = talk.listen.timeline
    qtbot.mouseDClick(timeline, LEFT, pos=QPoint(40, place_of(talk, 1, 0).y()))
    return next(e for e in timeline.findChildren(QLineEdit) if e.isVisible())


def test_a_name_is_edited_in_its_lane(talk, qtbot, loudspeakers, monkeypatch):
    """Enter keeps it and plays nothing, Escape leaves it, going elsewhere keeps it."""
    timeline, conversation = talk.listen.timeline, talk.studio.conversation
    conversation.select(TALK[1])
    for key, name, after in (
        (Qt.Key.Key_Escape, "nobody", "S2"),
        (Qt.Key.Key_Return, "Zoë", "Zoë"),
        (Qt.Key.Key_Enter, "  ", "Zoë"),
    ):
        editor = editing(talk, qtbot)
        assert editor.text() == conversation.shown("S2") and editor.hasFocus()
        editor.setText(name)
        for other in (Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_0):
            qtbot.keyClick(editor, other)
        editor.setText(name)
        qtbot.keyClick(editor, key)
        assert names(talk) == ["S1", after, "S3"]
        assert timeline.hasFocus(), "and the arrows work again"
    assert conversation.cursor == TALK[1].start and not loudspeakers
    editing(talk, qtbot).setText("Mei")
    qtbot.mouseClick(timeline, LEFT, pos=place_of(talk, 1, 95_000))
    assert names(talk) == ["S1", "Mei", "S3"]
    editing(talk, qtbot).setText("Bo")
    talk.show_page("people")
    assert names(talk) == ["S1", "Bo", "S3"]
    talk.show_page("listen")
    editing(talk, qtbot).setText("of another conversation")
    asked = []
    monkeypatch.setattr(conversation, "correct", asked.append)
    conversation.clear()
    assert not asked and not any(e.isVisible() for e in timeline.findChildren(QLineEdit))


def test_the_view_that_follows_is_moved_between_two_pictures(talk, qtbot):
    timeline, conversation = talk.listen.timeline, talk.studio.conversation
    conversation.live = LabelDesk(TALK)
    timeline.zoom(4.0)
    timeline.follow(True)
    told, before = list[int](), timeline.view
    timeline.view_changed.connect(lambda: told.append(timeline.n_pictures))
    conversation.sound.hear(Sound(128_000, np.zeros(32_000, np.float32)))
    n_pictures = timeline.n_pictures
    timeline.repaint()
    assert timeline.n_pictures == n_pictures + 1 and not told and timeline.view == before
    timeline._tick()
    assert told and timeline.view.start > before.start
    conversation.live = None


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
    talk.listen.document.refresh()
    talk.listen.document.undo.click()
    assert names(talk) == ["S1", "S2", "S3"]
    talk.listen.document.refresh()
    talk.listen.document.redo.click()
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
    from voicelane.gui.model.sound import SoundHistory

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


def test_following_outlives_other_pages_and_a_pause_ends_who_speaks(window, qtbot, speech):
    from voicelane.gui.model.sound import SoundHistory
    from voicelane.gui.work.listening import IDLE, PAUSED, RUNNING

    conversation, studio = window.studio.conversation, window.studio
    conversation.begin("live", sound := SoundHistory())
    conversation.live = LabelDesk()
    conversation.take([turn("S1", 0, 30_000, final=False)])
    window.show_page("settings")
    sound.hear(Sound(0, speech))
    window.show_page("listen")
    qtbot.waitUntil(lambda: conversation.view.end > len(speech) > conversation.view.start)
    assert conversation.view.follow and window.listen.follow.isChecked()
    delegate, lane = window.listen.speakers.list._delegate, conversation.lanes.all[0]
    for state, speaks in ((RUNNING, True), (PAUSED, False), (RUNNING, True)):
        studio.listening.state = state
        assert delegate.speaks(lane) == speaks
    conversation.take([DeviceLost(30_000, "mic: gone")])
    assert not delegate.speaks(lane)
    studio.listening.state = IDLE


def test_curves_and_map_show_every_voice_and_a_click_plays(window, said, speech, loudspeakers, qtbot):
    conversation = window.studio.conversation
    window.studio.preferences.change(lab=True)
    from voicelane.gui.model.sound import SoundHistory

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
