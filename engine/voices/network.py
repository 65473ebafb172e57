"""The network that says in one voice what was said in another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicelane.base.errors import ModelError
from voicelane.inference.manifest import read_manifest
from voicelane.inference.onnx import Model, installed
from voicelane.voices.bands import Usual, bands_of, envelope_of, told
from voicelane.voices.pseudo import pitch_input
from voicelane.voices.world import Frames

KIND = "conversion"
STEP_FRAMES = 2
"""The network takes them together."""
NEEDED = {"encoder", "encoder_id", "around_frames"}


class ConversionNetwork:
    """Weights alone, for any number of streams; it hears so many frames around those that it gives."""

    def __init__(self, folder: Path) -> None:
        """Raises `ModelError`."""
        self._model = Model(folder)
        settings = self._model.manifest.settings
        if missing := NEEDED - settings.keys():
            raise ModelError(f"{folder}: its manifest lacks settings.{', settings.'.join(sorted(missing))}")
        self.encoder_id = str(settings["encoder_id"])
        self.around_frames = int(settings["around_frames"])

    def shapes(self, bands: np.ndarray, pitch_hz: np.ndarray, voice: np.ndarray) -> np.ndarray:
        """Log power around each frame's mean, float32 (n, 64), of n + 2 · around frames, n even.

        They are told as bands (…, 64) in deviations from what is usual of the speaker and the pitch of the
        result (…,), 0 where it is unvoiced; `voice` (dim,) is the wanted one.
        """
        pitch = pitch_input(np.where(pitch_hz > 0, pitch_hz, np.nan))
        return self._model.run(bands=bands[None], pitch=pitch[None], voice=voice[None])[0][0]


@dataclass(frozen=True, eq=False)
class Clone:
    """A speaker whose envelopes are said in another voice."""

    network: ConversionNetwork
    usual: Usual
    """Of the speaker as they are, measured in a sample: a stream needs no statistics of its own."""
    voice: np.ndarray
    """The wanted one, unit vector float32 (dim,)."""

    @property
    def around_frames(self) -> int:
        """Frames that are heard before and behind those that are changed."""
        return self.network.around_frames

    def envelope(self, heard: Frames, pitch: float) -> np.ndarray:
        """Log power float64 (n, 513) of the frames but those around, each as loud as it was; their pitch is
        moved by the ratio `pitch`."""
        around, n = self.around_frames, heard.n() - 2 * self.around_frames
        bands = told(bands_of(heard.envelope), self.usual)
        odd = [(0, n % STEP_FRAMES)]
        rows, hz = np.pad(bands, [*odd, (0, 0)], "edge"), np.pad(heard.pitch_hz * pitch, odd, "edge")
        found = envelope_of(self.network.shapes(rows, hz, self.voice)[:n])
        return found + level(heard.envelope[around : around + n]) - level(found)


def level(envelope: np.ndarray) -> np.ndarray:
    """Logarithm of the whole power of each frame, (n, 1)."""
    loudest = envelope.max(axis=1, keepdims=True)
    return np.asarray(loudest + np.log(np.exp(envelope - loudest).sum(axis=1, keepdims=True)))


def load_conversion(encoder_id: str) -> ConversionNetwork | None:
    """The installed network that knows voices of an encoder; None where there is none: voices of another one
    mean nothing to it."""
    for folder in installed():
        manifest = read_manifest(folder)
        if manifest.kind == KIND and manifest.settings.get("encoder_id") == encoder_id:
            return ConversionNetwork(folder)
    return None
