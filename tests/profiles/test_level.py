"""A voice is the same however loud it is, whatever it is offset by, however long it was silent before."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile as sf

from voicelane import Pipeline, PipelineConfig
from voicelane.audio import FileSource
from voicelane.base import SAMPLE_RATE
from voicelane.live import final_turns
from voicelane.profiles.embedding import FileEmbedder

SENTENCE = slice(0, 12 * SAMPLE_RATE)


@pytest.fixture(scope="module")
def embedder() -> FileEmbedder:
    return FileEmbedder(PipelineConfig())


def at_dbfs(samples: np.ndarray, peak_db: float) -> np.ndarray:
    return samples / np.abs(samples).max() * np.float32(10 ** (peak_db / 20))


@pytest.fixture(scope="module")
def voice(speech, embedder, tmp_path_factory):
    """Of any samples, the embedding of a file of 32-bit floats; and that of the sentence as it is."""
    folder = tmp_path_factory.mktemp("level")

    def of(samples: np.ndarray) -> np.ndarray:
        path = folder / "sound.wav"
        sf.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
        return embedder.embed(FileSource(path))

    return of


@pytest.mark.parametrize("peak_db", [0, -6, -20, -40, -55, -70])
def test_the_level_changes_nothing(speech, voice, peak_db):
    sentence = speech[SENTENCE]
    assert voice(sentence) @ voice(at_dbfs(sentence, peak_db)) >= 0.99


@pytest.mark.parametrize("peak_db", [-6, -20, -40])
def test_an_offset_changes_nothing(speech, voice, peak_db):
    sentence = speech[SENTENCE]
    assert voice(sentence) @ voice(at_dbfs(sentence, peak_db) + np.float32(0.1)) >= 0.99


@pytest.mark.parametrize("silence_s", [0.5, 3.0, 60.0])
def test_silence_in_front_changes_nothing(speech, voice, silence_s):
    sentence, before = speech[SENTENCE], np.zeros(int(silence_s * SAMPLE_RATE), np.float32)
    assert voice(sentence) @ voice(np.concatenate((before, sentence))) >= 0.99


@pytest.mark.slow
@pytest.mark.parametrize("peak_db", [-3, -30, -50, -65])
def test_people_and_their_turns_are_the_same_at_every_level(speech, peak_db):
    pipeline = Pipeline()

    def spoken(samples: np.ndarray) -> tuple[int, float]:
        pipeline.reset()
        turns = final_turns(pipeline.push(samples) + pipeline.flush())
        return len({t.speaker for t in turns}), sum(t.end - t.start for t in turns) / SAMPLE_RATE

    (people, seconds), (now, now_s) = spoken(speech), spoken(at_dbfs(speech, peak_db))
    assert now == people and now_s == pytest.approx(seconds, rel=0.05)
