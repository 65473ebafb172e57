"""Embedding enhancers at run time: the shipped ones, the fall-back, bad input."""

from __future__ import annotations

import hashlib
import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from tests.stages.test_encoder import foreign
from voicelane import ArraySource, Pipeline, PipelineConfig, SpeakerTurn
from voicelane.base import ModelError
from voicelane.config import EncoderConfig, EnhancerConfig
from voicelane.dsp import ddim
from voicelane.events import EnhancerFellBack
from voicelane.inference import Model, models_folder
from voicelane.profiles import FileEmbedder
from voicelane.stages import find_enhancer, load_encoder, load_enhancer
from voicelane.stages.encoder import Embedding, SegmentEnd, SegmentStart
from voicelane.stages.enhancer import EnhancerStage

METHODS = ["seed", "mlp"]


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(EncoderConfig())


@pytest.fixture
def vector(rng: np.random.Generator) -> np.ndarray:
    return unit(rng.standard_normal(192))


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x)).astype(np.float32)


def config(model: str, encoder: str = "conv_transformer", **more: int) -> PipelineConfig:
    return PipelineConfig(encoder=EncoderConfig(model=encoder), enhancer=EnhancerConfig(model=model, **more))


def broken(tmp_path: Path, what: str) -> Path:
    """A copy of the shipped SEED with a fault."""
    copy = tmp_path / "seed"
    shutil.copytree(models_folder() / "seed_conv_transformer", copy)
    manifest = tomllib.loads((copy / "manifest.toml").read_text())
    if what == "weights of another model":
        shutil.copy(models_folder() / "vad/model.onnx", copy / "model.onnx")
    elif what == "weights cut":
        (copy / "model.onnx").write_bytes((copy / "model.onnx").read_bytes()[:5000])
    elif what == "swapped with its manifest's checksum":
        shutil.copy(models_folder() / "vad/model.onnx", copy / "model.onnx")
        manifest["sha256"] = hashlib.sha256((copy / "model.onnx").read_bytes()).hexdigest()
    elif what == "for another encoder":
        manifest["settings"]["encoder_id"] = "0" * 64
    elif what == "no confidence":
        del manifest["settings"]["confidence"]
    elif what == "confidence of words":
        manifest["settings"]["confidence"] = [1.0, 2.0, "three"]
    elif what == "another kind":
        manifest["kind"] = "encoder"
    elif what == "weights missing":
        (copy / "model.onnx").unlink()
    elif what == "no folder":
        shutil.rmtree(copy)
        return copy
    (copy / "manifest.toml").write_text(tomli_w.dumps(manifest))
    return copy


FAULTS = [
    "weights of another model",
    "weights cut",
    "swapped with its manifest's checksum",
    "for another encoder",
    "no confidence",
    "confidence of words",
    "another kind",
    "weights missing",
    "no folder",
]


@pytest.mark.parametrize("method", METHODS)
def test_an_enhanced_vector_is_a_unit_vector_that_depends_on_its_direction_alone(encoder, vector, method):
    enhancer = load_enhancer(EnhancerConfig(model=method), encoder)
    found, confidence = enhancer.enhance(vector)
    assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-5)
    assert 0.0 <= confidence <= 1.0
    assert 0.3 < found @ vector < 0.9999
    again, same = enhancer.enhance(vector)
    np.testing.assert_array_equal(found, again)
    assert confidence == same


def test_off_is_no_enhancer(encoder):
    assert load_enhancer(EnhancerConfig(model="off"), encoder) is None


@pytest.mark.parametrize("steps", [1, 4])
def test_the_unrolled_graph_is_the_sampler_over_the_denoiser(encoder, rng, steps):
    folder = find_enhancer("seed", encoder)
    graph = Model(folder if steps == 1 else folder / f"steps_{steps}")
    network = Model(folder / "denoiser")
    x = np.stack([unit(v) for v in rng.standard_normal((5, 192))])
    noise = rng.standard_normal((5, 192)).astype(np.float32)

    def denoise(x_t, t, before):
        x_t, before = x_t.astype(np.float32), before.astype(np.float32)
        return network.run(x_t=x_t, t=np.full(5, t, np.float32), before=before)[0]

    at = ddim.times(graph.manifest.settings["t0"], graph.manifest.settings["steps"])
    assert len(at) == steps
    wanted = ddim.sample(denoise, np.sqrt(192) * x, noise, at)
    share = graph.manifest.settings["raw_share"]
    wanted = [unit((1 - share) * unit(v) + share * raw) for v, raw in zip(wanted, x, strict=True)]
    found = graph.run(embedding=x, noise=noise)[0]
    np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_another_number_of_steps_is_taken_from_the_model_or_refused(encoder, vector):
    one, four = (load_enhancer(EnhancerConfig(model="seed", steps=n), encoder) for n in (1, 4))
    assert not np.allclose(one.enhance(vector)[0], four.enhance(vector)[0], atol=1e-4)
    with pytest.raises(ModelError, match="no graph of 3 steps, only of 1, 4"):
        load_enhancer(EnhancerConfig(model="seed", steps=3), encoder)


def test_clean_speech_is_trusted_more_than_noise(encoder, speech):
    rng = np.random.default_rng(0)
    noisy = speech + 0.5 * np.abs(speech).max() * rng.standard_normal(len(speech)).astype(np.float32)
    enhancer = load_enhancer(EnhancerConfig(model="seed"), encoder)
    raw = FileEmbedder()
    clear, dim = (enhancer.enhance(raw.embed(ArraySource(x)))[1] for x in (speech[:64_000], noisy[:64_000]))
    assert clear > dim + 0.05


