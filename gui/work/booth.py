"""One person alone, or a computer that speaks: what shares the microphone and a loudspeaker of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal

from voicelane.gui.work.challenging import Challenging
from voicelane.gui.work.enrolling import Enrolling
from voicelane.gui.work.means import Means
from voicelane.gui.work.player import Player
from voicelane.gui.work.voicing import Voicing


class Booth(QObject):
    """Enrolment, other voices, the challenge, and a check of the microphone: never two of them at once."""

    changed = Signal()
    told = Signal(str)
    failed = Signal(str)
    moved_on = Signal()
    """Somebody began something new."""

    def __init__(self, means: Means, free: Callable[[], bool], unlock: Callable[[], object]) -> None:
        """`free` says whether nobody else is heard; `unlock` opens the profiles of who is challenged."""
        super().__init__()
        self.player = means.player
        self.enrolling, self.checking = Enrolling(means), Enrolling(means)
        self.voicing, self.challenging = Voicing(means), Challenging(means)
        self._free, self._unlock = free, unlock
        self.voicing.told.connect(self.told)
        self.voicing.begins.connect(self.moved_on)
        sources: tuple[Any, ...] = (*self.recorders, self.voicing, self.challenging, self.player)
        for source in sources:
            source.changed.connect(self.changed)
        for problem in (self.voicing, self.voicing.reference, self.checking, self.player):
            problem.failed.connect(self.failed)

    @property
    def recorders(self) -> tuple[Enrolling, ...]:
        """All that hear one person alone."""
        return self.enrolling, self.checking, self.voicing.reference, self.challenging.recorder

    @property
    def recording(self) -> bool:
        """Whether one person is recorded alone: to be enrolled, say, or as a reference."""
        return any(recorder.recording for recorder in self.recorders)

    @property
    def busy(self) -> bool:
        """Whether anything goes on that can be seen or heard."""
        return self.voicing.busy or self.recording

    def share(self, player: Player, hindrance: Callable[[], str]) -> None:
        """Only one of two players plays, and none where a `hindrance` is told, or while a person is heard."""
        for one, other in ((player, self.player), (self.player, player)):
            one.hindrance = hindrance
            one.refused.connect(self.told)
            one.changed.connect(partial(_give_way, one, other))
            for recorder in self.recorders:
                recorder.begins.connect(one.stop)

    def challenge(self, name: str, language: str, aloud: bool) -> None:
        """Ask an enrolled person for digits, through the microphone that is chosen."""
        if self._free() and not self.recording:
            self.moved_on.emit()
            self._unlock()
            self.challenging.begin(name, language, aloud)

    def close(self) -> None:
        """The window goes: nothing is heard, made or said any more."""
        self.voicing.close()
        self.challenging.cancel()
        for recorder in self.recorders:
            recorder.cancel()


def _give_way(one: Player, other: Player) -> None:
    """What begins to play ends what played."""
    if one.busy:
        other.stop()
