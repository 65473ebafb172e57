"""The network that takes noise off complex spectra: a gain per bin, and short filters where harmonics lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

N_BINS = 257
POWER_FLOOR = 1e-10
LOG_MIDDLE, LOG_SPREAD = -8.0, 5.0
"""Nepers of power: about where the bins of speech lie, whatever its level."""


@dataclass(frozen=True)
class CleanerConfig:
    """Sizes of the network."""

    width: int = 160
    ahead: int = 4
    """Columns of 10 ms that it hears before it cleans one."""
    fine: int = 64
    """Lowest bins that it sees one by one, with how their phase advances."""
    coarse: int = 36
    """Bands that it sees the rest in."""
    filtered: int = 32
    """Lowest bins that are filtered over three columns (deep filtering, Mack and Habets 2020)."""


class CleanerNet(nn.Module):
    """spectra (B, T, 257, 2), past (B, ahead + 1, 257, 2), hidden and cell (1, B, width) → clean spectra
    (B, T, 257, 2), next past, next hidden, next cell; T is even, since it thinks once per two columns.

    Column t of the result is the clean version of column t − ahead.
    """

    bands: Tensor

    def __init__(self, config: CleanerConfig) -> None:
        super().__init__()
        self.config = c = config
        self.register_buffer("bands", band_matrix(c.fine, c.coarse), persistent=False)
        self.look = nn.Linear(2 * (c.fine + c.coarse + 2 * c.fine), c.width)
        self.memory = nn.LSTM(c.width, c.width, batch_first=True)
        self.gain = nn.Linear(2 * c.width, 2 * N_BINS)
        self.taps = nn.Linear(c.width, 2 * 3 * c.filtered * 2)
        nn.init.zeros_(self.taps.weight)
        nn.init.zeros_(self.taps.bias)

    def forward(
        self, spectra: Tensor, past: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        heard = torch.cat((past, spectra), dim=1)  # (B, ahead + 1 + T, 257, 2)
        known, (hidden, cell) = self.remember(heard, hidden, cell)
        size = spectra.shape[1]
        clean = self.cleaned([heard[:, k : k + size] for k in range(3)], known)
        return clean, heard[:, size:], hidden, cell

    def remember(self, heard: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What is known (B, T / 2, 2 · width) after every second column of `heard` from ahead + 1 on."""
        seen = self._features(heard[:, self.config.ahead :])
        looked = F.relu(self.look(seen.reshape(seen.shape[0], -1, 2 * seen.shape[2])))
        memory, state = self.memory(looked, (hidden, cell))
        return torch.cat((memory, looked), dim=-1), state

    def _features(self, heard: Tensor) -> Tensor:
        """Of each column but the first (B, T, fine + coarse + 2 · fine): log power, and by how much the phase
        advanced beyond what the bin's frequency makes of it."""
        now, before = heard[:, 1:], heard[:, :-1]
        power = now.square().sum(-1)  # (B, T, 257)
        log_power = (torch.log(power @ self.bands + POWER_FLOOR) - LOG_MIDDLE) / LOG_SPREAD
        return torch.cat((log_power, self._advance(now, before).flatten(2)), dim=-1)

    def _advance(self, now: Tensor, before: Tensor) -> Tensor:
        """z_t · conj(z_{t−1}) of unit length (B, T, fine, 2)."""
        a, b = now[:, :, : self.config.fine], before[:, :, : self.config.fine]
        turned = torch.stack(
            (
                a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1],
                a[..., 1] * b[..., 0] - a[..., 0] * b[..., 1],
            ),
            dim=-1,
        )
        return turned * torch.rsqrt(turned.square().sum(-1, keepdim=True) + POWER_FLOOR**2)

    def cleaned(self, around: Sequence[Tensor], known: Tensor) -> Tensor:
        """Columns from themselves, those before and those behind them, (B, T, 257, 2) each."""
        n, batch = self.config.filtered, len(known)
        gained = torch.sigmoid(self.gain(known).reshape(batch, -1, N_BINS, 1)) * around[1]
        taps = self.taps(known[..., : self.config.width]).reshape(batch, -1, 3, n, 2)
        low = sum(_times(taps[:, :, k], columns[:, :, :n]) for k, columns in enumerate(around))
        return torch.cat((gained[:, :, :n] + low, gained[:, :, n:]), dim=2)

    def silence(self, batch: int) -> tuple[Tensor, Tensor, Tensor]:
        """What a stream remembers that has heard nothing: past columns, hidden state, cells."""
        c = self.config
        state = torch.zeros(1, batch, c.width)
        return torch.zeros(batch, c.ahead + 1, N_BINS, 2), state, state.clone()


def _times(a: Tensor, b: Tensor) -> Tensor:
    """Complex product of pairs (…, 2)."""
    real = a[..., 0] * b[..., 0] - a[..., 1] * b[..., 1]
    return torch.stack((real, a[..., 0] * b[..., 1] + a[..., 1] * b[..., 0]), dim=-1)


def band_matrix(fine: int, coarse: int) -> Tensor:
    """Means over bands, float32 (257, fine + coarse): the lowest bins alone, the others in wider bands."""
    edges = np.concatenate((np.arange(fine), np.geomspace(fine, N_BINS, coarse + 1).round()))
    starts, ends = edges[:-1], edges[1:]
    bins = np.arange(N_BINS)[:, None]
    inside = (bins >= starts) & (bins < ends)
    return torch.from_numpy((inside / inside.sum(axis=0)).astype(np.float32))
