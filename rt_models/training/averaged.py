"""A network and the exponential mean of its weights, which is what is used."""

from __future__ import annotations

from copy import deepcopy
from typing import Generic

import torch
from torch import Tensor, nn

from voicelane.rt_models.training.checkpoint import Net


class Averaged(nn.Module, Generic[Net]):
    """Trains `net` and keeps `mean`, both in one checkpoint."""

    taken: Tensor

    def __init__(self, net: Net, keeps: float) -> None:
        super().__init__()
        self.net, self._keeps = net, keeps
        self.mean: Net = deepcopy(net).requires_grad_(False).eval()
        self.register_buffer("taken", torch.zeros(()))

    @torch.no_grad()
    def take(self) -> None:
        """The weights of now into the mean, which is warm after a tenth of the steps taken."""
        self.taken += 1
        keeps = min(self._keeps, float((1 + self.taken) / (10 + self.taken)))
        for mean, now in zip(self.mean.parameters(), self.net.parameters(), strict=True):
            mean.lerp_(now, 1 - keeps)
