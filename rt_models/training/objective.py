"""What a speaker encoder is trained for: a weighted sum of losses, and what those losses learn themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from voicelane.rt_models.nets.conv_transformer import ConvTransformer
from voicelane.rt_models.nets.registry import SpeakerNet
from voicelane.rt_models.training import losses
from voicelane.rt_models.training.batches import Batch, CropSampler


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses; 0 leaves one out."""

    distillation: float = 1.0
    relational: float = 2.0
    contrastive: float = 0.5
    """Against the teacher embeddings of other speakers."""
    negatives: int = 8192
    """How many of them, drawn anew in every step."""
    frames: float = 1.0
    """Squared error to the teacher's frame features, for networks that have `features`."""
    ge2e: float = 0.0
    ge2e_kind: Literal["softmax", "contrast"] = "softmax"
    angular_prototypical: float = 0.0
    additive_angular_margin: float = 0.0


class Objective(nn.Module):
    """Loss of a network on a batch, and its parts by name."""

    bank: Tensor
    bank_speakers: Tensor

    def __init__(
        self, config: LossConfig, net: SpeakerNet, sampler: CropSampler, mixed: bool = False
    ) -> None:
        """`mixed`: the network, not the losses, in bfloat16."""
        super().__init__()
        self.config, self._mixed = config, mixed
        c = config
        self.each = sampler.config.utterances_per_speaker
        if (c.ge2e or c.angular_prototypical) and self.each < 2:
            raise ValueError("GE2E and angular prototypes need crops.utterances_per_speaker ≥ 2")
        bank, speakers = sampler.bank()
        if (c.distillation or c.relational or c.contrastive) and not bank.any():
            raise ValueError("distillation, relational and contrastive losses need a teacher (--teacher)")
        self.register_buffer("bank", torch.from_numpy(bank), persistent=False)
        self.register_buffer("bank_speakers", torch.from_numpy(speakers), persistent=False)
        dim = net.config.dim
        same = dim == bank.shape[1]
        self.to_teacher = nn.Identity() if same else nn.Linear(dim, bank.shape[1], bias=False)
        width = sampler.frame_width if c.frames else 0
        self.to_frames = None
        if isinstance(net, ConvTransformer) and width:
            self.to_frames = nn.Linear(net.n_features, width)
        self.ge2e = losses.GE2E(c.ge2e_kind) if c.ge2e else None
        self.angular = losses.AngularPrototypical() if c.angular_prototypical else None
        self.margin = (
            losses.AdditiveAngularMargin(dim, sampler.n_speakers) if c.additive_angular_margin else None
        )

    def forward(self, net: SpeakerNet, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        columns, targets, speakers, frames = (
            torch.from_numpy(x).to(self.bank.device, non_blocking=True) for x in batch
        )
        found, heard = self._embed(net, columns)
        parts = self._to_teacher(found, targets, speakers) | self._by_label(found, speakers)
        if heard is not None and self.to_frames is not None:
            parts["frames"] = ((self.to_frames(heard) - frames) ** 2).mean()
        weighed = [getattr(self.config, name) * value for name, value in parts.items()]
        return torch.stack(weighed).sum(), {k: float(v.detach()) for k, v in parts.items()}

    def _embed(self, net: SpeakerNet, columns: Tensor) -> tuple[Tensor, Tensor | None]:
        with torch.autocast(columns.device.type, torch.bfloat16, enabled=self._mixed):
            if self.to_frames is not None and isinstance(net, ConvTransformer):
                heard = net.features(net.tokens(columns))
                found = net.summarise(heard)
            else:
                heard, found = None, net(columns)
        return F.normalize(found.float(), dim=1), None if heard is None else heard.float()

    def _to_teacher(self, found: Tensor, targets: Tensor, speakers: Tensor) -> dict[str, Tensor]:
        """The relation holds for embeddings of any length; the rest goes through a linear map to the
        teacher's length where the two differ."""
        c, parts = self.config, {}
        mapped = F.normalize(self.to_teacher(found), dim=1)
        if c.distillation:
            parts["distillation"] = losses.distillation(mapped, targets)
        if c.relational:
            parts["relational"] = losses.relational(found, targets)
        if c.contrastive:
            kept = torch.randint(len(self.bank), (c.negatives,), device=found.device)
            parts["contrastive"] = losses.contrastive(
                mapped, targets, speakers, self.bank[kept], self.bank_speakers[kept]
            )
        return parts

    def _by_label(self, found: Tensor, speakers: Tensor) -> dict[str, Tensor]:
        parts = {}
        if self.ge2e is not None:
            parts["ge2e"] = self.ge2e(found.unflatten(0, (-1, self.each)))
        if self.angular is not None:
            parts["angular_prototypical"] = self.angular(found.unflatten(0, (-1, self.each)))
        if self.margin is not None:
            parts["additive_angular_margin"] = self.margin(found, speakers)
        return parts
