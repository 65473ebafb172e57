"""Networks small enough for tests, one torch thread."""

from __future__ import annotations

from pathlib import Path

import torch

from voicelane.rt_models.nets.registry import NetConfig
from voicelane.rt_models.training import encoder

torch.set_num_threads(1)

SMALL = {"conv_channels": (4, 8), "width": 32, "n_blocks": 2, "n_heads": 2, "feed_forward": 64}
SMALL_NETS = [
    NetConfig("conv_transformer", SMALL),
    NetConfig("conv_transformer", SMALL | {"pooling": "mean"}),
    NetConfig("conv_transformer", SMALL | {"in_channels": 3}),
    NetConfig("conv_transformer", SMALL | {"kernel": 0}),
    NetConfig("conv_transformer", SMALL | {"positions": "learned"}),
    NetConfig("lstm", {"hidden": 16, "dim": 24}),
    NetConfig("ecapa", {"channels": 32, "squeezed": 8, "aggregated": 48, "hidden": 16, "dim": 24}),
    NetConfig("resnet", {"channels": (8, 8, 16, 16), "blocks": (1, 1, 1, 1), "dim": 24}),
]
CONFIGS = Path(encoder.__file__).parent / "configs"
