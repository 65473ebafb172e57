"""The conversation on the screen, live or recorded: what was said, its sound, and corrections of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine import (
    Event,
    LabelDesk,
    Session,
    SinkFailed,
    SpeakerTurn,
    StoreError,
    VoicelaneError,
    VoiceMeasured,
    correct_session,
    open_session,
)
from gui.lanes import Lane, Lanes
from gui.sound import SoundHistory
from gui.state import State, ended, reduce_all
from gui.viewport import Viewport
from gui.voices import VoiceTable


class Conversation(QObject):
    """Panels read it; all of it belongs to the window's thread, but for the sound, which the engine fills."""

    changed = Signal()
    """There is more of it, or it was corrected."""
    replaced = Signal()
    """It is another one."""
    selected = Signal()
    """Another turn was chosen."""
    refused = Signal(str)
    """A correction was refused, or a recording failed; why."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.view = Viewport()
        self._fresh()

    def _fresh(self) -> None:
        self.state, self.lanes, self.voices = State(), Lanes(), VoiceTable()
        self.sound = SoundHistory()
        self.session: Session | None = None
        """Of a recorded conversation."""
        self.live: LabelDesk | None = None
        """While it is live."""
        self.turn: SpeakerTurn | None = None
        """The chosen turn."""
        self.cursor = 0
        """Sample that is played from, or cut at."""
        self._log: list[Event] = []

    @property
    def n_samples(self) -> int:
        """How long it is."""
        return max(self.state.heard, self.sound.n_samples)

    @property
    def empty(self) -> bool:
        return not self.title

    def begin(self, title: str, sound: SoundHistory) -> None:
        """A new live conversation, whose sound is on its way."""
        self._replace(title, State())
        self.sound = sound
        self.view = Viewport(width=self.view.width)
        self.replaced.emit()

    def open(self, session: Session, state: State, sound: SoundHistory) -> None:
        """A recorded one; the sound may still be on its way."""
        self._replace(session.name, state)
        self.session, self.sound = session, sound
        self.view = self.view.whole(state.heard)
        self.replaced.emit()
        self.changed.emit()

    def clear(self) -> None:
        """Nothing on the screen."""
        self._replace("", State())
        self.replaced.emit()

    def _replace(self, title: str, state: State) -> None:
        self._fresh()
        self.title, self.state = title, state
        self.lanes.update(state)
        self.voices.update(state)

    def take(self, events: list[Event]) -> None:
        """What the engine said, in order."""
        if self.live is not None:
            self._log += [e for e in events if not isinstance(e, VoiceMeasured)]
        self.state = reduce_all(self.state, events)
        self.lanes.update(self.state)
        self.voices.update(self.state)
        self.changed.emit()
        for event in events:
            if isinstance(event, SinkFailed):
                self.refused.emit(f"{event.reason}; listening goes on without it")

    def end(self, folder: str | None) -> None:
        """The stream is over; a recorded one is a session from now on."""
        self.live = None
        self.state = ended(self.state)
        self.lanes.update(self.state)
        if folder is not None:
            try:
                self.session = open_session(folder)
            except StoreError as problem:
                self.refused.emit(str(problem))
        self.changed.emit()

    def shown(self, speaker: str) -> str:
        """The name to show."""
        return self.state.labels.shown(speaker)

    def lane(self, speaker: str) -> Lane | None:
        return self.lanes.of(speaker)

    def select(self, turn: SpeakerTurn | None) -> None:
        """Choose a turn, and put the cursor at its beginning."""
        self.turn = turn
        if turn is not None:
            self.cursor = turn.start
        self.selected.emit()

    def correct(self, request: Callable[[LabelDesk], object]) -> bool:
        """Ask for a correction; False, and a sentence, where it makes no sense."""
        try:
            if self.live is not None:
                request(self.live)
            elif self.session is not None:
                n_before = len(self.session.events)
                self.session = correct_session(self.session, request)
                self.take(list(self.session.events[n_before:]))
            else:
                desk = LabelDesk(self._log)
                request(desk)
                events = desk.take(self.state.heard)
                self._log += events
                self.take(events)
        except (VoicelaneError, OSError) as problem:
            self.refused.emit(str(problem))
            return False
        return True
