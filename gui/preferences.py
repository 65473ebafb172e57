"""What the app remembers between two starts: a TOML file in the home folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tomli_w
from PySide6.QtCore import QObject, Signal

from engine import ConfigError, PipelineConfig, home_folder, read_settings

SPEEDS: dict[str, tuple[float, float]] = {
    "quick": (0.8, 0.24),
    "balanced": (1.6, 0.48),
    "careful": (3.2, 0.48),
}
"""Seconds of later sound that confirm a label, and between two looks at who speaks."""


@dataclass(frozen=True)
class Settings:
    """Every choice with its default."""

    theme: Literal["system", "light", "dark"] = "system"
    source: str = "microphone"
    """`microphone`, `demo`, or the path of a file."""
    device: str = ""
    """A microphone's name; the default one if empty."""
    encoder: str = "conv_transformer"
    enhancer: Literal["off", "seed", "mlp"] = "off"
    speed: Literal["quick", "balanced", "careful"] = "balanced"
    max_speakers: int = 20
    recognise: bool = True
    """Show enrolled people by name."""
    record: bool = True
    realtime_files: bool = False
    """Play files at their own speed instead of as fast as possible."""
    false_accepts: float = 1.0
    """Percent of strangers that verification accepts."""
    dismissed: tuple[str, ...] = ()
    """Interrupted sessions that were offered already."""
    geometry: str = ""
    """Of the window, as Qt writes it, in hexadecimal digits."""

    def config(self) -> PipelineConfig:
        """What the engine is set to."""
        base, (confirm_s, step_s) = PipelineConfig(), SPEEDS[self.speed]
        return replace(
            base,
            encoder=replace(base.encoder, model=self.encoder),
            segmentation=replace(base.segmentation, step_s=step_s, confirm_s=confirm_s),
            enhancer=replace(base.enhancer, model=self.enhancer),
            diariser=replace(base.diariser, max_speakers=self.max_speakers),
        )


class Preferences(QObject):
    """The settings in force; every change is kept at once."""

    changed = Signal()

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self._path = path or home_folder() / "app.toml"
        self.problem = ""
        """Why the file could not be read; the defaults hold then."""
        self.now = Settings()
        if self._path.exists():
            try:
                self.now = read_settings(self._path, Settings)
            except ConfigError as problem:
                self.problem = f"{problem}; the defaults are used"

    def change(self, **choices: Any) -> None:
        """Set some settings; raises `OSError` where they cannot be kept."""
        after = replace(self.now, **choices)
        if after == self.now:
            return
        self.now = after
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.write_text(tomli_w.dumps(asdict(after)), encoding="utf-8")
        self.changed.emit()

    def setter(self, name: str) -> Callable[[Any], None]:
        """A slot that changes one setting."""
        return lambda value: self.change(**{name: value})
