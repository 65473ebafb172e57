"""Uncertain turns one after the other: hear, confirm, or say who it is."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu

from voicelane import SpeakerTurn
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.widgets import IconButton, button, label
from voicelane.gui.model.lanes import SURE
from voicelane.gui.model.language import percent, tr
from voicelane.gui.panels.timeline.menu import assigning
from voicelane.gui.work.studio import Studio


class Review(QFrame):
    """A bar about the chosen turn while somebody reviews."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._conversation = studio, studio.conversation
        self.setObjectName("banner")
        self.setAccessibleName(tr("Review"))
        self.words = label("", wrap=True)
        self.words.setAccessibleName(tr("The turn that is reviewed"))
        self.right = button(tr("Right"), self.confirm, primary=True)
        self.other = button(tr("Somebody else …"), self._choose)
        self.nobody = button(tr("Nobody"), self.remove)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, SMALL, SMALL, SMALL)
        row.setSpacing(SMALL)
        row.addWidget(self.words, 1)
        for widget in (
            IconButton(studio, "before", tr("The uncertain turn before"), partial(studio.review, -1)),
            IconButton(studio, "play", tr("Hear it again"), self._hear),
            IconButton(studio, "next", tr("The next uncertain turn"), studio.review),
            self.right,
            self.other,
            self.nobody,
            IconButton(studio, "close", tr("End the review"), self.hide),
        ):
            row.addWidget(widget)
        self.hide()
        self._conversation.selected.connect(self._show)
        self._conversation.changed.connect(self._show)
        self._conversation.replaced.connect(self.hide)

    @property
    def turn(self) -> SpeakerTurn | None:
        """What is reviewed: the chosen turn, if it is uncertain."""
        chosen = self._conversation.turn
        return chosen if chosen is not None and chosen.confidence < SURE else None

    def begin(self) -> None:
        """Go to the first uncertain turn behind the cursor."""
        self.show()
        self._studio.review()
        self._show()

    def confirm(self) -> None:
        """It is right; go on."""
        if self.turn is not None and self._studio.editing.confirm(self.turn):
            self._go_on()

    def remove(self) -> None:
        """Nobody speaks there; go on."""
        if self.turn is not None and self._studio.editing.remove(self.turn):
            self._go_on()

    def menu(self) -> QMenu:
        """Everybody else, and somebody new."""
        menu, turn, conversation = QMenu(self), self.turn, self._conversation
        if turn is None:
            return menu
        own = conversation.lane(turn.speaker)
        for lane in conversation.lanes.all:
            if lane is not own:
                menu.addAction(conversation.shown(lane.speaker), partial(self._give, turn, lane.speaker))
        menu.addAction(tr("Somebody new"), partial(self._give, turn, None))
        return menu

    def _choose(self) -> None:
        self.menu().popup(self.other.mapToGlobal(self.other.rect().bottomLeft()))

    def _give(self, turn: SpeakerTurn, into: str | None) -> None:
        """To somebody else, and sure from now on: two corrections, as it is two things that were said."""
        assigning(self._studio, turn, into)()
        lanes = self._conversation.lanes.all
        given = (t for lane in lanes if (t := lane.at(turn.start)) and t.speaker != turn.speaker)
        found = next((t for t in given if t.start == turn.start), None)
        if found is not None:
            self._studio.editing.confirm(found)
        self._go_on()

    def _hear(self) -> None:
        if self.turn is not None:
            self._studio.play(self.turn)

    def _go_on(self) -> None:
        if self._studio.uncertain():
            self._studio.review()
        else:
            self.hide()
            self._studio.told.emit(tr("no turn is uncertain any more"))

    def _show(self) -> None:
        if self.isHidden():
            return
        turn, n_left = self.turn, len(self._studio.uncertain())
        for widget in (self.right, self.other, self.nobody):
            widget.setEnabled(turn is not None)
        if turn is None:
            self.words.setText(tr("%n uncertain turns", n_left))
            return
        name = self._conversation.shown(turn.speaker)
        sure = tr("{name}? That is {percent} sure.", name=name, percent=percent(turn.confidence))
        self.words.setText(f"{sure} {tr('%n uncertain turns', n_left)}.")
        self.right.setText(tr("It is {name}", name=name))
        self.right.setAccessibleName(self.right.text())
