"""Windows of local voices, with the shipped networks and with a made-up one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from engine import EncoderConfig, ModelError, Pipeline, PipelineConfig, SegmentationConfig, load_encoder
from engine.stages.encoder import Embedding, SegmentEnd, SegmentStart, SpeechFrames
from engine.stages.segmenter import Segmentation, Segmenter, Window, load_segmentation
from engine.timebase import FRAME_SAMPLES

RATE = 16_000


def embedding(vector: np.ndarray, start_s: float, end_s: float) -> Embedding:
    return Embedding(int(RATE * start_s), int(RATE * end_s), vector.astype(np.float32))


@pytest.fixture(scope="module")
def network() -> Segmentation:
    return load_segmentation(SegmentationConfig())


@pytest.fixture
def stage(network) -> Segmenter:
    return Segmenter(SegmentationConfig(), network, load_encoder(EncoderConfig()))


def frames(rng: np.random.Generator, speech: np.ndarray) -> SpeechFrames:
    columns = rng.standard_normal((2 * len(speech), 80)).astype(np.float32) - 8
    return SpeechFrames(columns, speech, columns)


def test_the_network_gives_probabilities_per_frame(network, rng):
    activity, alone = network(rng.standard_normal((400, 80)).astype(np.float32))
    assert activity.shape == alone.shape == (200, 3)
    assert (alone <= activity + 1e-6).all() and activity.min() >= 0 and activity.max() <= 1 + 1e-6
    assert activity.sum(axis=1).max() <= 2 + 1e-5


def test_windows_end_every_step_while_somebody_speaks_and_a_little_longer(stage, rng):
    speech = np.zeros(1_500, bool)
    speech[300:700] = True
    found = stage.process(frames(rng, speech)) + stage.flush()
    ends = [w.end // FRAME_SAMPLES for w in found if isinstance(w, Window)]
    assert all(e % 24 == 0 for e in ends) and all(b - a == 24 for a, b in itertools.pairwise(ends))
    assert 300 < ends[0] <= 324 and 700 + 120 - 24 <= ends[-1] <= 700 + 120
    assert [type(i).__name__ for i in found if not isinstance(i, Window)] == ["SegmentStart", "SegmentEnd"]
    assert found[0] == SegmentStart(300 * FRAME_SAMPLES) and SegmentEnd(700 * FRAME_SAMPLES) in found


def test_nobody_is_active_outside_speech_and_embeddings_are_of_what_one_speaks_alone(stage, rng):
    speech = rng.random(600) < np.repeat(rng.random(12), 50)
    for item in stage.process(frames(rng, speech)):
        if not isinstance(item, Window):
            continue
        begin, end = item.start // FRAME_SAMPLES, item.end // FRAME_SAMPLES
        assert end - begin == len(item.activity) <= 250
        assert not item.activity[~speech[begin:end]].any() and not item.clean[~speech[begin:end]].any()
        assert (item.clean.sum(axis=1) <= 1).all()
        for heard, clean in zip(item.embeddings, item.clean.T, strict=True):
            if heard is not None:
                where = begin + np.flatnonzero(clean)
                assert (
                    heard.start == where[0] * FRAME_SAMPLES and heard.end == (where[-1] + 1) * FRAME_SAMPLES
                )
                assert np.linalg.norm(heard.vector) == pytest.approx(1.0, abs=1e-5)


def test_a_window_of_one_voice_is_embedded_as_its_tokens_are(network, rng):
    """One voice throughout: the embedding is the encoder's of all columns of the window."""

    class OneVoice(Segmentation):
        def __init__(self) -> None:
            self.window_columns = 500

        def __call__(self, log_mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            sure = np.zeros((len(log_mel) // 2, 3), np.float32)
            sure[:, 1] = 1.0
            return sure, sure

    encoder, twin = load_encoder(EncoderConfig()), load_encoder(EncoderConfig())
    heard = frames(rng, np.ones(240, bool))
    last = Segmenter(SegmentationConfig(), OneVoice(), encoder).process(heard)[-1]
    wanted = twin.embed(twin.tokens(twin.normalise(heard.columns)))
    assert last.embeddings[0] is None and last.embeddings[2] is None
    assert float(last.embeddings[1].vector @ wanted) > 0.999


def test_a_foreign_encoder_gets_its_own_columns_and_the_network_log_mel(speech):
    pipeline = Pipeline(PipelineConfig(encoder=EncoderConfig(model="lstm")), voices=True)
    assert any(type(e).__name__ == "VoiceMeasured" for e in pipeline.push(speech[: 16_000 * 8]))


def test_a_model_of_another_kind_is_refused():
    with pytest.raises(ModelError, match="expected a model of kind segmentation"):
        load_segmentation(SegmentationConfig(model="vad"))
