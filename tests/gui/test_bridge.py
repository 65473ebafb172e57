"""The crossing from the engine to the window: a window that is stuck costs nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

import voicelane.gui.work.bridge
import voicelane.live.latency
from tests.live.test_session import Collector
from tests.profiles.test_store import SPACE
from voicelane import ArraySource, Event, LiveSession, Pipeline, Recorder, SpeakerTurn, open_session
from voicelane.events import StageTiming, StreamStarted
from voicelane.live import LatencySink, Sound, final_turns
from voicelane.sessions import session_folder

pytest.importorskip("PySide6")

from voicelane.gui.model.health import KEPT, Health
from voicelane.gui.model.sound import SoundHistory
from voicelane.gui.model.state import State, reduce_all
from voicelane.gui.work.bridge import Bridge

pytestmark = pytest.mark.qt


def test_a_window_stuck_for_two_seconds_loses_no_sound_and_no_event(qtbot, speech, home):
    sound = speech[: 6 * 16_000]
    history, arrived, reference = SoundHistory(), list[Event](), Collector()
    bridge = Bridge(history, Health())
    bridge.arrived.connect(arrived.extend)
    bridge.begin()
    pipeline = Pipeline()
    pipeline.warm_up()
    recorder = Recorder(session_folder("talk"), "array", SPACE)
    session = LiveSession(ArraySource(sound, realtime=True), pipeline, [bridge, recorder, reference])
    session.start()
    qtbot.waitUntil(lambda: pipeline.heard_samples > 16_000, timeout=20_000)
    before = pipeline.heard_samples
    time.sleep(2.0)  # this is the window's thread
    assert pipeline.heard_samples - before > 1.8 * 16_000, "the engine went on meanwhile"
    with qtbot.waitSignal(bridge.ended, timeout=20_000):
        pass
    session.wait()
    assert session.lost_samples == 0
    assert np.abs(history.read(0, len(sound)) - sound).max() <= 1 / 32_768
    assert history.n_samples == len(sound) == open_session("talk").heard_samples()
    assert final_turns(arrived) == final_turns(reference.events)
    seen, wanted = (reduce_all(State(), events) for events in (arrived, reference.events))
    assert seen == replace(wanted, speakers=seen.speakers)
    others = [e for e in reference.events if not isinstance(e, SpeakerTurn)]
    assert [e for e in arrived if not isinstance(e, SpeakerTurn)] == others


def test_putting_never_waits_and_the_queue_is_bounded(qtbot, monkeypatch):
    monkeypatch.setattr(voicelane.gui.work.bridge, "MOST_EVENTS", 50)
    bridge, arrived = Bridge(SoundHistory(), Health()), list[Event]()
    bridge.arrived.connect(arrived.extend)
    began = time.monotonic()
    for i in range(80):
        bridge.put(SpeakerTurn(i, "S1", i, i + 1, i + 1, 0.9, True))
    assert time.monotonic() - began < 1.0
    bridge.drain()
    assert len(arrived) == 51 and arrived[-1].count == 30


def test_only_the_latest_tentative_turn_waits(qtbot):
    bridge, arrived = Bridge(SoundHistory(), Health()), list[Event]()
    bridge.arrived.connect(arrived.extend)
    for i in range(1, 1_000):
        bridge.put(SpeakerTurn(i, "S1", 0, i, 0, 0.9, False))
    bridge.drain()
    assert [e.end for e in arrived] == [999]


def test_events_from_another_thread_arrive_in_the_windows_thread_and_the_end_comes_once(qtbot):
    bridge, threads, ends = Bridge(SoundHistory(), Health()), set(), []
    bridge.arrived.connect(lambda _: threads.add(threading.current_thread()))
    bridge.ended.connect(lambda: ends.append(1))
    bridge.begin()

    def speak() -> None:
        for i in range(50):
            bridge.hear(Sound(320 * i, np.zeros(320, np.float32)))
            bridge.put(SpeakerTurn(i, "S1", i, i + 1, i + 1, 0.9, True))
        bridge.close()

    thread = threading.Thread(target=speak)
    thread.start()
    qtbot.waitUntil(lambda: bool(ends), timeout=5_000)
    thread.join()
    bridge.drain()
    assert threads == {threading.main_thread()} and ends == [1]


def test_health_keeps_times_and_delays(qtbot):
    health = Health()
    assert health.percentiles("frame") is None
    for i in range(1, 101):
        health.put(StageTiming(320 * i, 2, {"stft": 2.0 * i, "encoder": 4.0}, {}))
    assert health.percentiles("stft") == pytest.approx((50.5, 95.05, 99.01))
    assert health.percentiles("encoder")[0] == 4.0 and len(health.values("frame")) == 100
    health.clear()
    assert health.percentiles("stft") is None and health.memory_mb() > 10


def test_health_and_the_benchmarks_mean_the_same_by_latency(qtbot, said, monkeypatch):
    clock = iter(range(1_000_000))
    monkeypatch.setattr(voicelane.live.latency.time, "monotonic", lambda: now[0])
    health, sink, now = Health(), LatencySink(), [next(clock)]
    for event in [StreamStarted(0, "mic", 16_000, 0.0), *said]:
        now[0] = next(clock)
        health.put(event)
        sink.put(event)
    for kind, delays in sink.delays_ms().items():
        np.testing.assert_array_equal(health.values(kind), delays[-KEPT:])
        assert len(delays) > 100
    health.realtime = False
    assert health.percentiles("tentative") is None, "a file that is read at full speed has no delays"
