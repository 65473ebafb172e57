"""Who a speaker may be: somebody who is enrolled, or was heard in another session."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from voicelane import ProfileStore, Session
from voicelane.base import LABEL
from voicelane.gui.model.conversation import Conversation
from voicelane.gui.model.language import tr
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.leaving import ask_named
from voicelane.voices import Kin, Suggestions


class Suggesting(QObject):
    """Compares a speaker of the session on the screen with everybody who is known."""

    told = Signal(str)
    failed = Signal(str)

    def __init__(
        self,
        conversation: Conversation,
        open_store: Callable[[], ProfileStore],
        rename: Callable[[str, str], object],
    ) -> None:
        """`rename` gives a speaker a name that somebody agreed to."""
        super().__init__()
        self._conversation, self._open_store, self._rename = conversation, open_store, rename
        self.ask: Callable[[str, str], bool] = ask_named
        """Whether a speaker gets the name that is suggested."""

    def suggest(self, speaker: str) -> None:
        """Look for a speaker among the enrolled people and in all sessions."""
        session = self._conversation.session
        if session is None:
            self.failed.emit(tr("save the conversation first; then its people can be compared with others"))
            return
        self.told.emit(tr("comparing the voice with the people of all sessions"))
        Job(
            lambda: Kin(self._open_store()).suggestions(str(session.folder)),
            lambda found: self._suggested(session, speaker, found),
            self.failed.emit,
        )

    def _suggested(self, session: Session, speaker: str, found: Suggestions) -> None:
        if not self._conversation.is_session(session.folder):
            return
        likely = [s for s in found.made if s.speaker == speaker]
        if not likely:
            self.told.emit(tr("nobody else sounds like {name}", name=self._conversation.shown(speaker)))
        elif LABEL.fullmatch(likely[0].name):
            self.told.emit(likely[0].sentence())
        elif self.ask(likely[0].sentence(), likely[0].name):
            self._rename(speaker, likely[0].name)
