"""STFT and features against their offline definitions."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane.base import FRAME_SAMPLES
from voicelane.dsp import FeatureExtractor, Istft, Stft
from voicelane.dsp.features import mel_matrix
from voicelane.dsp.stft import window


def offline_spectra(samples: np.ndarray) -> np.ndarray:
    """The definition, column by column, in double precision."""
    padded = np.concatenate((np.zeros(240), samples.astype(np.float64)))
    n_columns = len(samples) // 160
    return np.stack([np.fft.rfft(padded[160 * k : 160 * k + 400] * window(), 512) for k in range(n_columns)])


def test_streaming_equals_the_offline_stft(speech):
    frames = speech[: 500 * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    stft = Stft()
    found = np.concatenate(
        [stft.process(frames[a:b]) for a, b in ((0, 1), (1, 4), (4, 4), (4, 499), (499, 500))]
    )
    wanted = offline_spectra(frames.reshape(-1))
    assert np.abs(found - wanted).max() <= 1e-6 * np.abs(wanted).max()


def test_resynthesis_reconstructs_above_60_db(speech):
    frames = speech[: 500 * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    stft, istft = Stft(), Istft()
    out = np.concatenate([istft.process(stft.process(f[None])) for f in frames] + [istft.flush()])
    wanted = frames.reshape(-1)
    error = out[240:] - wanted
    assert 10 * np.log10(np.sum(wanted**2) / np.sum(error**2)) > 60


@pytest.mark.parametrize("tone_hz", [1000.0, 1994.0, 2006.0, 3333.0])
def test_frequency_deviation_of_a_tone_is_its_distance_from_each_bin(tone_hz):
    """Over a hop a tone turns by 2π·f·10 ms, whatever bin sees it."""
    samples = np.sin(2 * np.pi * tone_hz * np.arange(16_000) / 16_000).astype(np.float32)
    features = FeatureExtractor().process(Stft().process(samples.reshape(-1, FRAME_SAMPLES)))
    away_hz = tone_hz - np.arange(257) * 16_000 / 512
    deviation = np.angle(np.exp(2j * np.pi * away_hz * 0.01))
    weights = mel_matrix() * np.abs(offline_spectra(samples)[50])
    band = int(np.argmax(features.log_mel[50]))
    wanted = weights[band] @ deviation / weights[band].sum()
    assert features.frequency_deviation[50, band] == pytest.approx(wanted, abs=0.02)


def test_delay_deviation_tells_early_from_late_clicks():
    """A click before the window's centre has less group delay than the nominal one, after it more."""
    found = []
    for at in (16_000 // 2 - 240 + 100, 16_000 // 2 - 240 + 300):
        samples = np.zeros(16_000, np.float32)
        samples[at] = 1.0
        column = 16_000 // 2 // 160
        features = FeatureExtractor().process(Stft().process(samples.reshape(-1, FRAME_SAMPLES)))
        found.append(features.delay_deviation[column].mean())
    assert found[0] == pytest.approx(-2 * np.pi * 100 / 512, abs=0.05)
    assert found[1] == pytest.approx(2 * np.pi * 100 / 512, abs=0.05)


def test_log_mel_follows_the_level_exactly(speech):
    frames = speech[: 100 * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    quiet = FeatureExtractor().process(Stft().process(frames)).log_mel
    loud = FeatureExtractor().process(Stft().process(10 * frames)).log_mel
    heard = quiet > -16
    np.testing.assert_allclose((loud - quiet)[heard], np.log(100.0), atol=2e-3)
