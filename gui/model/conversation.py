"""The conversation on the screen, live or recorded: what was said, its sound, and corrections of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from voicelane import Event, LabelDesk, Person, Session, SpeakerTurn, VoicelaneError, open_session
from voicelane.base import Space, StoreError
from voicelane.events import SinkFailed, VoiceMeasured, Word
from voicelane.gui.model.lanes import Lane, Lanes
from voicelane.gui.model.language import tr
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.model.state import State, ended, reduce_all
from voicelane.gui.model.viewport import Viewport
from voicelane.gui.model.voices import VoiceTable
from voicelane.gui.model.wording import words_for
from voicelane.gui.model.words import changed
from voicelane.sessions import About, correct_session
from voicelane.words import Recognised, words_of


class Recorded:
    """A recorded session made ready to be shown, away from the window: all that takes time is done here."""

    def __init__(self, session: Session) -> None:
        self.session, self.sound = session, SoundHistory()
        state = ended(reduce_all(State(), session.events))
        self.state = replace(state, heard=max(state.heard, session.heard_samples()))
        self.lanes, self.voices = Lanes(), VoiceTable()
        self.lanes.update(self.state)
        self.voices.update(self.state)
        self.words, self.words_problem = _words(session)


def _words(session: Session) -> tuple[Recognised | None, str]:
    """The words of a session, and why they cannot be read."""
    try:
        return words_of(session), ""
    except StoreError as problem:
        return None, words_for(problem)


@dataclass(frozen=True, eq=False)
class Heard:
    """All that a conversation is made of, for a session."""

    source: str
    space: Space
    events: tuple[Event, ...]
    sound: SoundHistory
    n_samples: int
    words: Recognised | None = None


class Conversation(QObject):
    """Panels read it; all of it belongs to the window's thread, but for the sound, which the engine fills."""

    changed = Signal()
    """There is more of it, or it was corrected."""
    replaced = Signal()
    """It is another one."""
    selected = Signal()
    """Another turn was chosen."""
    moved = Signal()
    """The cursor is elsewhere."""
    rewritten = Signal(object)
    """Words were changed by hand: all of them now."""
    refused = Signal(str)
    """A correction was refused, or a recording failed; why."""

    def __init__(self) -> None:
        super().__init__()
        self.view = Viewport()
        self._fresh()

    def _fresh(self) -> None:
        self.title = ""
        self.name = ""
        """What somebody called it before it was a session."""
        self.state, self.lanes, self.voices = State(), Lanes(), VoiceTable()
        self.sound = SoundHistory()
        self.session: Session | None = None
        """Of a recorded conversation."""
        self.kept = True
        """Whether all of it is in a session, or will be."""
        self.saving = False
        """Whether it becomes a session right now."""
        self.source, self.space = "", Space("", "", "")
        self.live: LabelDesk | None = None
        """While it is live."""
        self.turn: SpeakerTurn | None = None
        """The chosen turn."""
        self.cursor = 0
        """Sample that is played from, or cut at."""
        self._log: list[Event] = []
        self.recognised: Recognised | None = None
        """The words of what is over, where there are any."""
        self._rewritten: list[tuple[int, Recognised]] = []
        """Words before each change by hand, with the number of corrections that held then."""

    def person(self, speaker: str) -> Person | None:
        """A speaker as the voices that were measured in the own turns tell; None where none was."""
        lane, middles = self.lane(speaker), self.voices.spans.mean(axis=1)
        if lane is None or not lane.turns:
            return None
        starts, ends = lane.spans()
        turns = np.searchsorted(starts, middles, "right") - 1
        own = (turns >= 0) & (middles < ends[turns])
        return Person(self.shown(speaker), self.voices.vectors()[own]) if own.any() else None

    @property
    def n_samples(self) -> int:
        """How long it is."""
        return max(self.state.heard, self.sound.n_samples)

    @property
    def empty(self) -> bool:
        return not self.title

    @property
    def unsaved(self) -> bool:
        """Whether something is lost when it goes."""
        return not (self.empty or self.kept) and self.n_samples > 0

    def begin(
        self,
        title: str,
        sound: SoundHistory,
        source: str = "",
        space: Space | None = None,
        kept: bool = False,
    ) -> None:
        """A new live conversation, whose sound is on its way; `kept` where a recording is made of all of it.

        `source` and `space` are what a session says of where the sound and the embeddings come from.
        """
        self._fresh()
        self.title, self.sound, self.kept = title, sound, kept
        self.source, self.space = source or title, space or self.space
        self.view = Viewport(width=self.view.width)
        self.replaced.emit()

    def open(self, recorded: Recorded) -> None:
        """A recorded one; the sound may still be on its way."""
        self._fresh()
        self.title, self.session = recorded.session.name, recorded.session
        self.state, self.lanes, self.voices = recorded.state, recorded.lanes, recorded.voices
        self.sound, state = recorded.sound, recorded.state
        self.recognised = recorded.words
        self.view = self.view.whole(state.heard)
        self.replaced.emit()
        self.changed.emit()
        if recorded.words_problem:
            self.refused.emit(recorded.words_problem)

    def clear(self) -> None:
        """Nothing on the screen."""
        self._fresh()
        self.replaced.emit()

    def is_session(self, folder: Path) -> bool:
        """Whether it is the session in that folder."""
        return self.session is not None and self.session.folder.resolve() == folder.resolve()

    def renamed(self, folder: Path) -> None:
        """Its session lies in another folder now, and is called like it."""
        assert self.session is not None
        self.session, self.title = replace(self.session, folder=folder), folder.name
        self.changed.emit()

    def noted(self, folder: Path, about: About) -> None:
        """Somebody noted something of a session, which may be the one on the screen."""
        if self.session is not None and self.is_session(folder):
            self.session = replace(self.session, about=about)

    def call(self, name: str) -> None:
        """It is called so, and its session will be."""
        self.title = self.name = name
        self.changed.emit()

    def take(self, events: list[Event]) -> None:
        """What the engine said, in order."""
        self._log += events
        labels = self.state.labels
        self.state = reduce_all(self.state, events)
        self.lanes.update(self.state)
        if self.state.labels is not labels and self.turn is not None:
            self._choose_again(self.turn)
        self.voices.update(self.state)
        self.changed.emit()
        for event in events:
            if isinstance(event, SinkFailed):
                self.kept = False
                self.refused.emit(tr("{reason}; listening goes on without it", reason=event.reason))

    def end(self, folder: str | None) -> None:
        """The stream is over; one that was recorded from beginning to end is a session from now on."""
        self.live = None
        self.state = ended(self.state)
        self.lanes.update(self.state)
        if folder is not None and self.kept:
            try:
                self.session = open_session(folder)
            except (VoicelaneError, OSError) as problem:
                self.refused.emit(words_for(problem))
        self.kept = self.session is not None
        self.changed.emit()

    def heard(self) -> Heard:
        """What it is made of so far."""
        return Heard(self.source, self.space, tuple(self._log), self.sound, self.n_samples, self.recognised)

    def saved(self, session: Session | None) -> None:
        """It is a session now; None where that could not be."""
        self.saving = False
        if session is not None:
            self.session, self.kept = session, True
            self.title = session.name if self.name else self.title
        self.changed.emit()

    def words(self) -> tuple[Word, ...]:
        """All words, in order of time; the latest may still change."""
        if self.recognised is not None:
            return self.recognised.words
        captions = (*self.state.captions, *self.state.likely)
        return tuple(sorted((w for c in captions for w in c.words), key=attrgetter("start", "end")))

    def take_words(self, recognised: Recognised) -> None:
        """Somebody had them recognised."""
        self.recognised, self._rewritten = recognised, []
        self.changed.emit()

    def rewrite(self, word: Word, text: str) -> None:
        """Write a word otherwise, or leave it out where `text` is empty; undone as any correction."""
        recorded = _words(self.session)[0] if self.session is not None else None
        before = self.recognised or recorded or Recognised(self.words())
        self._rewritten.append((self.state.n_undo, before))
        self._keep_words(replace(before, words=changed(before.words, word, text)))

    def undo(self) -> None:
        """Take back the latest correction, of a word or of a label."""
        if self._rewritten and self._rewritten[-1][0] == self.state.n_undo:
            self._keep_words(self._rewritten.pop()[1])
        else:
            self.correct(LabelDesk.undo)

    @property
    def n_undo(self) -> int:
        """How many corrections can be taken back."""
        return self.state.n_undo + len(self._rewritten)

    def _keep_words(self, recognised: Recognised) -> None:
        self.recognised = recognised
        self.rewritten.emit(recognised)
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

    def namesakes(self, speaker: str, name: str) -> list[str]:
        """Labels of others that are shown by that name."""
        own = self.lane(speaker)
        return [
            lane.speaker for lane in self.lanes.all if lane is not own and self.shown(lane.speaker) == name
        ]

    def _choose_again(self, before: SpeakerTurn) -> None:
        """After a correction the turn that begins where the chosen one did, whosever it is; else none."""
        near = [t for lane in self.lanes.all if (t := lane.at(before.start)) and t.start == before.start]
        of_speaker = [t for t in near if t.speaker == before.speaker]
        self.turn = next(iter(of_speaker or near), None)
        self.selected.emit()

    def correct(self, request: Callable[[LabelDesk], object]) -> bool:
        """Ask for a correction; False, and a sentence, where it makes no sense."""
        try:
            self._correct(request)
        except (VoicelaneError, OSError) as problem:
            self.refused.emit(words_for(problem))
            return False
        return True

    def _correct(self, request: Callable[[LabelDesk], object]) -> None:
        if self.saving:
            raise VoicelaneError(tr("the conversation is being saved; correct it in a moment"))
        if self.live is not None:
            request(self.live)
        elif self.session is not None:
            n_before = len(self.session.events)
            self.session = correct_session(self.session, request)
            self.take(list(self.session.events[n_before:]))
        else:
            desk = LabelDesk(e for e in self._log if not isinstance(e, VoiceMeasured))
            request(desk)
            self.take(desk.take(self.state.heard))
