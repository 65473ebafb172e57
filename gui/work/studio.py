"""Everything the window is made around: the conversation, the transport, the player, the settings."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication

from voicelane import LabelDesk, Session, SpeakerTurn, VoicelaneError
from voicelane.base import StoreError, samples
from voicelane.gui.look import theme
from voicelane.gui.model.conversation import Conversation, Recorded
from voicelane.gui.model.health import Health
from voicelane.gui.model.language import later, tr
from voicelane.gui.model.preferences import Preferences
from voicelane.gui.model.wording import words_for
from voicelane.gui.work.booth import Booth
from voicelane.gui.work.cleaned import keepable
from voicelane.gui.work.devices import Devices
from voicelane.gui.work.editing import Editing
from voicelane.gui.work.exporting import export
from voicelane.gui.work.files import Files
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.leaving import LEAVE, MERGE, SAVE, STAY, ask_same, ask_to_leave
from voicelane.gui.work.listening import IDLE, PAUSED, RUNNING, Listening, Request, session_name
from voicelane.gui.work.means import Means
from voicelane.gui.work.opening import Opening, keep_pictures
from voicelane.gui.work.passphrase import Passphrase
from voicelane.gui.work.playback import joined
from voicelane.gui.work.player import Player
from voicelane.gui.work.saving import save_as_session
from voicelane.gui.work.suggesting import Suggesting
from voicelane.gui.work.writing import Writing
from voicelane.sessions import (
    About,
    note_session,
    remove_session,
    rename_session,
    session_folder,
    tag_session,
    unused_name,
)
from voicelane.words import Recognised, write_words

START = later("Start listening")
LIVE = later("the microphone would hear what is played; pause or stop it first")
AROUND = samples(0.15)
"""What is played before and behind a turn where silence is left out."""
SPOKEN = later("everybody who is heard is recorded; tell them so")
UNMEASURED = later("the voice of {name} was not measured, or by another encoder; it cannot be kept")


class Studio(QObject):
    """What all panels share; each reads from it and asks it for changes."""

    themed = Signal()
    noticed = Signal(str)
    """A sentence for the banner: what is wrong."""
    told = Signal(str)
    """A sentence on what happened as it should."""
    moved_on = Signal()
    """Somebody began something new; what was wrong before is of no interest."""
    shown = Signal(int)
    """A sample that somebody wants to see."""
    page_wanted = Signal(str)
    """Name of the page to show."""
    stirred = Signal()
    """Something changed that is drawn."""
    kept = Signal()
    """There is a session more, or less, or one is called otherwise."""
    remembered = Signal(str)
    """Label of a speaker whose voice is to be enrolled."""

    def __init__(self, preferences: Preferences | None = None, player: Player | None = None) -> None:
        super().__init__()
        self.preferences = preferences or Preferences()
        self.files = Files(self.preferences)
        self.conversation, self.health = Conversation(), Health()
        self.ask: Callable[[Conversation, str], str] = ask_to_leave
        """Whether a conversation may make way for something that has a name."""
        self.ask_same: Callable[[str, str], str] = ask_same
        """Whether two speakers of one name are one."""
        self.player = player or Player()
        self.passphrase = Passphrase()
        store = self.passphrase.store
        means = Means(self.preferences, store, self.player.another(), self._nothing_else_is_heard)
        self.booth = Booth(means, lambda: self.nobody_is_heard, lambda: self.unlock(again=True))
        self.enrolling, self.voicing = self.booth.enrolling, self.booth.voicing
        self.challenging = self.booth.challenging
        self.suggesting = Suggesting(self.conversation, store, self.rename_speaker)
        self.listening = Listening(
            self.conversation, self.health, self.player, store, self._nothing_else_is_open
        )
        self.devices, self.editing = Devices(), Editing(self.conversation)
        self.solo = ""
        """Label of the speaker who is played alone."""
        self.voice = ""
        """Label of the speaker whose voice alone is left of what is played."""
        self.opening: Opening | None = None
        """While a session is on its way to the screen."""
        self.writing: Writing | None = None
        """While words are looked for."""
        self._queue: deque[Path] = deque()
        self.theme, self._dressed = theme.chosen(self.preferences.now.theme), False
        self._connect()
        self._set_player()

    def _connect(self) -> None:
        conversation, listening, player, booth = self.conversation, self.listening, self.player, self.booth
        booth.share(player, self._hindrance)
        booth.moved_on.connect(self.moved_on)
        listening.changed.connect(self._monitor)
        for act in (self._take_name, self._hear_next):
            listening.finished.connect(act)
        listening.failed.connect(self._hear_next)
        for everybody in (self.hear_only, self.keep_voice):
            conversation.replaced.connect(partial(everybody, ""))
        conversation.rewritten.connect(self._keep_words)
        for teller in (booth, self.suggesting):
            teller.told.connect(self.told)
            teller.failed.connect(self.noticed)
        for problem in (conversation.refused, player.failed, listening.failed):
            problem.connect(self.noticed)
        for act in (self.dress, self._set_player):
            self.preferences.changed.connect(act)
        for source in (listening, player, booth, conversation, self.preferences):
            source.changed.connect(self.stirred)
        for signal in (conversation.replaced, conversation.selected, conversation.moved):
            signal.connect(self.stirred)

    def dress(self) -> None:
        """Take the theme that is chosen now."""
        chosen = theme.chosen(self.preferences.now.theme)
        if chosen is self.theme and self._dressed:
            return
        self.theme, self._dressed = chosen, True
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, self.theme)
        self.themed.emit()

    @property
    def busy(self) -> bool:
        """Whether anything goes on that is drawn as it goes."""
        heard = self.listening.state != IDLE or self.conversation.live is not None
        return heard or self.player.busy or self.booth.busy or self.opening is not None

    @property
    def nobody_is_heard(self) -> bool:
        """Whether nothing is listened to."""
        return self.listening.state == IDLE

    def listen(self, verify: str = "") -> None:
        """Start with the source that is chosen, if what is on the screen may make way for it."""
        if self.listening.state == IDLE:
            self.make_way(lambda: self._move_on(lambda: self.listen_now(verify)), tr(START))

    def listen_now(self, verify: str = "") -> None:
        """Start with the source that is chosen, whatever is on the screen."""
        if verify or self.preferences.now.recognise:
            self.unlock(again=bool(verify))
        request = Request(self.preferences.now, verify)
        self.listening.start(request)
        if request.live and request.settings.record:
            self.told.emit(tr(SPOKEN))

    def hear_files(self, paths: Sequence[Path]) -> None:
        """Listen to files, one after the other, if what is on the screen may make way for them."""
        if self.listening.state != IDLE and self.listening.request.live:
            self.noticed.emit(tr("a conversation is being heard; stop it before a file is opened"))
        elif self.listening.state != IDLE:
            self._queue += paths
            self.told.emit(tr("%n files are heard after this one", len(self._queue)))
        elif paths:
            one = tr("Listen to {name}", name=paths[0].name)
            words = one if len(paths) == 1 else tr("Listen to %n files", len(paths))
            self.make_way(lambda: self._move_on(lambda: self._hear(deque(paths))), words)

    def pause_or_go_on(self) -> None:
        """Pause what is heard, or hear on; what plays ends before the microphone hears again."""
        if self.listening.state == PAUSED:
            self.player.stop()
            self.listening.resume()
        else:
            self.listening.pause()

    def stop(self) -> None:
        """End what is listened to, and listen to no further file."""
        self._queue.clear()
        self.listening.stop()

    def rename_speaker(self, speaker: str, name: str) -> bool:
        """Call a speaker so; where somebody else is, asks whether they are the same person."""
        conversation = self.conversation
        others = conversation.namesakes(speaker, name)
        answer = self.ask_same(name, others[0]) if others else ""
        if answer == STAY:
            return False
        if answer == MERGE:
            return conversation.correct(lambda desk: desk.merge(speaker, others[0]))
        return conversation.correct(lambda desk: desk.rename(speaker, name))

    def recognise_words(self) -> None:
        """Have what was said in the session on the screen written down."""
        session = self.conversation.session
        if session is None or self.writing is not None:
            self.noticed.emit(tr("save the conversation first; then its words can be looked for"))
            return
        self.writing = Writing(session, self.preferences.now, self._written, self._not_written)
        self.conversation.changed.emit()

    def _written(self, folder: Path, recognised: Recognised) -> None:
        self.writing = None
        if self.conversation.is_session(folder):
            self.conversation.take_words(recognised)
        self.told.emit(tr("the words of {name} are written down", name=folder.name))

    def _not_written(self, sentence: str) -> None:
        self.writing = None
        self.noticed.emit(sentence)
        self.conversation.changed.emit()

    def _keep_words(self, recognised: Recognised) -> None:
        """Words that were changed by hand, into the session where there is one."""
        session = self.conversation.session
        if session is not None:
            Job(lambda: write_words(session.folder, recognised), None, self.noticed.emit)

    def rename_document(self, new: str) -> None:
        """Give what is on the screen another name: its session, or the one that it will be."""
        session, new = self.conversation.session, "_".join(new.split())
        if session is not None:
            self.rename_session(str(session.folder.resolve()), new)
            return
        try:
            if session_folder(new).exists():
                raise StoreError(tr("{name} is taken; choose another name for the session", name=repr(new)))
        except StoreError as problem:
            self.noticed.emit(words_for(problem))
            return
        self.conversation.call(new)

    def delete_document(self) -> None:
        """Delete what is on the screen for good; it must be over."""
        session = self.conversation.session
        if self.listening.state != IDLE or self.conversation.saving:
            self.noticed.emit(
                tr("the conversation is still being heard or saved; it can be deleted after that")
            )
        elif session is not None:
            self.delete_session(str(session.folder.resolve()))
        else:
            self.player.stop()
            self.conversation.clear()

    def export_document(self, kind: str, path: Path) -> None:
        """Write what is on the screen as a file of a kind, and say where."""
        export(self.conversation, kind, path, self.told.emit, self.noticed.emit)

    def rename_session(self, name: str, new: str) -> None:
        """Give a recorded session another name, also where it is on the screen."""
        new = "_".join(new.split())
        try:
            old = session_folder(name)
            shown = self.conversation.is_session(old)
            folder = rename_session(name, new)
        except (StoreError, OSError) as problem:
            self.noticed.emit(words_for(problem))
            return
        if shown:
            self.conversation.renamed(folder)
        self.kept.emit()

    def delete_session(self, name: str) -> None:
        """Delete a recorded session for good, also from the screen."""
        try:
            shown = self.conversation.is_session(session_folder(name))
            remove_session(name)
        except (StoreError, OSError) as problem:
            self.noticed.emit(words_for(problem))
            return
        if shown:
            self.player.stop()
            self.conversation.clear()
        self.kept.emit()

    def note_session(self, name: str, note: str) -> None:
        """Keep a note of a recorded session."""
        self._noted(name, lambda: note_session(name, note))

    def tag_session(self, name: str, tags: Sequence[str]) -> None:
        """Give a recorded session these tags and no others."""
        self._noted(name, lambda: tag_session(name, tags))

    def _noted(self, name: str, act: Callable[[], About]) -> None:
        try:
            about = act()
            self.conversation.noted(session_folder(name), about)
        except (VoicelaneError, OSError) as problem:
            self.told.emit(words_for(problem))
        self.kept.emit()

    def make_way(self, act: Callable[[], object], name: str, ask_if_kept: bool = True) -> None:
        """Do what takes the place of the conversation on the screen, once that may be; saves it before if
        that is wanted. `name` is for a button; without `ask_if_kept` only what would be lost is asked about.
        """
        conversation = self.conversation
        if conversation.saving:
            self.noticed.emit(tr("the conversation is being saved; try again in a moment"))
            return
        if not conversation.unsaved and (conversation.empty or not ask_if_kept):
            act()
            return
        answer = self.ask(conversation, name)
        if answer == SAVE:
            self.save(act)
        elif answer == LEAVE:
            act()

    def save(self, then: Callable[[], object] = lambda: None) -> None:
        """Make a session of the conversation, which is over, if it is none; then go on."""
        if self.conversation.unsaved:
            self._save(then)
        else:
            then()

    def end_and_save(self, then: Callable[[], object]) -> None:
        """End what is heard, if it still is; then as `save`."""
        if self.listening.state == IDLE:
            self.save(then)
            return
        once = Qt.ConnectionType.SingleShotConnection
        self.listening.finished.connect(lambda: self.save(then), once)
        self.stop()

    def keep(self) -> None:
        """What Ctrl+S does: never ends what is heard."""
        if self.listening.state != IDLE:
            self.noticed.emit(tr("the conversation is still being heard; stop it before it is saved"))
        elif self.conversation.unsaved:
            self.save()
        elif not self.conversation.empty:
            self.told.emit(tr("{title} is saved", title=self.conversation.title))

    def unlock(self, again: bool = False) -> None:
        """Ask for the passphrase of the profiles if it is needed, once unless `again`."""
        try:
            self.passphrase.unlock(again)
        except StoreError as problem:
            self.noticed.emit(words_for(problem))

    def open(self, name: str, sample: int | None = None) -> None:
        """Show a recorded session; with the cursor at a sample."""
        if self.listening.state != IDLE:
            self.noticed.emit(tr("a conversation is being heard; stop it before another one is opened"))
            return
        self.make_way(
            lambda: self._move_on(lambda: self._open(name, sample)), tr("Open it"), ask_if_kept=False
        )

    def play(self, turn: SpeakerTurn | None = None) -> None:
        """A turn, or everything from the cursor on."""
        conversation = self.conversation
        if turn is not None:
            conversation.select(turn)
            self.player.play(conversation.sound, turn.start, turn.end)
        else:
            self._play_from(conversation.cursor if conversation.cursor < conversation.sound.n_samples else 0)

    def _play_from(self, start: int) -> None:
        """To the end: all of it, or only where somebody speaks, or one person."""
        conversation, sound = self.conversation, self.conversation.sound
        alone = conversation.lane(self.solo) if self.solo else None
        if alone is None and not self.preferences.now.skip_silence:
            self.player.play(sound, start)
            return
        lanes = conversation.lanes.all if alone is None else [alone]
        turns = [(t.start, t.end) for lane in lanes for t in (*lane.turns, *lane.tentative)]
        spans = joined(turns, AROUND, start, sound.n_samples)
        if not spans:
            self.told.emit(tr("nobody who could be heard speaks behind the cursor"))
        self.player.play_spans(sound, spans)

    def uncertain(self) -> list[SpeakerTurn]:
        """Turns that are less than sure, in order of time."""
        turns = (turn for lane in self.conversation.lanes.all for turn in lane.unsure)
        return sorted(turns, key=lambda turn: turn.start)

    def review(self, step: int = 1) -> None:
        """Choose and play the next uncertain turn, or the one before; behind the last comes the first."""
        turns, chosen = self.uncertain(), self.conversation.turn
        if not turns:
            self.told.emit(tr("no turn is uncertain"))
            return
        at = self.conversation.cursor if chosen is None else chosen.start
        if step > 0:
            found = next((t for t in turns if t.start > at), turns[0])
        else:
            found = next((t for t in reversed(turns) if t.start < at), turns[-1])
        self.play(found)
        self.shown.emit(found.start)

    def hear_only(self, speaker: str) -> None:
        """Play one speaker alone from now on; everybody where it is empty."""
        self.solo = speaker
        if self.player.playing:
            self._play_from(self.player.place)

    def keep_voice(self, speaker: str) -> None:
        """Turn down all voices but one from now on, and all noise; nothing where it is empty."""
        self.voice, self.player.person = "", None
        if speaker:
            self.player.person = keepable(self.conversation.space, self.conversation.person(speaker))
            self.voice = speaker if self.player.person else ""
        if speaker != self.voice:
            name = self.conversation.shown(speaker)
            wrong = tr(
                "the voice of {name} was not measured, or by another encoder; it cannot be kept", name=name
            )
            self.told.emit(wrong)
        if self.player.playing:
            self._play_from(self.player.place)

    def _set_player(self) -> None:
        """What plays goes on as it is chosen now."""
        now, player = self.preferences.now, self.player
        self.booth.player.volume, self.booth.player.device = now.volume, now.output
        wanted = now.playing_speed, now.output, now.play_clean
        anew = player.playing and wanted != (player.speed, player.device, player.clean)
        player.speed, player.device, player.clean = wanted
        player.volume = now.volume
        if anew:
            self._play_from(player.place)

    def _monitor(self) -> None:
        """Let a file that takes its time be heard while it is listened to."""
        listening = self.listening
        heard = listening.state == RUNNING and listening.request.at_its_own_speed
        wanted = self.preferences.now.audible and heard and not listening.request.live
        if wanted and not self.player.busy:
            self.player.monitor(self.conversation.sound)
        elif self.player.monitoring and not wanted:
            self.player.stop()

    def seek(self, sample: int) -> None:
        """Put the cursor at a sample; what plays goes on from there."""
        conversation = self.conversation
        conversation.cursor = min(max(0, sample), conversation.n_samples)
        if self.player.playing:
            self._play_from(conversation.cursor)
        conversation.moved.emit()

    def toggle_playing(self) -> None:
        """What ▶ and the space bar do with what is on the screen."""
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
        self.conversation.undo()

    def redo(self) -> None:
        self.conversation.correct(LabelDesk.redo)

    def _hindrance(self) -> str:
        """Why nothing may be played now: a microphone is open, and would hear it."""
        listening = self.listening
        heard = listening.request.live and listening.state not in (IDLE, PAUSED)
        return tr(LIVE) if heard or self.booth.recording else ""

    def _move_on(self, act: Callable[[], object]) -> None:
        self.moved_on.emit()
        act()

    def _hear(self, paths: deque[Path]) -> None:
        self._queue = paths
        self.preferences.change(source=str(self._queue.popleft().absolute()))
        self.page_wanted.emit("listen")
        self.listen_now()

    def _take_name(self) -> None:
        """A session takes the name that the conversation was given while it was recorded; its pictures are
        kept, so that it opens at once."""
        conversation = self.conversation
        if conversation.session is not None and conversation.name:
            self.rename_session(str(conversation.session.folder.resolve()), conversation.name)
        if conversation.session is not None:
            folder, sound = conversation.session.folder, conversation.sound
            Job(lambda: keep_pictures(folder, sound))

    def _hear_next(self) -> None:
        """The next file that waits, if there is one and nothing is lost by it."""
        if self._queue and self.listening.state == IDLE:
            rest = self._queue
            self._queue = deque()
            self.make_way(
                lambda: self._hear(rest), tr("Listen to {name}", name=rest[0].name), ask_if_kept=False
            )

    def _open(self, name: str, sample: int | None) -> None:
        self.player.stop()
        before = self.conversation.sound

        def shown(recorded: Recorded) -> bool:
            if self.conversation.sound is not before or self.listening.state != IDLE:
                return False
            self._opened(recorded)
            if sample is not None:
                self.seek(sample)
                self.shown.emit(sample)
            return True

        self.opening = Opening(name, shown, self._all_there, self._not_opened)
        self.listening.changed.emit()

    def _all_there(self) -> None:
        self.opening = None
        self.conversation.changed.emit()

    def _not_opened(self, sentence: str) -> None:
        self.opening = None
        self.noticed.emit(sentence)

    def _save(self, then: Callable[[], object]) -> None:
        heard = self.conversation.heard()
        name = self.conversation.name
        folder = session_folder(unused_name(name) if name else session_name(self.listening.request))
        if self.conversation.saving:
            return
        self.conversation.saving = True

        def saved(session: Session) -> None:
            self.conversation.saved(session)
            self.told.emit(tr("saved as the session {name}", name=session.name))
            self.kept.emit()
            then()

        def failed(sentence: str) -> None:
            self.conversation.saved(None)
            self.noticed.emit(sentence)

        Job(lambda: save_as_session(folder, heard), saved, failed)

    def _nothing_else_is_open(self) -> bool:
        """Whether no sound device is in use but for what is listened to."""
        return not self._plays and not self.booth.recording

    def _nothing_else_is_heard(self) -> bool:
        """Whether no sound device is in use but for an enrolment."""
        return not self._plays and self.nobody_is_heard

    @property
    def _plays(self) -> bool:
        """Whether a loudspeaker is in use."""
        return self.player.busy or self.booth.player.busy

    def _opened(self, recorded: Recorded) -> None:
        self.conversation.open(recorded)
        self.page_wanted.emit("listen")
