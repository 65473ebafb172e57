"""Everything the window is made around: the conversation, the transport, the player, the settings."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication

from engine import LabelDesk, Session, Sound, SpeakerTurn, StoreError, open_session
from gui import theme
from gui.conversation import Conversation
from gui.devices import Devices
from gui.enrolling import Enrolling
from gui.health import Health
from gui.jobs import Job
from gui.listening import IDLE, Listening, Request
from gui.passphrase import Passphrase
from gui.player import Player
from gui.preferences import Preferences
from gui.sound import SoundHistory
from gui.state import State, ended, reduce_all


class Studio(QObject):
    """What all panels share; each reads from it and asks it for changes."""

    themed = Signal()
    noticed = Signal(str)
    """A sentence for the banner."""
    page_wanted = Signal(str)
    """Name of the page to show."""
    remembered = Signal(str)
    """Label of a speaker whose voice is to be enrolled."""

    def __init__(self, preferences: Preferences | None = None, player: Player | None = None) -> None:
        super().__init__()
        self.preferences = preferences or Preferences()
        self.conversation, self.health = Conversation(), Health()
        self.player = player or Player()
        self.passphrase = Passphrase()
        store = self.passphrase.store
        self.enrolling = Enrolling(self.preferences, store, self._nothing_else_is_heard)
        self.listening = Listening(
            self.conversation, self.health, self.player, store, self._nothing_else_is_open
        )
        self.devices = Devices()
        self.theme = theme.chosen(self.preferences.now.theme)
        for signal in (self.conversation.refused, self.player.failed, self.listening.failed):
            signal.connect(self.noticed)
        self.preferences.changed.connect(self.dress)

    def dress(self) -> None:
        """Take the theme that is chosen now."""
        self.theme = theme.chosen(self.preferences.now.theme)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, self.theme)
        self.themed.emit()

    def listen(self, verify: str = "") -> None:
        """Start with the source that is chosen."""
        if verify or self.preferences.now.recognise:
            self.unlock(again=bool(verify))
        self.listening.start(Request(self.preferences.now, verify))

    def unlock(self, again: bool = False) -> None:
        """Ask for the passphrase of the profiles if it is needed, once unless `again`."""
        try:
            self.passphrase.unlock(again)
        except StoreError as problem:
            self.noticed.emit(str(problem))

    def open(self, name: str) -> None:
        """Show a recorded session."""
        if self.listening.state != IDLE:
            self.noticed.emit("a conversation is being heard; stop it before another one is opened")
            return
        self.player.stop()
        Job(lambda: _read(name), self._opened, self.noticed.emit)

    def play(self, turn: SpeakerTurn | None = None) -> None:
        """A turn, or everything from the cursor on."""
        conversation = self.conversation
        if turn is not None:
            conversation.select(turn)
            self.player.play(conversation.sound, turn.start, turn.end)
        else:
            start = conversation.cursor if conversation.cursor < conversation.sound.n_samples else 0
            self.player.play(conversation.sound, start)

    def toggle_playing(self) -> None:
        """What the space bar does."""
        if self.player.playing:
            self.conversation.cursor = self.player.place
            self.player.stop()
        else:
            self.play()

    def remember(self, speaker: str) -> None:
        """Offer to enrol the voice of a speaker."""
        self.page_wanted.emit("people")
        self.remembered.emit(speaker)

    def undo(self) -> None:
        self.conversation.correct(LabelDesk.undo)

    def redo(self) -> None:
        self.conversation.correct(LabelDesk.redo)

    def _nothing_else_is_open(self) -> bool:
        """Whether no sound device is in use but for what is listened to."""
        return not self.player.playing and not self.enrolling.recording

    def _nothing_else_is_heard(self) -> bool:
        """Whether no sound device is in use but for an enrolment."""
        return not self.player.playing and self.listening.state == IDLE

    def _opened(self, found: tuple[Session, State, SoundHistory]) -> None:
        self.conversation.open(*found)
        session, _, sound = found
        Job(lambda: _load(session, sound), lambda _: self.conversation.changed.emit(), self.noticed.emit)
        self.page_wanted.emit("listen")


def _read(name: str) -> tuple[Session, State, SoundHistory]:
    session = open_session(name)
    return session, ended(reduce_all(State(), session.events)), SoundHistory()


def _load(session: Session, sound: SoundHistory) -> None:
    """The sound of a session into its history."""
    for block in session.sound():
        sound.hear(Sound(sound.n_samples, block))
