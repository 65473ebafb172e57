"""Speaker encoders at run time: shared tokens, foreign features, clear errors."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import numpy as np
import onnx
import pytest
import tomli_w
from onnx import TensorProto, helper

from tests.stages.conversation import flat_scale, write_scale
from voicelane import ArraySource, Pipeline, PipelineConfig
from voicelane.base import ModelError
from voicelane.config import EncoderConfig
from voicelane.dsp import kaldi_fbank
from voicelane.profiles import FileEmbedder
from voicelane.stages import load_encoder
from voicelane.stages.encoder import Embedding, EncoderStage, SpeechFrames
from voicelane.stages.scale import read_scale

MEANS = {"features": "kaldi_fbank", "n_mels": 24, "mean": "window"}


def foreign(folder: Path, calibrated: bool = True, **settings: object) -> Path:
    """A model folder of someone else's: the embedding is the mean of the columns, of any length."""
    folder.mkdir()
    settings = {"dim": 24, **MEANS, **settings}
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["fbank", "axis"], ["mean"], keepdims=0),
            helper.make_node("Add", ["mean", "shift"], ["voice"]),
        ],
        "g",
        [helper.make_tensor_value_info("fbank", TensorProto.FLOAT, [1, "t", 24])],
        [helper.make_tensor_value_info("voice", TensorProto.FLOAT, [1, 24])],
        [
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
            helper.make_tensor("shift", TensorProto.FLOAT, [24], np.arange(24)),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    content = {
        "name": "foreign",
        "kind": "encoder",
        "version": "7",
        "sha256": hashlib.sha256((folder / "model.onnx").read_bytes()).hexdigest(),
        "inputs": {"fbank": [1, "t", 24]},
        "outputs": {"voice": [1, 24]},
        "settings": settings,
    }
    if calibrated:
        content["files"] = {"scale.npz": write_scale(folder, flat_scale(24), str(content["sha256"]))}
    (folder / "manifest.toml").write_text(tomli_w.dumps(content))
    return folder


def judged(columns: np.ndarray) -> SpeechFrames:
    """Four seconds of nothing but speech."""
    return SpeechFrames(columns, np.ones(200, bool), columns, np.zeros((200, 320), np.float32))


def test_kaldi_fbank_is_kaldis(speech):
    knf = pytest.importorskip("kaldi_native_fbank")
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 80
    computer = knf.OnlineFbank(options)
    computer.accept_waveform(16_000, (speech[:48_000] * 32768.0).tolist())
    wanted = np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)])
    np.testing.assert_allclose(kaldi_fbank(speech[:48_000]), wanted, atol=2e-3)


def test_windows_share_their_tokens_and_lose_nothing(rng):
    """What the stage embeds from shared tokens is what the network makes of each window by itself."""
    encoder, stage = (load_encoder(EncoderConfig()) for _ in range(2))
    columns = rng.standard_normal((400, 80)).astype(np.float32) - 11.0
    running = encoder.stream().normalise(columns)
    found = EncoderStage(EncoderConfig(), stage).process(judged(columns))
    embeddings = [e for e in found if isinstance(e, Embedding)]
    assert len(embeddings) == (400 - 76) // 24 + 1
    for e in embeddings:
        window = running[e.start // 160 : e.end // 160]
        np.testing.assert_allclose(e.vector, encoder.embed(encoder.tokens(window)), atol=1e-5)


def test_every_column_is_turned_to_tokens_once(rng, monkeypatch):
    encoder = load_encoder(EncoderConfig())
    taken: list[int] = []
    tokens = encoder.tokens

    def counted(columns: np.ndarray) -> np.ndarray:
        found = tokens(columns)
        taken.append(len(found))
        return found

    monkeypatch.setattr(encoder, "tokens", counted)
    columns = rng.standard_normal((400, 80)).astype(np.float32)
    EncoderStage(EncoderConfig(), encoder).process(judged(columns))
    assert sum(taken) == (388 - encoder.span) // encoder.stride + 1  # 388: the end of the last window


def test_someone_elses_network_runs_in_the_whole_engine(tmp_path, speech):
    folder = foreign(tmp_path / "foreign")
    config = PipelineConfig(encoder=EncoderConfig(model=str(folder)))
    pipeline = Pipeline(config)
    assert any(type(e).__name__ == "SpeakerTurn" for e in pipeline.push(speech) + pipeline.flush())
    found = FileEmbedder(config).embed(ArraySource(speech[:48_000]))
    wanted = np.arange(24.0)  # the window's mean is off, so that the mean of the columns is 0
    np.testing.assert_allclose(found, wanted / np.linalg.norm(wanted), atol=1e-4)


def test_a_network_without_a_scale_is_refused_with_the_command_that_makes_one(tmp_path):
    folder = foreign(tmp_path / "foreign", calibrated=False)
    with pytest.raises(ModelError, match=r"not calibrated.*training calibrate --encoder"):
        Pipeline(PipelineConfig(encoder=EncoderConfig(model=str(folder))))


@pytest.mark.parametrize("fault", ["cut", "of another", "infinite", "of another size", "without weights"])
def test_a_damaged_or_foreign_scale_is_refused_in_one_sentence(tmp_path, fault):
    folder = foreign(tmp_path / "foreign")
    path, id = folder / "scale.npz", load_encoder(EncoderConfig(model=str(folder))).id
    content = dict(np.load(path))
    change = {
        "cut": {},
        "of another": {"encoder_id": np.array("another")},
        "infinite": {"mean": content["mean"] + np.inf},
        "of another size": {"between": np.eye(7)},
        "without weights": {"weights": np.ones(2)},
    }[fault]
    np.savez(path, **content | change)
    data = path.read_bytes()[:900] if fault == "cut" else path.read_bytes()
    encoder = load_encoder(EncoderConfig(model=str(folder)))
    with pytest.raises(ModelError) as problem:
        read_scale(data, path, encoder)
    assert "\n" not in str(problem.value) and "scale.npz" in str(problem.value) and id


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"features": "mfcc"}, "mfcc"),
        ({"mean": [0.0, 1.0]}, "list of 24"),
        ({"mean": "global"}, "window, none or a list of 24"),
        ({"dim": 99}, "99 numbers, got shape"),
        ({"mean": "none", "token_columns": 7, "token_stride": 4}, "tokens"),
        ({"mean": "none", "token_columns": 11, "token_stride": 4}, "tokens|expected 1 … 10"),
    ],
)
def test_a_manifest_that_does_not_fit_is_one_clear_error(tmp_path, settings, message):
    folder = foreign(tmp_path / "foreign", **settings)
    with pytest.raises(ModelError, match=message):
        load_encoder(EncoderConfig(model=str(folder))).embed(np.ones((50, 24), np.float32))


def test_a_network_of_other_columns_than_its_manifest_says_is_one_clear_error(tmp_path):
    encoder = load_encoder(EncoderConfig(model=str(foreign(tmp_path / "foreign", n_mels=80))))
    with pytest.raises(ModelError, match=r"foreign: the network refuses fbank \(1, 50, 80\)"):
        encoder.embed(np.ones((50, 80), np.float32))


def test_a_manifest_without_its_features_says_so(tmp_path):
    folder = foreign(tmp_path / "foreign")
    content = tomllib.loads((folder / "manifest.toml").read_text())
    del content["settings"]["features"]
    (folder / "manifest.toml").write_text(tomli_w.dumps(content))
    with pytest.raises(ModelError, match=r"lacks settings\.features"):
        load_encoder(EncoderConfig(model=str(folder)))
