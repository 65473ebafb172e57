"""For those who do not see the screen, or use no mouse: everything says what it is, and can be reached."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QProgressBar,
    QSlider,
    QWidget,
    QWidgetAction,
)

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


def has_key(widget: QWidget) -> bool:
    """Whether a key presses it, as the page buttons, of which Tab stops at one."""
    return isinstance(widget, QAbstractButton) and bool(widget.shortcut().toString())


def names_of(root: QWidget) -> dict[str, str]:
    found = (w for w in root.findChildren(QWidget) if takes_keys(w))
    return {f"{type(w).__name__} {w.objectName()}": said(w) for w in found}


def test_everything_that_takes_the_keyboard_says_what_it_is_and_tab_comes_by(talk, qtbot):
    talk.studio.preferences.change(lab=True)
    talk.tour.begin()
    talk.banner.say("something can be opened", "Open it", lambda: None)
    talk.studio.conversation.correct(lambda desk: desk.rename("S1", "Anna"))
    talk.activateWindow()
    qtbot.waitUntil(talk.isActiveWindow)
    for page in PAGES:
        talk.show_page(page)
        QApplication.processEvents()
        nameless = [what for what, name in names_of(talk).items() if not name]
        assert nameless == [], page
        assert {"Tour", "Notice"} <= {w.accessibleName() for w in talk.findChildren(QWidget) if w.isVisible()}
        missed = {w for w in talk.findChildren(QWidget) if takes_keys(w) and not has_key(w)} - visited(talk)
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


def test_every_act_of_a_menu_or_button_can_be_done_without_a_mouse(talk):
    """Every entry says what it is, once in its menu; every button can be reached by Tab, or has a key."""
    menus = [action.menu() for action in talk.menuBar().actions()]
    assert len(menus) >= 5
    for menu in menus:
        texts = [action.text() for action in menu.actions() if not action.isSeparator()]
        named = [text for text in texts if text] + [a for a in menu.actions() if isinstance(a, QWidgetAction)]
        assert len(named) >= len(texts) and len(set(texts)) == len(texts), menu.title()
    for button in talk.findChildren(QAbstractButton):
        own = not button.objectName().startswith("qt_") and not isinstance(button.parent(), QLineEdit)
        reached = button.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        corner = isinstance(button.parent(), QAbstractItemView)
        assert reached or button.shortcut().toString() or corner or not own, said(button)


def test_pictures_and_fields_are_told_as_what_they_are(talk, qtbot):
    """Roles that a screen reader goes by; a label beside a field is no name of it by itself."""
    roles = {
        talk.transport.start: QAccessible.Role.Button,
        talk.transport.source: QAccessible.Role.ComboBox,
        talk.transport.position: QAccessible.Role.Slider,
        talk.sessions.table: QAccessible.Role.Table,
        talk.people.name: QAccessible.Role.EditableText,
        talk.people.speech: QAccessible.Role.ProgressBar,
        talk.settings.record: QAccessible.Role.CheckBox,
        talk.listen.speakers.list: QAccessible.Role.List,
    }
    for widget, role in roles.items():
        assert QAccessible.queryAccessibleInterface(widget).role() == role, said(widget)
        assert said(widget)
    inner = (QComboBox, QAbstractSpinBox)
    fields = (QLineEdit, QComboBox, QAbstractSpinBox, QSlider, QProgressBar, QAbstractItemView)
    found = [w for kind in fields for w in talk.findChildren(kind) if not w.objectName().startswith("qt_")]
    nameless = [w for w in found if not said(w) and w.window() is talk]
    assert [w for w in nameless if not isinstance(w.parent(), inner) and not isinstance(w, QHeaderView)] == []


def test_windows_of_their_own_are_named_and_escape_closes_them(talk, qtbot):
    talk.show_keys()
    sheet = talk.findChild(KeySheet)
    assert sheet.isVisible() and sheet.windowTitle() and all(names_of(sheet).values())
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()
