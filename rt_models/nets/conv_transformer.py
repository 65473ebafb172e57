"""The conv-transformer speaker encoder: mean-normalised log-mel columns → one unit-length embedding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class ConvTransformerConfig:
    """Sizes of the encoder; the defaults are the shipped ones."""

    n_mels: int = 80
    """Bands per input channel."""
    in_channels: int = 1
    """1 for log-mel alone, 3 with the two phase features."""
    conv_channels: tuple[int, int] = (32, 64)
    """Channels of the two convolutions, each halving time and frequency."""
    width: int = 192
    n_blocks: int = 4
    n_heads: int = 4
    feed_forward: int = 768
    kernel: int = 15
    """Taps of the depthwise convolution in each block; 0 leaves it out."""
    pooling: Literal["statistics", "mean"] = "statistics"
    """Attentive mean and deviation, or the plain mean over time."""
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    max_positions: int = 1024
    """Tokens that a learned positional table holds (40 ms each)."""
    dropout: float = 0.0
    dim: int = 192
    """Length of the embedding."""


class ConvTransformer(nn.Module):
    """x: (B, T, in_channels · n_mels) → (B, dim), L2-normalised; T ≥ 7.

    In two halves: `tokens` (convolutions without padding over time, so that token k depends on the
    columns 4k … 4k + 6 alone and neighbouring windows can share it) and `embed`.
    """

    def __init__(self, config: ConvTransformerConfig) -> None:
        super().__init__()
        self.config = c = config
        first, second = c.conv_channels
        self.convolutions = nn.Sequential(
            nn.Conv2d(c.in_channels, first, 3, stride=2, padding=(0, 1)),
            nn.BatchNorm2d(first),
            nn.ReLU(),
            nn.Conv2d(first, second, 3, stride=2, padding=(0, 1)),
            nn.BatchNorm2d(second),
            nn.ReLU(),
        )
        self.project = nn.Linear(second * math.ceil(math.ceil(c.n_mels / 2) / 2), c.width)
        self.positions = _positions(c)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.n_blocks))
        self.n_features = c.width * c.n_blocks
        self.normalise = nn.LayerNorm(self.n_features)
        self.pool = AttentiveStatistics(self.n_features) if c.pooling == "statistics" else MeanPool()
        self.out = nn.Linear(self.n_features * (2 if c.pooling == "statistics" else 1), c.dim)
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.embed(self.tokens(x))

    def tokens(self, x: Tensor) -> Tensor:
        """Columns (B, T, in_channels · n_mels) → (B, (T - 3) // 4, width)."""
        c = self.config
        x = x.unflatten(2, (c.in_channels, c.n_mels)).transpose(1, 2)  # (B, C, T, F)
        x = self.convolutions(x)  # (B, C', T', F/4)
        return self.project(x.transpose(1, 2).flatten(2))

    def embed(self, tokens: Tensor) -> Tensor:
        """Tokens (B, T', width) → (B, dim)."""
        return self.summarise(self.features(tokens))

    def features(self, tokens: Tensor) -> Tensor:
        """The outputs of all blocks side by side, normalised: (B, T', n_blocks · width)."""
        x = self.dropout(tokens + self.positions(tokens))
        heard = []
        for block in self.blocks:
            x = block(x)
            heard.append(x)
        return self.normalise(torch.cat(heard, dim=2))

    def summarise(self, features: Tensor) -> Tensor:
        """Features (B, T', n_blocks · width) → (B, dim)."""
        return F.normalize(self.out(self.pool(features)), dim=1)


class Block(nn.Module):
    """Pre-norm attention, depthwise convolution and feed-forward, each added to its input."""

    def __init__(self, c: ConvTransformerConfig) -> None:
        super().__init__()
        self.attention = Attention(c.width, c.n_heads)
        self.convolution = Depthwise(c.width, c.kernel) if c.kernel else None
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(c.width),
            nn.Linear(c.width, c.feed_forward),
            nn.SiLU(),
            nn.Linear(c.feed_forward, c.width),
        )
        self.dropout = nn.Dropout(c.dropout)

    def forward(self, x: Tensor) -> Tensor:  # (B, T, width)
        x = x + self.dropout(self.attention(x))
        if self.convolution is not None:
            x = x + self.dropout(self.convolution(x))
        return x + self.dropout(self.feed_forward(x))


class Attention(nn.Module):
    """Multi-head self-attention over the whole window."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.normalise = nn.LayerNorm(width)
        self.to_qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        qkv = self.to_qkv(self.normalise(x)).unflatten(2, (3, self.n_heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, T, width / heads)
        return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Depthwise(nn.Module):
    """Gated pointwise and depthwise convolution over time (Gulati et al. 2020, Conformer)."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.normalise = nn.LayerNorm(width)
        self.gate = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.scale = nn.BatchNorm1d(width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = F.glu(self.gate(self.normalise(x)), dim=2)
        x = F.silu(self.scale(self.depthwise(x.transpose(1, 2)))).transpose(1, 2)
        return self.out(x)


class AttentiveStatistics(nn.Module):
    """Attention-weighted mean and standard deviation over time (Okabe et al. 2018)."""

    def __init__(self, width: int, hidden: int = 96) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:  # (B, T, W) → (B, 2W)
        weight = self.score(x).softmax(dim=1)
        mean = (weight * x).sum(dim=1)
        variance = (weight * (x - mean[:, None]) ** 2).sum(dim=1)
        return torch.cat((mean, (variance + 1e-5).sqrt()), dim=1)


class MeanPool(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=1)


class Sinusoids(nn.Module):
    """Fixed sines and cosines (Vaswani et al. 2017), computed for the length at hand."""

    rates: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
        self.register_buffer("rates", rates, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        angle = torch.arange(x.shape[1], device=x.device)[:, None] * self.rates
        return torch.cat((angle.sin(), angle.cos()), dim=1)


class LearnedPositions(nn.Module):
    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(length, width) * 0.02)

    def forward(self, x: Tensor) -> Tensor:
        return self.table[: x.shape[1]]


def _positions(c: ConvTransformerConfig) -> nn.Module:
    if c.positions == "sinusoidal":
        return Sinusoids(c.width)
    return LearnedPositions(c.width, c.max_positions)
