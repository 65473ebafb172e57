"""The window on small screens: it opens within them, can be made small, and every page can be seen whole."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from PySide6.QtWidgets import QScrollArea

from voicelane.events import SoundRemark
from voicelane.gui.window import LEAST, PAGES, Window

pytestmark = pytest.mark.qt


def test_it_opens_within_the_screen(studio, qtbot):
    """Qt's screen of memory has 800 times 800 pixels."""
    window = Window(studio)
    qtbot.addWidget(window)
    window.show()
    room = window.screen().availableGeometry()
    assert window.width() <= room.width() and window.height() <= room.height()


def test_every_page_fits_into_the_least_window_whatever_is_said(talk, qtbot):
    window, conversation = talk, talk.studio.conversation
    conversation.title = "a file with a name that is much longer than anybody would expect of it.wav" * 3
    conversation.take([SoundRemark(0, "channel 2 hums at 50 Hz and is left out, the others are mixed")] * 3)
    window.banner.say("something went wrong in a way that takes many words to explain, " * 4)
    window.status.line.setText("much to tell   ·   " * 20)
    window.resize(LEAST)
    for name in PAGES:
        window.show_page(name)
        qtbot.wait(20)
        assert window.size() == LEAST, name
        assert window.minimumSizeHint().boundedTo(LEAST) == window.minimumSizeHint(), name
        area = next(a for a in window.pages.currentWidget().findChildren(QScrollArea) if a.isVisible())
        bars = area.horizontalScrollBar().maximum(), area.verticalScrollBar().maximum()
        seen, whole = area.viewport().size(), area.widget().size()
        assert (whole.width() - seen.width(), whole.height() - seen.height()) == bars, "all can be reached"
    for button in (window.transport.start, window.transport.stop, window.transport.record):
        assert window.rect().contains(button.mapTo(window, button.rect().bottomRight()))
