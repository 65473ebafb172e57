"""For those who do not see the screen, or use no mouse: everything says what it is, and can be reached."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from voicelane.gui.panels.help import KeySheet
from voicelane.gui.window import PAGES

pytestmark = pytest.mark.qt

MOST_TABS = 120


def takes_keys(widget: QWidget) -> bool:
    """Whether Tab stops there; parts that Qt makes for its own widgets are theirs."""
    own = not widget.objectName().startswith("qt_")
    reached = bool(widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value)
    return own and reached and widget.isVisible() and widget.isEnabled()


def said(widget: QWidget) -> str:
    """What a screen reader says of it."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name).strip()


def names_of(root: QWidget) -> dict[str, str]:
    found = (w for w in root.findChildren(QWidget) if takes_keys(w))
    return {f"{type(w).__name__} {w.objectName()}": said(w) for w in found}


def test_everything_that_takes_the_keyboard_says_what_it_is_and_tab_comes_by(talk, qtbot):
    talk.studio.preferences.change(lab=True)
    talk.studio.conversation.correct(lambda desk: desk.rename("S1", "Anna"))
    talk.activateWindow()
    qtbot.waitUntil(talk.isActiveWindow)
    for page in PAGES:
        talk.show_page(page)
        QApplication.processEvents()
        nameless = [what for what, name in names_of(talk).items() if not name]
        assert nameless == [], page
        wanted = {w for w in talk.pages.currentWidget().findChildren(QWidget) if takes_keys(w)}
        wanted |= {w for w in talk.transport.findChildren(QAbstractButton) if takes_keys(w)}
        missed = wanted - visited(talk)
        assert {said(w) for w in missed} == set(), page


def visited(window: QWidget) -> set[QWidget]:
    """Where Tab comes by, all the way round."""
    found: set[QWidget] = set()
    for _ in range(MOST_TABS):
        focus = QApplication.focusWidget()
        if focus in found:
            break
        found.add(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    return found


def test_windows_of_their_own_are_named_and_escape_closes_them(talk, qtbot):
    talk.show_keys()
    sheet = talk.findChild(KeySheet)
    assert sheet.isVisible() and sheet.windowTitle() and all(names_of(sheet).values())
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
