"""Mean pitch of sounds whose pitch is known."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane.dsp import mean_pitch, pitch_track

TIME = np.arange(32_000) / 16_000


def voiced(pitch_hz):
    """Harmonics that fall as those of a voice do, the first one weak as over the telephone."""
    parts = [np.sin(2 * np.pi * pitch_hz * k * TIME + k) / (k if k > 1 else 4) for k in range(1, 10)]
    return np.sum(parts, axis=0).astype(np.float32)


@pytest.mark.parametrize("pitch_hz", [70, 95, 140, 210, 300, 390])
@pytest.mark.parametrize("level", [1e-3, 1.0])
def test_the_pitch_of_harmonics(pitch_hz, level):
    assert mean_pitch(level * voiced(pitch_hz)) == pytest.approx(pitch_hz, rel=0.01)


def test_the_pitch_in_noise(rng):
    noisy = voiced(120) + 0.2 * rng.standard_normal(32_000).astype(np.float32)
    assert mean_pitch(noisy) == pytest.approx(120, rel=0.02)


def test_noise_silence_and_nothing_have_none(rng):
    for sound in (rng.standard_normal(32_000), np.zeros(32_000), np.zeros(0), np.zeros(500)):
        assert np.isnan(mean_pitch(sound.astype(np.float32)))


def test_a_track_follows_a_glide():
    pitch = np.linspace(100, 200, len(TIME))
    sound = np.sin(2 * np.pi * np.cumsum(pitch) / 16_000).astype(np.float32)
    found = pitch_track(sound)
    assert len(found) == (len(sound) - 1280) // 320 + 1
    np.testing.assert_allclose(found[[5, 50, 90]], [107.5, 152.5, 192.5], rtol=0.03)
