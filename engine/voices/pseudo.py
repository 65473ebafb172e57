"""Voices that belong to nobody, drawn by a diffusion network from noise (SpeakerDiff, with a schedule that
reaches it)."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from voicelane.base.errors import ModelError, VoicelaneError
from voicelane.dsp import ddpm
from voicelane.inference.manifest import Manifest, read_manifest, read_part
from voicelane.inference.onnx import Model, installed
from voicelane.voices.voice import HIGHEST_HZ, LOWEST_HZ, Voice

SPACE_NAME = "space.npz"
KIND = "voices"
MIDDLE_HZ = 160.0
BANDS = {"low": (0.02, 0.35), "high": (0.65, 0.98), "any": (0.02, 0.98)}
"""Shares of all pitches between which a new one is drawn."""
STEPS = 50
GUIDANCE = 0.0
"""Told of a pitch, the network draws voices that have it; more makes them more alike than people are."""
LIKENESS = 0.5
"""Variance that is kept of a voice which new ones are to be like (ᾱ of the time that they begin at)."""
NEEDED = {"encoder", "encoder_id", "dim", "target", "schedule", "times"}


class PseudoVoices:
    """A drawing network and the affine map from its numbers to an encoder's unit vectors."""

    def __init__(self, folder: Path) -> None:
        self._model = Model(folder)
        settings = _checked(self._model.manifest)
        self.encoder, self.encoder_id = str(settings["encoder"]), str(settings["encoder_id"])
        self.dim = int(settings["dim"])
        self._target: ddpm.Target = settings["target"]
        self.alpha_bar = ddpm.SCHEDULES[settings["schedule"]](int(settings["times"]))
        with np.load(io.BytesIO(read_part(folder, SPACE_NAME)), allow_pickle=False) as kept:
            space = {name: kept[name].astype(np.float32) for name in kept.files}
        self._mean, self._basis = space["mean"], space["basis"]
        self._pitches, self._of_pitch = space["pitches"], space["pitch_weights"]

    def new(
        self, name: str, rng: np.random.Generator, like: str | np.ndarray = "any", guidance: float = GUIDANCE
    ) -> Voice:
        """A voice of nobody: of `any` pitch, a `low` or `high` one, or around an embedding (dim,)."""
        if isinstance(like, str):
            pitch_hz = self.pitches(like, 1, rng)
            vector = self.draw(pitch_hz, rng, guidance)[0]
        else:
            pitch_hz = np.array([self.pitch_of(like)])
            vector = self.around(like, pitch_hz, rng, guidance)[0]
        return Voice(name, vector, float(pitch_hz[0]), "pseudo", self.encoder_id)

    def at_pitch(
        self,
        name: str,
        pitch_hz: float,
        rng: np.random.Generator,
        guidance: float = GUIDANCE,
        steps: int = STEPS,
    ) -> Voice:
        """A voice of nobody of this mean pitch."""
        vector = self.draw(np.array([pitch_hz]), rng, guidance, steps)[0]
        return Voice(name, vector, pitch_hz, "pseudo", self.encoder_id)

    def pitches(self, like: str, count: int, rng: np.random.Generator) -> np.ndarray:
        """Mean pitches in Hz, float64 (count,), as often as people have them."""
        if like not in BANDS:
            raise VoicelaneError(f"a voice like {like!r}: expected {', '.join(BANDS)}, or an embedding")
        return self.pitch_at(rng.uniform(*BANDS[like], count))

    def pitch_at(self, shares: np.ndarray) -> np.ndarray:
        """Mean pitches in Hz below which these shares of people are, float64 (n,)."""
        return np.interp(shares, np.linspace(0, 1, len(self._pitches)), self._pitches)

    def pitch_of(self, embedding: np.ndarray) -> float:
        """The mean pitch in Hz that is to be expected of a voice, linear in its embedding (dim,)."""
        octaves = float(self._of_pitch[:-1] @ self._fitting(embedding) + self._of_pitch[-1])
        return float(np.clip(MIDDLE_HZ * 2**octaves, LOWEST_HZ, HIGHEST_HZ))

    def draw(
        self,
        pitch_hz: np.ndarray,
        rng: np.random.Generator,
        guidance: float = GUIDANCE,
        steps: int = STEPS,
        eta: float = 0.0,
    ) -> np.ndarray:
        """Unit vectors float32 (n, dim) of voices of these pitches (n,); nan leaves the pitch open.

        η = 0 is DDIM, 1 ancestral sampling (of all times, with as many `steps`).
        """
        noise, how = self._noise(len(pitch_hz), rng), (pitch_hz, rng, guidance, steps, eta)
        return self._vectors(self._sampled(noise, len(self.alpha_bar) - 1, how))

    def around(
        self,
        embedding: np.ndarray,
        pitch_hz: np.ndarray,
        rng: np.random.Generator,
        guidance: float = GUIDANCE,
        likeness: float = LIKENESS,
    ) -> np.ndarray:
        """Unit vectors float32 (n, dim) like one (dim,), of which so much of the variance is kept."""
        t0 = int(np.argmin(np.abs(self.alpha_bar - likeness)))
        lengths = (self._basis**2).sum(axis=1)
        own = (self._fitting(embedding) - self._mean) @ self._basis.T / lengths
        begun = ddpm.noised(own, self._noise(len(pitch_hz), rng), float(self.alpha_bar[t0]))
        how = (pitch_hz, rng, guidance, min(STEPS, t0), 0.0)
        return self._vectors(self._sampled(begun.astype(np.float32), t0, how))

    def _sampled(
        self, x: np.ndarray, t0: int, how: tuple[np.ndarray, np.random.Generator, float, int, float]
    ) -> np.ndarray:
        pitch_hz, rng, guidance, steps, eta = how
        pitch, last = pitch_input(pitch_hz), len(self.alpha_bar) - 1
        predict = ddpm.guide(self._estimate, pitch, np.zeros_like(pitch), last, guidance)
        fresh, at = partial(self._noise, len(x), rng), ddpm.times(t0, steps)
        return np.asarray(ddpm.sample(predict, x, self.alpha_bar, at, self._target, eta, fresh))

    def _vectors(self, numbers: np.ndarray) -> np.ndarray:
        """Unit vectors float32 (n, dim) of numbers (n, K)."""
        vectors = self._mean + numbers @ self._basis
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)

    def _estimate(self, x: np.ndarray, t: np.ndarray, pitch: np.ndarray) -> np.ndarray:
        return self._model.run(x_t=x, t=t, pitch=pitch)[0]

    def _noise(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return rng.standard_normal((count, len(self._basis)), np.float32)

    def _fitting(self, embedding: np.ndarray) -> np.ndarray:
        if embedding.shape != self._mean.shape:
            raise VoicelaneError(
                f"expected an embedding of {self.encoder}, shape {self._mean.shape}, got {embedding.shape}; "
                "enrol the person with that encoder"
            )
        return embedding


def pitch_input(pitch_hz: np.ndarray) -> np.ndarray:
    """What the network is told, float32 (n, 2): octaves over 160 Hz, and 1; zeros for nan."""
    known = np.isfinite(pitch_hz)
    octaves = np.log2(np.where(known, pitch_hz, MIDDLE_HZ) / MIDDLE_HZ)
    return np.stack((octaves, known), axis=1).astype(np.float32)


def load_pseudo_voices(encoder_id: str | None = None) -> PseudoVoices:
    """The installed drawing network, that for an encoder where one is named; raises `ModelError`."""
    known = [f for f in installed() if read_manifest(f).kind == KIND]
    fitting = [f for f in known if encoder_id in (None, read_manifest(f).settings.get("encoder_id"))]
    if not fitting:
        made_for = ", ".join(str(read_manifest(f).settings.get("encoder")) for f in known)
        raise ModelError(
            "no model that draws voices is installed for this encoder (there is one for: "
            f"{made_for or 'none'}); train one with `python -m voicelane.rt_models.training voices`"
        )
    return PseudoVoices(fitting[0])


def _checked(manifest: Manifest) -> dict[str, Any]:
    settings = manifest.settings
    if missing := NEEDED - settings.keys():
        raise ModelError(
            f"{manifest.name}: its manifest lacks settings.{', settings.'.join(sorted(missing))}"
        )
    if settings["schedule"] not in ddpm.SCHEDULES or settings["target"] not in ("epsilon", "x0"):
        raise ModelError(
            f"{manifest.name}: schedule {settings['schedule']!r} or target {settings['target']!r} is not "
            "known to this version; reinstall the model"
        )
    return settings
