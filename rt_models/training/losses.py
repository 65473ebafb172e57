"""Losses over batches of unit-length embeddings (B, D); GE2E and AAM hold the parameters they learn."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean of 1 − cos to the teacher's embedding of the clean sound."""
    return (1.0 - (student * teacher).sum(dim=1)).mean()


def relational(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of the two batch similarity matrices (Park et al. 2019)."""
    return ((student @ student.T - teacher @ teacher.T) ** 2).mean()


def contrastive(
    student: Tensor,
    teacher: Tensor,
    speakers: Tensor,
    bank: Tensor,
    bank_speakers: Tensor,
    scale: float = 20.0,
    twin: float = 0.6,
) -> Tensor:
    """Cross-entropy of finding one's own teacher embedding among those of a bank (K, D) of voices.

    Entries of the same speaker, and those whose cosine to the own target is above `twin` (most likely
    the same person under another label), are no negatives.
    """
    same = (speakers[:, None] == bank_speakers[None, :]) | (teacher @ bank.T > twin)
    wrong = (scale * student @ bank.T).masked_fill(same, -torch.inf)
    right = scale * (student * teacher).sum(dim=1, keepdim=True)
    return (torch.logsumexp(torch.cat((right, wrong), dim=1), dim=1) - right[:, 0]).mean()


def centre(embeddings: Tensor) -> Tensor:
    """Unit-length embeddings with their common mean taken off and the length restored."""
    return F.normalize(embeddings - embeddings.mean(dim=0), dim=1)


class GE2E(nn.Module):
    """Generalised end-to-end loss (Wan et al. 2018) of N speakers with M utterances each.

    S = w·cos(e, c) + b, the own centroid without the utterance itself; w stays positive. `softmax` or
    `contrast`.
    """

    def __init__(self, kind: str = "softmax") -> None:
        super().__init__()
        self.kind = kind
        self.scale, self.bias = nn.Parameter(torch.tensor(10.0)), nn.Parameter(torch.tensor(-5.0))

    def forward(self, embeddings: Tensor) -> Tensor:  # (N, M, D)
        n, m, _ = embeddings.shape
        similarity = F.softplus(self.scale) * centroid_cosines(embeddings) + self.bias  # (N, M, N)
        own = torch.arange(n, device=embeddings.device)
        if self.kind == "softmax":
            return F.cross_entropy(similarity.flatten(0, 1), own.repeat_interleave(m))
        chance = similarity.sigmoid()
        right = chance[own, :, own]  # (N, M)
        hardest = chance.masked_fill(F.one_hot(own, n).bool()[:, None], -torch.inf).amax(dim=2)
        return (1.0 - right + hardest).mean()


def centroid_cosines(embeddings: Tensor) -> Tensor:
    """Cosine of every utterance (N, M, D) to every speaker's centroid, the own one without it: (N, M, N)."""
    n, m, _ = embeddings.shape
    centroids = F.normalize(embeddings.mean(dim=1), dim=1)
    others = F.normalize(embeddings.sum(dim=1, keepdim=True) - embeddings, dim=2)
    cosines = embeddings @ centroids.T
    own = F.one_hot(torch.arange(n, device=embeddings.device), n).bool()[:, None].expand(n, m, n)
    return torch.where(own, (embeddings * others).sum(dim=2, keepdim=True), cosines)


class AngularPrototypical(nn.Module):
    """The last utterance of each speaker against the centroids of the others (Chung et al. 2020)."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.bias = nn.Parameter(torch.tensor(10.0)), nn.Parameter(torch.tensor(-5.0))

    def forward(self, embeddings: Tensor) -> Tensor:  # (N, M, D)
        centroids = F.normalize(embeddings[:, :-1].mean(dim=1), dim=1)
        similarity = F.softplus(self.scale) * embeddings[:, -1] @ centroids.T + self.bias
        return F.cross_entropy(similarity, torch.arange(len(similarity), device=similarity.device))


class AdditiveAngularMargin(nn.Module):
    """Classification of the training speakers with an angular margin (Deng et al. 2019)."""

    def __init__(self, dim: int, n_speakers: int, margin: float = 0.2, scale: float = 30.0) -> None:
        super().__init__()
        self.classes = nn.Parameter(torch.randn(n_speakers, dim) * dim**-0.5)
        self.margin, self.scale = margin, scale

    def forward(self, embeddings: Tensor, speakers: Tensor) -> Tensor:  # (B, D), (B,)
        cosine = (embeddings @ F.normalize(self.classes, dim=1).T).clamp(-1 + 1e-6, 1 - 1e-6)
        own = F.one_hot(speakers, len(self.classes)).bool()
        harder = torch.where(own, (cosine.acos() + self.margin).cos(), cosine)
        return F.cross_entropy(self.scale * harder, speakers)
