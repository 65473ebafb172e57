"""The network that keeps one person's voice: gains of mel bands, causal, told of the person's embedding."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

N_MELS = 80


@dataclass(frozen=True)
class KeeperConfig:
    """Sizes of the network."""

    dim: int = 192
    """Of the embedding."""
    person: int = 96
    """Numbers that it is made of before it tells the layers."""
    width: int = 160
    ahead: int = 4
    """Columns of 10 ms that it hears before it judges one."""


class KeeperNet(nn.Module):
    """Levels (B or 1, T, 80) of what the cleaner made and of the noisy sound, person (B, dim), hidden
    (2, B, width) → log-odds (B, T, 80) that a band is the person's, next hidden; T is even, since it thinks
    once per two columns.

    Column t of the result is of column t − ahead. Zeros in the place of a unit vector are anybody: what is
    left out at random in training makes classifier-free guidance possible (Ho and Salimans 2021).
    """

    def __init__(self, config: KeeperConfig) -> None:
        super().__init__()
        self.config = c = config
        self.know = nn.Sequential(nn.Linear(c.dim, c.person), nn.SiLU())
        self.look = nn.Linear(4 * N_MELS, c.width)
        self.tell = nn.ModuleList(nn.Linear(c.person, 2 * c.width) for _ in range(2))
        self.memory = nn.ModuleList(nn.GRU(c.width, c.width, batch_first=True) for _ in range(2))
        self.out = nn.Linear(2 * c.width, 2 * N_MELS)

    def forward(
        self, cleaned: Tensor, noisy: Tensor, person: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        seen, known, kept, after = torch.cat((cleaned, noisy), dim=-1), self.know(person), [], []
        x = F.relu(self.look(seen.reshape(seen.shape[0], -1, 4 * N_MELS)))
        for tell, memory, before in zip(self.tell, self.memory, hidden.split(1), strict=True):
            scale, shift = tell(known)[:, None].chunk(2, dim=-1)
            x, state = memory(x * (1.0 + scale) + shift, before)
            kept.append(x)
            after.append(state)
        odds = self.out(torch.cat(kept, dim=-1))
        return odds.reshape(len(person), -1, N_MELS), torch.cat(after)

    def silence(self, batch: int) -> Tensor:
        """What a stream remembers that has heard nothing."""
        return torch.zeros(2, batch, self.config.width)
