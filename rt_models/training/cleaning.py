"""Training of the network that takes noise off speech, on mixtures drawn as they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.signal import fftconvolve, lfilter
from torch import Tensor

from voicelane import SAMPLE_RATE
from voicelane.dsp import Stft
from voicelane.rt_models.nets.cleaner import CleanerConfig, CleanerNet
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.augment import equalise, power
from voicelane.rt_models.training.channels import Channel, ChannelConfig
from voicelane.rt_models.training.checkpoint import Run, begin_with
from voicelane.rt_models.training.corpus import Prepared
from voicelane.rt_models.training.data import AudioCache
from voicelane.rt_models.training.disturbances import disturbance

FRAME_SAMPLES = 320


@dataclass(frozen=True)
class SoundConfig:
    """What speech and noise are made of."""

    seconds: float = 2.6
    clean_db: float = 40.0
    """Least range between the loud and the still frames of a recording that counts as clean."""
    second_voice: float = 0.15
    """Chance of another voice that is speech, too."""
    second_voice_db: float = 6.0
    """How much louder or softer that one is, at most."""
    room: float = 0.35
    """Chance of a simulated room, which stays."""
    equaliser: float = 0.4
    equaliser_db: float = 8.0
    channel: float = 0.12
    """Chance that the speech came through a channel, which stays."""
    recorded: float = 0.62
    disturbed: float = 0.22
    babble: float = 0.16
    """Chances of the kinds of noise."""
    another: float = 0.3
    """Chance of a second noise, up to 15 dB softer."""
    floor: float = 0.5
    """Chance of a coloured floor."""
    floor_db: tuple[float, float] = (0.0, 35.0)
    """How far below the other noise it lies."""
    snr_db: tuple[float, float] = (-5.0, 20.0)
    speechless: float = 0.06
    level_db: tuple[float, float] = (-52.0, -12.0)


@dataclass(frozen=True)
class CleanerTrainConfig:
    """One training run."""

    net: CleanerConfig = field(default_factory=CleanerConfig)
    sound: SoundConfig = field(default_factory=SoundConfig)
    steps: int = 4000
    batch: int = 16
    pool: int = 200
    """Voices and noises that are mixed in all ways for `pool_steps` steps."""
    pool_steps: int = 150
    judged: float = 0.2
    """Share of the columns that the loss is of."""
    learning_rate: float = 3e-3
    ratio_weight: float = 0.02
    """Of the signal-to-distortion ratio (dB) in the loss."""
    seed: int = 0


class Pool(NamedTuple):
    """Spectra float32 (T, 257, 2) of voices, their mean squares while they speak, and those of noises."""

    voices: list[np.ndarray]
    loudness: list[float]
    noises: list[np.ndarray]


class Mixture(NamedTuple):
    """Spectra with and without noise, float32 (B, T, 257, 2) each."""

    noisy: Tensor
    clean: Tensor


def range_db(samples: np.ndarray) -> float:
    """Level of the loud frames over that of the still ones, dB: a floor that is heard makes it small."""
    frames = samples[: len(samples) - len(samples) % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    return float(np.percentile(levels, 90) - np.percentile(levels, 5)) if len(levels) else 0.0


def active_power(samples: np.ndarray) -> float:
    """Mean square of the frames that are within 40 dB of the loudest."""
    frames = samples[: len(samples) - len(samples) % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    powers = np.mean(frames**2, axis=1)
    return float(powers[powers >= 1e-4 * powers.max()].mean()) if powers.size else 0.0


class MixtureSource:
    """Draws speech, noise and what a microphone hears of both; every draw comes from the Generator given."""

    def __init__(
        self,
        cache: AudioCache,
        rooms: Sequence[np.ndarray],
        noises: Sequence[np.ndarray],
        config: SoundConfig,
    ) -> None:
        self._cache, self._rooms, self._noises, self.config = cache, rooms, noises, config
        self._channel = Channel(ChannelConfig(codec=0.5, loss=0.0))
        self._size = int(config.seconds * SAMPLE_RATE)

    def pool(self, size: int, rng: np.random.Generator) -> Pool:
        """So many voices and noises."""
        speech = [self.placed(self._talk(rng), rng) for _ in range(size)]
        noises = [spectra(self.noise(rng)) for _ in range(size)]
        return Pool([spectra(x) for x in speech], [active_power(x) for x in speech], noises)

    def mixtures(self, pool: Pool, size: int, rng: np.random.Generator) -> Mixture:
        """So many of a pool's voices, each with one of its noises, at random levels."""
        pairs = rng.integers(len(pool.voices), size=(size, 2))
        mixed = [self._mixed(pool.voices[v], pool.loudness[v], pool.noises[n], rng) for v, n in pairs]
        noisy, clean = (torch.from_numpy(np.stack(x)) for x in zip(*mixed, strict=True))
        return Mixture(noisy, clean)

    def _mixed(
        self, speech: np.ndarray, loudness: float, noise: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Columns of speech of that mean square with and without the noise, whose mean square is 1."""
        c = self.config
        softer = np.sqrt(loudness + 1e-12) * 10 ** (-rng.uniform(*c.snr_db) / 20)
        level = 10 ** (rng.uniform(*c.level_db) / 20) / np.sqrt(loudness + softer**2 + 1e-12)
        clean = np.zeros_like(speech) if rng.random() < c.speechless else response(rng) * level * speech
        noisy = clean + response(rng) * (level * softer) * noise
        return noisy.astype(np.float32), clean.astype(np.float32)

    def _talk(self, rng: np.random.Generator) -> np.ndarray:
        c = self.config
        out = self.voice(rng)
        if rng.random() < c.second_voice:
            gain = 10 ** (rng.uniform(-c.second_voice_db, c.second_voice_db) / 20)
            out = out + np.float32(gain) * self.voice(rng)
        return out

    def voice(self, rng: np.random.Generator, among: Sequence[int] | None = None) -> np.ndarray:
        """Recordings (of all, or `among` these) of equal power one after the other, pauses between, from a
        random place on."""
        size, pieces = 0, []
        while size < 2 * self._size:
            samples = self._clean(rng, among)
            pieces += [samples / np.sqrt(active_power(samples) + 1e-9), np.zeros(int(rng.uniform(0, 8000)))]
            size += len(samples)
        start = int(rng.integers(self._size))
        return np.concatenate(pieces)[start : start + self._size].astype(np.float32)

    def _clean(self, rng: np.random.Generator, among: Sequence[int] | None) -> np.ndarray:
        """A recording whose range says that it is clean."""
        while True:
            number = int(rng.integers(len(self._cache if among is None else among)))
            samples = self._cache.audio(number if among is None else among[number])
            if range_db(samples) >= self.config.clean_db:
                return samples

    def placed(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """In a room, through an equaliser and a channel, or not."""
        c = self.config
        if rng.random() < c.room:
            samples = fftconvolve(samples, self._rooms[int(rng.integers(len(self._rooms)))])[: self._size]
        if rng.random() < c.equaliser:
            samples = equalise(samples, c.equaliser_db, rng)
        if rng.random() < c.channel:
            samples = self._channel(0.1 * samples.astype(np.float32), rng)
        return samples.astype(np.float32)

    def noise(self, rng: np.random.Generator) -> np.ndarray:
        out = self._one_noise(rng)
        if rng.random() < self.config.another:
            out = out + 10 ** (-rng.uniform(0, 15) / 20) * self._one_noise(rng)
        if rng.random() < self.config.floor:
            floor = coloured(self._size, rng)
            out = out + floor * 10 ** (-rng.uniform(*self.config.floor_db) / 20) / np.sqrt(power(floor))
        return (out / np.sqrt(power(out) + 1e-9)).astype(np.float32)

    def _one_noise(self, rng: np.random.Generator) -> np.ndarray:
        """Of power 1: a recording, a synthetic disturbance, or several voices."""
        c = self.config
        kind = rng.choice(3, p=(c.recorded, c.disturbed, c.babble))
        out = (self._recorded, self._disturbed, self._babble)[kind](rng)
        return out / np.sqrt(power(out) + 1e-9)

    def _recorded(self, rng: np.random.Generator) -> np.ndarray:
        noise = self._noises[int(rng.integers(len(self._noises)))]
        start = int(rng.integers(len(noise)))
        piece = np.take(noise, np.arange(start, start + self._size), mode="wrap")
        return equalise(piece, 8.0, rng) if rng.random() < 0.5 else piece

    def _disturbed(self, rng: np.random.Generator) -> np.ndarray:
        return disturbance(self._size, rng)

    def _babble(self, rng: np.random.Generator) -> np.ndarray:
        return np.sum([self.voice(rng) for _ in range(int(rng.integers(4, 8)))], axis=0)


def response(rng: np.random.Generator) -> np.ndarray:
    """A smooth random gain for each bin (257, 1)."""
    gains_db = np.interp(np.sqrt(np.linspace(0, 1, 257)), np.linspace(0, 1, 6), rng.uniform(-5, 5, 6))
    return (10 ** (gains_db / 20)).astype(np.float32)[:, None]


def coloured(n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Noise that falls, or rises, with the frequency."""
    return np.asarray(lfilter([1.0], [1.0, -rng.uniform(-0.3, 0.98)], rng.standard_normal(n_samples)))


def spectra(samples: np.ndarray) -> np.ndarray:
    """Real and imaginary parts of the engine's columns, float32 (2n, 257, 2)."""
    columns = Stft().process(samples.reshape(-1, FRAME_SAMPLES)).astype(np.complex64)
    return np.stack((columns.real, columns.imag), axis=-1)


def train(
    config: CleanerTrainConfig,
    data: Prepared,
    checkpoint: Path | None = None,
    start: Path | None = None,
    stop_after: int | None = None,
) -> CleanerNet:
    """By `loop.train`; `start` is the checkpoint of another run whose weights this one begins with."""
    torch.manual_seed(config.seed)
    net = CleanerNet(config.net)
    begin_with(net, start)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = loop.Schedule(
        config.steps, config.learning_rate, warm_up=60, floor=0.01, save_every=100, seed=config.seed
    )
    source = MixtureSource(data.cache, data.rooms, data.noises, config.sound)

    run = Run(net, optimiser, asdict(config), checkpoint)

    @lru_cache(maxsize=1)
    def pool(number: int) -> Pool:
        return source.pool(config.pool, np.random.default_rng((config.seed, number, 1)))

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        mixture = source.mixtures(pool(run.step // config.pool_steps), config.batch, rng)
        loss, parts = judged(*tried(net, mixture, config.judged, rng), config.ratio_weight)
        return loop.Outcome(loss, parts, config.batch * config.sound.seconds)

    return loop.train(run, schedule, lesson, stop_after=stop_after)


def tried(
    net: CleanerNet, mixture: Mixture, share: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """A share of the columns cleaned, as they should be, and as they were, (B, n, 257, 2) each."""
    past, hidden, cell = net.silence(len(mixture.noisy))
    heard = torch.cat((past, mixture.noisy), dim=1)
    known, _ = net.remember(heard, hidden, cell)
    ahead = net.config.ahead
    there = np.arange(-(-ahead // 2), known.shape[1])
    pairs = torch.from_numpy(np.sort(rng.choice(there, int(share * len(there)), replace=False)))
    at = torch.stack((2 * pairs, 2 * pairs + 1), dim=1).flatten()
    found = net.cleaned([heard[:, at + k] for k in range(3)], known[:, pairs])
    return found, mixture.clean[:, at - ahead], mixture.noisy[:, at - ahead]


def judged(
    found: Tensor, clean: Tensor, noisy: Tensor, ratio_weight: float
) -> tuple[Tensor, dict[str, float]]:
    """Compressed spectra (|z|^½, phase kept) and their magnitudes against the clean ones, and the
    signal-to-distortion ratio; all (B, T, 257, 2), each sound taken at its own level."""
    spoken = clean.square().sum((1, 2, 3)) > 0
    level = torch.where(spoken, _level(clean), _level(noisy))[:, None, None, None]
    found, clean = found / level, clean / level
    squeezed, wanted = compressed(found), compressed(clean)
    complex_error = (squeezed - wanted).square().sum(-1).mean()
    magnitude_error = (_magnitude(squeezed) - _magnitude(wanted)).square().mean()
    ratio = _ratio_db(found[spoken], clean[spoken]).mean() if spoken.any() else found.new_zeros(())
    loss = complex_error + magnitude_error - ratio_weight * ratio
    parts = {"complex": complex_error, "magnitude": magnitude_error, "sdr_db": ratio}
    return loss, {name: float(part.detach()) for name, part in parts.items()}


def compressed(z: Tensor) -> Tensor:
    """|z|^½ with the phase of z (…, 2)."""
    return z * (z.square().sum(-1, keepdim=True) + 1e-5) ** -0.25


def _magnitude(z: Tensor) -> Tensor:
    return (z.square().sum(-1) + 1e-8).sqrt()


def _level(z: Tensor) -> Tensor:
    return (2 * z.square().mean((1, 2, 3))).sqrt() + 1e-9


def _ratio_db(found: Tensor, clean: Tensor) -> Tensor:
    """Signal over distortion of each sound (B,), dB; above 30 dB hardly more counts."""
    signal = clean.square().sum((1, 2, 3))
    return 10 * torch.log10(signal / ((found - clean).square().sum((1, 2, 3)) + 1e-3 * signal))
