"""The recurrent network behind the voice activity detector."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class VadNetConfig:
    """Sizes of the network."""

    n_features: int = 46
    width: int = 96
    ahead_frames: int = 8
    """Frames of 20 ms that it hears before it judges a frame."""


class VadNet(nn.Module):
    """features (B, T, n_features), hidden (1, B, width) → logits (B, T), next hidden.

    Logit t judges frame t − ahead_frames.
    """

    def __init__(self, config: VadNetConfig) -> None:
        super().__init__()
        self.config = config
        self.memory = nn.GRU(config.n_features, config.width, batch_first=True)
        self.judge = nn.Sequential(nn.Linear(config.width, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, features: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        heard, hidden = self.memory(features, hidden)
        return self.judge(heard)[..., 0], hidden

    def silence(self, batch: int) -> Tensor:
        """The hidden state of a stream that has heard nothing."""
        return torch.zeros(1, batch, self.config.width)
