"""How a voice is changed into another, chosen by measuring: what the encoder makes of the speaker with
formants moved so far and so far, and of what the network says, and which of these is most like the wanted
voice."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from voicelane.audio.sources import ArraySource
from voicelane.base.errors import AudioError, ModelError
from voicelane.base.files import private_folder, write_private
from voicelane.base.timebase import samples
from voicelane.config import PipelineConfig
from voicelane.profiles.embedding import FileEmbedder
from voicelane.stages.encoder import load_encoder
from voicelane.voices.bands import bands_of, usual
from voicelane.voices.conversion import Change, changed, padded
from voicelane.voices.network import Clone, load_conversion
from voicelane.voices.world import HOP_SAMPLES, Frames, Synthesis, analysed

WARPS = tuple(float(w) for w in np.geomspace(0.8, 1.25, 9))
"""Formants are moved no further: words would suffer."""
LOWEST_PITCH, HIGHEST_PITCH = 0.5, 2.0
SAMPLE_S = 3.0
"""Speech that a reach is measured by."""
QUIET = 0.05
"""A frame below this part of the loud ones (amplitude) is no speech."""


class Target(Protocol):
    """A voice to speak with, as `voicelane.voices.Voice`."""

    @property
    def embedding(self) -> np.ndarray:
        """Unit vector float32 (dim,)."""

    @property
    def pitch_hz(self) -> float:
        """Its mean."""


@dataclass(frozen=True, eq=False)
class Reach:
    """What a speaker sounds like to the encoder after each of several changes."""

    pitch_hz: float
    """As it is, 0 where nothing is voiced."""
    own: np.ndarray
    """The speaker's voice as it is, unit vector float32 (dim,)."""
    warps: np.ndarray
    """float64 (n,)"""
    voices: np.ndarray
    """Unit vectors float32 (n, dim)."""
    gains: np.ndarray
    """What makes each as loud as the original, float64 (n,)."""
    sample: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    """The speech that it was measured by, float32 (m,)."""

    def change(self, target: Target, apart: float = 0.0) -> Change:
        """The plain change whose result is most like a target; `apart` weighs how unlike the speaker it is to
        be.

        Raises `ModelError` for a voice of another encoder.
        """
        if target.embedding.shape != self.own.shape:
            raise ModelError("the voice was made for another encoder; make it anew with this one")
        best = int(np.argmax(self.voices @ (target.embedding - apart * self.own)))
        ratio = target.pitch_hz / self.pitch_hz if self.pitch_hz else 1.0
        pitch = float(np.clip(ratio, LOWEST_PITCH, HIGHEST_PITCH))
        return Change(pitch, float(self.warps[best]), float(self.gains[best]))

    def keep(self, path: Path) -> None:
        """In a file, for `kept`."""
        content = io.BytesIO()
        np.savez(
            content,
            pitch_hz=self.pitch_hz,
            own=self.own,
            warps=self.warps,
            voices=self.voices,
            gains=self.gains,
            sample=self.sample,
        )
        private_folder(path.parent)
        write_private(path, content.getvalue())

    @staticmethod
    def kept(path: Path) -> Reach | None:
        """What `keep` wrote; None where there is nothing that can be read."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                rest = (kept[name] for name in ("own", "warps", "voices", "gains", "sample"))
                return Reach(float(kept["pitch_hz"]), *rest)
        except (OSError, ValueError, KeyError, EOFError):
            return None


class Fitter:
    """Measures speakers by the encoder of the settings."""

    def __init__(self, config: PipelineConfig | None = None, plain: bool = False) -> None:
        """With `plain` the network is left out. Raises `ModelError`."""
        config = config or PipelineConfig()
        self._embedder = FileEmbedder(config)
        self.encoder_id = load_encoder(config.encoder).id
        self._network = None if plain else load_conversion(self.encoder_id)

    def embed(self, sound: np.ndarray) -> np.ndarray:
        """The voice of float32 (n,) at 16 kHz; raises `AudioError` where it is too short."""
        return self._embedder.embed(ArraySource(sound))

    def reach(self, sound: np.ndarray) -> Reach:
        """Of the speaker of float32 (n,); raises `AudioError` where there is too little speech."""
        sample, own = loud_part(sound), self.embed(sound)
        frames = framed(sample)
        plain = said(frames, Change())
        results = [said(frames, Change(warp=warp)) for warp in WARPS]
        gains = [_rms(plain) / max(_rms(result), 1e-6) for result in results]
        voices = np.stack([self.embed(result) for result in results])
        return Reach(mean_pitch_hz(frames), own, np.array(WARPS), voices, np.array(gains), sample)

    def change(self, reach: Reach, target: Target, apart: float = 0.0) -> Change:
        """The change whose result is most like a target: the plain one, or the network's where there is one
        for this encoder and it comes nearer. `apart` weighs how unlike the speaker it is to be.

        Raises `ModelError` for a voice of another encoder.
        """
        plain = reach.change(target, apart)
        if self._network is None or not len(reach.sample):
            return plain
        frames = framed(reach.sample)
        clone = Clone(self._network, usual(bands_of(frames.envelope)), target.embedding)
        wanted = target.embedding - apart * reach.own
        ways = (plain, Change(plain.pitch, clone=clone))
        return max(ways, key=lambda way: float(self.embed(said(frames, way)) @ wanted))


def said(frames: Frames, change: Change) -> np.ndarray:
    """The frames after a change, float32 (n,)."""
    around = change.around_frames
    return Synthesis().process(changed(padded(frames, around, around), change))


def _rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.square(sound, dtype=np.float64).mean()))


def sample_of(sound: np.ndarray) -> Frames:
    """The first loud seconds, as frames; raises `AudioError` where nothing is heard."""
    return framed(loud_part(sound))


def framed(sound: np.ndarray) -> Frames:
    """All of a sound as frames."""
    return analysed(sound, 0, len(sound) // HOP_SAMPLES)


def loud_part(sound: np.ndarray) -> np.ndarray:
    """The first loud seconds; raises `AudioError` where nothing is heard."""
    whole = np.asarray(sound, np.float32)
    rows = whole[: len(whole) // HOP_SAMPLES * HOP_SAMPLES].reshape(-1, HOP_SAMPLES)
    level = np.sqrt(np.square(rows).mean(axis=1)) if len(rows) else np.zeros(1)
    loud = level > QUIET * np.quantile(level, 0.95)
    if not loud.any():
        raise AudioError("there is no speech in it to know the voice by; give a few seconds of it")
    first = int(np.argmax(loud)) * HOP_SAMPLES
    return whole[first : first + samples(SAMPLE_S)]


def mean_pitch_hz(frames: Frames) -> float:
    """Geometric mean, 0 where nothing is voiced."""
    voiced = frames.pitch_hz[frames.pitch_hz > 0]
    return float(np.exp(np.log(voiced).mean())) if len(voiced) else 0.0


def measured_pitch_hz(sound: np.ndarray) -> float:
    """Mean pitch of the speaker of float32 (n,), by the first loud seconds."""
    return mean_pitch_hz(sample_of(sound))
