"""Training of the network of two decoders: digits of one person in a row → the words in the language that was
spoken, and in the other one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from voicelane.rt_models.nets.two_decoders import TwoDecoders, TwoDecodersConfig, written
from voicelane.rt_models.training import loop
from voicelane.rt_models.training.checkpoint import Run
from voicelane.rt_models.training.digits import Spoken

LENGTHS = (2, 5)
"""Digits of a sequence."""
PAUSE_COLUMNS = (4, 16)
"""Between two of them, of 12.5 ms."""
SILENT = -0.98
"""A column that is quieter than this everywhere holds nothing."""


@dataclass(frozen=True)
class TwoDecodersTrainConfig:
    """One training run."""

    net: TwoDecodersConfig = field(default_factory=TwoDecodersConfig)
    steps: int = 1000
    batch: int = 16
    learning_rate: float = 2e-3
    warm_up: int = 100
    noise: float = 0.15
    """Deviation of what is added to the pictures, whose range is −1 … 1."""
    smoothing: float = 0.05
    ctc: float = 0.5
    """Weight of what teaches the encoder where words are."""
    seed: int = 0


@dataclass(frozen=True)
class Sentences:
    """A batch: pictures float32 (B, 64, columns), and tokens (B, places + 1), the beginning first."""

    pictures: Tensor
    spoken: Tensor
    translated: Tensor


class SentenceSampler:
    """Puts digits of one person, in one language, one after the other."""

    def __init__(self, data: Spoken, config: TwoDecodersConfig) -> None:
        self._data, self._config = data, config
        owners = [f"{who} {k // 10}" for who, k in zip(data.speakers, data.classes, strict=True)]
        self._of = [np.flatnonzero(np.array(owners) == owner) for owner in sorted(set(owners))]
        languages = [int(data.classes[rows[0]]) // 10 for rows in self._of]
        self._by_language = [[i for i, own in enumerate(languages) if own == k] for k in sorted({*languages})]
        silent = data.pictures.max(axis=1) < SILENT
        self._lengths = silent.shape[1] - np.argmin(silent[:, ::-1], axis=1)

    def batch(self, size: int, rng: np.random.Generator) -> Sentences:
        """Half of them of each language, whoever speaks."""
        found = [self._sentence(rng) for _ in range(size)]
        pictures = np.stack([picture for picture, _ in found])
        spoken = np.stack([self._tokens(classes) for _, classes in found])
        translated = np.stack([self._tokens((classes + 10) % 20) for _, classes in found])
        return Sentences(*map(torch.from_numpy, (pictures, spoken, translated)))

    def _sentence(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        people = self._by_language[int(rng.integers(len(self._by_language)))]
        own, count = (
            self._of[people[int(rng.integers(len(people)))]],
            int(rng.integers(*LENGTHS, endpoint=True)),
        )
        rows = rng.choice(own, count)
        picture, at = np.full((64, self._config.columns), -1.0, np.float32), 0
        for row in rows:
            at += int(rng.integers(*PAUSE_COLUMNS, endpoint=True))
            length = min(int(self._lengths[row]), self._config.columns - at)
            picture[:, at : at + length] = self._data.pictures[row, :, :length]
            at += length
        return picture, self._data.classes[rows]

    def _tokens(self, classes: np.ndarray) -> np.ndarray:
        """The beginning, the words, and the end until there is no place."""
        c = self._config
        found = np.full(c.places + 1, c.end, np.int64)
        found[0], found[1 : len(classes) + 1] = c.begin, classes
        return found


def train_two_decoders(
    config: TwoDecodersTrainConfig,
    data: Spoken,
    checkpoint: Path | None = None,
    stop_after: int | None = None,
) -> TwoDecoders:
    """The network after `config.steps`."""
    torch.manual_seed(config.seed)
    net, sampler = TwoDecoders(config.net), SentenceSampler(data, config.net)

    def lesson(rng: np.random.Generator) -> loop.Outcome:
        batch = sampler.batch(config.batch, rng)
        pictures = batch.pictures + config.noise * torch.randn_like(batch.pictures)
        heard = net.encode(pictures)
        given = net.decode(heard, batch.spoken[:, :-1], batch.translated[:, :-1])
        losses = [
            F.cross_entropy(logits.flatten(0, 1), told[:, 1:].flatten(), label_smoothing=config.smoothing)
            for logits, told in zip(given, (batch.spoken, batch.translated), strict=True)
        ]
        parts = {"spoken": float(losses[0].detach()), "translated": float(losses[1].detach())}
        return loop.Outcome(
            losses[0] + losses[1] + config.ctc * aligned(net, heard, batch.spoken), parts, 0.0
        )

    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = loop.Schedule(config.steps, config.learning_rate, config.warm_up, seed=config.seed)
    return loop.train(
        Run(net, optimiser, asdict(config), checkpoint), schedule, lesson, stop_after=stop_after
    )


def aligned(net: TwoDecoders, heard: Tensor, spoken: Tensor) -> Tensor:
    """CTC's loss of the words as spoken, of tokens (B, places + 1)."""
    logs = net.aligned(heard).log_softmax(dim=2).transpose(0, 1)
    is_word = spoken < net.config.words
    there = torch.full((len(spoken),), len(logs))
    return F.ctc_loss(logs, spoken[is_word], there, is_word.sum(dim=1), blank=net.config.words)


def right(net: TwoDecoders, data: Spoken, count: int, seed: int = 0) -> dict[str, float]:
    """Percent of `count` sequences of which each decoder writes every word right, and of which both do."""
    both = np.array([*_judged(net, data, count, np.random.default_rng(seed))])
    spoken, translated = (100 * both.mean(axis=0)).tolist()
    return {"spoken": spoken, "translated": translated, "both": 100 * float(both.all(axis=1).mean())}


def _judged(
    net: TwoDecoders, data: Spoken, count: int, rng: np.random.Generator
) -> Iterator[tuple[bool, bool]]:
    """Of each sequence, whether the one and the other decoder is right."""
    sampler = SentenceSampler(data, net.config)
    for _ in range(0, count, 50):
        batch = sampler.batch(min(50, count), rng)
        found = written(net.eval(), batch.pictures)
        answers = [
            (own == told[:, 1:]).all(dim=1)
            for own, told in zip(found, (batch.spoken, batch.translated), strict=True)
        ]
        yield from zip(*(a.tolist() for a in answers), strict=True)
