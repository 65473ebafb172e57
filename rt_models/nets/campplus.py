"""CAM++ (Wang et al. 2023): a densely connected time-delay network with context-aware masking.

Parameters are named as in the published checkpoint, so that its weights fit.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SEGMENT_FRAMES = 100
"""Frames of 20 ms whose mean is the near context of each of them."""


@dataclass(frozen=True)
class CamPlusPlusConfig:
    """Sizes of the network; the defaults are those of the published `zh_en_16k-common_advanced`."""

    n_mels: int = 80
    head_channels: int = 32
    channels: int = 128
    growth: int = 32
    bottleneck: int = 128
    layers: tuple[int, ...] = (12, 24, 16)
    dilations: tuple[int, ...] = (1, 2, 2)
    dim: int = 192


class CamPlusPlus(nn.Module):
    """columns (B, T, n_mels) of 10 ms, less their mean → embedding (B, dim); T ≥ 10."""

    def __init__(self, config: CamPlusPlusConfig | None = None) -> None:
        super().__init__()
        self.config = c = config or CamPlusPlusConfig()
        self.head = Head(c.head_channels)
        width = c.channels
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        parts["tdnn"] = TimeDelay(c.head_channels * c.n_mels // 8, width)
        for number, (n_layers, dilation) in enumerate(zip(c.layers, c.dilations, strict=True), 1):
            parts[f"block{number}"] = DenseBlock(n_layers, width, c.growth, c.bottleneck, dilation)
            width += n_layers * c.growth
            parts[f"transit{number}"] = Transit(width, width // 2)
            width //= 2
        parts["out_nonlinear"] = activation(width)
        parts["stats"] = Statistics()
        parts["dense"] = Dense(2 * width, c.dim)
        self.xvector = nn.Sequential(parts)

    def forward(self, columns: Tensor) -> Tensor:
        out: Tensor = self.xvector(self.head(columns.transpose(1, 2)))
        return out


def activation(channels: int, affine: bool = True) -> nn.Sequential:
    """Batch norm and, where it is affine, a ReLU."""
    parts: OrderedDict[str, nn.Module] = OrderedDict(batchnorm=nn.BatchNorm1d(channels, affine=affine))
    if affine:
        parts["relu"] = nn.ReLU()
    return nn.Sequential(parts)


class Residual(nn.Module):
    """Two 3 × 3 convolutions over frequency and time, the first with a stride over frequency."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, (stride, 1), 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride > 1:
            self.shortcut.append(nn.Conv2d(channels, channels, 1, (stride, 1), bias=False))
            self.shortcut.append(nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.shortcut(x))


class Head(nn.Module):
    """(B, n_mels, T) → (B, channels · n_mels / 8, T): residual 2-D convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(Residual(channels, 2), Residual(channels, 1))
        self.layer2 = nn.Sequential(Residual(channels, 2), Residual(channels, 1))
        self.conv2 = nn.Conv2d(channels, channels, 3, (2, 1), 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x[:, None])))
        x = F.relu(self.bn2(self.conv2(self.layer2(self.layer1(x)))))
        return x.flatten(1, 2)


class TimeDelay(nn.Module):
    """Five taps over time, every second frame kept."""

    def __init__(self, given: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(given, channels, 5, stride=2, padding=2, bias=False)
        self.nonlinear = activation(channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.nonlinear(self.linear(x))
        return out


class MaskedConvolution(nn.Module):
    """A dilated convolution whose channels are weighed by the context, near (2 s) and whole."""

    def __init__(self, given: int, channels: int, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(given, channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(given, given // 2, 1)
        self.linear2 = nn.Conv1d(given // 2, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        near = F.avg_pool1d(x, SEGMENT_FRAMES, SEGMENT_FRAMES, ceil_mode=True)
        near = near.repeat_interleave(SEGMENT_FRAMES, dim=2)[:, :, : x.shape[2]]
        context = x.mean(dim=2, keepdim=True) + near
        mask = self.linear2(F.relu(self.linear1(context))).sigmoid()
        return self.linear_local(x) * mask


class DenseLayer(nn.Module):
    """A bottleneck and a masked convolution, whose output is put beside what came in."""

    def __init__(self, given: int, growth: int, bottleneck: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = activation(given)
        self.linear1 = nn.Conv1d(given, bottleneck, 1, bias=False)
        self.nonlinear2 = activation(bottleneck)
        self.cam_layer = MaskedConvolution(bottleneck, growth, dilation)

    def forward(self, x: Tensor) -> Tensor:
        new = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return torch.cat((x, new), dim=1)


class DenseBlock(nn.Sequential):
    """Layers that each see the output of all before."""

    def __init__(self, n_layers: int, given: int, growth: int, bottleneck: int, dilation: int) -> None:
        parts: OrderedDict[str, nn.Module] = OrderedDict()
        for k in range(n_layers):
            parts[f"tdnnd{k + 1}"] = DenseLayer(given + k * growth, growth, bottleneck, dilation)
        super().__init__(parts)


class Transit(nn.Module):
    """Fewer channels between two blocks."""

    def __init__(self, given: int, channels: int) -> None:
        super().__init__()
        self.nonlinear = activation(given)
        self.linear = nn.Conv1d(given, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.linear(self.nonlinear(x))
        return out


class Statistics(nn.Module):
    """(B, C, T) → (B, 2C): mean and unbiased deviation over time."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=2)
        variance = (x - mean[:, :, None]).square().sum(dim=2) / (x.shape[2] - 1)
        return torch.cat((mean, variance.sqrt()), dim=1)


class Dense(nn.Module):
    """The embedding."""

    def __init__(self, given: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(given, dim, 1, bias=False)
        self.nonlinear = activation(dim, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.nonlinear(self.linear(x[:, :, None])[:, :, 0])
        return out
