"""Losses over a batch of unit-length embeddings (B, D)."""

from __future__ import annotations

import torch
from torch import Tensor


def distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean of 1 − cos to the teacher's embedding of the clean sound."""
    return (1.0 - (student * teacher).sum(dim=1)).mean()


def relational(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of the two batch similarity matrices (Park et al. 2019)."""
    return ((student @ student.T - teacher @ teacher.T) ** 2).mean()


def contrastive(student: Tensor, teacher: Tensor, speakers: Tensor, scale: float = 20.0) -> Tensor:
    """Cross-entropy of finding one's own teacher embedding among those of the batch's other speakers."""
    logits = scale * student @ teacher.T
    same = speakers[:, None] == speakers[None, :]
    others = same & ~torch.eye(len(speakers), dtype=torch.bool, device=student.device)
    wanted = torch.arange(len(speakers), device=student.device)
    return torch.nn.functional.cross_entropy(logits.masked_fill(others, -torch.inf), wanted)


def centre(embeddings: Tensor) -> Tensor:
    """Unit-length embeddings with their common mean taken off and the length restored."""
    return torch.nn.functional.normalize(embeddings - embeddings.mean(dim=0), dim=1)
