"""Encoder networks: published sizes, export, training on their own features."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane import ArraySource, PipelineConfig
from voicelane.config import EncoderConfig
from voicelane.profiles import FileEmbedder

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from tests.rt_models.toys import SMALL, SMALL_NETS  # noqa: E402
from voicelane.rt_models.export import onnx as export  # noqa: E402
from voicelane.rt_models.export.encoder import export_encoder  # noqa: E402
from voicelane.rt_models.nets.registry import NetConfig, build  # noqa: E402
from voicelane.rt_models.training import corpus, encoder  # noqa: E402
from voicelane.rt_models.training.batches import CropConfig  # noqa: E402
from voicelane.rt_models.training.objective import LossConfig  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("kind", "parameters", "dim"),
    [
        ("conv_transformer", 2_949_408, 192),
        ("lstm", 1_423_616, 256),  # and GE2E's w and b
        ("ecapa", 14_855_296, 256),
        ("resnet", 8_028_492, 512),
    ],
)
def test_every_network_has_the_published_size(kind, parameters, dim):
    net = build(NetConfig(kind)).eval()
    assert sum(p.numel() for p in net.parameters()) == parameters
    found = net(torch.randn(2, 160, net.config.n_mels))
    assert found.shape == (2, dim)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_the_encoder_hears_the_order_of_frames(positions):
    """Networks that add no position per frame are blind to it."""
    torch.manual_seed(0)
    net = build(NetConfig("conv_transformer", SMALL | {"positions": positions, "kernel": 0})).eval()
    tokens = torch.randn(1, 40, 32)
    with torch.inference_mode():
        assert (net.embed(tokens) - net.embed(tokens[:, torch.randperm(40)])).abs().max() > 1e-4


@pytest.mark.parametrize("config", SMALL_NETS, ids=str)
def test_every_network_exports_and_runs_in_the_engine(tmp_path, speech, config):
    torch.manual_seed(1)
    net = build(config).eval()
    n_bands = net.config.n_mels * net.config.in_channels
    assert export_encoder(net, np.full(n_bands, -9.0), tmp_path / "toy", "0") <= 1e-4
    embedder = FileEmbedder(PipelineConfig(encoder=EncoderConfig(model=str(tmp_path / "toy"))))
    found = embedder.embed(ArraySource(speech[:64_000]))
    assert found.shape == (net.config.dim,) and abs(np.linalg.norm(found) - 1) < 1e-5


def test_an_export_that_differs_from_torch_raises(tmp_path):
    net = build(NetConfig("lstm", {"hidden": 16})).eval()
    export_encoder(net, np.full(40, -9.0), tmp_path / "toy", "0")
    with torch.no_grad():
        net.out.bias.add_(0.5)
    with pytest.raises(export.ParityError, match="differs from torch"):
        export.check_parity(
            net,
            tmp_path / "toy/model.onnx",
            lambda rng: {"columns": rng.standard_normal((1, 99, 40)).astype("f4")},
        )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("config", SMALL_NETS[2:3] + SMALL_NETS[5:], ids=str)
@pytest.mark.slow
def test_every_network_trains_on_its_own_features(tmp_path, cache, config, precision):
    sizes = build(config).config
    made = corpus.sampler(
        corpus.Prepared(cache, [], [], tmp_path),
        None,
        corpus.CopyConfig(speeds=(0,), perturbed=()),
        CropConfig(columns=(80,), chances=(1.0,), utterances_per_speaker=3),
        sizes.n_mels,
        sizes.in_channels == 3,
    )
    wanted = LossConfig(0.0, 0.0, 0.0, frames=0.0, ge2e=1.0)
    run = encoder.TrainConfig(config, losses=wanted, steps=2, batch=12, precision=precision, save_every=2)
    before = [p.detach().clone() for p in build(config).parameters()]
    net = encoder.train(run, made, tmp_path / "run.pt")
    assert all(torch.isfinite(p).all() for p in net.parameters())
    assert any((p != q).any() for p, q in zip(net.parameters(), before, strict=True))
