"""From a voice to a profile: record or take what was said, listen, keep."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np
from PySide6.QtCore import QObject, Signal

from voicelane import (
    ArraySource,
    Enroller,
    Event,
    FileSource,
    LiveSession,
    MicrophoneSource,
    PipelineConfig,
    SpeechEnded,
    SpeechStarted,
    listen,
)
from voicelane.audio import PORTAUDIO, reopen_microphone
from voicelane.base import Space, samples, seconds
from voicelane.gui.model.conversation import Conversation
from voicelane.gui.model.language import later, number, tr
from voicelane.gui.model.level import Level
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.means import Means
from voicelane.live import Sound
from voicelane.profiles import Enrolment, keep_recording

IDLE, PREPARING, RECORDING, JUDGING, READY = "idle", "preparing", "recording", "judging", "ready"
TOO_LITTLE = later("only {s} s of speech were found, too little to know a voice by; {advice}")
ENOUGH_S, LONGEST_S = 10.0, 60.0
"""Seconds of speech that make a good profile, and that are taken at most."""


class Ear:
    """A sink that keeps the sound and counts the speech in it."""

    def __init__(self) -> None:
        self.level = Level()
        self._blocks: list[np.ndarray] = []
        self._n_heard = self._spoken = 0
        self._since: int | None = None

    def hear(self, sound: Sound) -> None:
        self._blocks.append(sound.samples)
        self._n_heard = sound.sample + len(sound.samples)
        self.level.hear(sound.samples)

    def put(self, event: Event) -> None:
        if isinstance(event, SpeechStarted):
            self._since = event.start
        elif isinstance(event, SpeechEnded):
            self._spoken, self._since = self._spoken + event.end - event.start, None

    def close(self) -> None:
        """Nothing to close."""

    @property
    def speech_s(self) -> float:
        """Seconds of speech so far."""
        since = self._since
        return seconds(self._spoken + (max(0, self._n_heard - since) if since is not None else 0))

    def sound(self) -> np.ndarray:
        """All of it, float32 (n,) at 16 kHz."""
        return np.concatenate(self._blocks) if self._blocks else np.zeros(0, np.float32)


class Enrolling(QObject):
    """One enrolment at a time; `state` is `idle`, `preparing`, `recording`, `judging` or `ready`."""

    changed = Signal()
    begins = Signal()
    """The microphone is about to hear."""
    failed = Signal(str)
    kept = Signal(str)
    """Name of a profile that was made or grew."""

    def __init__(self, means: Means) -> None:
        super().__init__()
        self._means = means
        self.state, self.ear = IDLE, Ear()
        self.found: Enrolment | None = None
        self._space: Space | None = None
        self._session: LiveSession | None = None

    @property
    def recording(self) -> bool:
        """Whether the microphone is in use, or soon."""
        return self.state in (PREPARING, RECORDING)

    def record(self) -> None:
        """Hear the chosen microphone until `stop`."""
        if self.state in (PREPARING, RECORDING, JUDGING):
            return
        self.begins.emit()
        self.ear, self.found, device = Ear(), None, self._means.preferences.now.device
        ear, config, may_refresh = self.ear, self._means.preferences.now.config(), self._means.may_refresh
        self._set(PREPARING)
        Job(lambda: _recording(device, config, ear, may_refresh), self._begun(ear), self._fail)

    def stop(self) -> None:
        """Enough: judge what was recorded."""
        session, self._session = self._session, None
        if session is None:
            return
        ear = self.ear

        def stopped() -> ArraySource:
            session.stop()
            return ArraySource(ear.sound())

        self._judge(stopped)

    def cancel(self) -> None:
        """Forget it."""
        session, self._session = self._session, None
        if session is not None:
            Job(session.stop)
        self.found, self.ear = None, Ear()
        self._set(IDLE)

    def hear_file(self, path: str) -> None:
        """Judge a sound file."""
        self._judge(lambda: FileSource(path))

    def hear_speaker(self, conversation: Conversation, speaker: str) -> None:
        """Judge what a speaker of the conversation has said so far."""
        self._judge(lambda: ArraySource(voice_of(conversation, speaker)))

    def keep(self, name: str, keep_audio: bool) -> None:
        """Add what was heard to the profile of that name, or make one."""
        found, space = self.found, self._space
        if found is None or space is None:
            return
        if not found.enough:
            self.failed.emit(f"{name}: {too_little(found)}")
            return

        def added() -> str:
            store = self._means.open_store()
            return store.add(name, space, [keep_recording(found, keep_audio)]).name

        Job(added, self._kept, self.failed.emit)

    def _judge(self, open_source: Callable[[], ArraySource | FileSource]) -> None:
        self.found, config = None, self._means.preferences.now.config()
        self._set(JUDGING)
        Job(lambda: _judged(open_source, config), self._judged, self._fail)

    def _set(self, state: str) -> None:
        self.state = state
        self.changed.emit()

    def _begun(self, ear: Ear) -> Callable[[LiveSession], None]:
        """What happens once a session hears, unless it was cancelled meanwhile."""

        def begun(session: LiveSession) -> None:
            if ear is self.ear and self.state == PREPARING:
                self._session = session
                self._set(RECORDING)
            else:
                Job(session.stop)

        return begun

    def _judged(self, answer: tuple[Enrolment, Space]) -> None:
        self.found, self._space = answer
        self._set(READY)

    def _kept(self, name: str) -> None:
        self.found = None
        self._set(IDLE)
        self.kept.emit(name)

    def _fail(self, sentence: str) -> None:
        self._set(IDLE)
        self.failed.emit(sentence)


def too_little(found: Enrolment) -> str:
    """A sentence on a recording that is not `enough`, by the rule that the command line has too."""
    speech_s = found.recording.speech_s
    return tr(TOO_LITTLE, s=number(speech_s, 1), advice=found.advice()[0])


def _recording(device: str, config: PipelineConfig, ear: Ear, may_refresh: Callable[[], bool]) -> LiveSession:
    """A session under way."""

    def open_now() -> MicrophoneSource:
        """When all else is ready; from then on PortAudio is held until the stream runs."""
        held.enter_context(PORTAUDIO)
        return reopen_microphone(device or None, may_refresh)

    with ExitStack() as held:
        session = listen(open_now, sinks=[ear], config=config, reconnect=False)
        session.start()
    return session


def _judged(
    open_source: Callable[[], ArraySource | FileSource], config: PipelineConfig
) -> tuple[Enrolment, Space]:
    """How good a recording is."""
    enroller, source = Enroller(config), open_source()
    try:
        return enroller.listen(source), enroller.space
    finally:
        source.close()


def voice_of(conversation: Conversation, speaker: str) -> np.ndarray:
    """What a speaker has said alone, one minute of it at most, float32 (n,) at 16 kHz."""
    lane = conversation.lane(speaker)
    turns = sorted(lane.turns, key=lambda t: t.start - t.end) if lane else []
    parts, left = [np.zeros(0, np.float32)], samples(LONGEST_S)
    for turn in turns:
        part = conversation.sound.read(turn.start, min(turn.end, turn.start + left))
        parts.append(part)
        left -= len(part)
        if left <= 0:
            break
    return np.concatenate(parts)
