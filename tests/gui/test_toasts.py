"""Messages: what happened comes and goes in a corner, what is wrong stays while it is."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QLabel

import voicelane.gui.panels.toasts as toasts
from voicelane.gui.window import LEAST

pytestmark = pytest.mark.qt


def test_what_happened_moves_nothing_takes_no_click_and_goes(talk, qtbot, monkeypatch):
    monkeypatch.setattr(toasts, "SHOWN_MS", 3_000)
    window, before = talk, talk.listen.geometry()
    focus = window.focusWidget()
    for number in range(toasts.MOST + 2):
        window.studio.told.emit(
            f"message {number} with enough words that they need two lines or three, even here"
        )
    shown = window.toasts
    assert len(shown.words) == toasts.MOST and shown.words[0].startswith("Message 2")
    for size in (window.size(), LEAST, window.size()):
        window.resize(size)
        qtbot.wait(10)
        labels = [toast.findChild(QLabel) for toast in shown.toasts]
        assert all(w.height() >= w.heightForWidth(w.width()) > 10 for w in labels), "no line is cut off"
        assert window.rect().contains(shown.geometry()) and shown.isVisible()
        assert shown.geometry().bottom() < window.status.geometry().top()
    corner = shown.geometry().center()
    assert window.childAt(QPoint(corner)) not in (shown, *shown.toasts)
    assert window.listen.geometry() == before and window.focusWidget() is focus
    assert not window.banner.isVisible(), "it is no warning"
    qtbot.waitUntil(lambda: not shown.words and not shown.isVisible())


def test_what_was_wrong_before_is_not_said_for_ever(window, monkeypatch):
    monkeypatch.setattr(window.studio.listening, "start", lambda _: None)
    window.studio.noticed.emit("nothing.wav: there is no such file")
    assert window.banner.isVisible() and not window.toasts.words
    window.transport.start.click()
    assert not window.banner.isVisible()
