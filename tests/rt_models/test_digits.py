"""Training of the networks of spoken digits, on toys."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from voicelane.rt_models.export.digits import export_digits, export_reader  # noqa: E402
from voicelane.rt_models.nets.digits import DigitsConfig, DigitUnet  # noqa: E402
from voicelane.rt_models.training import digits  # noqa: E402
from voicelane.voices import LANGUAGES, DigitReader, DigitSpeaker  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.fixture
def toy(rng):
    """Two English classes: a low band, or a high one."""
    classes = np.tile([0, 1], 20)
    pictures = np.full((40, 64, 64), -1.0, np.float16)
    for k, digit in enumerate(classes):
        start = int(rng.integers(0, 6))
        pictures[k, 10 + 35 * digit : 20 + 35 * digit, start : start + 40] = 0.8
    return digits.Spoken(pictures, classes, np.array(["a"] * 40))


@pytest.mark.parametrize("attention", [False, True])
def test_both_networks_are_told_of_time_and_class(attention):
    net = DigitUnet(DigitsConfig(width=16, told=16, attention=attention)).eval()
    for weights in net.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    x = torch.randn(1, 64, 64)
    given = [net(x, torch.tensor([t]), torch.tensor([c])) for t, c in ((0.1, 3), (0.9, 3), (0.1, 20))]
    assert given[0].shape == (1, 64, 64)
    assert all((given[0] - other).abs().max() > 1e-3 for other in given[1:])


def test_a_class_is_all_that_attention_adds(rng):
    """Cross-attention looks at words of the class: without them it would be blind to it."""
    net = DigitUnet(DigitsConfig(width=16, told=16)).eval()
    for weights in net.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    torch.nn.init.zeros_(net.of_class.weight)
    x, t = torch.randn(1, 64, 64), torch.tensor([0.5])
    a, b = (net(x, t, torch.tensor([c])) for c in (3, 4))
    assert (a - b).abs().max() > 1e-3


@pytest.mark.slow
def test_what_is_drawn_is_of_the_class_that_was_asked_for(toy, tmp_path):
    config = digits.DigitsTrainConfig(DigitsConfig(width=24, told=24), times=60, steps=250, batch=16)
    net = digits.train_digits(config, toy)
    assert export_digits(net, digits.diffusion(config), LANGUAGES, tmp_path / "digits", "1") < 1e-4
    speaker = DigitSpeaker(tmp_path / "digits")
    drawn = speaker.draw(np.repeat([0, 1], 8), np.random.default_rng(0), 15, 1.0)
    low, high = drawn[:, 10:20, 6:40].mean(axis=(1, 2)), drawn[:, 45:55, 6:40].mean(axis=(1, 2))
    assert ((low > high) == np.repeat([True, False], 8)).mean() > 0.9


def test_the_reader_learns_and_is_exported(toy, tmp_path):
    net = digits.train_reader(digits.ReaderTrainConfig(width=8, steps=60, batch=16), toy)
    assert export_reader(net, LANGUAGES, tmp_path / "digit_reader", "1") < 1e-4
    read = DigitReader(tmp_path / "digit_reader").read(toy.pictures.astype(np.float32), "en")
    assert (read.argmax(axis=1) == toy.classes).mean() > 0.9


def test_training_resumes_exactly(toy, tmp_path):
    config = digits.DigitsTrainConfig(DigitsConfig(width=8, told=8), times=20, steps=500, batch=2)
    once = digits.train_digits(config, toy, tmp_path / "once.pt", stop_after=500)
    digits.train_digits(config, toy, tmp_path / "twice.pt", stop_after=250)
    twice = digits.train_digits(config, toy, tmp_path / "twice.pt")
    for a, b in zip(once.parameters(), twice.parameters(), strict=True):
        assert torch.equal(a, b)


def test_pictures_move_right_over_silence():
    picture = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    moved = digits.moved_right(picture, 3)
    assert (moved[:, :3] == -1).all()
    np.testing.assert_array_equal(moved[:, 3:], picture[:, :-3])
