"""Keyboard focus never rests on what is not shown, nor falls to a button that nobody went to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid


class FocusGuard(QObject):
    """Brings the focus home when it lands on what is hidden, or when what had it is hidden or switched off.

    Qt alone gives it to whatever had it last on a page, shown or not, or to the next control there is.
    """

    def __init__(self, window: QWidget, home: Callable[[], QWidget]) -> None:
        """`home` tells a widget that is shown, enabled, and does no harm when a key is pressed."""
        super().__init__(window)
        self._window, self._home = window, home
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._look)

    def _look(self, before: QWidget | None, now: QWidget | None) -> None:
        """The focus went from one widget to another, in any window of the program."""
        if not (isValid(self._window) and self._window.isVisible()):
            return
        lost = now is not None and self._is_ours(now) and not now.isVisible()
        if lost or (self._window.isActiveWindow() and self._is_gone(before)):
            if lost and now is not None:
                now.clearFocus()
            self._home().setFocus()

    def _is_ours(self, widget: QWidget) -> bool:
        return widget.window() is self._window

    def _is_gone(self, widget: QWidget | None) -> bool:
        """Whether it lost the focus because it cannot have it any more."""
        if widget is None or not isValid(widget) or not self._is_ours(widget):
            return False
        return not (widget.isVisible() and widget.isEnabled())


@contextmanager
def turned(pages: QWidget, home: Callable[[], QWidget]) -> Iterator[None]:
    """While a page is turned: the focus, if it was on the pages, goes home on the new one."""
    focus = QApplication.focusWidget()
    inside = focus is not None and pages.isAncestorOf(focus)
    yield
    if inside:
        home().setFocus()
