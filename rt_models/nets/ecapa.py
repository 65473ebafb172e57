"""ECAPA-TDNN (Desplanques et al. 2020) in the form that SEED builds on: log-mel columns → one embedding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class EcapaConfig:
    """Sizes of ECAPA-TDNN."""

    n_mels: int = 80
    in_channels: int = 1
    channels: int = 1024
    scale: int = 8
    """Groups of channels in a Res2 block."""
    squeezed: int = 128
    aggregated: int = 1536
    hidden: int = 256
    """Of the attention."""
    dim: int = 256
    """Length of the embedding."""


class Ecapa(nn.Module):
    """x: (B, T, n_mels) → (B, dim), L2-normalised."""

    def __init__(self, config: EcapaConfig) -> None:
        super().__init__()
        self.config = c = config
        self.first = Tdnn(c.n_mels * c.in_channels, c.channels, 5)
        self.blocks = nn.ModuleList(Res2Block(c, dilation) for dilation in (2, 3, 4))
        self.aggregate = nn.Conv1d(3 * c.channels, c.aggregated, 1)
        self.attention = nn.Sequential(
            nn.Conv1d(c.aggregated, c.hidden, 1),
            nn.ReLU(),
            nn.BatchNorm1d(c.hidden),
            nn.Conv1d(c.hidden, c.aggregated, 1),
        )
        self.normalise = nn.BatchNorm1d(2 * c.aggregated)
        self.out = nn.Linear(2 * c.aggregated, c.dim)
        self.scale = nn.BatchNorm1d(c.dim)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x.transpose(1, 2))  # (B, C, T)
        heard: list[Tensor] = []
        for block in self.blocks:
            heard.append(block(x + sum(heard)))
        x = F.relu(self.aggregate(torch.cat(heard, dim=1)))
        return F.normalize(self.scale(self.out(self.normalise(self._pooled(x)))), dim=1)

    def _pooled(self, x: Tensor) -> Tensor:
        """Attention-weighted mean and deviation, (B, 2 A)."""
        weight = self.attention(x).softmax(dim=2)
        mean = (weight * x).sum(dim=2)
        variance = (weight * x**2).sum(dim=2) - mean**2
        return torch.cat((mean, variance.clamp(min=1e-4).sqrt()), dim=1)


class Tdnn(nn.Sequential):
    """Convolution over time, rectifier, batch normalisation; the length stays."""

    def __init__(self, n_in: int, n_out: int, kernel: int, dilation: int = 1) -> None:
        super().__init__(
            nn.Conv1d(n_in, n_out, kernel, dilation=dilation, padding=kernel // 2 * dilation),
            nn.ReLU(),
            nn.BatchNorm1d(n_out),
        )


class Res2Block(nn.Module):
    """Dilated Res2 convolution between two pointwise ones, with squeeze-and-excitation."""

    def __init__(self, c: EcapaConfig, dilation: int) -> None:
        super().__init__()
        width = c.channels // c.scale
        self.width = width
        self.reduce = Tdnn(c.channels, c.channels, 1)
        self.groups = nn.ModuleList(Tdnn(width, width, 3, dilation) for _ in range(c.scale - 1))
        self.expand = Tdnn(c.channels, c.channels, 1)
        self.gate = nn.Sequential(
            nn.Conv1d(c.channels, c.squeezed, 1, bias=False),
            nn.ReLU(),
            nn.BatchNorm1d(c.squeezed),
            nn.Conv1d(c.squeezed, c.channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        *pieces, last = self.reduce(x).split(self.width, dim=1)
        found = [self.groups[0](pieces[0])]
        for piece, group in zip(pieces[1:], self.groups[1:], strict=True):
            found.append(group(found[-1] + piece))
        y = self.expand(torch.cat((*found, last), dim=1))
        return x + self.gate(y.mean(dim=2, keepdim=True)) * y
