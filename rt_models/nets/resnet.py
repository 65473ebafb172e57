"""ResNetSE34V2 (Heo et al. 2020): a ResNet-34 with squeeze-and-excitation over log-mel columns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class ResNetSE34Config:
    """Sizes of ResNetSE34V2."""

    n_mels: int = 64
    """A multiple of 8."""
    in_channels: int = 1
    channels: tuple[int, int, int, int] = (32, 64, 128, 256)
    blocks: tuple[int, int, int, int] = (3, 4, 6, 3)
    hidden: int = 128
    """Of the attention."""
    dim: int = 512
    """Length of the embedding."""


class ResNetSE34(nn.Module):
    """x: (B, T, n_mels) → (B, dim), L2-normalised; every band is normalised over the window."""

    def __init__(self, config: ResNetSE34Config) -> None:
        super().__init__()
        self.config = c = config
        first = c.channels[0]
        self.normalise = nn.InstanceNorm1d(c.n_mels * c.in_channels)
        self.first = nn.Sequential(
            nn.Conv2d(c.in_channels, first, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(first)
        )
        self.stages = nn.Sequential()
        n_in = first
        for k, (n_out, n_blocks) in enumerate(zip(c.channels, c.blocks, strict=True)):
            for b in range(n_blocks):
                self.stages.append(Block(n_in, n_out, stride=2 if k and not b else 1))
                n_in = n_out
        width = n_in * (c.n_mels // 8)
        self.attention = nn.Sequential(
            nn.Conv1d(width, c.hidden, 1),
            nn.ReLU(),
            nn.BatchNorm1d(c.hidden),
            nn.Conv1d(c.hidden, width, 1),
        )
        self.out = nn.Linear(2 * width, c.dim)

    def forward(self, x: Tensor) -> Tensor:
        c = self.config
        x = self.normalise(x.transpose(1, 2)).unflatten(1, (c.in_channels, c.n_mels))  # (B, C, F, T)
        x = self.stages(self.first(x)).flatten(1, 2)  # (B, C' · F/8, T/8)
        weight = self.attention(x).softmax(dim=2)
        mean = (weight * x).sum(dim=2)
        deviation = ((weight * x**2).sum(dim=2) - mean**2).clamp(min=1e-5).sqrt()
        return F.normalize(self.out(torch.cat((mean, deviation), dim=1)), dim=1)


class Block(nn.Module):
    """Two 3×3 convolutions and squeeze-and-excitation (reduction 8) around a shortcut."""

    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
            nn.ReLU(),
            nn.BatchNorm2d(n_out),
            nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.gate = nn.Sequential(
            nn.Linear(n_out, n_out // 8), nn.ReLU(), nn.Linear(n_out // 8, n_out), nn.Sigmoid()
        )
        self.shortcut = (
            nn.Identity()
            if n_in == n_out and stride == 1
            else nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.convolutions(x)
        return F.relu(y * self.gate(y.mean(dim=(2, 3)))[:, :, None, None] + self.shortcut(x))
