"""One person's voice out of cleaned sound: gains of its mel bands, by a network that knows the embedding."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from voicelane.base.errors import ModelError
from voicelane.dsp.bands import at_gains, band_levels
from voicelane.dsp.delay import Delay
from voicelane.dsp.stft import N_BINS
from voicelane.inference.manifest import read_manifest
from voicelane.inference.onnx import Model, find_model
from voicelane.stages.recogniser import Person, check_people, mean_voice

MOST_GUIDANCE = 5.0


class Keeper:
    """Noisy and cleaned spectra float32 (n, 257, 2) in, as many of what one person says out, `ahead` columns
    later; n is even.

    Classifier-free guidance (Ho and Salimans 2021) on the log-odds that a band is the person's: those of
    anybody, and `guidance` times by how much the person's differ from them.
    """

    def __init__(self, model: Model, person: Person, guidance: float) -> None:
        """Raises `VoicelaneError` for a person whose embeddings the network cannot take."""
        self.ahead, dim = (int(model.manifest.settings[name]) for name in ("ahead", "dim"))
        check_people([person], dim)
        voice = mean_voice(person.embeddings).astype(np.float32)
        self._people = np.stack((np.zeros_like(voice), voice))  # anybody, and the person
        self._guidance, self._stream = np.float32(guidance), model.stream()
        self._late = Delay(self.ahead, np.zeros((N_BINS, 2), np.float32))

    def reset(self) -> None:
        self._stream.reset()
        self._late.reset()

    def process(self, noisy: np.ndarray, cleaned: np.ndarray) -> np.ndarray:
        late = self._late.process(cleaned)
        return at_gains(late, self._gains(band_levels(cleaned), band_levels(noisy))) if len(late) else late

    def _gains(self, cleaned: np.ndarray, noisy: np.ndarray) -> np.ndarray:
        """Of bands, 0 … 1 (n, 80)."""
        (odds,) = self._stream.run(cleaned=cleaned[None], noisy=noisy[None], person=self._people)
        return np.asarray(expit(odds[0] + self._guidance * (odds[1] - odds[0])))


def load_keeper(name: str, person: Person, guidance: float, cleaner: Model) -> Keeper:
    """The keeper of that name for what a cleaner makes; raises `ModelError`, or `VoicelaneError` for a person
    of another space."""
    folder = find_model(name, "keeper")
    settings = read_manifest(folder).settings
    encoder = read_manifest(find_model(str(settings.get("encoder")), "encoder"))
    if (settings.get("cleaner"), settings.get("encoder_id")) != (cleaner.manifest.sha256, encoder.space):
        raise ModelError(
            f"{folder}: keeps voices behind another network than {cleaner.manifest.name}, or of another "
            f"{encoder.name}; train it anew with `python -m voicelane.rt_models.training keep`"
        )
    return Keeper(Model(folder), person, guidance)
