"""Networks that denoise speaker embeddings, told of a mean pitch: `linear` layers, and a 1-D `unet`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from voicelane.rt_models.nets.seed import ResidualBlock, Sinusoids

STRIDES = 3
"""How often the U-Net halves the vector."""


@dataclass(frozen=True)
class VoiceNetConfig:
    """Sizes of a network over vectors of `dim` numbers."""

    dim: int = 192
    kind: Literal["linear", "unet"] = "linear"
    width: int = 128
    """Numbers inside `linear`, channels of the first level of `unet`."""
    blocks: int = 3
    dropout: float = 0.1


class VoiceNet(nn.Module):
    """x_t (B, D), t (B,) in 0 … 1, pitch (B, 2) → what the target says, ε or x0 (B, D).

    A pitch is log2 of Hz over 160, and 1 where it is told; two zeros where it is not.
    """

    def __init__(self, config: VoiceNetConfig) -> None:
        super().__init__()
        self.config = c = config
        told = 64
        self.time = nn.Sequential(Sinusoids(told), nn.Linear(told, told))
        self.pitch = nn.Linear(2, told)
        self.body = LinearBody(c, told) if c.kind == "linear" else UnetBody(c, told)

    def forward(self, x_t: Tensor, t: Tensor, pitch: Tensor) -> Tensor:
        return self.body(x_t, torch.nn.functional.silu(self.time(1000.0 * t) + self.pitch(pitch)))


class LinearBody(nn.Module):
    """Residual layers of one width."""

    def __init__(self, c: VoiceNetConfig, told: int) -> None:
        super().__init__()
        self.into = nn.Linear(c.dim, c.width)
        self.blocks = nn.ModuleList(ResidualBlock(c.width, c.dropout, told) for _ in range(c.blocks))
        self.normalise = nn.LayerNorm(c.width)
        self.out = zero(nn.Linear(c.width, c.dim))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        x = self.into(x)
        for block in self.blocks:
            x = block(x, told)
        return self.out(self.normalise(x))


class UnetBody(nn.Module):
    """A U-Net along the vector, whose numbers stand in the order of their variance."""

    def __init__(self, c: VoiceNetConfig, told: int) -> None:
        super().__init__()
        sizes = [c.width * min(k, 2) for k in range(1, STRIDES + 2)]
        self.into = nn.Conv1d(1, sizes[0], 3, padding=1)
        self.down = nn.ModuleList(Convolved(n, told) for n in sizes)
        pairs = list(pairwise(sizes))
        self.halve = nn.ModuleList(nn.Conv1d(a, b, 2, stride=2) for a, b in pairs)
        self.widen = nn.ModuleList(nn.ConvTranspose1d(b, a, 2, stride=2) for a, b in pairs)
        self.merge = nn.ModuleList(nn.Conv1d(2 * a, a, 1) for a, _ in pairs)
        self.up = nn.ModuleList(Convolved(a, told) for a, _ in pairs)
        self.everything = ResidualBlock(sizes[-1], c.dropout, told)
        self.out = zero(nn.Conv1d(sizes[0], 1, 3, padding=1))

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        y, levels = self.into(x[:, None]), []
        for k, block in enumerate(self.down):
            y = block(y, told)
            if k < len(self.halve):
                levels.append(y)
                y = self.halve[k](y)
        y = y + self.everything(y.mean(dim=2), told)[:, :, None]
        for k in reversed(range(len(levels))):
            y = self.up[k](self.merge[k](torch.cat((levels[k], self.widen[k](y)), dim=1)), told)
        return self.out(y)[:, 0]


class Convolved(nn.Module):
    """Two convolutions (B, C, n), moved by what is told; added to the input."""

    def __init__(self, channels: int, told: int) -> None:
        super().__init__()
        self.first = nn.Sequential(
            nn.GroupNorm(4, channels), nn.SiLU(), nn.Conv1d(channels, channels, 5, padding=2)
        )
        self.told = nn.Linear(told, channels)
        self.second = nn.Sequential(
            nn.GroupNorm(4, channels), nn.SiLU(), zero(nn.Conv1d(channels, channels, 5, padding=2))
        )

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        return x + self.second(self.first(x) + self.told(told)[:, :, None])


def zero(layer: nn.Linear | nn.Conv1d) -> nn.Linear | nn.Conv1d:
    """The layer with every weight at zero."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
