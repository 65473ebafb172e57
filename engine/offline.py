"""The short way in: a file into turns, a source into a live session, each in one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from voicelane.audio.decoding import RawFormat
from voicelane.audio.meeting import NAME as MEETING
from voicelane.audio.meeting import MeetingSource
from voicelane.audio.sources import FileSource, MicrophoneSource, PullSource, PushSource, reopen_microphone
from voicelane.base.errors import StoreError
from voicelane.base.timebase import seconds
from voicelane.config import PipelineConfig
from voicelane.events import Event, SoundRemark, SpeakerTurn
from voicelane.labels.corrections import Relabelling
from voicelane.labels.scoring import Turn
from voicelane.live.outbox import Sink
from voicelane.live.session import LiveSession
from voicelane.live.sinks import QueueSink
from voicelane.pipeline import Pipeline
from voicelane.profiles.enrolment import Enroller, known_people
from voicelane.profiles.store import ProfileStore
from voicelane.sessions.recorder import Recorder, free_folder, session_folder
from voicelane.sides import SidesPipeline
from voicelane.stages.recogniser import Person
from voicelane.stages.verifier import LiveVerifier, Verifier
from voicelane.words.captioner import Captioner, CaptionSettings, captioner

Opened = PullSource | PushSource
MICROPHONE = "mic"


def diarise(
    path: Path | str, people: bool | Sequence[Person] = False, config: PipelineConfig | None = None
) -> list[Turn]:
    """Who speaks when in a sound file: turns in seconds, in order of time, after all revisions.

    Raises `AudioError` where the file cannot be read to its end, and what `listen` raises.
    """
    turns = TurnSink()
    with listen(FileSource(path), people, sinks=[turns], config=config) as session:
        session.wait()
    return turns.named()


def listen(
    source: str | Path | Opened | Callable[[], Opened] = MICROPHONE,
    people: bool | Sequence[Person] = False,
    record: Path | str | None = None,
    captions: bool | str | Path | CaptionSettings = False,
    *,
    sinks: Iterable[Sink] = (),
    config: PipelineConfig | None = None,
    pipeline: Pipeline | SidesPipeline | None = None,
    verifier: Verifier | None = None,
    live_verifier: LiveVerifier | None = None,
    timing: bool = False,
    voices: bool = False,
    reconnect: bool | Callable[[], PushSource] = True,
    loaded: Callable[[], None] = lambda: None,
) -> Listener:
    """A session that is ready to begin, warmed up; `for event in listen("talk.wav")` hears it through.

    `source` is a file, `mic`, `mic:NAME`, `mic+system`, an open source, or what opens one when all else is
    ready.
    A file whose channels hold people of their own is heard side by side, unless somebody is to be verified.
    `people` are recognised by name; True takes everybody who is enrolled. `record` names a session, or the
    new folder of one. `captions` adds who said what, as `Caption` events: True, a Whisper model or
    `CaptionSettings`. `config`, `verifier`, `live_verifier`, `timing` and `voices` are those of `Pipeline`;
    a `pipeline` that is there already takes the place of all these and of `people`. A microphone that was
    lost is looked for again with `reconnect`, unless that is False. `loaded` is called when the models are
    there, before the warm-up, which may take some seconds the very first time.

    Raises `AudioError` for the source, `StoreError` for the profiles or the folder, `ModelError` for models.
    """
    folder = free_folder(session_folder(str(record))) if record is not None else None
    opened = _opened(source) if isinstance(source, str | Path) else source
    words: Captioner | None = None
    try:
        words = captioner(captions)
        left_out: list[str] = []
        if pipeline is None:
            known, left_out = _people(people, config)
            sides = 1 if callable(opened) else sides_of(opened)
            pipeline = pipeline_for(sides, config, known, timing, verifier, voices, live_verifier)
            loaded()
            pipeline.warm_up()
        opened = opened() if callable(opened) else opened
        told = [*([words] if words else []), *sinks]
        session = Listener(opened, pipeline, told, reconnect=_reconnect(opened, reconnect))
        session.left_out = left_out
        if folder is not None:
            session.record(folder)
    except BaseException:
        if words:
            words.process.close()
        if not callable(opened):
            opened.close()
        raise
    return session


def open_source(
    name: Path | str,
    realtime: bool = False,
    track: int | None = None,
    raw: RawFormat | None = None,
    channels: str | int = "auto",
) -> MicrophoneSource | FileSource:
    """The microphone for `mic` or `mic:NAME`, else what `FileSource` opens.

    A microphone has all of its channels mixed, or one, from 1; `realtime`, `track` and `raw` are of files.
    """
    if is_microphone(name):
        device = str(name)[len(MICROPHONE) + 1 :] or None
        return MicrophoneSource(device, channels if isinstance(channels, int) else None)
    return FileSource(name, realtime, track, raw, channels)


def _opened(name: Path | str) -> Opened:
    """Both sides of a meeting for `mic+system`, else what `open_source` opens."""
    return MeetingSource() if name == MEETING else open_source(name)


def is_microphone(name: Path | str) -> bool:
    """Whether `mic` or `mic:NAME` is meant."""
    return isinstance(name, str) and name.partition(":")[0] == MICROPHONE


def sides_of(source: Opened) -> int:
    """How many channels of a source hold people of their own; 1 where it is one conversation."""
    return source.sides if isinstance(source, FileSource | MeetingSource) else 1


def pipeline_for(
    sides: int,
    config: PipelineConfig | None = None,
    people: Sequence[Person] = (),
    timing: bool = False,
    verifier: Verifier | None = None,
    voices: bool = False,
    live_verifier: LiveVerifier | None = None,
) -> Pipeline | SidesPipeline:
    """One pipeline, or one a side; whoever is verified is looked for in the mix of all sides."""
    if sides > 1 and verifier is None and live_verifier is None:
        return SidesPipeline(sides, config, people, voices, timing)
    return Pipeline(config, timing, people, verifier, voices, live_verifier)


class Listener(LiveSession):
    """A session as `listen` puts it together: it may be recorded, and gives its events one by one."""

    recorder: Recorder | None = None
    """Of the recording that is made, if one is."""
    left_out: Sequence[str] = ()
    """A sentence on each enrolled person who cannot be recognised."""

    def record(self, folder: Path) -> Recorder:
        """Record into a new folder from now on; raises `StoreError` where that cannot be."""
        if self.recorder is not None:
            raise StoreError(f"{self.recorder.folder}: is being recorded; end that before another recording")
        self.recorder = Recorder(folder, self.source.name, self.pipeline.space)
        self.attach(self.recorder)
        return self.recorder

    def end_recording(self) -> None:
        """Finish the recording, if there is one, while the session goes on."""
        recorder, self.recorder = self.recorder, None
        if recorder is not None:
            self.detach(recorder)

    def __iter__(self) -> Iterator[Event]:
        """Everything that the engine says, as it says it; leaving the loop stops the session."""
        said = QueueSink()
        self.attach(said)
        with self:
            while (event := said.queue.get()) is not None:
                yield event


class TurnSink:
    """A sink that keeps the final turns, what they are called, and remarks on the sound."""

    def __init__(self) -> None:
        self._turns: list[SpeakerTurn] = []
        self.labels = Relabelling()
        self.remarks: list[str] = []
        """What is worth knowing of the sound."""

    def put(self, event: Event) -> None:
        self.labels = self.labels.after(event)
        if isinstance(event, SpeakerTurn) and event.final:
            self._turns.append(event)
        elif isinstance(event, SoundRemark):
            self.remarks.append(event.remark)

    def close(self) -> None:
        """Nothing is held."""

    def turns(self) -> list[SpeakerTurn]:
        """The turns as they are now, in order of time."""
        return self.labels.whole(self._turns)

    def named(self) -> list[Turn]:
        """The same in seconds, with the names that are shown."""
        shown = self.labels.shown
        return [Turn(shown(t.speaker), seconds(t.start), seconds(t.end)) for t in self.turns()]


def _people(
    people: bool | Sequence[Person], config: PipelineConfig | None
) -> tuple[Sequence[Person], list[str]]:
    """Whom to recognise, and a sentence on each who cannot be."""
    if not isinstance(people, bool):
        return people, []
    store = ProfileStore() if people else None
    return known_people(store, Enroller(config)) if store and store.names() else ([], [])


def _reconnect(source: Opened, reconnect: bool | Callable[[], PushSource]) -> Callable[[], PushSource] | None:
    """How a lost microphone is opened again; nothing else is."""
    if not isinstance(source, MicrophoneSource) or reconnect is False:
        return None
    if reconnect is True:
        return partial(reopen_microphone, source.device, channel=source.channel)
    return reconnect
