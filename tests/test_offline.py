"""The short way in: one call for the turns of a file, one for a live session."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import soundfile

import voicelane
from tests.conftest import DEMO
from tests.live.test_pauses import until
from tests.live.test_session import Collector, offline
from voicelane import ArraySource, Enroller, FileSource, Person, Pipeline, ProfileStore, SpeakerTurn
from voicelane.base import AudioError, StoreError, seconds
from voicelane.base.timebase import FRAME_SAMPLES
from voicelane.events import StageTiming
from voicelane.live import final_turns
from voicelane.profiles import keep_recording


@pytest.fixture
def path(tmp_path, speech):
    soundfile.write(tmp_path / "talk.wav", speech, 16_000, "FLOAT")
    return tmp_path / "talk.wav"


def test_diarise_gives_the_turns_of_a_file_in_seconds(path, speech):
    expected = final_turns(offline(speech))
    turns = voicelane.diarise(path)
    assert turns == [voicelane.Turn(t.speaker, seconds(t.start), seconds(t.end)) for t in expected]
    assert turns and voicelane.diarise(str(path)) == turns


def test_diarise_says_what_is_wrong_with_a_file(tmp_path):
    with pytest.raises(AudioError, match="no such file"):
        voicelane.diarise(tmp_path / "nothing.wav")


def test_the_demo_is_three_people():
    assert len({turn.speaker for turn in voicelane.diarise(DEMO)}) == 3


def test_events_come_one_by_one_and_leaving_the_loop_ends_the_session(path):
    session = voicelane.listen(path)
    first = list(itertools.takewhile(lambda e: not isinstance(e, SpeakerTurn), session))
    assert first
    with pytest.raises(voicelane.VoicelaneError, match="heard once"):
        session.start()
    assert any(isinstance(e, SpeakerTurn) and e.final for e in voicelane.listen(path))


def test_what_is_recorded_opens_again_as_it_was_heard(path, speech):
    collector = Collector()
    with voicelane.listen(path, record="talk", sinks=[collector]) as session:
        session.wait()
    recorded = voicelane.open_session("talk")
    assert recorded.finished and recorded.folder == session.recorder.folder
    assert recorded.turns() == final_turns(collector.events)
    with pytest.raises(StoreError, match="something already"):
        voicelane.listen(path, record="talk")


def test_a_recording_begins_and_ends_while_the_session_goes_on(speech, tmp_path):
    sound = ArraySource(speech[: 9 * 16_000], realtime=True)
    with voicelane.listen(sound) as session:
        until(lambda: session.pipeline.heard_samples > 32_000)
        session.record(tmp_path / "part")
        with pytest.raises(StoreError, match="being recorded"):
            session.record(tmp_path / "again")
        until(lambda: session.pipeline.heard_samples > 96_000)
        session.end_recording()
        assert voicelane.open_session(str(tmp_path / "part")).finished and session.recorder is None
        session.wait()
    assert not (tmp_path / "again").exists()


def test_enrolled_people_are_named(path, speech):
    enroller, store = Enroller(), ProfileStore()
    enrolment = enroller.listen(ArraySource(speech))
    store.add("Zoë", enroller.space, [keep_recording(enrolment, False)])
    assert "Zoë" in {turn.speaker for turn in voicelane.diarise(path, people=True)}
    person = Person("Anna", enrolment.recording.embedding[None])
    assert "Anna" in {turn.speaker for turn in voicelane.diarise(path, people=[person])}
    assert "Zoë" not in {turn.speaker for turn in voicelane.diarise(path)}


def test_whoever_cannot_be_recognised_is_told(path, speech):
    enroller, store = Enroller(), ProfileStore()
    enrolment = enroller.listen(ArraySource(speech))
    other = voicelane.base.Space("f" * 64, "off", "another")
    store.add("Zoë", other, [keep_recording(enrolment, False)])
    session = voicelane.listen(path, people=True)
    session.stop()
    (sentence,) = session.left_out
    assert "Zoë" in sentence


def test_a_pipeline_that_is_there_is_used_again(path):
    pipeline = Pipeline()
    for _ in range(2):
        with voicelane.listen(path, pipeline=pipeline) as session:
            session.wait()
        assert session.pipeline is pipeline


def test_a_source_that_is_opened_late_is_opened_when_the_models_are_there(speech):
    order: list[str] = []

    def opened() -> ArraySource:
        order.append("source")
        return ArraySource(speech[:16_000])

    with voicelane.listen(opened, loaded=lambda: order.append("models")) as session:
        session.wait()
    assert order == ["models", "source"]


def test_a_source_is_closed_where_no_session_comes_about():
    class Watched(ArraySource):
        closed = False

        def close(self) -> None:
            self.closed = True

    source = Watched([0.0] * 16_000)
    config = voicelane.PipelineConfig(encoder=voicelane.config.EncoderConfig(model="nonesuch"))
    with pytest.raises(voicelane.VoicelaneError, match="nonesuch"):
        voicelane.listen(source, config=config)
    assert source.closed


def test_people_on_sides_of_their_own_are_heard_apart(tmp_path, speech):
    """Whoever is on the right says nothing while the left one speaks, and the other way round."""
    rng, quiet = np.random.default_rng(0), np.zeros_like(speech)
    sound = np.stack([np.concatenate([speech, quiet]), np.concatenate([quiet, speech])], axis=1)
    sound += 1e-4 * rng.standard_normal(sound.shape).astype(np.float32)
    soundfile.write(tmp_path / "call.wav", sound, 16_000, "FLOAT")
    collector = Collector()
    session = voicelane.listen(tmp_path / "call.wav", sinks=[collector], timing=True)
    assert session.pipeline.sides == 2
    with session:
        session.wait()
    timings = [e for e in collector.events if isinstance(e, StageTiming)]
    assert sum(t.n_frames for t in timings) == -(-len(sound) // FRAME_SAMPLES)
    mixed = voicelane.listen(FileSource(tmp_path / "call.wav", channels="mix"))
    assert mixed.pipeline.sides == 1
    mixed.stop()
