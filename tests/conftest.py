"""Sound and models that tests share; nothing here needs the corpus or a device."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile as sf

import voicelane
from tests.sound_server import SoundServer
from voicelane import Event, LabelDesk, Pipeline, read_rttm
from voicelane.live import Sound

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from voicelane.gui.window import Window
    from voicelane.gui.work.studio import Studio
    from voicelane.rt_models.training.batches import CropSampler
    from voicelane.rt_models.training.data import AudioCache

pytest_plugins = ["tests.skips"]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ROOT = Path(__file__).parents[1]
DEMO = Path(voicelane.__file__).parent / "demo" / "conversation.opus"
SPLIT_S = 38.5


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--golden", action="store_true", help="write the files of tests/golden anew")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One process plays all that goes through a sound server: two at once would keep each other waiting."""
    for item in items:
        if item.get_closest_marker("device"):
            item.add_marker(pytest.mark.xdist_group("device"))


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """The first 20 s of the bundled conversation, float32 at 16 kHz."""
    return sf.read(DEMO, dtype="float32")[0][: 20 * 16_000]


@pytest.fixture(scope="session")
def enrolment_sound() -> dict[str, np.ndarray]:
    """What each of the three says in the first 38.5 s."""
    sound = sf.read(DEMO, dtype="float32")[0]
    turns = [t for t in read_rttm(DEMO.with_suffix(".rttm")) if t.end < SPLIT_S]
    return {
        who: np.concatenate(
            [sound[int(t.start * 16_000) : int(t.end * 16_000)] for t in turns if t.speaker == who]
        )
        for who in sorted({t.speaker for t in turns})
    }


@pytest.fixture(scope="session")
def rest() -> np.ndarray:
    """The conversation after the enrolment sound."""
    return sf.read(DEMO, dtype="float32")[0][int(SPLIT_S * 16_000) :]


@pytest.fixture(scope="session")
def later() -> dict[str, np.ndarray]:
    """What each of the three says after the enrolment sound."""
    sound = sf.read(DEMO, dtype="float32")[0]
    turns = [t for t in read_rttm(DEMO.with_suffix(".rttm")) if t.start >= SPLIT_S]
    return {
        who: np.concatenate(
            [sound[int(t.start * 16_000) : int(t.end * 16_000)] for t in turns if t.speaker == who]
        )
        for who in sorted({t.speaker for t in turns})
    }


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for profiles and sessions, which does not exist yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("VOICELANE_HOME", str(folder))
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> AudioCache:
    """Twelve pieces of the demo conversation, as if they were twelve utterances."""
    data = pytest.importorskip("voicelane.rt_models.training.data")
    folder = tmp_path_factory.mktemp("corpus")
    samples = sf.read(DEMO, dtype="float32")[0]
    lines = []
    for i, piece in enumerate(np.array_split(samples[: 60 * 16_000], 12)):
        sf.write(folder / f"{i}.wav", piece, 16_000)
        lines.append(f"speaker{i // 3} {i}.wav")
    (folder / "manifest.txt").write_text("\n".join(lines))
    return data.AudioCache.build(data.read_manifest(folder / "manifest.txt"), folder, folder / "cache")


