"""The LSTM d-vector network (Wan et al. 2018; Resemblyzer's sizes): log-mel columns → one embedding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class LstmConfig:
    """Sizes of the d-vector network."""

    n_mels: int = 40
    in_channels: int = 1
    hidden: int = 256
    n_layers: int = 3
    dim: int = 256
    """Length of the embedding."""


class LstmDVector(nn.Module):
    """x: (B, T, n_mels) → (B, dim), L2-normalised: the last hidden state through a rectified projection."""

    def __init__(self, config: LstmConfig) -> None:
        super().__init__()
        self.config = c = config
        self.lstm = nn.LSTM(c.n_mels * c.in_channels, c.hidden, c.n_layers, batch_first=True)
        self.out = nn.Linear(c.hidden, c.dim)

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):  # few processors have an LSTM in bfloat16
            _, (hidden, _) = self.lstm(x.float())
        return F.normalize(self.out(hidden[-1]), dim=1)
