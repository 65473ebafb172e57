"""Networks of spoken digits: a class-conditional U-Net over mel pictures, and a recogniser of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from voicelane.rt_models.nets.seed import Sinusoids
from voicelane.rt_models.nets.voices import zero


@dataclass(frozen=True)
class DigitsConfig:
    """Sizes of the U-Net, which is one over time: two columns of 64 bands are a place."""

    classes: int = 20
    width: int = 64
    """Channels, at half and at a quarter of the columns."""
    told: int = 32
    """Numbers that the blocks are told of time and class."""
    attention: bool = True
    """Whether places look at words that stand for the class (cross-attention), and at each other."""
    words: int = 4
    """Of each class, for the attention."""


class DigitUnet(nn.Module):
    """x_t (B, 64, 64), t (B,) in 0 … 1, class (B,) int64 → x̂0, or ε̂, (B, 64, 64).

    The class number `classes` is none at all.
    """

    def __init__(self, config: DigitsConfig) -> None:
        super().__init__()
        self.config = c = config
        width, told = c.width, c.told
        self.time = nn.Sequential(Sinusoids(told), nn.Linear(told, told), nn.SiLU(), nn.Linear(told, told))
        self.of_class = nn.Embedding(c.classes + 1, told)
        self.into = nn.Conv1d(128, width, 3, padding=1)
        self.down = nn.ModuleList(Block(width, told) for _ in range(2))
        self.halve = nn.Conv1d(width, width, 2, stride=2)
        self.middle = nn.ModuleList(Block(width, told) for _ in range(3))
        self.look = Attention(width, c.classes + 1, c.words) if c.attention else None
        self.widen = nn.ConvTranspose1d(width, width, 2, stride=2)
        self.merge = nn.Conv1d(2 * width, width, 1)
        self.up = nn.ModuleList(Block(width, told) for _ in range(2))
        self.out = zero(nn.Conv1d(width, 128, 3, padding=1))

    def forward(self, x_t: Tensor, t: Tensor, digit: Tensor) -> Tensor:
        told = nn.functional.silu(self.time(1000.0 * t) + self.of_class(digit))
        batch = x_t.shape[0]
        x = self.into(x_t.reshape(batch, 64, 32, 2).transpose(2, 3).reshape(batch, 128, 32))
        for block in self.down:
            x = block(x, told)
        y = self.middle[0](self.halve(x), told)
        y = y if self.look is None else self.look(y, digit)
        for block in self.middle[1:]:
            y = block(y, told)
        x = self.merge(torch.cat((x, self.widen(y)), dim=1))
        for block in self.up:
            x = block(x, told)
        return self.out(x).reshape(batch, 64, 2, 32).transpose(2, 3).reshape(batch, 64, 64)


class Block(nn.Module):
    """Two convolutions over time; between them normalised, scaled and moved by what is told; added."""

    def __init__(self, channels: int, told: int) -> None:
        super().__init__()
        self.first = nn.Conv1d(channels, channels, 3, padding=1)
        self.normalise = nn.GroupNorm(8, channels, affine=False)
        self.told = nn.Linear(told, 2 * channels)
        self.second = nn.Conv1d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        scale, shift = self.told(told)[:, :, None].chunk(2, dim=1)
        y = self.normalise(self.first(x)) * (1 + scale) + shift
        return x + self.second(nn.functional.silu(y))


class Attention(nn.Module):
    """Places (B, C, T) look at each other and at the words of the class."""

    def __init__(self, channels: int, classes: int, words: int) -> None:
        super().__init__()
        self.words = nn.Embedding(classes, words * channels)
        self.n_words, self.scale = words, channels**-0.5
        self.normalise = nn.GroupNorm(1, channels)
        self.query = nn.Linear(channels, channels)
        self.key_value = nn.Linear(channels, 2 * channels)
        self.out = nn.Linear(channels, channels)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor, digit: Tensor) -> Tensor:
        places = self.normalise(x).transpose(1, 2)
        words = self.words(digit).reshape(-1, self.n_words, x.shape[1])
        key, value = self.key_value(torch.cat((places, words), dim=1)).chunk(2, dim=2)
        weights = torch.softmax(self.scale * self.query(places) @ key.transpose(1, 2), dim=2)
        return x + self.out(weights @ value).transpose(1, 2)


class DigitReader(nn.Module):
    """Mel pictures (B, 64, 64) → logits (B, classes) and what they are taken from (B, 3 · width)."""

    def __init__(self, classes: int = 20, width: int = 32, dropout: float = 0.2) -> None:
        super().__init__()
        self.classes, self.width = classes, width
        self.layers = nn.Sequential(
            nn.AvgPool2d(2),
            *(self._layer(a, b) for a, b in pairwise((1, width, 2 * width, 3 * width))),
        )
        self.drop = nn.Dropout(dropout)
        self.out = nn.Linear(3 * width, classes)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(picture[:, None]).mean(dim=(2, 3))
        return self.out(self.drop(features)), features

    @staticmethod
    def _layer(channels: int, wanted: int) -> nn.Sequential:
        convolution = nn.Conv2d(channels, wanted, 3, stride=2, padding=1)
        return nn.Sequential(convolution, nn.BatchNorm2d(wanted), nn.ReLU())
