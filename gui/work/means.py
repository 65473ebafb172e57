"""What every work is given that hears one person alone, or speaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voicelane import ProfileStore
from voicelane.gui.model.preferences import Preferences
from voicelane.gui.work.player import Player


@dataclass(frozen=True)
class Means:
    """Shared by all of them."""

    preferences: Preferences
    open_store: Callable[[], ProfileStore]
    player: Player
    """For what a computer says."""
    may_refresh: Callable[[], bool]
    """Whether PortAudio can be started anew."""
