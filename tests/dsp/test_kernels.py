"""Every compiled kernel against its plain numpy twin."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane.dsp import kernels
from voicelane.dsp.features import mel_matrix, sparse


@pytest.fixture
def spectra(rng: np.random.Generator) -> np.ndarray:
    return (rng.standard_normal((30, 257)) + 1j * rng.standard_normal((30, 257))).astype(np.complex64)


@pytest.fixture
def bands():
    return sparse(mel_matrix())


def wrapped(angle: np.ndarray) -> np.ndarray:
    return np.angle(np.exp(1j * angle))


def band_mean(values: np.ndarray, magnitude: np.ndarray) -> np.ndarray:
    weights = mel_matrix()
    return (weights @ (values * magnitude).T / (weights @ magnitude.T)).T


def test_log_mel(spectra, bands):
    out = np.empty((30, 80), np.float32)
    kernels.log_mel(spectra, *bands, 0.01, 1e-10, out)
    twin = np.log(0.01 * np.abs(spectra.astype(complex)) ** 2 @ mel_matrix().T + 1e-10)
    np.testing.assert_allclose(out, twin, atol=1e-5)


def test_frequency_deviation(spectra, bands):
    out, advance = np.empty((30, 80), np.float32), 2 * np.pi * 160 / 512
    before = np.concatenate((np.zeros((1, 257), np.complex64), spectra[:-1]))
    kernels.frequency_deviation(spectra, before[0], advance, *bands, out)
    turn = np.angle(spectra.astype(complex)) - np.angle(before.astype(complex))
    twin = band_mean(wrapped(turn - advance * np.arange(257)), np.abs(spectra.astype(complex)))
    np.testing.assert_allclose(out, twin, atol=1e-5)


def test_delay_deviation(spectra, bands):
    out, slope = np.empty((30, 80), np.float32), 2.4
    kernels.delay_deviation(spectra, slope, *bands, out)
    delay = np.zeros((30, 257))
    delay[:, :-1] = wrapped(-np.diff(np.angle(spectra.astype(complex)), axis=1) - slope)
    np.testing.assert_allclose(out, band_mean(delay, np.abs(spectra.astype(complex))), atol=1e-5)


def averages(x: np.ndarray, start: np.ndarray, heard: int, longest: int) -> np.ndarray:
    """The running average after each of the rows (n, k)."""
    out, mean = np.empty(x.shape), np.array(start, float)
    for t, row in enumerate(x):
        mean = mean + (row - mean) / min(heard + t + 1, longest)
        out[t] = mean
    return out


@pytest.mark.parametrize("longest", [1000, 20])
def test_running_mean(rng, longest):
    n_mels, depth = 4, 2.0
    frames = (3 * rng.standard_normal((50, 6))).astype(np.float32)
    shape, levels, heard = rng.standard_normal(6), np.array([-1.0, -2.0]), np.array([10, 3])
    loud = np.log(np.exp(frames[:, :n_mels]).mean(axis=1))[:, None]
    floor = averages(loud, levels[:1], 3, longest) - depth
    raised = np.maximum(frames[:, :n_mels], floor)
    raised = raised - averages(raised.mean(axis=1)[:, None], levels[1:], 3, longest)
    x = np.concatenate((raised, frames[:, n_mels:]), axis=1)
    twin, out = x - averages(x, shape, 10, longest), np.empty_like(frames)
    kernels.running_mean(frames, n_mels, depth, longest, shape, levels, heard, out)
    np.testing.assert_allclose(out, twin, atol=1e-5)
    assert heard.tolist() == [60, 53]


def test_minimum_floor(rng):
    bands = rng.standard_normal((500, 3)).astype(np.float32) - 5
    smooth, minima, out = (
        np.zeros(3, np.float32),
        np.zeros((4, 3), np.float32),
        np.empty((500, 3), np.float32),
    )
    assert kernels.minimum_floor(bands, 0.5, 10, -20.0, smooth, minima, 0, out) == 500
    smoothed = np.empty_like(bands)
    level = bands[0].astype(np.float64)
    for t, band in enumerate(bands):
        level = 0.5 * level + 0.5 * band
        smoothed[t] = level
    for t in (0, 7, 55, 250, 499):
        oldest = max(0, (t // 10 - 3) * 10)
        first = bands[0] if t < 40 else np.inf  # the unwritten blocks still hold the first frame
        np.testing.assert_allclose(out[t], np.minimum(smoothed[oldest : t + 1].min(axis=0), first), atol=1e-5)


def test_digital_silence_leaves_the_floor_alone(rng):
    noise = rng.standard_normal((100, 3)).astype(np.float32) - 5
    silence = np.full((200, 3), -23.0, np.float32)
    smooth, minima, out = (
        np.zeros(3, np.float32),
        np.zeros((4, 3), np.float32),
        np.empty((300, 3), np.float32),
    )
    kernels.minimum_floor(np.concatenate((noise, silence)), 0.5, 10, -22.0, smooth, minima, 0, out)
    assert (out[100:] == out[99]).all()


def test_falling_peak(rng):
    level, out = rng.standard_normal(100), np.empty(100)
    last = kernels.falling_peak(level, 0.1, -50.0, out)
    twin = [max(level[: t + 1] - 0.1 * np.arange(t, -1, -1)) for t in range(100)]
    np.testing.assert_allclose(out, twin, atol=1e-9)
    assert last == out[-1]
