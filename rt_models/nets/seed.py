"""Networks that turn the embedding of noisy speech into that of clean speech: SEED's and its plain rival."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class SeedConfig:
    """Sizes of an enhancer of embeddings."""

    dim: int = 192
    """Length D of an embedding; the network is 2D wide."""
    n_blocks: int = 3
    self_conditioning: bool = False
    """Whether the diffusion network is told its estimate of the step before (Chen et al. 2023)."""
    dropout: float = 0.0


class ResidualDiffusionMlp(nn.Module):
    """x_t (B, D), t (B,), x̂0 of the step before (B, D) → x̂0 (B, D).

    `rdm_mlp` of SEED (https://arxiv.org/abs/2505.16798): a residual MLP of width 2D told of the time.
    """

    def __init__(self, config: SeedConfig) -> None:
        super().__init__()
        self.config = c = config
        width = 2 * c.dim
        self.time = nn.Sequential(
            Sinusoids(width), nn.Linear(width, c.dim), nn.SiLU(), nn.Linear(c.dim, c.dim)
        )
        self.into = nn.Linear(c.dim * (2 if c.self_conditioning else 1), width)
        self.blocks = nn.ModuleList(ResidualBlock(width, c.dropout, c.dim) for _ in range(c.n_blocks))
        self.normalise = nn.LayerNorm(width)
        self.out = _zero(nn.Linear(width, c.dim))

    def forward(self, x_t: Tensor, t: Tensor, before: Tensor) -> Tensor:
        time = self.time(t)
        x = self.into(torch.cat((x_t, before), dim=1) if self.config.self_conditioning else x_t)
        for block in self.blocks:
            x = block(x, time)
        return self.out(self.normalise(x))


class ResidualMlp(nn.Module):
    """x (B, D) → x̂ (B, D): the same residual MLP without time, beginning as the identity."""

    def __init__(self, config: SeedConfig) -> None:
        super().__init__()
        self.config = c = config
        width = 2 * c.dim
        self.into = nn.Linear(c.dim, width)
        self.blocks = nn.ModuleList(ResidualBlock(width, c.dropout) for _ in range(c.n_blocks))
        self.normalise = nn.LayerNorm(width)
        self.out = _zero(nn.Linear(width, c.dim))

    def forward(self, x: Tensor) -> Tensor:
        y = self.into(x)
        for block in self.blocks:
            y = block(y)
        return x + self.out(self.normalise(y))


class ResidualBlock(nn.Module):
    """LayerNorm, SiLU, Linear, + time; LayerNorm, SiLU, zero-init Linear; added to the input."""

    def __init__(self, width: int, dropout: float, time_width: int = 0) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.LayerNorm(width), nn.SiLU(), nn.Linear(width, width))
        self.time = nn.Sequential(nn.SiLU(), nn.Linear(time_width, width)) if time_width else None
        last = _zero(nn.Linear(width, width))
        self.second = nn.Sequential(nn.LayerNorm(width), nn.SiLU(), nn.Dropout(dropout), last)

    def forward(self, x: Tensor, time: Tensor | None = None) -> Tensor:  # (B, W), (B, time_width)
        y = self.first(x)
        if self.time is not None:
            y = y + self.time(time)
        return x + self.second(y)


class Sinusoids(nn.Module):
    """Times (B,) as `width` cosines and sines (Vaswani et al. 2017)."""

    rates: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        rates = torch.exp(torch.arange(width // 2) * (-math.log(10_000.0) / (width // 2)))
        self.register_buffer("rates", rates, persistent=False)

    def forward(self, t: Tensor) -> Tensor:
        angle = t[:, None] * self.rates
        return torch.cat((angle.cos(), angle.sin()), dim=1)


def _zero(layer: nn.Linear) -> nn.Linear:
    """The layer with every weight at zero."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
