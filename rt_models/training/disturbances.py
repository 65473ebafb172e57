"""Synthetic sounds of things: handling, bumps, rustling paper, keys, wind; never the same twice.

Recorded noise is scarce, and what a microphone on a table hears most is not in it. A disturbance is a few
layers of random events: filtered noise or a damped resonance under an envelope that rises and dies away.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from voicelane import SAMPLE_RATE

LAYERS = (1, 3)
EVENTS_PER_S = (0.3, 15.0)
"""From single bumps to a rustle."""
ATTACK_S, DECAY_S = (0.001, 0.15), (0.01, 0.6)
LEVEL_DB = (2.0, 10.0)
"""Deviation of the events' levels within a layer."""
BAND_HZ = (30.0, 6000.0)
SOFTER_DB = (0.0, 20.0)
"""How much softer each further layer is."""


def disturbance(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """float32 (n_samples,) at 16 kHz with a mean square of 1."""
    out = np.zeros(n_samples)
    for k in range(int(rng.integers(LAYERS[0], LAYERS[1] + 1))):
        layer = _carrier(n_samples, rng) * _envelope(n_samples, rng)
        gain = 10 ** (-rng.uniform(*SOFTER_DB) / 20) if k else 1.0
        out += gain * layer / np.sqrt(np.mean(layer**2) + 1e-12)
    return (out / np.sqrt(np.mean(out**2) + 1e-12)).astype(np.float32)


def _carrier(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Noise within a random band, falling to high frequencies, or ringing at a random one."""
    noise = rng.standard_normal(n_samples)
    low, high = np.sort(_between(BAND_HZ, rng, 2))
    if rng.random() < 0.3:
        ringing = np.exp(-1.0 / (SAMPLE_RATE * _between((0.003, 0.1), rng)))
        turn = 2 * np.pi * low / SAMPLE_RATE
        return np.asarray(lfilter([1.0], [1.0, -2 * ringing * np.cos(turn), ringing**2], noise))
    if rng.random() < 0.5:
        noise = lfilter([1.0], [1.0, -rng.uniform(0.5, 0.995)], noise)
    band = butter(int(rng.integers(1, 4)), (low, 1.2 * high + 50), "bandpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(band, noise))


def _envelope(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Events at random times, each with its own level, on a faint floor."""
    rate, deviation = _between(EVENTS_PER_S, rng), rng.uniform(*LEVEL_DB)
    count = max(1, int(rng.poisson(rate * n_samples / SAMPLE_RATE)))
    impulses = np.zeros(n_samples)
    impulses[rng.integers(n_samples, size=count)] = 10 ** (deviation * rng.standard_normal(count) / 20)
    attack, decay = (np.exp(-1.0 / (SAMPLE_RATE * _between(s, rng))) for s in (ATTACK_S, DECAY_S))
    risen = lfilter([1.0 - attack], [1.0, -attack], impulses)
    events = lfilter([1.0 - decay], [1.0, -decay], risen)
    return np.asarray(events / events.max() + 10 ** (-rng.uniform(20, 60) / 20))


def _between(bounds: tuple[float, float], rng: np.random.Generator, size: int | None = None) -> np.ndarray:
    """Evenly spread over the logarithm."""
    return np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]), size))
