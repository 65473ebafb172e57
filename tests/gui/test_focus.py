"""Keyboard focus: on every page and in every state it is on something shown, and a key does no harm."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from tests.conftest import ROOT
from tests.gui.talk import TALK
from tests.gui.test_pages import recorded
from voicelane import LabelDesk
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.window import PAGES, Window
from voicelane.gui.work.leaving import STAY
from voicelane.gui.work.listening import IDLE, PREPARING, RUNNING, STOPPING

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton
SLOW_MS = 30_000
TABS = 40


@pytest.fixture
def active(window, qtbot, monkeypatch) -> Iterator[Window]:
    """A window that has the keyboard; nothing is really listened to, and nobody leaves anything."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.started = []
    monkeypatch.setattr(window.studio.listening, "start", window.started.append)
    window.studio.ask = lambda *_: STAY
    yield window
    window.studio.listening.state = IDLE


def live(window: Window, qtbot) -> None:
    sound, conversation = SoundHistory(), window.studio.conversation
    conversation.begin("live", sound)
    conversation.live = LabelDesk(TALK)
    window.studio.listening.state = RUNNING
    window.studio.listening.changed.emit()
    conversation.take(list(TALK))


def over(window: Window, qtbot) -> None:
    window.studio.conversation.end(None)
    window.studio.listening.state = IDLE
    window.studio.listening.changed.emit()


def opened(window: Window, qtbot) -> None:
    recorded("one", {"S1": "Anna"})
    window.studio.conversation.clear()
    window.studio.open("one")
    qtbot.waitUntil(lambda: window.studio.conversation.title == "one", timeout=SLOW_MS)
    qtbot.waitUntil(lambda: window.studio.conversation.sound.n_samples == 128_000, timeout=SLOW_MS)


STATES = {"welcome": lambda *_: None, "live": live, "over": over, "opened": opened}


def in_sight() -> bool:
    focus = QApplication.focusWidget()
    return focus is not None and focus.isVisible() and focus.isEnabled()


def press(key: Qt.Key) -> None:
    focus = QApplication.focusWidget()
    QTest.keyClick(focus, key)
    if popup := QApplication.activePopupWidget():
        popup.close()
        focus.window().activateWindow()  # Qt's screen of memory forgets to
    QApplication.processEvents()


def test_on_every_page_and_in_every_state_the_focus_is_in_sight_and_keys_replace_nothing(active, qtbot):
    for state, arrange in STATES.items():
        arrange(active, qtbot)
        title = active.studio.conversation.title
        for page in PAGES:
            active.show_page("settings" if page != "settings" else "sessions")
            active._home().setFocus()
            active.show_page(page)
            assert in_sight(), (state, page)
            if state != "welcome":  # where Space may well begin something
                assert QApplication.focusWidget() is active._home(), (state, page)
                press(Qt.Key.Key_Space)
                if page != "sessions":  # where it opens the chosen one
                    press(Qt.Key.Key_Return)
                active.studio.player.stop()
            assert active.pages.currentIndex() == list(PAGES).index(page), (state, page)
            for _ in range(TABS):
                QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
                assert in_sight(), (state, page, str(QApplication.focusWidget()), active.isActiveWindow())
        assert active.studio.conversation.title == title and not active.started, state


def test_space_plays_a_session_that_was_opened_from_the_welcome(active, qtbot, loudspeakers):
    recorded("one", {})
    button = next(
        b for b in active.listen.findChildren(QPushButton) if "session" in b.text() and b.isVisible()
    )
    button.setFocus()
    qtbot.mouseClick(button, LEFT)
    page = active.sessions
    qtbot.waitUntil(lambda: page.table.rowCount() == 1, timeout=SLOW_MS)
    page.open_button.click()
    qtbot.waitUntil(lambda: active.studio.conversation.sound.n_samples == 128_000, timeout=SLOW_MS)
    assert QApplication.focusWidget() is active.listen.timeline
    press(Qt.Key.Key_Space)
    assert active.pages.currentWidget() is active.listen and active.studio.conversation.title == "one"
    assert active.studio.player.playing and not active.started


def test_a_button_that_is_switched_off_hands_its_key_to_no_other_button(active):
    """Start is off while the models load; Space must not stop, or record, or begin, instead."""
    transport, listening = active.transport, active.studio.listening
    live(active, None)
    transport.start.setFocus()
    for state in (IDLE, PREPARING):
        listening.state = state
        listening.changed.emit()
    assert in_sight() and QApplication.focusWidget() is transport
    listening.state = RUNNING
    listening.changed.emit()
    assert QApplication.focusWidget() is transport.start, "Space pauses what Space began"
    transport.stop.setFocus()
    listening.state = STOPPING
    listening.changed.emit()
    assert QApplication.focusWidget() is active.listen.timeline
    listening.state = IDLE
    listening.changed.emit()


def test_a_window_without_a_picture_of_it_leaves_the_focus_alone(active):
    """What another program's window, or a dialog, does with the focus is not the guard's business."""
    active.transport.source.setFocus()
    active.hide()
    active.listen.timeline.setFocus()
    active.show()
    assert active.isVisible()


def painters() -> list[ast.FunctionDef]:
    found = []
    for path in sorted((ROOT / "gui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name == "paintEvent":
                found.append(node)
    return found


def test_nothing_is_told_while_something_is_painted():
    """A signal in the midst of a picture changes what is drawn, or asks for another picture for ever."""
    assert len(painters()) >= 3
    for function in painters():
        calls = {ast.unparse(n.func) for n in ast.walk(function) if isinstance(n, ast.Call)}
        assert not [c for c in calls if c.endswith(".emit") or "show_view" in c], ast.unparse(function)
