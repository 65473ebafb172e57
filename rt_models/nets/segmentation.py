"""The network that tells who of up to three voices speaks when, within a few seconds of sound."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = ((), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2))
"""Powerset of three voices with at most two at once (Plaquet and Bredin 2023)."""


@dataclass(frozen=True)
class SegmentationConfig:
    """Sizes of the network."""

    n_mels: int = 80
    channels: int = 128
    width: int = 128
    """Of each direction of each recurrent layer."""
    n_layers: int = 3
    dropout: float = 0.1


class SegmentationNet(nn.Module):
    """log_mel (B, T, n_mels), columns of 10 ms → logits (B, T // 2, 7), frames of 20 ms; T a multiple of 4.

    Which voice is the first, second or third is arbitrary and holds within the window alone.
    """

    def __init__(self, config: SegmentationConfig) -> None:
        super().__init__()
        self.config = c = config
        self.local = nn.ModuleList(
            [
                nn.Conv1d(c.n_mels, c.channels, 5, stride=2, padding=2),
                nn.Conv1d(c.channels, c.channels, 5, stride=2, padding=2),
            ]
        )
        self.calm = nn.ModuleList([nn.LayerNorm(c.channels) for _ in self.local])
        self.memory = nn.LSTM(
            c.channels, c.width, c.n_layers, batch_first=True, dropout=c.dropout, bidirectional=True
        )
        self.judge = nn.Sequential(
            nn.Linear(2 * c.width, c.width), nn.LeakyReLU(), nn.Linear(c.width, 2 * len(CLASSES))
        )

    def forward(self, log_mel: Tensor) -> Tensor:
        x = (log_mel - log_mel.mean(dim=1, keepdim=True)) / 3.0
        for convolution, norm in zip(self.local, self.calm, strict=True):
            x = F.gelu(norm(convolution(x.transpose(1, 2)).transpose(1, 2)))  # (B, T', channels)
        x, _ = self.memory(x)
        x = self.judge(x)  # (B, T / 4, 14): two frames a step
        return x.reshape(x.shape[0], -1, len(CLASSES))
