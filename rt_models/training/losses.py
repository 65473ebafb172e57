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


def centre(embeddings: Tensor) -> Tensor:
    """Unit-length embeddings with their common mean taken off and the length restored."""
    return torch.nn.functional.normalize(embeddings - embeddings.mean(dim=0), dim=1)
