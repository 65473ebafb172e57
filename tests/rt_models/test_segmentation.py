"""Mixtures, the loss that does not care for the order of voices, and a network that learns from them."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from voicelane.base import ConfigError
from voicelane.rt_models.export.segmentation import export_segmentation
from voicelane.rt_models.nets.segmentation import CLASSES, SegmentationConfig, SegmentationNet
from voicelane.rt_models.training.mixtures import MixtureConfig, MixtureSampler, spoken
from voicelane.rt_models.training.segmentation import (
    SegmentationTrainConfig,
    batch,
    classes,
    permutation_loss,
    train,
)
from voicelane.rt_models.training.shards import Shard, write_shard

pytestmark = pytest.mark.torch

SMALL = SegmentationConfig(n_mels=8, channels=16, width=16, n_layers=1, dropout=0.0)


@pytest.fixture
def sampler(tmp_path) -> MixtureSampler:
    """Sixteen people, each loud in two of eight bands."""
    rng = np.random.default_rng(0)
    pieces = []
    for k in range(32):
        columns = rng.normal(-12, 0.3, (400, 8))
        columns[40:-40, [k % 8, (k // 2) % 8]] += 9.0
        pieces.append(columns)
    write_shard(tmp_path / "clean.f16", pieces)
    people = [f"p{k // 2}" for k in range(32)]
    noise = [np.exp(rng.normal(-10, 0.5, (300, 8))).astype("f4")]
    return MixtureSampler([Shard(tmp_path / "clean.f16")], people, ["one"] * 32, noise, MixtureConfig())


def test_pauses_belong_to_speech_and_clicks_do_not():
    level = np.full((400, 8), -20.0)
    level[100:160] = level[180:300] = 0.0
    level[350:353] = 0.0
    found = spoken(level)
    assert found[105:295].all() and not found[:95].any() and not found[310:].any()


def test_a_mixture_repeats_and_says_who_speaks(sampler):
    a, b = (sampler.mixture(500, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(a.log_mel, b.log_mel)
    np.testing.assert_array_equal(a.active, b.active)
    assert a.log_mel.shape == (500, 8) and a.active.shape == (250, 3) and np.isfinite(a.log_mel).all()
    drawn = [sampler.mixture(500, np.random.default_rng(k)).active for k in range(60)]
    voices = np.array([d.any(axis=0).sum() for d in drawn])
    assert set(voices) == {0, 1, 2, 3}
    overlap = np.mean([(d.sum(axis=1) > 1).mean() for d in drawn])
    assert 0.03 < overlap < 0.4


def test_voices_that_nobody_named_are_left_out(sampler, tmp_path):
    people = [f"p{k // 2}" if k < 24 else f"unknown:{k}" for k in range(32)]
    shard = Shard(tmp_path / "clean.f16")
    found = MixtureSampler([shard], people, ["one"] * 32, [], MixtureConfig(noise=0.0))
    assert all(not name.startswith("unknown") for who in found._people.values() for name in who)


def test_every_set_of_voices_has_its_class():
    for number, voices in enumerate(CLASSES):
        active = np.zeros((1, 3), bool)
        active[0, list(voices)] = True
        assert classes(active).tolist() == [number]
    assert classes(np.ones((1, 3), bool)).tolist() == [CLASSES.index((0, 1))]


def test_the_loss_does_not_care_what_the_voices_are_called():
    rng = np.random.default_rng(2)
    active = rng.random((4, 50, 3)) < 0.4
    active &= np.cumsum(active, axis=-1) <= 2
    logits = torch.from_numpy(rng.standard_normal((4, 50, 7)).astype("f4"))
    losses = [
        permutation_loss(logits, torch.from_numpy(classes(active[..., list(order)]))).item()
        for order in itertools.permutations(range(3))
    ]
    assert max(losses) - min(losses) < 1e-5
    right = torch.nn.functional.one_hot(torch.from_numpy(classes(active)), 7) * 20.0
    assert permutation_loss(right, torch.from_numpy(classes(active[..., [2, 0, 1]]))).item() < 1e-3


@pytest.mark.slow
def test_training_learns_goes_on_and_exports(sampler, tmp_path):
    config = SegmentationTrainConfig(
        net=SMALL, mixtures=MixtureConfig(columns=(120,)), steps=60, batch=8, keep_every=30
    )
    sampler.config = config.mixtures
    checkpoint = tmp_path / "segmentation.pt"
    x, wanted = batch(sampler, 32, np.random.default_rng(99))
    torch.manual_seed(0)
    before = permutation_loss(SegmentationNet(SMALL)(x), wanted).item()
    net = train(config, sampler, checkpoint)
    with pytest.raises(
        ConfigError, match=r"segmentation\.pt: belongs to a run with other settings \(batch\)"
    ):
        train(dataclasses.replace(config, batch=9), sampler, checkpoint)
    with torch.inference_mode():
        assert permutation_loss(net(x), wanted).item() < 0.8 * before
    train(config, sampler, tmp_path / "parts.pt", stop_after=30)
    resumed = train(config, sampler, tmp_path / "parts.pt")
    again = train(config, sampler, checkpoint)  # nothing is left to do
    for a, b, c in zip(net.parameters(), again.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
        torch.testing.assert_close(a, c, rtol=0, atol=0)
    assert export_segmentation(net, tmp_path / "segmentation", "1") < 1e-4
