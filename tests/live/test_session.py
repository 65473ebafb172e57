"""The threads: a live session says what the offline pipeline says, and nothing slow ever stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from tests.conftest import DEMO
from voicelane import (
    ArraySource,
    Event,
    FileSource,
    LiveSession,
    Pipeline,
    QueueSink,
    SpeakerTurn,
    SpeechEnded,
    VoicelaneError,
)
from voicelane.base import AudioError, DeviceError
from voicelane.events import (
    DeviceOverflow,
    EventsDropped,
    InvalidSamples,
    Overrun,
    SpeakerRenamed,
    StreamStarted,
)
from voicelane.live import LatencySink, final_turns


class Collector:
    """A sink that keeps everything, after an optional pause per event."""

    def __init__(self, pause_s: float = 0.0) -> None:
        self.events: list[Event] = []
        self.closed = 0
        self._pause_s = pause_s

    def put(self, event: Event) -> None:
        time.sleep(self._pause_s)
        self.events.append(event)

    def close(self) -> None:
        self.closed += 1


def offline(samples: np.ndarray) -> list[Event]:
    pipeline = Pipeline()
    return pipeline.push(samples) + pipeline.flush()


def run(source, *sinks, **options) -> LiveSession:
    pipeline = Pipeline()
    pipeline.warm_up()
    with LiveSession(source, pipeline, sinks, **options) as session:
        session.wait()
    return session


def counted(events: list[Event]) -> tuple[int, int]:
    """How many events came, and how many are said to be missing."""
    missing = [e.count for e in events if isinstance(e, EventsDropped)]
    return len(events) - len(missing), sum(missing)


def times(events: list[Event]) -> list[tuple[int, int]]:
    return [(t.start, t.end) for t in final_turns(events)]


def test_a_session_says_what_the_offline_pipeline_says(speech):
    collector = Collector()
    session = run(ArraySource(speech), collector)
    assert isinstance(collector.events[0], StreamStarted)
    assert times(collector.events[1:]) == times(offline(speech))
    assert session.lost_samples == 0 and collector.closed == 1


@pytest.mark.slow
def test_a_file_at_another_rate_gives_nearly_the_same_turns(speech, tmp_path):
    soundfile, soxr = pytest.importorskip("soundfile"), pytest.importorskip("soxr")
    stereo = np.stack([soxr.resample(speech, 16_000, 44_100)] * 2, axis=1)
    soundfile.write(tmp_path / "stereo.flac", stereo, 44_100)
    collector = Collector()
    run(FileSource(tmp_path / "stereo.flac"), collector)
    found, wanted = spoken(collector.events, len(speech)), spoken(offline(speech), len(speech))
    assert np.mean(found != wanted) < 0.03


def spoken(events: list[Event], n_samples: int) -> np.ndarray:
    out = np.zeros(n_samples // 320, bool)
    for e in events:
        if isinstance(e, SpeechEnded):
            out[e.start // 320 : e.end // 320] = True
    return out


def test_real_time_takes_its_time_and_labels_come_while_the_sound_plays(speech):
    latency, collector = LatencySink(), Collector()
    began = time.monotonic()
    run(ArraySource(speech[: 8 * 16_000], realtime=True), latency, collector)
    assert time.monotonic() - began > 7.9
    delays = latency.delays_ms()
    assert len(delays["tentative"]) > 3
    assert np.median(delays["tentative"]) < 500
    assert np.median(delays["confirmed"]) < 2500


def test_a_slow_sink_misses_events_and_is_told_so_but_the_sound_goes_on(speech):
    slow, quick = Collector(pause_s=0.5), Collector()
    session = run(ArraySource(speech[: 10 * 16_000], realtime=True), slow, quick, queue_events=5)
    assert session.lost_samples == 0 and times(quick.events)
    (heard, dropped), (quickly_heard, quickly_dropped) = counted(slow.events), counted(quick.events)
    assert dropped > quickly_dropped
    assert heard + dropped == quickly_heard + quickly_dropped
    assert slow.closed == quick.closed == 1


@pytest.mark.slow
def test_nobody_misses_anything_when_a_file_is_read_at_full_speed(speech):
    slow = Collector(pause_s=0.001)
    run(ArraySource(speech), slow, queue_events=2)
    assert not any(isinstance(e, EventsDropped) for e in slow.events)
    assert times(slow.events) == times(offline(speech))


def test_a_broken_sink_harms_no_other_and_is_reported_at_the_end(speech):
    class Broken(Collector):
        def put(self, event: Event) -> None:
            raise OSError(28, "No space left on device")

    broken, collector = Broken(), Collector()
    with pytest.raises(OSError, match="No space"):
        run(ArraySource(speech), broken, collector)
    assert times(collector.events) == times(offline(speech))
    assert broken.closed == 1


def test_a_sink_that_comes_later_gets_the_names_so_far_and_what_follows(speech):
    early, late = Collector(), Collector()
    pipeline = Pipeline()
    pipeline.warm_up()
    with LiveSession(ArraySource(speech[: 8 * 16_000], realtime=True), pipeline, [early]) as session:
        while not any(isinstance(e, SpeakerTurn) for e in early.events):
            time.sleep(0.02)
        session.corrections.rename("S1", "Zoë")
        while not any(isinstance(e, SpeakerRenamed) for e in early.events):
            time.sleep(0.02)
        session.attach(late)
        time.sleep(2.0)
        session.detach(late)
        told = len(late.events)
        assert late.closed == 1 and isinstance(late.events[0], SpeakerRenamed)
        session.wait()
    following = late.events[1:]
    at = early.events.index(following[0])
    assert following == early.events[at : at + len(following)] and told == len(late.events) > 3
    with pytest.raises(VoicelaneError, match="has ended"):
        session.attach(Collector())


def test_a_source_that_breaks_off_keeps_what_came_before(speech):
    class Breaking(ArraySource):
        def blocks(self):
            for i, block in enumerate(super().blocks()):
                if i == 400:
                    raise AudioError("array: the file is damaged")
                yield block

    collector = Collector()
    with pytest.raises(AudioError, match="damaged"):
        run(Breaking(speech), collector)
    assert times(collector.events) == times(offline(speech[: 400 * 320]))


class PushedSource:
    """Sound that comes from a callback, as from a microphone."""

    name, rate, channels, duration_s = "pushed", 16_000, 1, None

    def __init__(self, samples: np.ndarray) -> None:
        self.finished = threading.Event()
        self._samples = samples

    def start(self, write: Callable[[np.ndarray], None]) -> None:
        def play() -> None:
            for i in range(0, len(self._samples), 320):
                write(self._samples[i : i + 320, None])
            self.finished.set()

        threading.Thread(target=play, daemon=True).start()

    def close(self) -> None:
        self.finished.set()


def test_sound_that_comes_faster_than_it_can_be_heard_is_counted_to_the_sample(speech):
    """Two minutes at once into a ring of ten seconds: the loss is an event and time stays true."""
    collector, samples = Collector(), np.tile(speech, 6)
    pipeline = Pipeline()
    session = LiveSession(PushedSource(samples), pipeline, [collector])
    session.start()
    with pytest.raises(DeviceError, match="the device has stopped"):
        session.wait()
    lost = sum(e.lost_samples for e in collector.events if isinstance(e, Overrun))
    assert lost == session.lost_samples > 0
    assert session.pipeline.heard_samples == len(samples)


def test_a_microphone_that_falls_silent_for_good_ends_with_a_clear_error(speech, monkeypatch):
    class Stalling(PushedSource):
        def start(self, write: Callable[[np.ndarray], None]) -> None:
            write(self._samples[:, None])

    monkeypatch.setattr("voicelane.live.session.STALLED_S", 0.3)
    collector = Collector()
    with pytest.raises(DeviceError, match="pushed: no sound has come"):
        run(Stalling(speech[: 9 * 16_000]), collector)
    assert times(collector.events) == times(offline(speech[: 9 * 16_000]))


@pytest.mark.parametrize("rate", [44_100, 48_000, 8_000])
def test_lost_sound_leaves_time_true_at_any_rate(speech, rate):
    collector = Collector()
    source = PushedSource(np.resize(speech, 40 * rate))
    source.rate = rate
    session = LiveSession(source, Pipeline(), [collector])
    session.start()
    with pytest.raises(DeviceError):
        session.wait()
    assert session.lost_samples > 0
    assert abs(session.pipeline.heard_samples - 40 * 16_000) <= 1


def test_bad_samples_are_counted_before_they_spread(speech):
    broken = np.repeat(speech[: 5 * 16_000], 3)
    broken[30_000] = np.nan
    broken[30_001] = 1e20
    collector = Collector()
    run(ArraySource(broken, 48_000), collector)
    assert [e.count for e in collector.events if isinstance(e, InvalidSamples)] == [2]


def test_a_device_that_reports_lost_input_is_passed_on(speech):
    source = PushedSource(speech)
    source.device_overflows = 3
    collector = Collector()
    with pytest.raises(DeviceError):
        run(source, collector)
    assert sum(e.count for e in collector.events if isinstance(e, DeviceOverflow)) == 3


def test_a_source_that_cannot_be_opened_closes_its_sinks(speech):
    class Refusing(PushedSource):
        def start(self, write: Callable[[np.ndarray], None]) -> None:
            raise DeviceError("mic: cannot be opened")

    collector = Collector()
    session = LiveSession(Refusing(speech), Pipeline(), [collector])
    with pytest.raises(DeviceError, match="cannot be opened"):
        session.start()
    session.stop()
    assert collector.closed == 1


def test_a_session_that_never_started_closes_its_sinks_too(speech):
    collector = Collector()
    LiveSession(ArraySource(speech), Pipeline(), [collector]).stop()
    assert collector.closed == 1


def test_stop_ends_a_running_session_and_closes_its_sinks(speech):
    queue = QueueSink()
    session = LiveSession(ArraySource(np.tile(speech, 20), realtime=True), Pipeline(), [queue])
    session.start()
    assert not session.wait(2.0)
    session.stop()
    events = []
    while (event := queue.queue.get(timeout=5)) is not None:
        events.append(event)
    ended = [e for e in events if isinstance(e, SpeechEnded)]
    assert ended and ended[-1].end <= 4 * 16_000


def test_a_source_is_never_closed_while_it_is_read(speech):
    class Slow(ArraySource):
        reading, closed_while_read = False, False

        def blocks(self):
            for block in super().blocks():
                self.reading = True
                time.sleep(0.3)
                self.reading = False
                yield block

        def close(self):
            self.closed_while_read = self.reading

    source = Slow(speech, realtime=True)
    session = LiveSession(source, Pipeline())
    session.start()
    while not source.reading:
        time.sleep(0.01)
    session.stop()
    assert not source.closed_while_read


def test_the_demo_has_its_three_speakers():
    collector = Collector()
    run(FileSource(DEMO), collector)
    assert len({t.speaker for t in final_turns(collector.events)}) == 3


def test_turns_never_overlap_what_the_detector_called_silence(speech):
    events = offline(speech)
    ended = [e for e in events if isinstance(e, SpeechEnded)]
    for turn in (e for e in events if isinstance(e, SpeakerTurn)):
        assert any(e.start <= turn.start < turn.end <= e.end for e in ended)
