"""What can be done with a turn or a speaker: the menus of the timeline and of the list of speakers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QMenu, QWidget

from voicelane import SpeakerTurn
from voicelane.base import LABEL
from voicelane.gui.model.lanes import Lane
from voicelane.gui.model.language import tr
from voicelane.gui.work.studio import Studio


def turn_menu(parent: QWidget, studio: Studio, turn: SpeakerTurn, at: int) -> QMenu:
    """Of a turn; a split would be at sample `at`."""
    conversation, menu = studio.conversation, QMenu(parent)
    name = conversation.shown(turn.speaker)
    conversation.select(turn)
    menu.addAction(tr("Play this turn"), lambda: studio.play(turn))
    others = menu.addMenu(tr("This turn belongs to"))
    own = conversation.lane(turn.speaker)
    for lane in conversation.lanes.all:
        if lane is not own:
            others.addAction(conversation.shown(lane.speaker), assigning(studio, turn, lane.speaker))
    others.addSeparator()
    others.addAction(tr("Somebody new"), assigning(studio, turn, None))
    editing = studio.editing
    menu.addAction(tr("It is right"), lambda: editing.confirm(turn))
    menu.addSeparator()
    menu.addAction(tr("Divide this turn here"), lambda: editing.divide(turn, at))
    menu.addAction(tr("Join it with the next"), lambda: editing.join(turn))
    menu.addAction(tr("Delete this turn"), lambda: editing.remove(turn))
    menu.addSeparator()
    menu.addAction(
        tr("Split {name} here", name=name),
        lambda: conversation.correct(lambda desk: desk.split(turn.speaker, at)),
    )
    menu.addSeparator()
    menu.addAction(tr("Remember the voice of {name} …", name=name), lambda: studio.remember(turn.speaker))
    return menu


def lane_menu(
    parent: QWidget, studio: Studio, lane: Lane, rename: Callable[[str], object], at: int | None = None
) -> QMenu:
    """Of a speaker; a turn would be inserted at sample `at`, or at the cursor."""
    conversation, menu = studio.conversation, QMenu(parent)
    name = conversation.shown(lane.speaker)
    menu.addAction(tr("Rename"), lambda: rename(lane.speaker))
    if LABEL.fullmatch(name):
        menu.addAction(tr("Who may {name} be?", name=name), lambda: studio.suggesting.suggest(lane.speaker))
    menu.addMenu(insert_menu(menu, studio, lane, at))
    others = menu.addMenu(tr("{name} is the same as", name=name))
    for other in conversation.lanes.all:
        if other is not lane:
            others.addAction(conversation.shown(other.speaker), merging(studio, lane.speaker, other.speaker))
    others.setEnabled(not others.isEmpty())
    alone = studio.solo == lane.speaker
    menu.addAction(
        tr("Hear everybody") if alone else tr("Hear only {name}", name=name),
        lambda: studio.hear_only("" if alone else lane.speaker),
    )
    kept = studio.voice == lane.speaker
    menu.addAction(
        tr("All voices again") if kept else tr("Only this voice"),
        lambda: studio.keep_voice("" if kept else lane.speaker),
    )
    menu.addAction(
        tr("Split {name} at the cursor", name=name),
        lambda: conversation.correct(lambda desk: desk.split(lane.speaker, conversation.cursor)),
    )
    menu.addSeparator()
    menu.addAction(tr("Remember the voice of {name} …", name=name), lambda: studio.remember(lane.speaker))
    return menu


def insert_menu(parent: QWidget, studio: Studio, lane: Lane, at: int | None) -> QMenu:
    """A turn where there is none."""
    place = studio.conversation.cursor if at is None else at
    menu = QMenu(tr("Insert a turn here") if at is not None else tr("Insert a turn at the cursor"), parent)
    name = studio.conversation.shown(lane.speaker)
    menu.addAction(tr("Of {name}", name=name), lambda: studio.editing.insert(lane.speaker, place))
    menu.addAction(tr("Of somebody new"), lambda: studio.editing.insert(None, place))
    return menu


def assigning(studio: Studio, turn: SpeakerTurn, into: str | None) -> Callable[[], object]:
    """An action that gives a turn to somebody."""
    return lambda: studio.conversation.correct(
        lambda desk: desk.assign(turn.speaker, into, turn.start, turn.end)
    )


def merging(studio: Studio, speaker: str, into: str) -> Callable[[], object]:
    """An action that makes one of two speakers."""
    return lambda: studio.conversation.correct(lambda desk: desk.merge(speaker, into))
