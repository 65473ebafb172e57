"""Training of the network that draws spoken digits, and of the one that reads them."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voicelane.dsp import ddpm, mel_picture, trimmed
from voicelane.rt_models.nets.digits import DigitReader, DigitsConfig, DigitUnet
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.averaged import Averaged
from voicelane.rt_models.training.caches import digest, keep
from voicelane.rt_models.training.checkpoint import Run
from voicelane.rt_models.training.data import change_speed, read_audio
from voicelane.voices import LANGUAGES

COPIES = 6
"""Of each recording: the first as it is, the others faster or slower, softer or louder in parts."""
PAUSE_COLUMNS = 4


class Spoken(NamedTuple):
    """Mel pictures float16 (n, 64, 64), classes (n,): 10 · language + digit, and their speakers (n,)."""

    pictures: np.ndarray
    classes: np.ndarray
    speakers: np.ndarray


@dataclass(frozen=True)
class DigitsTrainConfig:
    """One training run of the drawing network."""

    net: DigitsConfig = field(default_factory=DigitsConfig)
    schedule: str = "cosine"
    times: int = 300
    target: Literal["epsilon", "x0"] = "x0"
    """With ε the network drew noise: its channels are fewer than a place has numbers."""
    steps: int = 1500
    batch: int = 16
    learning_rate: float = 2e-3
    warm_up: int = 100
    dropped: float = 0.1
    """Share of the classes that the network is not told, for guidance."""
    average: float = 0.998
    """Of the weights from step to step: the mean is what is exported."""
    seed: int = 0


@dataclass(frozen=True)
class ReaderTrainConfig:
    """One training run of the reading network."""

    width: int = 32
    dropout: float = 0.2
    steps: int = 1500
    batch: int = 64
    learning_rate: float = 2e-3
    warm_up: int = 50
    seed: int = 0


def diffusion(config: DigitsTrainConfig) -> dict[str, object]:
    """What the engine needs to know of it."""
    return {"schedule": config.schedule, "times": config.times, "target": config.target}


def spoken(corpus: Path, work: Path, split: str = "train") -> Spoken:
    """The digits of the corpus's `digits/digits.tsv`, kept in the work folder."""
    with (corpus / "digits/digits.tsv").open(encoding="utf-8", newline="") as lines:
        rows = [r for r in csv.DictReader(lines, delimiter="\t") if r["split"] == split]
    path = work / f"digits_{split}.npz"
    copies = COPIES if split == "train" else 1

    def make() -> None:
        pictures = [_picture(corpus / r["file"], k) for k in range(copies) for r in rows]
        np.savez(path, pictures=np.array(pictures, np.float16))

    keep(path, {"rows": digest(rows), "copies": copies}, make)
    classes = np.array([10 * LANGUAGES.index(r["language"]) + int(r["digit"]) for r in rows] * copies)
    with np.load(path, allow_pickle=False) as kept:
        return Spoken(kept["pictures"], classes, np.array([r["speaker"] for r in rows] * copies))


def _picture(file: Path, copy: int) -> np.ndarray:
    """The picture of a recording, or of the `copy`-th variation of it."""
    samples = read_audio(file)
    if copy:
        rng = np.random.default_rng((copy, digest_number(file.name)))
        samples = tilted(change_speed(samples, float(rng.uniform(0.88, 1.14))), float(rng.uniform(-0.4, 0.4)))
    return mel_picture(trimmed(samples))


def digest_number(name: str) -> int:
    """A number that only the name decides."""
    return int(digest(name)[:8], 16)


def tilted(samples: np.ndarray, tilt: float) -> np.ndarray:
    """The sound with high frequencies raised (tilt < 0) or lowered."""
    return np.append(samples[0], samples[1:] + tilt * samples[:-1]).astype(np.float32)


