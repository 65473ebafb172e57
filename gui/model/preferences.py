"""What the app remembers between two starts: a TOML file in the home folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tomli_w
from PySide6.QtCore import QObject, Signal

from voicelane import PipelineConfig
from voicelane.base import ConfigError, home_folder, read_table, settings_from
from voicelane.config import PACKS, DiariserConfig, preset, with_pack
from voicelane.gui.model.wording import words_for

RENAMED = {"speed": "preset"}
BALANCED = "balanced"
"""What the preset `default` was called up to version 0.1."""


@dataclass(frozen=True)
class Settings:
    """Every choice with its default."""

    theme: Literal["system", "light", "dark"] = "system"
    interface: Literal["system", "en", "de"] = "system"
    """Language of the window."""
    source: str = "microphone"
    """`microphone`, `demo`, or the path of a file."""
    device: str = ""
    """A microphone's name; the default one if empty."""
    models: Literal["light", "strong"] = "light"
    """Encoder and segmentation network, which are chosen together."""
    enhancer: Literal["off", "seed", "mlp"] = "off"
    preset: Literal["quick", "default", "careful"] = "default"
    """Name of the engine's settings that the choices here are laid over."""
    max_speakers: int = DiariserConfig.max_speakers
    recognise: bool = True
    """Show enrolled people by name."""
    record: bool = True
    clean: bool = False
    """Take noise off what is heard, before the engine and beside the recording."""
    realtime_files: bool = False
    """Play files at their own speed instead of as fast as possible."""
    captions: bool = False
    """Write down what is said while it is heard."""
    words_model: str = "base"
    """A Whisper model, by name or folder."""
    language: str = ""
    """Of the words, as a code of two letters; found out if empty."""
    lab: bool = False
    """Show curves, maps and numbers."""
    audible: bool = True
    """Let the demo, and files at their own speed, be heard."""
    playing_speed: float = 1.0
    """Of what is played."""
    volume: float = 1.0
    output: str = ""
    """Name of the loudspeaker; the default one if empty."""
    play_clean: bool = False
    """Play without noise."""
    skip_silence: bool = False
    """Play only where somebody speaks."""
    false_accepts: float = 1.0
    """Percent of strangers that verification accepts."""
    folder: str = ""
    """Where files were opened or written last."""
    dismissed: tuple[str, ...] = ()
    """Interrupted sessions that were offered already."""
    toured: bool = False
    """Whether the tour was seen."""
    geometry: str = ""
    """Of the window, as Qt writes it, in hexadecimal digits."""

    def config(self) -> PipelineConfig:
        """What the engine is set to."""
        base = with_pack(preset(self.preset), self.models)
        return replace(
            base,
            denoiser=replace(base.denoiser, model="clean" if self.clean else "off"),
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
                self.now = settings_from(of_today(read_table(self._path)), Settings, self._path)
            except ConfigError as problem:
                self.problem = words_for(problem)

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


def of_today(content: dict[str, Any]) -> dict[str, Any]:
    """Choices as earlier versions kept them, under their names of today; an encoder stands for its pack."""
    found = {"toured": True} | {RENAMED.get(name, name): value for name, value in content.items()}
    if (encoder := found.pop("encoder", None)) is not None:
        found["models"] = "strong" if encoder in PACKS["strong"] else "light"
    return found | {"preset": "default"} if found.get("preset") == BALANCED else found
