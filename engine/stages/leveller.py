"""Sound brought to a level at which the detector and the segmentation can hear it."""

from __future__ import annotations

import math

import numpy as np
from scipy.signal import lfilter

from voicelane.base.timebase import FRAME_SAMPLES, SAMPLE_RATE
from voicelane.dsp import kernels
from voicelane.dsp.features import N_MELS, FeatureExtractor
from voicelane.dsp.stft import Stft
from voicelane.stages.vad import HEARD_FLOOR, VadInput

LOUDEST_DB = 4.0
"""To which the loudest frames of a recording are brought."""
QUIET_DB = -45.0
"""To which those of a live stream are raised where they lie below; louder sound stays as it is, so that a
quiet room before the first word is not made loud."""
MOST_GAIN_DB = 120.0
PEAK_FALL_DB = 0.002
"""By which the loudest frame so far is forgotten, a frame (6 dB a minute)."""
POLE = 1.0 - 2.0 * math.pi * 20.0 / SAMPLE_RATE
DB_TO_POWER = math.log(10.0) / 10.0


class Leveller:
    """`VadInput` in and out at a level that can be heard, the bands kept above `HEARD_FLOOR`, with no delay.

    The gain follows from the loudest frame so far alone, so that the same sound at another level comes out
    the same: of a `recording` at any level, of a live stream where it is quiet.
    """

    latency_samples = 0

    def __init__(self, recording: bool = False) -> None:
        self._loudest_db, self._least_gain_db = (LOUDEST_DB, -np.inf) if recording else (QUIET_DB, 0.0)
        self.reset()

    def reset(self) -> None:
        self._peak_db = -200.0
        self._last: np.ndarray | None = None  # what the filter that takes off an offset remembers

    def process(self, x: VadInput) -> VadInput:
        loudness = np.logaddexp.reduce(x.log_mel.reshape(len(x.frames), 2 * N_MELS), axis=1) - math.log(2.0)
        peak_db = np.empty(len(x.frames), np.float64)
        self._peak_db = kernels.falling_peak(
            loudness.astype(np.float64) / DB_TO_POWER, PEAK_FALL_DB, self._peak_db, peak_db
        )
        gain_db = np.clip(self._loudest_db - peak_db, self._least_gain_db, MOST_GAIN_DB)
        gain = gain_db.astype(np.float32)[:, None] * np.float32(DB_TO_POWER)
        raised = x.log_mel + np.repeat(gain, 2, axis=0)
        frames = self._around_zero(x.frames) * np.exp(gain / 2)
        return VadInput(frames.astype(np.float32), np.maximum(raised, np.float32(HEARD_FLOOR)))

    def _around_zero(self, frames: np.ndarray) -> np.ndarray:
        """Without what is below 20 Hz; a constant offset is gone from the first sample on."""
        samples = frames.reshape(-1).astype(np.float64)
        if not len(samples):
            return frames
        if self._last is None:
            self._last = np.array([-samples[0]])
        out, self._last = lfilter([1.0, -1.0], [1.0, -POLE], samples, zi=self._last)
        return np.asarray(out.reshape(frames.shape))

    def flush(self) -> VadInput:
        return VadInput(np.zeros((0, FRAME_SAMPLES), np.float32), np.zeros((0, N_MELS), np.float32))


def levelled(samples: np.ndarray) -> VadInput:
    """What the detector takes of the whole frames of a recording, float32 (n,) at 16 kHz."""
    frames = samples[: len(samples) - len(samples) % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    log_mel = FeatureExtractor(phase=False).process(Stft().process(frames)).log_mel
    return Leveller().process(VadInput(frames, log_mel))
