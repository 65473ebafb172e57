"""The passphrase of encrypted profiles: asked for once, and forgotten with the window."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QInputDialog, QLineEdit

from voicelane import ProfileStore
from voicelane.base import LockedError
from voicelane.gui.model.language import later, sentence, tr
from voicelane.gui.model.wording import words_for
from voicelane.profiles import given_passphrase

TITLE = later("Encrypted profiles")
ASK = later("The voices of enrolled people are encrypted. Passphrase:")
REFUSED = later("the profiles are encrypted and no passphrase was given; nobody is known by name")


class Passphrase:
    """Opens the profiles; asks in the window's thread, answers in any."""

    def __init__(self) -> None:
        self._typed, self._refused = "", False

    def store(self) -> ProfileStore:
        """The profiles; its methods raise `LockedError` where a passphrase is needed and was not given."""
        return ProfileStore(ask=self._given)

    def unlock(self, again: bool = False) -> bool:
        """Whether the profiles can be read; asks where that takes a passphrase, once unless `again`.

        Raises `StoreError` where they are damaged.
        """
        question, self._refused = tr(ASK), self._refused and not again
        while not self._refused:
            try:
                self.store().open()
                return True
            except LockedError as problem:
                question = sentence(words_for(problem)) if self._typed else tr(ASK)
            parent, hidden = QApplication.activeWindow(), QLineEdit.EchoMode.Password
            self._typed, sure = QInputDialog.getText(parent, tr(TITLE), question, hidden)
            self._refused = not sure
        self._typed = ""
        return False

    def _given(self) -> str:
        if self._refused:
            raise LockedError(tr(REFUSED))
        return self._typed or given_passphrase()
