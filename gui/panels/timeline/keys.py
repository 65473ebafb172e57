"""The timeline by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from voicelane import SAMPLE_RATE, SpeakerTurn
from voicelane.gui.model.lanes import neighbour
from voicelane.gui.model.viewport import Viewport
from voicelane.gui.work.editing import Editing
from voicelane.gui.work.studio import Studio

ZOOM_STEP = 1.25
KEY = Qt.Key


EDITS: dict[Qt.Key, Callable[[Editing, SpeakerTurn, int], object]] = {
    KEY.Key_Delete: lambda editing, turn, at: editing.remove(turn),
    KEY.Key_BracketLeft: lambda editing, turn, at: editing.move_edge(turn, True, at),
    KEY.Key_BracketRight: lambda editing, turn, at: editing.move_edge(turn, False, at),
    KEY.Key_D: lambda editing, turn, at: editing.divide(turn, at),
    KEY.Key_J: lambda editing, turn, at: editing.join(turn),
    KEY.Key_C: lambda editing, turn, at: editing.confirm(turn),
}
"""What keys do with the chosen turn, at the cursor."""


class View(Protocol):
    """What keys move."""

    @property
    def view(self) -> Viewport: ...

    def show_view(self, view: Viewport) -> None: ...

    def zoom(self, factor: float) -> None: ...

    def follow(self, on: bool) -> None: ...

    def whole(self) -> None: ...


def act(timeline: View, studio: Studio, event: QKeyEvent) -> bool:
    """Whether the key means something."""
    key, conversation = KEY(event.key()), studio.conversation
    large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
    if key in (KEY.Key_Left, KEY.Key_Right):
        step = SAMPLE_RATE * (10 if large else 1)
        move_cursor(timeline, studio, conversation.cursor + (step if key == KEY.Key_Right else -step))
    elif key in (KEY.Key_Home, KEY.Key_End):
        move_cursor(timeline, studio, 0 if key == KEY.Key_Home else conversation.n_samples)
    elif key in (KEY.Key_Up, KEY.Key_Down):
        step_turn(timeline, studio, 1 if key == KEY.Key_Down else -1)
    elif key in (KEY.Key_Return, KEY.Key_Enter) and conversation.turn is not None:
        studio.play(conversation.turn)
    elif key in EDITS and conversation.turn is not None and conversation.turn.final:
        EDITS[key](studio.editing, conversation.turn, conversation.cursor)
    elif key == KEY.Key_I:
        own = conversation.turn.speaker if conversation.turn is not None else None
        studio.editing.insert(own, conversation.cursor)
    elif key in (KEY.Key_Plus, KEY.Key_Equal, KEY.Key_Minus):
        timeline.zoom(1 / ZOOM_STEP if key == KEY.Key_Minus else ZOOM_STEP)
    elif key == KEY.Key_F:
        timeline.follow(not timeline.view.follow)
    elif key == KEY.Key_0:
        timeline.whole()
    else:
        return False
    return True


def move_cursor(timeline: View, studio: Studio, sample: int) -> None:
    """Put the cursor at a sample, and show it; what plays goes on from there."""
    conversation = studio.conversation
    studio.seek(sample)
    timeline.show_view(timeline.view.showing(conversation.cursor, conversation.n_samples))


def step_turn(timeline: View, studio: Studio, step: int) -> None:
    """Choose the next turn, or the one before."""
    conversation = studio.conversation
    turn = neighbour(conversation.lanes.all, conversation.cursor, step)
    if turn is not None:
        conversation.select(turn)
        timeline.show_view(timeline.view.showing(turn.start, conversation.n_samples))
