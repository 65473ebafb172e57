"""Who speaks for whom: a voice for every speaker of a conversation that is spoken anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from voicelane.base.errors import StoreError
from voicelane.config import PipelineConfig
from voicelane.profiles.enrolment import Enroller
from voicelane.profiles.store import ProfileStore
from voicelane.voices.anonymise import N_DRAWN, most_apart
from voicelane.voices.fitting import Fitter, Target
from voicelane.voices.speaking import Speaker, reach_of
from voicelane.voices.speech import Engine
from voicelane.voices.targets import consenting_voice, drawing
from voicelane.voices.voice import Voice

SEED = 0
"""Voices of nobody are the same in every translation."""


class Cast:
    """A `Speaker` for each name: in the own voice where there is one, else in that of nobody, unlike the
    others."""

    def __init__(
        self, engine: Engine, config: PipelineConfig, own: Mapping[str, Voice], plain: bool = False
    ) -> None:
        """With `plain` no network says the voices. Raises `ModelError`."""
        self._engine, self._fitter, self._own = engine, Fitter(config, plain), own
        self._draw, self._rng = drawing(self._fitter.encoder_id), np.random.default_rng(SEED)
        self._chosen = [reach_of(engine, self._fitter).own]
        self._speakers = dict[str, Speaker]()

    def speaker(self, name: str) -> Speaker:
        """Who speaks for somebody; the same from then on."""
        if name not in self._speakers:
            voice: Target = self._own.get(name) or most_apart(self._draw(N_DRAWN, self._rng), self._chosen)
            self._chosen.append(voice.embedding)
            self._speakers[name] = Speaker(self._engine, voice, self._fitter)
        return self._speakers[name]


def own_voices(
    names: Iterable[str], store: ProfileStore, config: PipelineConfig, told: Callable[[str], object]
) -> dict[str, Voice]:
    """Voices of those of these people who consented; of each other one it is told that there is none."""
    enroller, found = Enroller(config), dict[str, Voice]()
    for name in names:
        try:
            found[name] = consenting_voice(name, store, enroller)
        except StoreError as problem:
            told(f"{name} is spoken by a voice that is nobody's: {problem}")
    return found
