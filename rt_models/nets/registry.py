"""The encoder networks by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from voicelane.rt_models.nets.conv_transformer import ConvTransformer, ConvTransformerConfig
from voicelane.rt_models.nets.ecapa import Ecapa, EcapaConfig
from voicelane.rt_models.nets.lstm import LstmConfig, LstmDVector
from voicelane.rt_models.nets.resnet import ResNetSE34, ResNetSE34Config

SpeakerNet = ConvTransformer | LstmDVector | Ecapa | ResNetSE34
"""A network from columns (B, T, in_channels · n_mels) to unit vectors (B, dim); `out` is its last layer."""
NETS: dict[str, tuple[type[Any], type[SpeakerNet]]] = {
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


def build(config: NetConfig) -> SpeakerNet:
    """A network with fresh weights; its `config` has n_mels, in_channels and dim."""
    sizes, net = NETS[config.kind]
    chosen = {k: tuple(v) if isinstance(v, list) else v for k, v in config.sizes.items()}
    return net(sizes(**chosen))
