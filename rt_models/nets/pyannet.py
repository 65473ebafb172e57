"""The network of pyannote's segmentation-3.0 (Bredin 2023): learnable band-pass filters, an LSTM, a powerset.

Parameters are named as in the published checkpoint, so that its weights fit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voicelane.rt_models.nets.segmentation import CLASSES

SAMPLE_RATE = 16_000
FRAME_STEP, FRAME_SPAN = 270, 991
"""Samples between two frames, and that each of them sees before the LSTM."""


@dataclass(frozen=True)
class PyanNetConfig:
    """Sizes of the network; the defaults are the published ones."""

    n_filters: int = 80
    taps: int = 251
    stride: int = 10
    channels: int = 60
    width: int = 128
    """Of each direction of each recurrent layer, and of the linear ones."""
    n_layers: int = 4
    least_hz: float = 50.0


class PyanNet(nn.Module):
    """samples (B, n) at 16 kHz → logits (B, n_frames, 7), frame k centred at sample 270 k + 495."""

    def __init__(self, config: PyanNetConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or PyanNetConfig()
        self.sincnet = SincNet(c)
        self.lstm = nn.LSTM(c.channels, c.width, c.n_layers, batch_first=True, bidirectional=True)
        self.linear = nn.ModuleList([nn.Linear(2 * c.width, c.width), nn.Linear(c.width, c.width)])
        self.classifier = nn.Linear(c.width, len(CLASSES))

    def forward(self, samples: Tensor) -> Tensor:
        x, _ = self.lstm(self.sincnet(samples[:, None]).transpose(1, 2))
        for layer in self.linear:
            x = F.leaky_relu(layer(x))
        return self.classifier(x)


class SincNet(nn.Module):
    """(B, 1, n) → (B, channels, n_frames): three convolutions, each pooled and normalised."""

    def __init__(self, c: PyanNetConfig) -> None:
        super().__init__()
        self.wav_norm1d = nn.InstanceNorm1d(1, affine=True)
        self.conv1d = nn.ModuleList(
            [Filters(c), nn.Conv1d(c.n_filters, c.channels, 5), nn.Conv1d(c.channels, c.channels, 5)]
        )
        self.norm1d = nn.ModuleList(
            [nn.InstanceNorm1d(n, affine=True) for n in (c.n_filters, c.channels, c.channels)]
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.wav_norm1d(x)
        for number, (convolution, norm) in enumerate(zip(self.conv1d, self.norm1d, strict=True)):
            x = convolution(x)
            x = x.abs() if number == 0 else x
            x = F.leaky_relu(norm(F.max_pool1d(x, 3, stride=3)))
        return x


class Filters(nn.Module):
    """Band-pass filters by their edges (Ravanelli and Bengio 2018), in cosine and sine phase."""

    def __init__(self, c: PyanNetConfig) -> None:
        super().__init__()
        self.filterbank = SincParameters(c)
        self.stride = c.stride

    def forward(self, x: Tensor) -> Tensor:
        return F.conv1d(x, self.filterbank(), stride=self.stride)


class SincParameters(nn.Module):
    """The filters (n_filters, 1, taps): the first half even, the second odd."""

    window_: Tensor
    n_: Tensor

    def __init__(self, c: PyanNetConfig) -> None:
        super().__init__()
        self.least_hz, half = c.least_hz, c.taps // 2
        self.low_hz_ = nn.Parameter(torch.zeros(c.n_filters // 2, 1))
        self.band_hz_ = nn.Parameter(torch.zeros(c.n_filters // 2, 1))
        self.register_buffer("window_", torch.hamming_window(c.taps, periodic=False)[:half])
        self.register_buffer("n_", 2 * math.pi * torch.arange(-half, 0.0)[None] / SAMPLE_RATE)

    def forward(self) -> Tensor:
        low = self.least_hz + self.low_hz_.abs()
        high = (low + self.least_hz + self.band_hz_.abs()).clamp(self.least_hz, SAMPLE_RATE / 2)
        band = (high - low)[:, 0]
        at_low, at_high = low @ self.n_, high @ self.n_
        even = (at_high.sin() - at_low.sin()) / (self.n_ / 2) * self.window_
        odd = (at_low.cos() - at_high.cos()) / (self.n_ / 2) * self.window_
        cosine = torch.cat((even, 2 * band[:, None], even.flip(1)), dim=1) / (2 * band[:, None])
        sine = torch.cat((odd, torch.zeros_like(band[:, None]), -odd.flip(1)), dim=1) / (2 * band[:, None])
        return torch.cat((cosine, sine), dim=0)[:, None]
