"""Everything that holds a stream may hear a second one, or says that it does not."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from tests.live.test_pauses import Microphone, until
from tests.live.test_session import Collector
from voicelane import (
    ArraySource,
    Enroller,
    LiveSession,
    LiveVerifier,
    Person,
    Pipeline,
    Verifier,
    VoicelaneError,
)
from voicelane.base import DeviceError
from voicelane.config import PipelineConfig
from voicelane.events import Event, SpeakerTurn, StreamStarted
from voicelane.live import LatencySink
from voicelane.profiles import FileEmbedder
from voicelane.stages import find_calibration


def heard(pipeline: Pipeline, sound: np.ndarray) -> list[Event]:
    """All events but the first, which tells the time of day."""
    collector = Collector()
    with LiveSession(ArraySource(sound), pipeline, [collector]) as session:
        session.wait()
    return [e for e in collector.events if not isinstance(e, StreamStarted)]


@pytest.fixture(scope="module")
def person(speech) -> Person:
    enrolment = Enroller().listen(ArraySource(speech[: 8 * 16_000]))
    return Person("Zoë", enrolment.recording.embedding[None])


@pytest.mark.parametrize("kind", ["plain", "people", "verifier", "live verifier"])
def test_a_pipeline_hears_its_second_stream_as_a_new_one_would(speech, person, kind):
    config = PipelineConfig()
    calibration = find_calibration(config.encoder.model, Enroller(config).space)

    def make() -> Pipeline:
        return Pipeline(
            config,
            people=[] if kind == "plain" else [person],
            verifier=Verifier(person, calibration, 1.0) if kind == "verifier" else None,
            live_verifier=LiveVerifier([person], calibration, 1.0) if kind == "live verifier" else None,
        )

    pipeline = make()
    first, second = heard(pipeline, speech[: 9 * 16_000]), heard(pipeline, speech)
    assert first and second == heard(make(), speech)
    assert max(e.end for e in second if isinstance(e, SpeakerTurn)) <= len(speech)


def test_a_pipeline_that_was_left_in_the_middle_of_a_stream_begins_anew(speech):
    pipeline = Pipeline()
    pipeline.push(speech[: 7 * 16_000])
    assert heard(pipeline, speech) == heard(Pipeline(), speech)


@pytest.mark.parametrize("make", [Enroller, FileEmbedder])
def test_an_embedding_does_not_depend_on_what_was_heard_before(speech, make):
    def vector(embedder: Enroller | FileEmbedder, sound: np.ndarray) -> np.ndarray:
        if isinstance(embedder, Enroller):
            return embedder.listen(ArraySource(sound)).recording.embedding
        return embedder.embed(ArraySource(sound))

    used = make()
    vector(used, speech[9 * 16_000 :])
    np.testing.assert_array_equal(vector(used, speech[: 9 * 16_000]), vector(make(), speech[: 9 * 16_000]))


def test_the_latency_of_a_second_stream_is_measured_from_its_beginning(speech):
    latency, counts = LatencySink(), []
    for _ in range(2):
        with LiveSession(ArraySource(speech), Pipeline(), [latency]) as session:
            session.wait()
        counts.append(len(latency.delays_ms()["confirmed"]))
    assert counts[1] == 2 * counts[0] > 0


def test_a_session_is_heard_once(speech):
    session = LiveSession(ArraySource(speech[:16_000]), Pipeline())
    with session:
        session.wait()
    with pytest.raises(VoicelaneError, match="heard once"):
        session.start()


def test_two_sessions_at_once_cannot_share_a_pipeline():
    pipeline, mic = Pipeline(), Microphone()
    with LiveSession(mic, pipeline), pytest.raises(VoicelaneError, match="each one of its own"):
        LiveSession(Microphone(), pipeline).start()
    with LiveSession(Microphone(), pipeline):
        assert pipeline.heard_samples == 0


def test_a_microphone_that_has_ended_is_refused():
    mic = Microphone()
    mic.close()
    collector = Collector()
    with pytest.raises(DeviceError, match="open it anew"):
        LiveSession(mic, Pipeline(), [collector]).start()
    assert collector.closed == 1


def test_a_name_that_is_given_while_a_sink_comes_reaches_it(speech, monkeypatch):
    """`attach` once gave the names so far, started the sink's thread and only then put the sink on the list,
    while the engine, which took no lock, went on speaking: what it said in between reached nobody new.
    """
    early, late, start = Collector(), Collector(), threading.Thread.start
    pipeline, sound = Pipeline(), ArraySource(speech[: 10 * 16_000], realtime=True)
    pipeline.warm_up()

    def names(collector: Collector) -> list[Event]:
        return [e for e in collector.events if type(e).__name__ == "SpeakerRenamed"]

    with LiveSession(sound, pipeline, [early]) as session:
        until(lambda: any(isinstance(e, SpeakerTurn) for e in early.events))

        def start_slowly(thread: threading.Thread) -> None:
            session.corrections.rename("S1", "Zoë")
            told = threading.Event()
            for _ in range(50):
                if names(early) or told.wait(0.01):
                    break
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", start_slowly)
        session.attach(late)
        until(lambda: bool(names(early)))
        monkeypatch.undo()
        until(lambda: len(late.events) > 1)
    assert len(names(early)) == 1 and names(late) == names(early)


def test_sinks_that_come_and_go_get_every_name_once(speech):
    """Of ten that come one after the other while names are given, each knows all names, in order."""
    everything = Collector()
    guests = [Collector() for _ in range(10)]
    pipeline, sound = Pipeline(), ArraySource(speech[: 12 * 16_000], realtime=True)
    pipeline.warm_up()
    with LiveSession(sound, pipeline, [everything]) as session:
        until(lambda: any(isinstance(e, SpeakerTurn) for e in everything.events))
        for i, guest in enumerate(guests):
            session.corrections.rename("S1", f"Zoë {i}")
            session.attach(guest)
        session.wait()
    said = [e.name for e in everything.events if type(e).__name__ == "SpeakerRenamed"]
    assert said == [f"Zoë {i}" for i in range(10)]
    for guest in guests:
        assert [e.name for e in guest.events if type(e).__name__ == "SpeakerRenamed"] == said
        assert guest.closed == 1


def test_a_sink_may_come_and_go_before_the_beginning(speech):
    stays, goes = Collector(), Collector()
    session = LiveSession(ArraySource(speech), Pipeline())
    session.attach(stays)
    session.attach(goes)
    session.detach(goes)
    with session:
        session.wait()
    assert goes.closed == 1 and not goes.events
    assert stays.closed == 1 and any(isinstance(e, SpeakerTurn) for e in stays.events)


def test_a_sink_can_be_detached_after_the_end(speech):
    collector = Collector()
    with LiveSession(ArraySource(speech[:16_000]), Pipeline(), [collector]) as session:
        session.wait()
    session.detach(collector)
    assert collector.closed == 1
