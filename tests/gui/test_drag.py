"""Two speakers become one by dragging a row of the list onto another.

Qt's platform without a screen ends every drag at once; what the press began is therefore dropped by the
events that a screen would send.
"""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.gui.talk import names

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def drag(talk, monkeypatch):
    """Press at a row, move, and let go at a height of the list; True where the list takes what is dropped."""
    speakers = talk.listen.speakers
    model, viewport = speakers.model, speakers.list.viewport()
    picked: list[QMimeData] = []

    def pick(indexes: list) -> QMimeData:
        picked.append(type(model).mimeData(model, indexes))
        return copy(picked[-1])

    monkeypatch.setattr(model, "mimeData", pick, raising=False)

    def drag(row: int, place: QPoint) -> bool:
        speakers.refresh()
        start = row_place(talk, row)
        QTest.mousePress(viewport, LEFT, NO_KEY, start)
        for i in (10, 20):
            QTest.mouseMove(viewport, start + QPoint(0, i))
        QTest.mouseRelease(viewport, LEFT, NO_KEY, place)
        about = picked.pop(), LEFT, NO_KEY
        assert not picked, "one press, one drag"
        allowed = model.supportedDragActions()
        QApplication.sendEvent(viewport, QDragEnterEvent(place, allowed, *about))
        move = QDragMoveEvent(place, allowed, *about)
        QApplication.sendEvent(viewport, move)
        if move.isAccepted():
            QApplication.sendEvent(viewport, QDropEvent(QPointF(place), allowed, *about))
        return move.isAccepted()

    return drag


def copy(data: QMimeData) -> QMimeData:
    """Another one with the same content: Qt takes what the model gives."""
    found = QMimeData()
    for kind in data.formats():
        found.setData(kind, data.data(kind))
    return found


def row_place(talk, row: int) -> QPoint:
    rows = talk.listen.speakers.list
    return rows.visualRect(rows.model().index(row)).center()


def test_a_row_dragged_onto_another_merges_them(talk, drag):
    talk.listen.speakers.refresh()
    assert drag(2, row_place(talk, 0))
    assert names(talk) == ["S1", "S2"]
    assert [t.start for t in talk.studio.conversation.lanes.all[0].turns] == [0, 50_000, 100_000]
    talk.studio.undo()
    assert names(talk) == ["S1", "S2", "S3"]


def test_a_row_dropped_on_itself_or_beside_the_rows_changes_nothing(talk, drag):
    talk.listen.speakers.refresh()
    drag(1, row_place(talk, 1) + QPoint(0, 12))
    drag(1, QPoint(40, talk.listen.speakers.list.viewport().height() - 3))
    assert names(talk) == ["S1", "S2", "S3"] and not talk.banner.isVisible()
