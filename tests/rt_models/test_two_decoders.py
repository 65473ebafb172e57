"""The network of two decoders, on toys."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from voicelane.bench.digits import reads, written  # noqa: E402
from voicelane.inference import Model  # noqa: E402
from voicelane.rt_models.export.digits import export_two_decoders  # noqa: E402
from voicelane.rt_models.nets.two_decoders import TwoDecoders, TwoDecodersConfig  # noqa: E402
from voicelane.rt_models.nets.two_decoders import written as written_by_torch  # noqa: E402
from voicelane.rt_models.training import two_decoders as training  # noqa: E402
from voicelane.rt_models.training.digits import Spoken  # noqa: E402
from voicelane.voices import LANGUAGES  # noqa: E402

pytestmark = pytest.mark.torch
SMALL = TwoDecodersConfig(width=32, heads=2, encoder_layers=1, decoder_layers=1, dropout=0.0)


@pytest.fixture
def toy() -> Spoken:
    """Two digits of each language, each a band of its own, by one person a language."""
    classes = np.tile([0, 1, 10, 11], 4)
    pictures = np.full((16, 64, 64), -1.0, np.float16)
    for k, digit in enumerate(classes):
        low = {0: 2, 1: 18, 10: 34, 11: 50}[int(digit)]
        pictures[k, low : low + 10, 2:30] = 0.8
    return Spoken(pictures, classes, np.array([f"p{k // 10}" for k in classes]))


def test_a_batch_is_digits_of_one_language_with_both_wordings(toy):
    batch = training.SentenceSampler(toy, SMALL).batch(40, np.random.default_rng(0))
    assert batch.pictures.shape == (40, 64, 400) and batch.spoken.shape == (40, 7)
    for own, other in zip(batch.spoken.numpy(), batch.translated.numpy(), strict=True):
        words = own[1:][own[1:] < 20]
        assert own[0] == SMALL.begin and 2 <= len(words) <= 5 and len({w // 10 for w in words}) == 1
        assert ((words + 10) % 20 == other[1 : len(words) + 1]).all()
        assert (own[len(words) + 1 :] == SMALL.end).all()


@pytest.mark.parametrize("cross", [False, True])
def test_a_decoder_sees_the_other_ones_past_only_where_they_look_at_each_other(cross):
    torch.manual_seed(0)
    net = TwoDecoders(TwoDecodersConfig(width=32, heads=2, cross=cross)).eval()
    picture, told = torch.randn(1, 64, 400), torch.full((1, 6), SMALL.begin)
    changed = told.clone()
    changed[0, 2] = 5
    before, after = net(picture, told, told)[0], net(picture, told, changed)[0]
    assert torch.allclose(before[:, :2], after[:, :2], atol=1e-5), "nobody sees what comes later"
    assert torch.allclose(before[:, 2:], after[:, 2:], atol=1e-5) != cross


@pytest.mark.slow
def test_it_learns_a_tiny_set_and_says_the_same_when_exported(toy, tmp_path):
    config = training.TwoDecodersTrainConfig(
        SMALL, steps=400, batch=16, learning_rate=5e-3, warm_up=20, noise=0.02
    )
    net = training.train_two_decoders(config, toy)
    found = training.right(net, toy, 50)
    assert found["spoken"] > 80 and found["translated"] > 80
    assert export_two_decoders(net, LANGUAGES, tmp_path / "two", "1") < 1e-2
    batch = training.SentenceSampler(toy, SMALL).batch(20, np.random.default_rng(3))
    ours = written(Model(tmp_path / "two"), batch.pictures.numpy())
    for one, other in zip(ours, written_by_torch(net, batch.pictures), strict=True):
        assert (one == other.numpy()).mean() > 0.95
    right = [reads(t, s[1:][s[1:] < 20].numpy()) for t, s in zip(ours[0], batch.spoken, strict=True)]
    assert np.mean(right) > 0.7
