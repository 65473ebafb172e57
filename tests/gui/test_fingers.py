"""The timeline on touchpads and touch screens: a pinch zooms around the middle of the fingers."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QInputDevice, QNativeGestureEvent, QPointingDevice
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.gui.talk import place_of
from voicelane.gui.panels.timeline.rows import HEADER

pytestmark = pytest.mark.qt

MIDDLE = 260
"""Pixels right of the names."""


@pytest.fixture(scope="module")
def screen() -> QPointingDevice:
    return QTest.createTouchDevice()


@pytest.fixture
def touch(talk, screen):
    """Put fingers at pixels of the timeline, all at one height, move them step by step, and lift them."""

    def touch(*steps: tuple[int, ...], height: int = 60) -> None:
        timeline = talk.listen.timeline

        def tell(word: str, places: tuple[int, ...]) -> None:
            sequence = QTest.touchEvent(talk, screen, False)
            for finger, x in enumerate(places):
                getattr(sequence, word)(finger, timeline.mapTo(talk, QPoint(HEADER + x, height)))
            sequence.commit()
            QApplication.processEvents()

        tell("press", steps[0])
        for places in steps[1:]:
            tell("move", places)
        tell("release", steps[-1])

    return touch


def spreading(middle: int, apart: range) -> list[tuple[int, int]]:
    """Two fingers that end further apart, or closer together."""
    return [(middle - d, middle + d) for d in apart]


@pytest.mark.parametrize("apart", [range(40, 100, 10), range(100, 40, -10)])
def test_two_fingers_on_the_screen_zoom_around_their_middle(talk, touch, apart):
    timeline = talk.listen.timeline
    timeline.zoom(4.0, MIDDLE)
    before, sample = timeline.view.per_pixel, timeline.view.sample(MIDDLE)
    touch(*spreading(MIDDLE, apart))
    view = timeline.view
    # Qt takes the first step for the beginning of the pinch.
    assert before / view.per_pixel == pytest.approx(apart[-1] / apart[1], rel=1e-3)
    assert view.sample(MIDDLE) == pytest.approx(sample, abs=2 * max(before, view.per_pixel))
    assert not talk.studio.player.playing, "a pinch is no click"


def test_one_finger_taps_and_drags_as_the_mouse_does(talk, touch, loudspeakers):
    timeline = talk.listen.timeline
    timeline.zoom(4.0, MIDDLE)
    start = timeline.view.start
    touch((MIDDLE,), (MIDDLE - 20,), (MIDDLE - 60,))
    assert timeline.view.start == pytest.approx(start + 60 * timeline.view.per_pixel, rel=0.05)
    timeline.whole()
    place = place_of(talk, 1, 45_000)
    touch((place.x() - HEADER,), height=place.y())
    assert loudspeakers[0].running and talk.studio.conversation.turn is not None


@pytest.mark.parametrize("value", [0.25, -0.2])
def test_a_pinch_on_a_touchpad_zooms_around_the_mouse(talk, value):
    """As macOS and Wayland say it: the change of the scale since the event before."""
    timeline = talk.listen.timeline
    timeline.zoom(4.0, MIDDLE)
    before, sample = timeline.view.per_pixel, timeline.view.sample(MIDDLE)
    pad = QPointingDevice(
        "pad",
        1,
        QInputDevice.DeviceType.TouchPad,
        QPointingDevice.PointerType.Finger,
        QInputDevice.Capability.Position,
        2,
        0,
    )
    place = QPointF(HEADER + MIDDLE, 60)
    event = QNativeGestureEvent(
        Qt.NativeGestureType.ZoomNativeGesture,
        pad,
        2,
        place,
        QPointF(timeline.mapTo(talk, place)),
        QPointF(timeline.mapToGlobal(place)),
        value,
        QPointF(),
    )
    assert QApplication.sendEvent(timeline, event)
    view = timeline.view
    assert before / view.per_pixel == pytest.approx(1 + value)
    assert view.sample(MIDDLE) == pytest.approx(sample, abs=2 * max(before, view.per_pixel))