@pytest.fixture(scope="session")
def sampler(cache: AudioCache, tmp_path_factory: pytest.TempPathFactory) -> CropSampler:
    """A clean copy of the toy corpus with random targets, two crops of each speaker in a batch."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("pyroomacoustics")
    from voicelane.rt_models.training import losses, shards
    from voicelane.rt_models.training.batches import Copy, CropConfig, CropSampler, speech_mask

    shard = shards.build_shard(cache, None, np.ones(12), 0, tmp_path_factory.mktemp("s") / "shard.f16")
    speech = [np.flatnonzero(speech_mask(shard.columns(i))) for i in range(12)]
    targets = losses.centre(torch.randn(12, 192, generator=torch.Generator().manual_seed(0))).numpy()
    copy = Copy(shard, speech, targets, np.arange(12) // 3)
    config = CropConfig(
        columns=(80,), chances=(1.0,), band_masks=0, time_masks=0, noise=0.0, babble=0.0, equaliser=0.0
    )
    return CropSampler([copy], ["demo"] * 12, [], np.full(80, -9.0), config)


@pytest.fixture(scope="session")
def said() -> list[Event]:
    """What the engine says of the first 40 s of the conversation in blocks of 100 ms, voices measured."""
    sound, pipeline = sf.read(DEMO, dtype="float32")[0][: 40 * 16_000], Pipeline(voices=True, timing=True)
    events = [e for i in range(0, len(sound), 1_600) for e in pipeline.push(sound[i : i + 1_600])]
    return events + pipeline.flush()


class Loudspeaker:
    """Takes the place of `sounddevice.OutputStream`; `play` is what the sound card would do."""

    def __init__(
        self, fill: Callable[..., None], block: int, tell_rate: Callable[[int], None], device: str
    ) -> None:
        self._fill, self._block, self.device = fill, block, device
        self.heard: list[np.ndarray] = []
        self.running = False

    def start(self) -> None:
        self.running = True

    def close(self) -> None:
        self.running = False

    def play(self, n_blocks: int = 1) -> None:
        for _ in range(n_blocks):
            out = np.zeros((self._block, 1), np.float32)
            self._fill(out)
            self.heard.append(out[:, 0])


@pytest.fixture
def loudspeakers() -> list[Loudspeaker]:
    """Every stream that was opened, the latest last."""
    return []


@pytest.fixture
def studio(qtbot: QtBot, home: Path, loudspeakers: list[Loudspeaker]) -> Iterator[Studio]:
    """Everything behind the window, with a loudspeaker of cardboard."""
    from voicelane.gui.model.language import speak
    from voicelane.gui.work.jobs import Job
    from voicelane.gui.work.player import Player
    from voicelane.gui.work.studio import Studio

    def open_stream(*arguments: Any) -> Loudspeaker:
        loudspeakers.append(Loudspeaker(*arguments))
        return loudspeakers[-1]

    speak("en")
    found = Studio(player=Player(open_stream))
    found.ask = lambda *_: "leave"
    found.dress()
    yield found
    found.player.stop()
    found.listening.stop()
    qtbot.waitUntil(lambda: not Job.running and found.listening.state == "idle", timeout=20_000)


@pytest.fixture
def window(qtbot: QtBot, studio: Studio) -> Iterator[Window]:
    """A real window on Qt's screen of memory."""
    from PySide6.QtCore import QEvent
    from PySide6.QtWidgets import QApplication

    from voicelane.gui.window import Window
    from voicelane.gui.work.jobs import Job

    found = Window(studio)
    found.resize(1280, 800)
    found.show()
    yield found
    found.close()
    qtbot.waitUntil(lambda: not Job.running, timeout=20_000)
    found.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def talk(window: Window, speech: np.ndarray) -> Window:
    """Eight seconds of three people, over and not recorded, all of it on the screen."""
    from PySide6.QtWidgets import QApplication

    from tests.gui.talk import TALK
    from voicelane.gui.model.sound import SoundHistory

    conversation = window.studio.conversation
    sound = SoundHistory()
    sound.hear(Sound(0, speech[:128_000]))
    conversation.begin("talk", sound)
    conversation.live = LabelDesk()
    conversation.take(list(TALK))
    conversation.end(None)
    window.listen.timeline.whole()
    QApplication.processEvents()
    return window


@pytest.fixture
def sound_server(tmp_path: Path) -> Iterator[SoundServer]:
    """A PulseAudio daemon of its own whose only device is a null sink."""
    found = SoundServer(tmp_path / "pulse")
    found.start()
    found.plug("voice")
    yield found
    found.stop()


@pytest.fixture
def talk_file(tmp_path: Path, speech: np.ndarray) -> Path:
    sf.write(tmp_path / "talk.wav", speech[:128_000], 16_000)
    return tmp_path / "talk.wav"
