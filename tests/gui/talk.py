"""Eight seconds of three people, for the tests of the desktop app."""

from __future__ import annotations

from PySide6.QtCore import QPoint

from voicelane import SpeakerTurn
from voicelane.gui.panels.timeline.rows import HEADER
from voicelane.gui.window import Window


def turn(speaker: str, start: int, end: int, final: bool = True) -> SpeakerTurn:
    return SpeakerTurn(end, speaker, start, end, end if final else start, 0.9, final)


TALK = [
    turn("S1", 0, 30_000),
    turn("S2", 30_000, 60_000),
    turn("S3", 50_000, 90_000),
    turn("S1", 100_000, 128_000),
]


def place_of(window: Window, number: int, sample: int) -> QPoint:
    """A point of the timeline: in a lane, at a sample."""
    timeline = window.listen.timeline
    y = timeline.rows.lane_top(number) + timeline.rows.lane // 2
    return QPoint(HEADER + round(timeline.view.x(sample)), y)


def names(window: Window) -> list[str]:
    conversation = window.studio.conversation
    return [conversation.shown(lane.speaker) for lane in conversation.lanes.all]
