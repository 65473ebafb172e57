"""Cleaned sound refined by a few steps of diffusion: the levels of its mel bands, from a network's score."""

from __future__ import annotations

import numpy as np

from voicelane.base.errors import ModelError
from voicelane.dsp import samplers
from voicelane.dsp.bands import at_levels, band_levels
from voicelane.dsp.delay import Delay
from voicelane.dsp.stft import N_BINS
from voicelane.inference.manifest import read_manifest
from voicelane.inference.onnx import Model, find_model

NOISING = samplers.VP()
MOST_STEPS = 30
SHARE = 0.5
"""Of the way (in level) from what the cleaner made to what the diffusion found: of all of it, the sound
suffers more than the levels gain. Chosen on six dev recordings."""


class Refiner:
    """Noisy and cleaned spectra float32 (n, 257, 2) in, as many refined ones out, `ahead` columns later.

    Starts at x̂ with noise of variance 1 and goes back along the time by DDIM, as Diff-SV does by Euler's
    method (https://arxiv.org/abs/2309.08320). The noise is that of `seed` and of a column's place, so that
    pieces of any length give what the whole gives.
    """

    def __init__(self, model: Model, steps: int, seed: int = 0) -> None:
        """Raises `ValueError` where `steps` is none of 1 … 30."""
        if not 1 <= steps <= MOST_STEPS:
            raise ValueError(f"{steps} steps: expected 1 … {MOST_STEPS}")
        self.ahead = int(model.manifest.settings["ahead"])
        self._times, self._seed = samplers.times(steps), seed
        self._streams = [model.stream() for _ in range(steps)]
        silence = np.zeros((1, N_BINS, 2), np.float32)
        self._late = Delay(self.ahead, silence[0])
        self._late_levels = Delay(self.ahead, band_levels(silence)[0])
        self.reset()

    def reset(self) -> None:
        for stream in self._streams:
            stream.reset()
        for late in (self._late, self._late_levels):
            late.reset()
        self._rng = np.random.default_rng(self._seed)

    def process(self, noisy: np.ndarray, cleaned: np.ndarray) -> np.ndarray:
        levels = band_levels(cleaned)
        base = self._late_levels.process(levels)
        refined = self._refined(base, levels, band_levels(noisy))
        return at_levels(self._late.process(cleaned), base, base + SHARE * (refined - base))

    def _refined(self, base: np.ndarray, cleaned: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        """Levels (n, 80)."""
        streams = iter(self._streams)

        def denoise(z: np.ndarray, t: float) -> np.ndarray:
            inputs = {"z": z[None], "base": base[None], "cleaned": cleaned[None], "noisy": noisy[None]}
            (found,) = next(streams).run(**inputs, t=np.array([t], np.float32))
            return np.asarray(found[0])

        noise = self._rng.standard_normal(base.shape, np.float32)
        z = samplers.start(base, noise, NOISING, 1.0).astype(np.float32)
        return np.asarray(samplers.ddim(denoise, z, base, NOISING, self._times), np.float32)


def load_refiner(name: str, steps: int, cleaner: Model) -> Refiner | None:
    """The refiner of that name for what a cleaner makes, None for no steps; raises `ModelError`."""
    if not steps:
        return None
    folder = find_model(name, "refiner")
    made_for = read_manifest(folder).settings.get("cleaner")
    if made_for != cleaner.manifest.sha256:
        raise ModelError(
            f"{folder}: refines what another network than {cleaner.manifest.name} made; train it anew with "
            "`python -m voicelane.rt_models.training refine`, or clean without --steps"
        )
    return Refiner(Model(folder), steps)
