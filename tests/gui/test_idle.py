"""An open window in which nothing goes on costs next to nothing."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QTimer

from voicelane.gui.look import ticking
from voicelane.gui.window import PAGES

pytestmark = pytest.mark.qt

SLOW_MS = 500
"""Of a timer that may go on for ever."""


def hasty(window) -> list[str]:
    """Whose timers call more often than twice a second, again and again."""
    timers = window.findChildren(QTimer)
    running = [t for t in timers if t.isActive() and not t.isSingleShot() and t.interval() < SLOW_MS]
    return [type(t.parent()).__name__ for t in running]


@pytest.mark.parametrize("page", PAGES)
def test_nothing_ticks_on_a_page_where_nothing_goes_on(window, qtbot, monkeypatch, page):
    monkeypatch.setattr(ticking, "REST_AFTER_MS", 300)
    window.show_page(page)
    assert hasty(window), "it moves right after a change"
    qtbot.waitUntil(lambda: not hasty(window), timeout=10_000)
