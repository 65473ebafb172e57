"""Training of the network that draws voices: it draws what it was shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from voicelane.base import read_settings  # noqa: E402
from voicelane.rt_models.export.voices import export_voices  # noqa: E402
from voicelane.rt_models.nets.voices import VoiceNet, VoiceNetConfig  # noqa: E402
from voicelane.rt_models.training import people, voices  # noqa: E402
from voicelane.rt_models.training.averaged import Averaged  # noqa: E402
from voicelane.voices import PseudoVoices  # noqa: E402

pytestmark = pytest.mark.torch


def two_kinds(count, rng, dim=8):
    """Unit vectors around two directions, the second of people with high voices."""
    high = rng.random(count) < 0.5
    x = 0.15 * rng.standard_normal((count, dim)) + np.where(high[:, None], np.eye(dim)[1], np.eye(dim)[0])
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32), np.where(high, 220.0, 110.0)


@pytest.mark.parametrize("kind", ["linear", "unet"])
@pytest.mark.parametrize("dim", [64, 128, 192, 704])
def test_both_networks_take_every_width(kind, dim):
    net = VoiceNet(VoiceNetConfig(dim, kind, width=16))
    given = net(torch.randn(3, dim), torch.rand(3), torch.zeros(3, 2))
    assert given.shape == (3, dim) and not given.any()  # before it has learned
    for weights in net.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    a, b = (net.eval()(torch.ones(1, dim), torch.full((1,), t), torch.zeros(1, 2)) for t in (0.1, 0.9))
    assert (a - b).abs().max() > 1e-6


def test_leading_directions_are_white_and_come_back(rng):
    x = (rng.standard_normal((500, 12)) * np.arange(1, 13)).astype(np.float32)
    at = voices.directions(x, 12)
    z = at.numbers(x)
    np.testing.assert_allclose(np.cov(z.T, bias=True), np.eye(12), atol=1e-3)
    np.testing.assert_allclose(at.vectors(z), x, atol=1e-3)
    few = voices.directions(x, 3)
    left = ((few.vectors(few.numbers(x)) - x) ** 2).sum()
    assert 0.4 < left / ((x - x.mean(axis=0)) ** 2).sum() < 0.7


def test_the_mean_of_weights_follows_slowly_and_is_what_is_kept():
    net = torch.nn.Linear(2, 1, bias=False)
    both = Averaged(net, 0.9)
    start = net.weight.detach().clone()
    with torch.no_grad():
        net.weight += 1.0
    for _ in range(3):
        both.take()
    moved = (both.mean.weight - start).mean()
    assert 0 < moved < 1
    assert not any(p.requires_grad for p in both.mean.parameters())


@pytest.mark.parametrize("target", ["x0", "epsilon"])
def test_a_trained_network_draws_both_kinds_and_obeys_the_pitch(rng, tmp_path, target):
    x, pitch_hz = two_kinds(400, rng)
    config = voices.VoiceTrainConfig(
        VoiceNetConfig(width=48, dropout=0.0),
        times=200,
        steps=400,
        batch=128,
        target=target,
        learning_rate=3e-3,
    )
    at = voices.directions(x, 8)
    net = voices.train(config, at.numbers(x), pitch_hz)
    settings = {"dim": 8, "encoder": "toy", "encoder_id": "a" * 64}
    settings |= {"target": target, "schedule": "linear", "times": 200}
    assert export_voices(net, voices.space_of(at, x, pitch_hz), settings, tmp_path / "toy", "1") < 1e-4
    drawing = PseudoVoices(tmp_path / "toy")
    made = drawing.draw(np.full(300, np.nan), rng, steps=200)
    share = (made[:, 1] > made[:, 0]).mean()
    assert 0.3 < share < 0.7
    for hz, kind in ((110.0, 0), (220.0, 1)):
        told = drawing.draw(np.full(100, hz), rng, guidance=1.0)
        assert (told[:, kind] > told[:, 1 - kind]).mean() > 0.85  # half by chance
    assert drawing.pitch_of(np.eye(8, dtype=np.float32)[1]) > 1.5 * drawing.pitch_of(
        np.eye(8, dtype=np.float32)[0]
    )


def test_training_resumes_exactly(rng, tmp_path):
    x, pitch_hz = two_kinds(50, rng)
    config = voices.VoiceTrainConfig(VoiceNetConfig(width=16), times=50, steps=500, batch=8)
    once = voices.train(config, x, pitch_hz, tmp_path / "once.pt")
    voices.train(config, x, pitch_hz, tmp_path / "twice.pt", stop_after=250)
    twice = voices.train(config, x, pitch_hz, tmp_path / "twice.pt")
    for a, b in zip(once.parameters(), twice.parameters(), strict=True):
        assert torch.equal(a, b)


def test_speakers_are_means_of_their_utterances(rng):
    stacked = rng.standard_normal((6, 10)).astype(np.float32)
    names = np.array(["b", "a", "b", "c", "a", "b"])
    pitch_hz = np.array([100, 200, np.nan, 90, np.nan, 144.0])
    seconds = np.array([2, 3, 2, 1, 3, 2.0])
    found = people.by_speaker(names, stacked, pitch_hz, seconds, 4)
    assert list(found.names) == ["a", "b"]  # c said too little
    own = stacked[[0, 2, 5], :4].mean(axis=0)
    np.testing.assert_allclose(found.embedding[1], own / np.linalg.norm(own), rtol=1e-5)
    np.testing.assert_allclose(found.pitch_hz, [200, 120], rtol=1e-5)
    assert list(found.held_out) == [True, False]


def test_labels_of_one_voice_are_merged_and_nobody_is_on_both_sides():
    apart = np.eye(6, dtype=np.float32)
    x = np.stack([apart[0], apart[0], apart[1], apart[0], apart[2], apart[2]])
    held_out = np.array([False, False, False, True, True, True])
    everybody = people.People(x, x, np.full(6, 100.0), np.array(list("abcdef")), held_out)
    found = people.parted(everybody)
    assert list(found.names) == ["a", "c", "e"]
    assert list(found.held_out) == [False, False, True]
    np.testing.assert_array_equal(found.embedding, apart[:3])


def test_the_preset_of_speakerdiff_can_be_read():
    preset = read_settings(Path(voices.__file__).parent / "configs/speakerdiff.toml", voices.VoiceTrainConfig)
    assert preset.schedule == "sigmoid" and preset.target == "epsilon"
