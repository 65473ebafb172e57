"""Start, pause and stop: the engine behind the window, on threads of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

import voicelane
from voicelane import (
    Enroller,
    FileSource,
    Listener,
    MicrophoneSource,
    Person,
    PipelineConfig,
    ProfileStore,
    Verifier,
    VoicelaneError,
    listen,
)
from voicelane.audio import PORTAUDIO, reopen_microphone
from voicelane.base import StoreError, seconds
from voicelane.gui.model.conversation import Conversation
from voicelane.gui.model.health import Health
from voicelane.gui.model.language import tr
from voicelane.gui.model.preferences import Settings
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.model.wording import words_for
from voicelane.gui.work.bridge import Bridge
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.player import Player
from voicelane.profiles import in_space, known_people
from voicelane.sessions import session_folder, unused_name
from voicelane.stages import find_calibration
from voicelane.words import CaptionSettings

IDLE, PREPARING, RUNNING, PAUSED, STOPPING = "idle", "preparing", "running", "paused", "stopping"
POLL_MS = 50
MICROPHONE, DEMO = "microphone", "demo"
DEMO_FILE = Path(voicelane.__file__).parent / "demo" / "conversation.opus"


@dataclass(frozen=True)
class Request:
    """What to listen to, and how."""

    settings: Settings
    verify: str = ""
    """Name of the enrolled person whose voice it may be; nobody's if empty."""

    @property
    def live(self) -> bool:
        """Whether it is a microphone."""
        return self.settings.source == MICROPHONE

    @property
    def at_its_own_speed(self) -> bool:
        """Whether the sound takes its time."""
        return self.settings.source in (MICROPHONE, DEMO) or self.settings.realtime_files

    @property
    def title(self) -> str:
        """For the window."""
        source = self.settings.source
        if source == MICROPHONE:
            return self.settings.device or tr("Default microphone")
        return tr("Demo conversation") if source == DEMO else Path(source).name


@dataclass(eq=False)
class Running:
    """A session under way, and its recording."""

    session: Listener
    people_left_out: list[str]
    threshold: float | None
    """Log-likelihood ratio that the verifier accepts from."""


class Listening(QObject):
    """The transport; `state` is one of `idle`, `preparing`, `running`, `paused` and `stopping`."""

    changed = Signal()
    failed = Signal(str)
    finished = Signal()
    recorded = Signal()
    """A recording was ended while the session goes on."""

    def __init__(
        self,
        conversation: Conversation,
        health: Health,
        player: Player,
        open_store: Callable[[], ProfileStore],
        may_refresh: Callable[[], bool],
    ) -> None:
        """`may_refresh` says whether PortAudio can be started anew."""
        super().__init__()
        self._open_store, self._may_refresh = open_store, may_refresh
        self._conversation, self._health, self._player = conversation, health, player
        self.state, self.request = IDLE, Request(Settings())
        self._running: Running | None = None
        self.threshold: float | None = None
        """Of the latest verification."""
        self._bridge: Bridge | None = None
        self._cancelled = False
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)

    @property
    def session(self) -> Listener | None:
        """Of the engine, while there is one."""
        return self._running.session if self._running else None

    @property
    def progress(self) -> float | None:
        """Share of a file that was heard; None for a microphone."""
        session = self.session
        duration_s = session.source.duration_s if session else None
        if session is None or not duration_s:
            return None
        return min(1.0, seconds(session.pipeline.heard_samples) / duration_s)

    def start(self, request: Request) -> None:
        """Load the models and listen; what goes wrong is told by `failed`."""
        if self.state != IDLE:
            return
        self._player.stop()
        self.request, self._cancelled = request, False
        sound = SoundHistory()
        self._health.clear()
        self._health.realtime = request.at_its_own_speed
        self._bridge = Bridge(sound, self._health)
        bridge, store = self._bridge, self._open_store()
        self._set(PREPARING)
        Job(
            lambda: begin(request, bridge, store, self._may_refresh),
            lambda running: self._started(running, sound),
            self._not_started,
        )

    def pause(self) -> None:
        if self._running and self.state == RUNNING:
            self._running.session.pause()
            self._set(PAUSED)

    def resume(self) -> None:
        if self._running and self.state == PAUSED:
            self._running.session.resume()
            self._set(RUNNING)

    def record(self, on: bool) -> None:
        """Begin or end a recording while it runs; at other times the settings alone decide."""
        session = self.session
        if session is None or self.state not in (RUNNING, PAUSED) or on == bool(session.recorder):
            return
        self._conversation.kept = False
        if on:
            try:
                session.record(session_folder(session_name(self.request)))
            except VoicelaneError as problem:
                self.failed.emit(words_for(problem))
        else:
            Job(session.end_recording, lambda _: self.recorded.emit(), self.failed.emit)

    def stop(self) -> None:
        """End; what was heard so far is still analysed and kept."""
        if self.state == PREPARING:
            self._cancelled = True
        elif self._running and self.state in (RUNNING, PAUSED):
            self._set(STOPPING)
            Job(self._running.session.stop, None, self.failed.emit)

    def _set(self, state: str) -> None:
        self.state = state
        self.changed.emit()

    def _started(self, running: Running, sound: SoundHistory) -> None:
        assert self._bridge is not None
        self._running, self.threshold = running, running.threshold
        conversation = self._conversation
        session = running.session
        kept = session.recorder is not None
        conversation.begin(self.request.title, sound, session.source.name, session.pipeline.space, kept)
        conversation.live = session.corrections
        self._bridge.arrived.connect(conversation.take)
        self._bridge.ended.connect(self._ended)
        self._bridge.begin()
        self._timer.start(POLL_MS)
        self._set(RUNNING)
        for sentence in running.people_left_out:
            self.failed.emit(sentence)
        if self._cancelled:
            self.stop()

    def _not_started(self, sentence: str) -> None:
        self._bridge = None
        self._set(IDLE)
        self.failed.emit(sentence)

    def _poll(self) -> None:
        """Notice when the source ends, or breaks off."""
        if self._running and self.state in (RUNNING, PAUSED):
            try:
                ended = self._running.session.wait(0)
            except (VoicelaneError, OSError) as problem:
                self.failed.emit(words_for(problem))
                ended = True
            if ended:
                self._set(STOPPING)

    def _ended(self) -> None:
        """All that was said has arrived; the recording may still be on its way to the disk."""
        self._timer.stop()
        running = self._running
        assert running is not None
        self._set(STOPPING)

        def fail(sentence: str) -> None:
            self.failed.emit(sentence)
            self._finish(running)

        Job(running.session.wait, lambda _: self._finish(running), fail)

    def _finish(self, running: Running) -> None:
        self._running = self._bridge = None
        recorder = running.session.recorder
        folder = recorder.folder if recorder else None
        self._conversation.end(str(folder.resolve()) if folder else None)
        self._set(IDLE)
        self.finished.emit()


