"""`python -m voicelane.gui.screenshots --out DIR`: the window as PNG files, without a screen."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PySide6.QtCore import QEventLoop, QTimer

from voicelane import (
    ArraySource,
    Enroller,
    Event,
    FileSource,
    LabelDesk,
    Pipeline,
    ProfileStore,
    Recorder,
    SpeakerTurn,
)
from voicelane.base import Space, samples
from voicelane.events import DeviceLost, StageTiming, StreamStarted, Word
from voicelane.gui.app import application
from voicelane.gui.model.language import LANGUAGES, speak
from voicelane.gui.model.preferences import Settings
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.panels.summary import SummaryWindow
from voicelane.gui.window import Window
from voicelane.gui.work.leaving import LEAVE
from voicelane.gui.work.listening import DEMO_FILE, RUNNING, Request, find_verifier
from voicelane.gui.work.studio import Studio
from voicelane.live import Sound
from voicelane.sessions import session_folder
from voicelane.voices import VoiceLibrary, load_pseudo_voices
from voicelane.words import Recognised

SIZES = ((1280, 800), (2560, 1440))
SETTLE_MS = 700
BLOCK = samples(0.1)
PHRASES = (
    "Have we still got enough coffee for tomorrow?",
    "I think so, but we should buy some bread.",
    "Let us write that down, then.",
    "And somebody has to call the plumber.",
)
VOICES = {"Brook": 110.0, "Iris": 210.0, "Reed": 150.0}
SEED = 7
TEXT = "The library closes at six. Please bring your books to the desk."
NAMES = {"S1": "Anna", "S2": "Jamal", "S3": "Mei"}


def demo_sound() -> np.ndarray:
    """The bundled conversation, float32 (n,) at 16 kHz."""
    from voicelane.audio import Resampler

    source = FileSource(DEMO_FILE)
    resampler = Resampler(source.rate)
    parts = [resampler.process(block) for block in source.blocks()]
    source.close()
    return np.concatenate([*parts, resampler.flush()])


def heard(pipeline: Pipeline, sound: np.ndarray) -> list[Event]:
    """What the engine says of sound that goes on."""
    blocks = (sound[i : i + BLOCK] for i in range(0, len(sound), BLOCK))
    return [StreamStarted(0, "demo", 16_000, 0.0), *(e for b in blocks for e in pipeline.push(b))]


def record_demo(sound: np.ndarray, events: list[Event], space: Space) -> None:
    """The conversation as a session called `Kitchen table`."""
    recorder = Recorder(session_folder("kitchen-table"), "demo", space)
    recorder.hear(Sound(0, sound))
    desk = LabelDesk(events)
    for speaker, name in NAMES.items():
        desk.rename(speaker, name)
    for event in [*events, *desk.take(len(sound))]:
        recorder.put(event)
    recorder.close()


class Album:
    """One window, put into one state after the other."""

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self._folder, self._size = folder, size
        self.studio = Studio()
        self.studio.ask = lambda *_: LEAVE
        self.studio.preferences.change(audible=False)
        self.studio.dress()
        self.window = Window(self.studio)
        self.window.resize(*size)
        self.window.show()
        self._sound = demo_sound()
        self.pipeline = Pipeline(timing=True, voices=True)

    def take(self, name: str) -> None:
        """Let everything be drawn, then keep the picture."""
        settle()
        self.window.resize(*self._size)
        settle()
        self.window.grab().save(str(self._folder / f"{name}-{self._size[0]}x{self._size[1]}.png"))

    def begin(self, until_s: float, verify: str = "") -> None:
        """As if somebody listened to the demo, `until_s` seconds of it."""
        studio, conversation = self.studio, self.studio.conversation
        studio.preferences.change(source="demo")
        settings = studio.preferences.now
        request = Request(settings, verify)
        verifier = find_verifier(request, settings.config(), ProfileStore()) if verify else None
        pipeline = Pipeline(timing=True, voices=True, verifier=verifier)
        sound, history = self._sound[: samples(until_s)], SoundHistory()
        conversation.begin("Demo conversation", history)
        conversation.live = LabelDesk()
        studio.listening.request = Request(Settings(source="demo"), verify)
        studio.listening.threshold = verifier.threshold if verifier else None
        studio.listening.state = RUNNING
        for start in range(0, len(sound), BLOCK):
            history.hear(Sound(start, sound[start : start + BLOCK]))
        events = heard(pipeline, sound)
        for event in events:
            if isinstance(event, StageTiming):
                studio.health.put(event)
        conversation.live.see(events)
        conversation.take(events)
        studio.listening.changed.emit()

    def name_speakers(self) -> None:
        """Give everybody a name by hand."""
        conversation = self.studio.conversation
        assert conversation.live is not None
        found = {t.speaker for t in conversation.state.finals}
        for speaker, name in NAMES.items():
            if speaker in found:
                conversation.live.rename(speaker, name)
        conversation.take(conversation.live.take(conversation.state.heard))

    def empty(self) -> None:
        self.window.show_page("listen")

    def live(self) -> None:
        self.begin(55.8)
        self.name_speakers()
        self.studio.conversation.view = self.studio.conversation.view.zoomed(0.55, 0, samples(55.8))

    def dark(self) -> None:
        self.studio.preferences.change(theme="dark")

    def lab(self) -> None:
        self.studio.preferences.change(theme="light", lab=True)

    def device_lost(self) -> None:
        self.studio.preferences.change(theme="light", lab=False)
        self.begin(48.0)
        self.name_speakers()
        self.studio.preferences.change(source="microphone", device="USB Audio")
        conversation = self.studio.conversation
        lost_at = conversation.state.heard
        silence = np.zeros(samples(8.0), np.float32)
        conversation.sound.hear(Sound(conversation.sound.n_samples, silence))
        conversation.take([DeviceLost(lost_at, "mic:USB Audio: no sound has come for 5 s")])
        conversation.view = conversation.view.zoomed(0.6, 0, conversation.n_samples)

    def verification(self) -> None:
        self.begin(20.0, verify="Anna")
        self.window.banner.hide()
        self.window.show_page("verify")
        settle(2_000)

    def replay(self) -> None:
        self.studio.listening.state = "idle"
        self.studio.conversation.live = None
        self.studio.listening.changed.emit()
        self.studio.open("kitchen-table")
        wait_for(lambda: self.studio.conversation.sound.n_samples >= samples(79.0))
        turns = [t for t in self.studio.conversation.state.finals if isinstance(t, SpeakerTurn)]
        self.studio.conversation.select(turns[len(turns) // 2])
        self.window.listen.timeline.whole()

    def transcript(self) -> None:
        """What the conversation might say, in the turns that were found."""
        lanes = self.studio.conversation.lanes.all
        turns = sorted((t for lane in lanes for t in lane.turns), key=lambda t: t.start)
        self.studio.conversation.take_words(Recognised(tuple(w for t in turns for w in spoken_in(t)), "en"))
        wait_for(lambda: bool(self.window.listen.transcript.text.page.words))

    def summary(self) -> None:
        """In a window of its own."""
        summary = SummaryWindow(self.studio, self.window)
        summary.show()
        wait_for(lambda: summary.paper is not None)
        settle()
        summary.grab().save(str(self._folder / f"summary-{self._size[0]}x{self._size[1]}.png"))
        summary.close()

    def voices(self) -> None:
        """Some of nobody and one of a person, and a text to say."""
        self.window.show_page("voices")
        wait_for(lambda: bool(self.studio.voicing.gallery.entries))
        self.window.voices.list.choose("pseudo", next(iter(VOICES)))
        self.window.voices.say.text.setPlainText(TEXT)

    def page(self, name: str) -> Callable[[], None]:
        return lambda: self.window.show_page(name)


def spoken_in(turn: SpeakerTurn) -> list[Word]:
    """Words that fill a turn, one in a third of a second."""
    step = samples(0.33)
    texts = " ".join([PHRASES[(turn.start // step) % len(PHRASES)]] * 9).split()
    places = range(turn.start, turn.end - step, step)
    return [Word(at, at + step, f" {text}", 0.9) for at, text in zip(places, texts, strict=False)]


def settle(wait_ms: int = SETTLE_MS) -> None:
    """Let timers and paint events run."""
    loop = QEventLoop()
    QTimer.singleShot(wait_ms, loop.quit)
    loop.exec()


def wait_for(condition: Callable[[], bool], tries: int = 200) -> None:
    for _ in range(tries):
        if condition():
            return
        settle(50)
    raise SystemExit("the window did not get into the state of the picture")


@contextmanager
def home() -> Iterator[None]:
    """A home folder of its own, where Anna is enrolled and one session is recorded."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("VOICELANE_HOME")
        os.environ["VOICELANE_HOME"] = folder
        sound, enroller = demo_sound(), Enroller()
        pipeline = Pipeline(voices=True)
        record_demo(sound, heard(pipeline, sound) + pipeline.flush(), pipeline.space)
        first = enroller.listen(ArraySource(sound[: samples(9.0)]))
        ProfileStore().add("Anna", enroller.space, [first.recording])
        ProfileStore().set_consent("Anna", True)
        drawing = load_pseudo_voices()
        for name, pitch_hz in VOICES.items():
            VoiceLibrary().add(drawing.at_pitch(name, pitch_hz, np.random.default_rng(SEED)))
        try:
            yield
        finally:
            os.environ.pop("VOICELANE_HOME")
            if before is not None:
                os.environ["VOICELANE_HOME"] = before


def pictures(folder: Path, size: tuple[int, int]) -> None:
    """All states at one size."""
    album = Album(folder, size)
    for name, arrange in {
        "empty": album.empty,
        "live": album.live,
        "dark": album.dark,
        "lab": album.lab,
        "device-lost": album.device_lost,
        "verification": album.verification,
        "replay": album.replay,
        "transcript": album.transcript,
        "sessions": album.page("sessions"),
        "people": album.page("people"),
        "voices": album.voices,
        "health": album.page("health"),
        "settings": album.page("settings"),
    }.items():
        arrange()
        album.take(name)
    album.summary()
    album.window.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m voicelane.gui.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the pictures")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of the window")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application(["voicelane"])
    speak(args.language)
    for size in SIZES:
        with home():
            pictures(args.out, size)
        print(f"{args.out}: {size[0]} x {size[1]}")


if __name__ == "__main__":
    main()
