"""What the tasks of a clerk have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from voicelane.base.errors import StoreError
from voicelane.config import PipelineConfig

Answer = tuple[Any, bytes]
"""Of a task: what JSON can hold, and bytes."""


class Missing(StoreError):
    """Nothing of that name is there."""


class Cancelled(Exception):
    """Nobody wants the task's answer any more."""


@dataclass(frozen=True)
class Work:
    """What a task may use: the settings, and a way to tell how much is done, 0 … 1.

    `tell` raises `Cancelled` where nobody waits any more.
    """

    config: PipelineConfig
    tell: Callable[[float], None]
