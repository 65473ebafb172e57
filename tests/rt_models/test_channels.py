"""Channels of the training: in time, as long as what went in, reproducible, and each doing what it says."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("av")

from voicelane.rt_models.training import channels

CODECS = channels.usable(channels.WIDE) + channels.usable(channels.NARROW)


def delay(a: np.ndarray, b: np.ndarray, most: int = 800) -> int:
    """By how many samples `b` comes after `a`, by their envelopes."""
    x, y = (np.convolve(np.abs(s), np.ones(160), "same") for s in (a, b))
    scores = [x[most:-most] @ y[most + k : len(y) - most + k] for k in range(-most, most + 1, 8)]
    return 8 * int(np.argmax(scores)) - most


def test_this_build_has_codecs_of_both_kinds():
    assert len(channels.usable(channels.WIDE)) >= 4 and len(channels.usable(channels.NARROW)) >= 4


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: f"{c.encoder}-{c.rate}")
def test_a_codec_keeps_length_and_time(codec, speech):
    sound = speech[:48_123]
    for bit_rate in codec.bit_rates[:1] or (None,):
        found = channels.through(codec, sound, bit_rate)
        assert found.shape == sound.shape and found.dtype == np.float32
        assert abs(delay(sound, found)) <= 80
        assert np.isfinite(found).all() and 0.3 < np.std(found) / np.std(sound) < 2.0


def test_narrow_codecs_leave_nothing_above_four_kilohertz(speech):
    for codec in channels.usable(channels.NARROW):
        power = np.abs(np.fft.rfft(channels.through(codec, speech[:32_000]))) ** 2
        assert power[len(power) * 5 // 8 :].sum() < 1e-3 * power.sum(), codec


def test_a_channel_is_drawn_from_its_generator_alone(speech):
    channel = channels.Channel()
    for seed in range(12):
        a, b = (channel(speech[:32_000], np.random.default_rng(seed)) for _ in range(2))
        assert np.array_equal(a, b) and a.shape == (32_000,) and np.isfinite(a).all()


def test_clipping_loss_and_gain_do_what_they_say(speech, rng):
    sound = speech[:32_000]
    assert np.abs(channels.clip(sound, 6.0)).max() == pytest.approx(np.abs(sound).max() / 10**0.3, rel=1e-3)
    lost = channels.lose(np.ones(32_000, np.float32), 0.2, np.random.default_rng(1))
    assert 0.05 < np.mean(lost < 1.0) < 0.5
    quiet_then_loud = np.concatenate([0.05 * sound, sound])
    levelled = channels.level_out(quiet_then_loud, 0.5, 0.9)
    before, after = (np.std(x[32_000:]) / np.std(x[:32_000]) for x in (quiet_then_loud, levelled))
    assert after < before / 2


@pytest.mark.parametrize("sound", [np.zeros(8_000, np.float32), np.full(100, 1e-9, np.float32)])
def test_silence_and_slivers_pass(sound):
    channel = channels.Channel()
    for seed in range(8):
        assert np.isfinite(channel(sound, np.random.default_rng(seed))).all()