def begin(request: Request, bridge: Bridge, store: ProfileStore, may_refresh: Callable[[], bool]) -> Running:
    """A session that has started; `may_refresh` says whether PortAudio can be started anew."""
    settings, config = request.settings, request.settings.config()
    people, left_out = list[Person](), list[str]()
    if settings.recognise and store.names():
        try:
            people, left_out = known_people(store, Enroller(config))
        except StoreError as problem:  # encrypted, for one
            left_out = [words_for(problem)]
    verifier = find_verifier(request, config, store) if request.verify else None
    reopen = partial(reopen_microphone, settings.device or None, may_refresh)

    def open_now() -> MicrophoneSource:
        """When all else is ready; from then on PortAudio is held until the stream runs."""
        held.enter_context(PORTAUDIO)
        return reopen()

    with ExitStack() as held:
        session = listen(
            open_now if request.live else open_file(settings),
            people,
            session_folder(session_name(request)) if settings.record else None,
            CaptionSettings(settings.words_model, settings.language) if settings.captions else False,
            sinks=[bridge],
            config=config,
            verifier=verifier,
            timing=True,
            voices=True,
            reconnect=reopen,
        )
        session.start()
    return Running(session, left_out, verifier.threshold if verifier else None)


def open_file(settings: Settings) -> FileSource:
    """The file that was chosen."""
    if settings.source == DEMO:
        return FileSource(DEMO_FILE, realtime=True)
    return FileSource(settings.source, settings.realtime_files)


def find_verifier(request: Request, config: PipelineConfig, store: ProfileStore) -> Verifier:
    """Compares with an enrolled person; raises `VoicelaneError` where these settings are not calibrated."""
    enroller = Enroller(config)
    calibration = find_calibration(config.encoder.model, enroller.space)
    person = in_space(store, store.profile(request.verify), enroller).person()
    return Verifier(person, calibration, request.settings.false_accepts)


def session_name(request: Request) -> str:
    """What a new recording is called: the moment, and the file where it is one."""
    now = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    stem = {MICROPHONE: "", DEMO: "demo"}.get(request.settings.source, Path(request.settings.source).stem)
    stem = re.sub(r"[^\w-]+", "_", stem)[:60].strip("_")
    return unused_name(f"{now}_{stem}" if stem else now)
