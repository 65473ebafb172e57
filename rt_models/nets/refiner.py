"""The network that refines cleaned speech by diffusion: the denoiser of Diff-SV on mel bands, causal."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voicelane.rt_models.nets.seed import Sinusoids

N_MELS = 80
TIME_SCALE = 1000.0
"""Times 0 … 1 are told as 0 … 1000."""


@dataclass(frozen=True)
class RefinerConfig:
    """Sizes of the network."""

    width: int = 192
    blocks: int = 6
    kernel: int = 9
    """Columns of 10 ms that a block sees at once, up to the present one."""
    ahead: int = 4
    """Columns that it hears before it refines one."""


class RefinerNet(nn.Module):
    """z_t (B, T, 80) and x̂ (B, T, 80) of the columns to refine; x̂ and x (B, T, 80) of those `ahead` later;
    t (B,); past (blocks, B, kernel − 1, width) → ẑ0 (B, T, 80), next past.

    Levels of `voicelane.dsp.bands`: x of the noisy sound, x̂ of the sound that the cleaner made of it, ẑ0 of
    the clean one (Diff-SV, https://arxiv.org/abs/2309.08320: noise turns a clean level to N(x̂, 1)).
    """

    def __init__(self, config: RefinerConfig) -> None:
        super().__init__()
        self.config = c = config
        self.time = nn.Sequential(Sinusoids(64), nn.Linear(64, c.width), nn.SiLU())
        self.into = nn.Linear(4 * N_MELS, c.width)
        self.blocks = nn.ModuleList(CausalBlock(c.width, c.kernel) for _ in range(c.blocks))
        self.normalise = nn.LayerNorm(c.width)
        self.out = nn.Linear(c.width, N_MELS)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, z: Tensor, base: Tensor, cleaned: Tensor, noisy: Tensor, t: Tensor, past: Tensor
    ) -> tuple[Tensor, Tensor]:
        time = self.time(t * TIME_SCALE)[:, None]
        x, kept = self.into(torch.cat((z, base, cleaned, noisy), dim=-1)), []
        for block, before in zip(self.blocks, past, strict=True):
            x, after = block(x, time, before)
            kept.append(after)
        return base + self.out(self.normalise(x)), torch.stack(kept)

    def silence(self, batch: int) -> Tensor:
        """What a stream remembers that has heard nothing."""
        c = self.config
        return torch.zeros(c.blocks, batch, c.kernel - 1, c.width)


class CausalBlock(nn.Module):
    """x (B, T, width), time (B, 1, width), past (B, kernel − 1, width) → the same and the next past: a
    depthwise convolution over the present column and those before, then every column by itself."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.time = nn.Linear(width, 2 * width)
        self.normalise = nn.LayerNorm(width)
        self.along = nn.Conv1d(width, width, kernel, groups=width)
        self.wide, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor, time: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        scale, shift = self.time(time).chunk(2, dim=-1)
        heard = torch.cat((past, self.normalise(x) * (1.0 + scale) + shift), dim=1)
        along = self.along(heard.transpose(1, 2)).transpose(1, 2)
        return x + self.narrow(F.silu(self.wide(along))), heard[:, x.shape[1] :]
