"""How loud the sound is, whether it is clipped, and how far the voice is above the noise."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from voicelane import SAMPLE_RATE
from voicelane.base import FRAME_SAMPLES, samples
from voicelane.gui.model.language import later, tr

SILENT_DB = -90.0
HISTORY_FRAMES = samples(10.0) // FRAME_SAMPLES
LEAST_FRAMES = samples(1.0) // FRAME_SAMPLES
CLIPPED = 0.999
DIGITAL_SILENCE = 1e-5
"""Less than the least step of 16 bits: no room is as quiet, only a microphone that is off."""
QUIET, LOUD = 10, 90
"""Percentiles of the frames' levels that are taken for noise and for voice."""


class Level:
    """A meter that is fed on the engine's side and read by the window."""

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=HISTORY_FRAMES)
        self.n_heard = self.n_silent = 0
        """Samples so far, and of these the latest in which there was no sound whatsoever."""
        self.peak_db = self.rms_db = SILENT_DB
        self.clipped_at: int | None = None
        """Sample of the latest clipped frame."""

    def hear(self, sound: np.ndarray) -> None:
        """The latest sound."""
        if not len(sound):
            return
        n_frames = max(1, len(sound) // FRAME_SAMPLES)
        frames = np.resize(sound, (n_frames, len(sound) // n_frames))
        for rms in np.sqrt(np.square(frames).mean(axis=1)).tolist():
            self._levels.append(decibels(rms))
        latest, loudest = np.abs(sound[-SAMPLE_RATE // 10 :]), np.abs(sound).max()
        self.n_heard += len(sound)
        self.n_silent = 0 if loudest > DIGITAL_SILENCE else self.n_silent + len(sound)
        if loudest >= CLIPPED:
            self.clipped_at = self.n_heard
        self.peak_db, self.rms_db = decibels(float(latest.max())), self._levels[-1]

    @property
    def clipping(self) -> bool:
        """Whether the sound was clipped within the last second and a half."""
        return self.clipped_at is not None and self.n_heard - self.clipped_at < 1.5 * SAMPLE_RATE

    @property
    def snr_db(self) -> float | None:
        """Loud over quiet frames of the last ten seconds, in decibels; None in the first second."""
        levels = list(self._levels)
        if len(levels) < LEAST_FRAMES:
            return None
        quiet, loud = np.percentile(levels, (QUIET, LOUD))
        return float(loud - quiet)


NOISE = later(
    ((20.0, "little background noise"), (10.0, "some background noise"), (-1e9, "much background noise"))
)
"""Decibels of the voice above the noise at least, and how much noise that is."""


def noise_words(snr_db: float) -> str:
    """How much background noise there is."""
    return tr(next(words for least, words in NOISE if snr_db >= least))


def decibels(amplitude: float) -> float:
    """Of an amplitude of which 1 is full scale, at least −90."""
    return max(SILENT_DB, 20 * math.log10(max(amplitude, 1e-9)))
