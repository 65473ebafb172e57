"""Mel pictures of words, and sound made of them."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane.dsp import mel_picture, mel_sound, trimmed

TIME = np.arange(8000) / 16_000


def word(pitch_hz=140.0):
    """Half a second of harmonics whose strengths move like a vowel's."""
    moving = 500 + 1500 * TIME / TIME[-1]
    parts = [
        np.sin(2 * np.pi * pitch_hz * k * TIME) * np.exp(-(((pitch_hz * k - moving) / 400) ** 2))
        for k in range(1, 30)
    ]
    return (np.sum(parts, axis=0) * np.hanning(len(TIME))).astype(np.float32)


@pytest.mark.parametrize("level", [1e-3, 1.0])
def test_a_picture_does_not_depend_on_the_level(level):
    picture = mel_picture(level * word())
    assert picture.shape == (64, 64) and picture.dtype == np.float32
    assert picture.max() == pytest.approx(1.0) and picture.min() == -1.0
    np.testing.assert_allclose(picture, mel_picture(word()), atol=1e-3)


def test_the_sound_of_a_picture_has_that_picture(rng):
    picture = mel_picture(word())
    sound = mel_sound(picture, rng)
    assert np.abs(sound).max() == pytest.approx(0.5, abs=1e-3)
    heard = picture > -0.5
    assert np.abs(mel_picture(sound) - picture)[heard].mean() < 0.12


def test_silence_and_nothing_have_pictures_and_sounds_too(rng):
    for sound in (np.zeros(0), np.zeros(5000), np.zeros(50_000)):
        assert mel_picture(sound.astype(np.float32)).shape == (64, 64)
    assert np.isfinite(mel_sound(np.full((64, 64), -1.0, np.float32), rng)).all()


def test_a_word_is_cut_out_of_its_silence():
    padded = np.concatenate((np.zeros(4000), word(), np.zeros(4000))).astype(np.float32)
    assert 5000 < len(trimmed(padded)) <= 8400
    assert len(trimmed(np.zeros(100))) == 100
