"""The shipped encoder as a judge that training can learn from: whose voice an altered spectrum is."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from voicelane.dsp import features
from voicelane.inference import find_model, read_manifest
from voicelane.rt_models.training.restore import rebuilt
from voicelane.voices import bands

PRIOR_COLUMNS = 10
LEAK = 5e-8
"""Share of a column's power that the sidelobes of the STFT's Hamming window put into every bin (measured:
without it what `altered` says of quiet bands is off by 1.1 nepers instead of 0.5)."""


class Listener(nn.Module):
    """Log-mel columns (B, T, 80) of sounds that begin there → unit vectors (B, dim), as the engine finds
    them; nothing of it is trained."""

    prior: Tensor
    mel: Tensor
    bins: Tensor

    def __init__(self, encoder: str) -> None:
        """Raises `ValueError` for an encoder that is no conv-transformer."""
        super().__init__()
        folder = find_model(encoder, "encoder")
        settings = read_manifest(folder).settings
        prior = torch.tensor(settings["mean"], dtype=torch.float32)
        self._prior_columns = int(settings.get("mean_prior_columns", PRIOR_COLUMNS))
        self.register_buffer("prior", prior - prior.mean())
        self.register_buffer(
            "mel", torch.from_numpy(features.mel_matrix() * features.pre_emphasis_power()).float().T
        )
        self.register_buffer("bins", torch.from_numpy(bands.between_bands()[:, ::2]).float())
        crop = torch.randn(8, 100, len(prior), generator=torch.Generator().manual_seed(0))
        self.net = rebuilt(folder, [crop]).requires_grad_(False)

    def forward(self, columns: Tensor) -> Tensor:
        return torch.as_tensor(self.net.eval()(self.normalised(columns)))

    def normalised(self, columns: Tensor) -> Tensor:
        """What `voicelane.dsp.RunningMean` makes of the first 290 columns of a sound, or fewer."""
        n = torch.arange(1, columns.shape[1] + 1, device=columns.device)[:, None]
        loudness = torch.logsumexp(columns, dim=2, keepdim=True) - math.log(columns.shape[2])
        x = torch.maximum(columns, loudness.cumsum(1) / n - features.DEPTH)
        x = x - x.mean(dim=2, keepdim=True).cumsum(1) / n
        return x - (self._prior_columns * self.prior + x.cumsum(1)) / (self._prior_columns + n)

    def altered(self, columns: Tensor, before: Tensor, after: Tensor) -> Tensor:
        """Columns (B, T, 80) of a sound whose envelope, as bands (B, T, 64), is changed: its loudness and its
        harmonics stay."""
        return columns + self._columns(after) - self._columns(before)

    def _columns(self, levels: Tensor) -> Tensor:
        """Log-mel (B, T, 80) of envelopes of power 1, as bands (B, T, 64)."""
        power = torch.softmax(levels @ self.bins, dim=2)
        return torch.log((power + LEAK) @ self.mel)