class Sampler:
    """Draws pictures and classes, half of them of each language, some moved in time."""

    def __init__(self, data: Spoken) -> None:
        self._data = data
        self._of = [np.flatnonzero(data.classes // 10 == k) for k in range(len(LANGUAGES))]
        self._of = [rows for rows in self._of if len(rows)]

    def batch(
        self, size: int, rng: np.random.Generator, most_moved: int = PAUSE_COLUMNS
    ) -> tuple[Tensor, Tensor]:
        """float32 (B, 64, 64) and int64 (B,)."""
        rows = np.array([rng.choice(self._of[int(rng.integers(len(self._of)))]) for _ in range(size)])
        pictures = self._data.pictures[rows].astype(np.float32)
        moved = [moved_right(p, int(rng.integers(most_moved + 1))) for p in pictures]
        return torch.from_numpy(np.stack(moved)), torch.from_numpy(self._data.classes[rows])


def moved_right(picture: np.ndarray, columns: int) -> np.ndarray:
    """The picture so many columns later, with silence before it."""
    return np.pad(picture, ((0, 0), (columns, 0)), constant_values=-1.0)[:, : picture.shape[1]]


def train_digits(
    config: DigitsTrainConfig, data: Spoken, checkpoint: Path | None = None, stop_after: int | None = None
) -> DigitUnet:
    """The drawing network after `config.steps`, with averaged weights."""
    torch.manual_seed(config.seed)
    both = Averaged(DigitUnet(replace(config.net)), config.average)
    alpha_bar = torch.from_numpy(ddpm.SCHEDULES[config.schedule](config.times)).float()
    sampler = Sampler(data)

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        both.take()
        x, digit = sampler.batch(config.batch, rng)
        digit = torch.where(
            torch.from_numpy(rng.random(len(digit)) < config.dropped), config.net.classes, digit
        )
        t = torch.from_numpy(rng.integers(1, config.times + 1, len(x)))
        noise = torch.randn_like(x)
        x_t = ddpm.noised(x, noise, alpha_bar[t, None, None])
        wanted = noise if config.target == "epsilon" else x
        loss = F.smooth_l1_loss(both.net(x_t, t / config.times, digit), wanted)
        return loop.Outcome(loss, {}, 0.0)

    optimiser = torch.optim.AdamW(both.net.parameters(), weight_decay=0.01)
    schedule = loop.Schedule(config.steps, config.learning_rate, config.warm_up, floor=0.05, seed=config.seed)
    run = Run(both, optimiser, asdict(config), checkpoint)
    trained = loop.train(run, schedule, lesson, stop_after=stop_after)
    return trained.mean.eval()


def train_reader(
    config: ReaderTrainConfig, data: Spoken, checkpoint: Path | None = None, stop_after: int | None = None
) -> DigitReader:
    """The reading network after `config.steps`, on pictures moved in time, with noise, and parts hidden."""
    torch.manual_seed(config.seed)
    net = DigitReader(10 * len(LANGUAGES), config.width, config.dropout)
    sampler = Sampler(data)

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        x, digit = sampler.batch(config.batch, rng, 2 * PAUSE_COLUMNS)
        logits, _ = net(disturbed(x, rng))
        return loop.Outcome(F.cross_entropy(logits, digit, label_smoothing=0.05), {}, 0.0)

    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.05)
    schedule = loop.Schedule(config.steps, config.learning_rate, config.warm_up, seed=config.seed)
    return loop.train(
        Run(net, optimiser, asdict(config), checkpoint), schedule, lesson, stop_after=stop_after
    )


def disturbed(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Pictures (B, 64, 64) moved by bands, half of them over a floor of noise, parts of some hidden."""
    x = x + 0.1 * torch.randn_like(x)
    floor = torch.from_numpy(rng.uniform(-1.6, -0.4, (len(x), 1, 1)).astype(np.float32))
    x = torch.maximum(torch.roll(x, int(rng.integers(-2, 3)), dims=1), floor)
    band, column = rng.integers(0, 56, 2)
    some = slice(0, len(x) // 3)
    x[some, band : band + 6] = -1.0
    x[some, :, column : column + 6] = -1.0
    return x
