"""Training of the network that refines cleaned speech by diffusion, on mixtures made beforehand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from voicelane.dsp import band_levels, samplers
from voicelane.inference import Model
from voicelane.rt_models.nets.refiner import RefinerConfig, RefinerNet
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.averaged import Averaged
from voicelane.rt_models.training.caches import keep
from voicelane.rt_models.training.checkpoint import Run
from voicelane.rt_models.training.cleaning import MixtureSource, SoundConfig
from voicelane.rt_models.training.corpus import Prepared

NOISING = samplers.VP()
"""Of Grad-TTS and Diff-SV: β rises from 0.05 to 20, the end is N(x̂, 1)."""


@dataclass(frozen=True)
class RefinerTrainConfig:
    """One training run."""

    net: RefinerConfig = field(default_factory=RefinerConfig)
    sound: SoundConfig = field(default_factory=SoundConfig)
    mixtures: int = 4000
    """Of `sound.seconds` each, made once."""
    pool: int = 200
    """Voices and noises that as many mixtures again are made of."""
    columns: int = 160
    """Of a crop."""
    steps: int = 6000
    batch: int = 16
    learning_rate: float = 2e-3
    whole: float = 0.25
    """Chance that the time is 1, where sampling begins; else it is even between `least` and 1."""
    least: float = 0.02
    average: float = 0.998
    """Of the weights from step to step: the mean is what is exported."""
    seed: int = 0


class Levels:
    """Noisy, cleaned and clean band levels of mixtures, float16 (n, 3, T, 80), in time with one another."""

    def __init__(self, path: Path) -> None:
        self._kept = np.load(path, mmap_mode="r")

    def crops(self, size: int, length: int, rng: np.random.Generator) -> Tensor:
        """Stretches of random mixtures, float32 (3, size, length, 80)."""
        n, _, columns, _ = self._kept.shape
        at = zip(rng.integers(n, size=size), rng.integers(columns - length + 1, size=size), strict=True)
        return torch.from_numpy(np.stack([self._kept[i, :, s : s + length] for i, s in at], 1)).float()


def mixed(config: RefinerTrainConfig, data: Prepared, cleaner: Path) -> Levels:
    """The mixtures of a run, each through the cleaner; kept in the work folder."""
    path, model = data.work / "refiner_levels.npy", Model(cleaner)
    origin = {"sound": asdict(config.sound), "count": [config.mixtures, config.pool, config.seed]}

    def make() -> None:
        source = MixtureSource(data.cache, data.rooms, data.noises, config.sound)
        made = tqdm(_mixtures(source, model, config), total=config.mixtures, unit="mixture", disable=None)
        np.save(path, np.stack(list(made)))

    keep(path, {**data.origin, **origin, "cleaner": model.manifest.sha256}, make)
    return Levels(path)


def _mixtures(source: MixtureSource, model: Model, config: RefinerTrainConfig) -> Iterator[np.ndarray]:
    for number in range(-(-config.mixtures // config.pool)):
        rng = np.random.default_rng((config.seed, number))
        mixture = source.mixtures(source.pool(config.pool, rng), config.pool, rng)
        left = config.mixtures - number * config.pool
        for noisy, clean in zip(mixture.noisy.numpy()[:left], mixture.clean.numpy(), strict=False):
            yield levels(model, noisy, clean)


def levels(model: Model, noisy: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Of one mixture float32 (T, 257, 2): float16 (3, T − the cleaner's delay, 80)."""
    behind = model.manifest.latency_samples // 160
    (cleaned,) = model.run(spectra=noisy[None])
    parts = noisy[:-behind], cleaned[0, behind:], clean[:-behind]
    return np.stack([band_levels(part) for part in parts]).astype(np.float16)


def train(
    config: RefinerTrainConfig, kept: Levels, checkpoint: Path | None = None, stop_after: int | None = None
) -> RefinerNet:
    """By `loop.train`; the mean of the weights."""
    torch.manual_seed(config.seed)
    net = Averaged(RefinerNet(config.net), config.average)
    optimiser = torch.optim.AdamW(net.net.parameters(), weight_decay=0.01)
    schedule = loop.Schedule(
        config.steps, config.learning_rate, warm_up=100, floor=0.01, save_every=200, seed=config.seed
    )
    run = Run(net, optimiser, asdict(config), checkpoint)

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        net.take()
        loss = judged(net.net, kept.crops(config.batch, config.columns, rng), drawn_times(config, rng))
        return loop.Outcome(loss, {}, config.batch * config.columns * 0.01)

    return loop.train(run, schedule, lesson, stop_after=stop_after).mean


def drawn_times(config: RefinerTrainConfig, rng: np.random.Generator) -> list[float]:
    """A time for each crop of a batch."""
    even = rng.uniform(config.least, 1.0, config.batch)
    return np.where(rng.random(config.batch) < config.whole, 1.0, even).tolist()


def judged(net: RefinerNet, crops: Tensor, times: list[float]) -> Tensor:
    """Mean squared error of ẑ0, of noisy, cleaned and clean levels (3, B, T, 80) and a time for each."""
    noisy, cleaned, clean = crops
    ahead, at = net.config.ahead, [samplers.scales(NOISING, t) for t in times]
    base, wanted = cleaned[:, :-ahead], clean[:, :-ahead]
    kept, pulled, noise = (torch.tensor(s)[:, None, None] for s in zip(*at, strict=True))
    z = kept * wanted + pulled * base + noise * torch.randn_like(wanted)
    silent = net.silence(len(z))
    found, _ = net(z, base, cleaned[:, ahead:], noisy[:, ahead:], torch.tensor(times), silent)
    return (found - wanted).square().mean()
