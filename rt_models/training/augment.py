"""Seeded perturbation of speech: rooms, noise, babble, equaliser, level, channels.

Every random choice comes from the Generator that is passed in. Signals are float32 at 16 kHz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyroomacoustics as pra
from scipy.signal import fftconvolve

from voicelane.rt_models.training.caches import digest_arrays, keep
from voicelane.rt_models.training.channels import Channel
from voicelane.rt_models.training.data import SAMPLE_RATE, AudioCache, read_audio


@dataclass(frozen=True)
class AugmentConfig:
    """How often and how hard each perturbation strikes."""

    room: float = 0.45
    """Chance of a simulated room."""
    noise: float = 0.55
    """Chance of a noise recording underneath."""
    noise_snr_db: tuple[float, float] = (0.0, 22.0)
    babble: float = 0.2
    """Chance of 3–6 other voices underneath."""
    babble_snr_db: tuple[float, float] = (3.0, 20.0)
    equaliser: float = 0.5
    """Chance of a smooth random frequency response."""
    equaliser_db: float = 8.0
    channel: float = 0.7
    """Chance of a channel: bands, codecs, clipping, gain, loss (`channels.py`)."""
    level_db: tuple[float, float] = (-42.0, -14.0)
    """Final level over the whole clip, dB below full scale."""
    floor_db: tuple[float, float] = (-100.0, -60.0)
    """White-noise floor that every recording gets."""


def simulate_rooms(count: int, seed: int, path: Path) -> list[np.ndarray]:
    """Impulse responses of random shoebox rooms (T60 0.15–0.8 s), simulated once, kept in `path`."""

    def make() -> None:
        rng = np.random.default_rng(seed)
        np.savez(path, *[simulate_room(rng) for _ in range(count)])

    keep(path, {"count": count, "seed": seed}, make)
    with np.load(path) as kept:
        return [kept[name] for name in kept.files]


def simulate_room(rng: np.random.Generator) -> np.ndarray:
    """One impulse response of unit energy, beginning with the direct sound."""
    size = rng.uniform((2.5, 2.5, 2.3), (9.0, 8.0, 4.0))
    t60 = rng.uniform(0.15, 0.8)
    try:
        absorption, order = pra.inverse_sabine(t60, size)
    except ValueError:  # the room is too large for so short a reverberation
        absorption, order = 0.6, 6
    room = pra.ShoeBox(size, fs=SAMPLE_RATE, materials=pra.Material(absorption), max_order=min(order, 14))
    room.add_source(rng.uniform(0.4, size - 0.4))
    room.add_microphone(rng.uniform(0.4, size - 0.4))
    room.compute_rir()
    response = np.asarray(room.rir[0][0], np.float32)
    start = int(np.argmax(np.abs(response) > 0.1 * np.abs(response).max()))
    return response[start : start + SAMPLE_RATE] / np.linalg.norm(response)


def mix(speech: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Speech plus noise, the noise looped to length and scaled to `snr_db` below the speech."""
    looped = np.resize(noise, len(speech))
    gain = np.sqrt((power(speech) + 1e-12) / (power(looped) + 1e-12) * 10 ** (-snr_db / 10))
    return (speech + gain * looped).astype(np.float32)


def power(samples: np.ndarray) -> float:
    """Mean square."""
    return float(np.mean(np.square(samples, dtype=np.float64)))


def equalise(samples: np.ndarray, depth_db: float, rng: np.random.Generator) -> np.ndarray:
    """A smooth random response: eight gains of up to ±`depth_db` over the mel-like axis."""
    spectrum = np.fft.rfft(samples)
    axis = np.sqrt(np.linspace(0, 1, len(spectrum)))
    gains_db = np.interp(axis, np.linspace(0, 1, 8), rng.uniform(-depth_db, depth_db, 8))
    return np.fft.irfft(spectrum * 10 ** (gains_db / 20), len(samples)).astype(np.float32)


class Augmenter:
    """Draws one perturbed version after another from a pool of rooms, noises and voices."""

    def __init__(
        self,
        config: AugmentConfig,
        rooms: Sequence[np.ndarray],
        noises: Sequence[np.ndarray],
        voices: AudioCache,
    ) -> None:
        self.config, self._rooms, self._noises, self._voices = config, rooms, noises, voices
        self._channel = Channel()

    @cached_property
    def origin(self) -> dict[str, object]:
        """Settings and material, for the caches of what it makes."""
        return {
            "augment": asdict(self.config),
            "channel": asdict(self._channel.config),
            "rooms": digest_arrays(self._rooms),
            "noises": digest_arrays(self._noises),
            "voices": self._voices.sha256,
        }

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A perturbed copy of the same length."""
        c = self.config
        out = samples
        if rng.random() < c.equaliser:
            out = equalise(out, c.equaliser_db, rng)
        if rng.random() < c.room:
            out = self._in_room(out, rng)
        if rng.random() < c.noise:
            out = mix(out, self._noise(len(out), rng), rng.uniform(*c.noise_snr_db))
        if rng.random() < c.babble:
            out = mix(out, self._babble(len(out), rng), rng.uniform(*c.babble_snr_db))
        out = self._at_level(out, rng)
        return self._channel(out, rng) if rng.random() < c.channel else out

    def _in_room(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        response = self._rooms[int(rng.integers(len(self._rooms)))]
        return fftconvolve(samples, response)[: len(samples)].astype(np.float32)

    def _noise(self, length: int, rng: np.random.Generator) -> np.ndarray:
        noise = self._noises[int(rng.integers(len(self._noises)))]
        return np.roll(noise, -rng.integers(len(noise)))[:length]

    def _babble(self, length: int, rng: np.random.Generator) -> np.ndarray:
        chosen = rng.integers(len(self._voices), size=rng.integers(3, 7))
        voices = [np.resize(self._voices.audio(i), length) for i in chosen]
        return np.sum([v / np.sqrt(power(v) + 1e-12) for v in voices], axis=0)

    def _at_level(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        level = 10 ** (rng.uniform(*self.config.level_db) / 20)
        floor = 10 ** (rng.uniform(*self.config.floor_db) / 20)
        scaled = samples * (level / np.sqrt(power(samples) + 1e-12))
        return (scaled + floor * rng.standard_normal(len(samples))).astype(np.float32).clip(-1, 1)


def load_noises(folder: Path) -> list[np.ndarray]:
    """Every sound file of a folder, in order of names."""
    return [
        read_audio(path) for path in sorted(folder.iterdir()) if path.suffix in {".opus", ".wav", ".flac"}
    ]
