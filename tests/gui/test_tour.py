"""The tour of the first start: quiet, by keyboard, beside what it explains, and only once."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.gui.talk import TALK
from voicelane import LabelDesk
from voicelane.gui.model.preferences import Preferences
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.panels.tour import MICROPHONE, NAME, SPEAK, STEPS
from voicelane.gui.window import LEAST, PAGES
from voicelane.gui.work import enrolling
from voicelane.gui.work.enrolling import IDLE, PREPARING, RECORDING
from voicelane.live import Sound

pytestmark = pytest.mark.qt


class Microphone:
    """A session that hears what it is given."""

    def __init__(self, device: str) -> None:
        self.device, self.open = device, True

    def stop(self) -> None:
        self.open = False


@pytest.fixture
def microphones(monkeypatch) -> list[Microphone]:
    """Every one that was opened, the latest last."""
    found: list[Microphone] = []

    def opened(device: str, *_) -> Microphone:
        found.append(Microphone(device))
        return found[-1]

    monkeypatch.setattr(enrolling, "_recording", opened)
    return found


@pytest.fixture
def tour(window, qtbot):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.tour.offer()
    return window.tour


def place(widget: QWidget) -> QRect:
    return QRect(widget.mapTo(widget.window(), widget.rect().topLeft()), widget.size())


def test_it_is_offered_at_the_first_start_and_not_again_once_it_was_ended(window, tour):
    assert tour.isVisible() and QApplication.focusWidget() is window.listen.welcome.start, "quietly"
    tour.next.setFocus()
    QTest.keyClick(tour.next, Qt.Key.Key_Escape)
    assert not tour.isVisible() and Preferences().now.toured
    assert QApplication.focusWidget() is window.listen.welcome.start
    tour.offer()
    assert not tour.isVisible()


def test_who_had_the_app_before_is_not_shown_around(home):
    home.mkdir()
    assert not Preferences().now.toured
    (home / "app.toml").write_text('theme = "dark"\n')
    assert Preferences().now.toured


def test_help_shows_it_again_and_keys_are_enough_for_all_of_it(window, tour, qtbot):
    tour.end()
    window.show_page("settings")
    action = next(a for a in window.findChildren(QAction) if a.text() == "Tour")
    action.trigger()
    assert tour.isVisible() and window.pages.currentWidget() is window.listen
    for step in (MICROPHONE, SPEAK, NAME):
        assert tour.step == step and f"{step + 1} of {len(STEPS)}" in tour.title.text()
        assert QApplication.focusWidget() is tour.next
        QTest.keyClick(tour.next, Qt.Key.Key_Space)
    assert not tour.isVisible() and QApplication.focusWidget().isVisible()
    tour.go(SPEAK)
    QTest.keyClick(tour.back, Qt.Key.Key_Space)
    assert tour.step == MICROPHONE


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_it_covers_nothing_not_even_in_the_least_window(talk, qtbot, step):
    talk.tour.go(step)
    talk.banner.say("something went wrong")
    talk.resize(LEAST)
    qtbot.wait(50)
    assert talk.size() == LEAST
    parts = (talk.transport, talk.tour, talk.banner, talk.pages, talk.status)
    for number, part in enumerate(parts):
        assert talk.rect().contains(place(part)), type(part)
        assert not [o for o in parts[number + 1 :] if place(part).intersects(place(o))], type(part)
    assert talk.listen.timeline.isVisible() and talk.pages.height() > 150
    words = talk.tour.words
    assert words.height() >= words.heightForWidth(words.width())


def test_the_microphone_is_checked_and_nothing_of_it_is_kept(window, tour, qtbot, microphones):
    checking = window.studio.booth.checking
    qtbot.mouseClick(tour.act, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: checking.state == RECORDING)
    assert tour.act.text() == "End the check" and tour.meter.isVisible()
    silence, rng = np.zeros(32_000, np.float32), np.random.default_rng(0)
    checking.ear.hear(Sound(0, silence))
    qtbot.waitUntil(lambda: "mute switch" in tour.found.text())
    checking.ear.hear(Sound(32_000, 1e-4 * rng.standard_normal(16_000).astype(np.float32)))
    qtbot.waitUntil(lambda: "Hardly anything" in tour.found.text())
    checking.ear.hear(Sound(48_000, 0.1 * rng.standard_normal(16_000).astype(np.float32)))
    qtbot.waitUntil(lambda: tour.found.text() == "You are heard.")
    assert "peak" in tour.meter.toolTip()
    checking.ear.hear(Sound(64_000, np.ones(1_600, np.float32)))
    qtbot.waitUntil(lambda: "Too loud" in tour.found.text())
    tour.next.click()
    assert checking.state == IDLE and not len(checking.ear.sound()) and tour.step == SPEAK
    qtbot.waitUntil(lambda: not microphones[0].open)


def test_another_microphone_is_checked_when_it_is_chosen(window, tour, qtbot, microphones):
    checking = window.studio.booth.checking
    tour.act.click()
    qtbot.waitUntil(lambda: checking.state == RECORDING)
    window.studio.preferences.change(device="headset")
    qtbot.waitUntil(lambda: len(microphones) == 2 and checking.state == RECORDING)
    assert [m.device for m in microphones] == ["", "headset"]
    qtbot.waitUntil(lambda: not microphones[0].open)
    assert microphones[1].open
    window.studio.listening.state = "preparing"
    window.studio.listening.changed.emit()
    qtbot.waitUntil(lambda: not microphones[1].open)
    assert checking.state == IDLE and not tour.act.isEnabled(), "who listens needs it"
    window.studio.listening.state = "idle"
    window.studio.listening.changed.emit()


def test_a_check_that_is_ended_before_the_microphone_is_open_closes_it(tour, window, qtbot, microphones):
    tour.act.click()
    assert window.studio.booth.checking.state == PREPARING
    tour.end()
    qtbot.waitUntil(lambda: len(microphones) == 1 and not microphones[0].open)
    assert window.studio.booth.checking.state == IDLE


def test_who_speaks_and_who_is_named_is_seen(window, tour, qtbot, monkeypatch):
    started = []
    monkeypatch.setattr(window.studio.listening, "start", started.append)
    tour.go(SPEAK)
    tour.act.click()
    assert len(started) == 1 and tour.found.text() == ""
    conversation = window.studio.conversation
    conversation.begin("live", SoundHistory())
    conversation.live = LabelDesk()
    conversation.take(list(TALK))
    assert tour.found.text() == "3 people have been heard."
    conversation.end(None)
    tour.next.click()
    assert tour.found.text() == "" and tour.next.text() == "Done" and not tour.act.isVisible()
    conversation.correct(lambda desk: desk.rename("S2", "Zoë"))
    assert tour.found.text() == "Named: Zoë."
    assert list(PAGES)[window.pages.currentIndex()] == "listen"
