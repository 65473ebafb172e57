"""The encoder networks by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from torch import nn

from rt_models.nets.conv_transformer import ConvTransformer, ConvTransformerConfig
from rt_models.nets.ecapa import Ecapa, EcapaConfig
from rt_models.nets.lstm import LstmConfig, LstmDVector
from rt_models.nets.resnet import ResNetSE34, ResNetSE34Config

NETS: dict[str, tuple[type, type[nn.Module]]] = {
    "conv_transformer": (ConvTransformerConfig, ConvTransformer),
    "lstm": (LstmConfig, LstmDVector),
    "ecapa": (EcapaConfig, Ecapa),
    "resnet": (ResNetSE34Config, ResNetSE34),
}


@dataclass(frozen=True)
class NetConfig:
    """Which network, and what differs from its default sizes."""

    kind: Literal["conv_transformer", "lstm", "ecapa", "resnet"] = "conv_transformer"
    sizes: dict[str, Any] = field(default_factory=dict)


def build(config: NetConfig) -> nn.Module:
    """A network with fresh weights; its `config` has n_mels, in_channels and dim."""
    sizes, net = NETS[config.kind]
    chosen = {k: tuple(v) if isinstance(v, list) else v for k, v in config.sizes.items()}
    return net(sizes(**chosen))