@pytest.mark.parametrize("method", METHODS)
def test_files_and_the_live_stream_are_enhanced_alike(encoder, speech, method):
    enhancer = load_enhancer(EnhancerConfig(model=method), encoder)
    raw = FileEmbedder(config("off")).embed(ArraySource(speech[:80_000]))
    found = FileEmbedder(config(method)).embed(ArraySource(speech[:80_000]))
    np.testing.assert_allclose(found, enhancer.enhance(raw)[0], atol=1e-6)
    stage = EnhancerStage(enhancer)
    item = Embedding(0, 80_000, raw)
    assert stage.process([SegmentStart(0), item, SegmentEnd(90_000)]) == [
        SegmentStart(0),
        Same(replace(item, vector=found, confidence=enhancer.enhance(raw)[1])),
        SegmentEnd(90_000),
    ]


class Same:
    """Equal to an embedding of the same place with nearly the same vector."""

    def __init__(self, wanted: Embedding) -> None:
        self.wanted = wanted

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Embedding)
        np.testing.assert_allclose(other.vector, self.wanted.vector, atol=1e-6)
        return replace(other, vector=None, raw=None) == replace(self.wanted, vector=None, raw=None)


@pytest.mark.parametrize("method", METHODS)
def test_turns_carry_the_confidence_in_the_voice(speech, method):
    def turns(model: str) -> list[SpeakerTurn]:
        pipeline = Pipeline(config(model))
        events = pipeline.push(speech) + pipeline.flush()
        assert not [e for e in events if isinstance(e, EnhancerFellBack)]
        return [e for e in events if isinstance(e, SpeakerTurn) and e.final]

    assert all(t.voice_confidence is None for t in turns("off"))
    found = turns(method)
    assert all(0 < t.voice_confidence <= 1 for t in found)
    assert len({t.voice_confidence for t in found}) == len(found)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_that_cannot_be_used_is_refused_for_files(tmp_path, fault):
    folder = broken(tmp_path, fault)
    with pytest.raises(ModelError, match=r"seed|model") as problem:
        FileEmbedder(config(str(folder)))
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.slow
def test_the_live_stream_announces_it_once_and_goes_on_raw(tmp_path, speech, fault):
    folder = broken(tmp_path, fault)
    raw, pipeline = Pipeline(config("off")), Pipeline(config(str(folder)))
    for _ in range(2):  # and again after a reset
        events = pipeline.push(speech[:160_000]) + pipeline.flush()
        notices = [e for e in events if isinstance(e, EnhancerFellBack)]
        assert len(notices) == 1
        assert "embeddings stay as the encoder gives them" in notices[0].reason
        rest = [e for e in events if e not in notices]
        assert rest == raw.push(speech[:160_000]) + raw.flush()
        pipeline.reset()
        raw.reset()


def test_an_enhancer_for_another_encoder_is_not_used(tmp_path):
    other = load_encoder(EncoderConfig(model=str(foreign(tmp_path / "foreign"))))
    with pytest.raises(ModelError, match="no seed enhancer is installed for the encoder foreign"):
        load_enhancer(EnhancerConfig(model="seed"), other)
    with pytest.raises(ModelError, match="was trained for the encoder conv_transformer"):
        load_enhancer(EnhancerConfig(model="seed_conv_transformer"), other)


def test_the_8_bit_encoder_shares_the_space_of_the_one_it_stands_for(encoder, speech):
    small = load_encoder(EncoderConfig(model="conv_transformer_int8"))
    assert small.id == encoder.id
    a, b = (
        FileEmbedder(config("off", e)).embed(ArraySource(speech[:64_000]))
        for e in ("conv_transformer", "conv_transformer_int8")
    )
    assert a @ b > 0.98
    assert load_enhancer(EnhancerConfig(model="seed"), small) is not None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda v: v[:100], r"expected an embedding of shape \(192,\), got \(100,\)"),
        (lambda v: np.stack([v, v]), r"expected an embedding of shape \(192,\), got \(2, 192\)"),
        (lambda v: v * np.where(np.arange(192) == 7, np.nan, 1), "not finite"),
        (lambda v: v * np.where(np.arange(192) == 7, np.inf, 1), "not finite"),
        (lambda v: 0 * v, "expected a unit vector"),
        (lambda v: 3 * v, "expected a unit vector"),
    ],
)
def test_bad_vectors_are_refused(encoder, vector, method, spoil, message):
    enhancer = load_enhancer(EnhancerConfig(model=method), encoder)
    with pytest.raises(ModelError, match=message):
        enhancer.enhance(spoil(vector))


def test_a_network_that_gives_no_numbers_is_announced_in_the_middle_of_a_stream(encoder, vector):
    enhancer = load_enhancer(EnhancerConfig(model="seed"), encoder)
    stage = EnhancerStage(enhancer)
    first = stage.process([Embedding(0, 16_000, vector)])
    assert first[0].confidence is not None
    enhancer._enhanced = lambda vector: np.full((9, 192), np.nan, np.float32)
    notice, second = stage.process([Embedding(0, 20_000, vector)])
    assert isinstance(notice, EnhancerFellBack)
    assert notice.sample == 20_000
    assert second.vector is vector
    assert stage.process([Embedding(0, 24_000, vector)])[0].vector is vector


def test_an_enhancer_takes_a_model_of_its_kind_only():
    with pytest.raises(ModelError, match="expected a model of kind enhancer, got vad"):
        load_enhancer(EnhancerConfig(model="vad"), load_encoder(EncoderConfig()))
