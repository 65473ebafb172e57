"""A sound as it is without noise, cleaned where it is read: to hear one way and the other."""

from __future__ import annotations

import threading

import numpy as np

from voicelane import Person
from voicelane.base import Space, samples
from voicelane.config import DenoiserConfig
from voicelane.gui.work.playback import Read
from voicelane.inference import find_model, read_manifest
from voicelane.stages import load_denoiser

LEAD = samples(1.0)
"""What the network hears before the first sample that is wanted."""
BLOCK = samples(0.1)
KEPT = samples(4.0)
"""What stays to be read again, as playing at another speed does."""


class Cleaned:
    """Reads a sound as `read` does, without noise, and without everybody but the `person` where there is one;
    places that follow each other cost least."""

    def __init__(self, read: Read, person: Person | None = None) -> None:
        """Raises `ModelError`."""
        denoiser = load_denoiser(DenoiserConfig("clean"), person=person)
        assert denoiser is not None
        self._heard, self._denoiser, self._lock = read, denoiser, threading.Lock()
        self._begin(0)

    def read(self, start: int, end: int) -> np.ndarray:
        """Samples float32 `start` … `end`, fewer where there are no more."""
        with self._lock:
            if not self._first <= start <= self._first + len(self._clean):
                self._begin(start)
            while not self._over and self._first + len(self._clean) < end:
                self._hear()
            found = self._clean[start - self._first : max(0, end - self._first)]
            self._forget(start)
            return found

    def _begin(self, start: int) -> None:
        """Hear from a little before a place on."""
        self._denoiser.reset()
        self._first = self._next = max(0, start - LEAD)
        self._clean, self._over = np.zeros(0, np.float32), False

    def _hear(self) -> None:
        block = self._heard(self._next, self._next + BLOCK)
        self._next += len(block)
        self._over = len(block) < BLOCK
        parts = [self._clean, self._denoiser.process(block)]
        self._clean = np.concatenate([*parts, self._denoiser.flush()] if self._over else parts)

    def _forget(self, start: int) -> None:
        behind = max(0, start - KEPT - self._first)
        self._clean, self._first = self._clean[behind:], self._first + behind


def keepable(space: Space, person: Person | None) -> Person | None:
    """The person, unless the voice was measured in another space than the one that voices are kept by."""
    keeper = read_manifest(find_model(DenoiserConfig().keeper, "keeper"))
    return person if space.encoder_id == keeper.settings["encoder_id"] else None
