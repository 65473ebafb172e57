"""Live sessions that are paused, and microphones that go away and come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from tests.live.test_session import Collector, offline, times
from voicelane import ArraySource, LiveSession, Pipeline
from voicelane.base import DeviceError
from voicelane.events import DeviceLost, DeviceReturned, ListeningPaused, ListeningResumed
from voicelane.live import Sound


class Microphone:
    """A microphone in the test's hand: `say` is its callback, `finished` its plug."""

    name, rate, channels, duration_s = "mic:toy", 16_000, 1, None

    def __init__(self) -> None:
        self.finished, self.say = threading.Event(), None

    def start(self, write: Callable[[np.ndarray], None]) -> None:
        self.say = lambda samples: write(samples[:, None])

    def close(self) -> None:
        self.finished.set()


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, "nothing happened"
        time.sleep(0.005)


class Listener(Collector):
    """Keeps the sound too."""

    def __init__(self) -> None:
        super().__init__()
        self.sound: list[Sound] = []

    def hear(self, sound: Sound) -> None:
        self.sound.append(sound)


def test_a_paused_microphone_is_silence_in_its_place(speech):
    mic, listener = Microphone(), Listener()
    said = [speech[16_000 * i : 16_000 * (i + 1)] for i in range(1, 4)]
    with LiveSession(mic, Pipeline(), [listener]) as session:
        mic.say(said[0])
        session.pause()
        assert session.paused
        mic.say(said[1])
        session.resume()
        mic.say(said[2])
        until(lambda: session.pipeline.heard_samples == 48_000)
    heard = np.concatenate([s.samples for s in listener.sound])
    np.testing.assert_array_equal(heard, np.concatenate((said[0], np.zeros_like(said[1]), said[2])))
    assert [e for e in listener.events if isinstance(e, ListeningPaused | ListeningResumed)] == [
        ListeningPaused(16_000),
        ListeningResumed(32_000),
    ]


def test_a_paused_file_waits_and_loses_nothing(speech):
    collector = Collector()
    with LiveSession(ArraySource(speech, realtime=True), Pipeline(), [collector]) as session:
        until(lambda: session.pipeline.heard_samples > 0)
        session.pause()
        until(lambda: session.waiting_s == 0)
        before = session.pipeline.heard_samples
        time.sleep(0.5)
        assert session.pipeline.heard_samples <= before + 320
        session.resume()
        until(lambda: session.pipeline.heard_samples > before + 8_000)
        assert session.pipeline.heard_samples < before + 12_000, "the pause is not caught up with"


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_a_microphone_that_comes_back_goes_on_in_the_same_session(speech, monkeypatch, rate):
    monkeypatch.setattr("voicelane.live.session.RETRY_S", 0.1)
    mics, listener, tries = [Microphone()], Listener(), []

    def reconnect() -> Microphone:
        tries.append(1)
        if len(tries) < 3:
            raise DeviceError("no microphone named 'toy'")
        mics.append(Microphone())
        mics[-1].rate = rate
        return mics[-1]

    with LiveSession(mics[0], Pipeline(), [listener], reconnect=reconnect) as session:
        mics[0].say(speech[:80_000])
        until(lambda: session.pipeline.heard_samples == 80_000)
        mics[0].finished.set()
        until(lambda: len(mics) == 2 and mics[1].say is not None)
        assert not any(isinstance(e, DeviceReturned) for e in listener.events), "not before it is heard"
        mics[1].say(np.repeat(speech[80_000:200_000], rate // 16_000))
        until(lambda: any(isinstance(e, DeviceReturned) for e in listener.events))
        until(lambda: session.waiting_s == 0)
    (lost,) = [e for e in listener.events if isinstance(e, DeviceLost)]
    (back,) = [e for e in listener.events if isinstance(e, DeviceReturned)]
    assert lost.sample == 80_000 and 0.2 * 16_000 < back.sample - lost.sample < 5 * 16_000
    assert "mic:toy" in lost.reason and back.source == "mic:toy"
    after = [s for s in listener.sound if s.sample >= back.sample]
    assert sum(len(s.samples) for s in after) == pytest.approx(120_000, abs=1)
    assert after[0].sample == back.sample
    assert session.pipeline.heard_samples == back.sample + sum(len(s.samples) for s in after)


def test_a_session_can_be_stopped_while_its_microphone_is_away(speech):
    def reconnect() -> Microphone:
        raise DeviceError("no microphone")

    mic, collector = Microphone(), Collector()
    with LiveSession(mic, Pipeline(), [collector], reconnect=reconnect):
        mic.say(speech[: 9 * 16_000])
        mic.finished.set()
        until(lambda: any(isinstance(e, DeviceLost) for e in collector.events))
    assert times(collector.events) == times(offline(speech[: 9 * 16_000]))
