"""Adaptive voice activity detection: webrtcvad votes and band levels over a tracked noise floor.

A small recurrent network weighs the evidence of a frame; thresholds that depend on the tracked
signal-to-noise ratio, hysteresis, pre-roll and hangover turn its probability into decisions.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import webrtcvad

from voicelane.base.timebase import FRAME_SAMPLES, SAMPLE_RATE
from voicelane.config import VadConfig
from voicelane.dsp import kernels
from voicelane.dsp.features import N_MELS
from voicelane.inference.onnx import Model

MODES = (0, 1, 2, 3)
N_BANDS = N_MELS // 2
N_EVIDENCE = len(MODES) + N_BANDS + 2
FLOOR_BLOCK_FRAMES, FLOOR_BLOCKS, FLOOR_SMOOTHING = 20, 8, 0.7
NOISY_DB, CLEAN_DB = 10.0, 40.0
PEAK_FALL_DB = 0.03
HEARD_FLOOR = math.log(1e-10)
"""Log power of a band below which the networks were never trained to hear."""
DEAD_LEVEL = HEARD_FLOOR + 0.5
POWER_TO_DB = 10.0 / math.log(10.0)


class VadInput(NamedTuple):
    """The same whole frames twice: samples (n, 320) and their log-mel columns (2n, 80)."""

    frames: np.ndarray
    log_mel: np.ndarray


class Evidence(NamedTuple):
    """What the network sees (n, 46), and the level over the noise floor in dB (n,)."""

    features: np.ndarray
    level_db: np.ndarray


class Decisions(NamedTuple):
    """Per frame: is it speech, the network's probability, the tracked SNR in dB; each (n,)."""

    speech: np.ndarray
    probability: np.ndarray
    snr_db: np.ndarray


class VadEvidence:
    """`VadInput` in, `Evidence` out.

    The evidence is webrtcvad's four votes, 40 band levels over their noise floor, the level under the
    recent peak, and that peak over the noise floor.
    """

    latency_samples = 0

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._detectors = [webrtcvad.Vad(mode) for mode in MODES]
        self._smooth = np.zeros(N_BANDS, np.float32)
        self._minima = np.zeros((FLOOR_BLOCKS, N_BANDS), np.float32)
        self._position = 0
        self._peak_db = -200.0

    def process(self, x: VadInput) -> Evidence:
        bands = x.log_mel.reshape(-1, 2, N_BANDS, 2).mean(axis=(1, 3))  # (n, N_BANDS)
        floor = np.empty_like(bands)
        self._position = kernels.minimum_floor(
            bands,
            FLOOR_SMOOTHING,
            FLOOR_BLOCK_FRAMES,
            DEAD_LEVEL,
            self._smooth,
            self._minima,
            self._position,
            floor,
        )
        level_db = POWER_TO_DB * np.logaddexp.reduce(bands, axis=1)
        floor_db = POWER_TO_DB * np.logaddexp.reduce(floor, axis=1)
        peak_db = np.empty_like(level_db)
        self._peak_db = kernels.falling_peak(level_db, PEAK_FALL_DB, self._peak_db, peak_db)
        features = (
            self._votes(x.frames, bands.max(axis=1) > DEAD_LEVEL),
            np.clip(bands - floor, -2.0, 12.0) * 0.25,
            np.clip(np.stack((level_db - peak_db, peak_db - floor_db), axis=1), -60.0, 60.0) * 0.05,
        )
        return Evidence(np.concatenate(features, axis=1, dtype=np.float32), level_db - floor_db)

    def _votes(self, frames: np.ndarray, alive: np.ndarray) -> np.ndarray:
        """Digital silence is not shown to the detectors, which would get used to it."""
        pcm = (np.clip(frames, -1.0, 1.0) * 32767.0).astype(np.int16)
        votes = np.zeros((len(frames), len(MODES)), np.float32)
        for t in np.flatnonzero(alive):
            heard = pcm[t].tobytes()
            votes[t] = [detector.is_speech(heard, SAMPLE_RATE) for detector in self._detectors]
        return votes

    def flush(self) -> Evidence:
        return Evidence(np.zeros((0, N_EVIDENCE), np.float32), np.zeros(0))


class Vad:
    """`VadInput` in, `Decisions` out for exactly as many frames, `latency_samples` later."""

    def __init__(self, config: VadConfig, model: Model) -> None:
        self._config, self._network = config, model.stream()
        self._ahead_frames = model.manifest.latency_samples // FRAME_SAMPLES
        self._held_frames = config.onset_frames - 1 + config.pre_roll_frames
        self.latency_samples = (self._ahead_frames + self._held_frames) * FRAME_SAMPLES
        self._evidence = VadEvidence()
        self.reset()

    def reset(self) -> None:
        self._evidence.reset()
        self._network.reset()
        self._levels = np.zeros(self._ahead_frames)
        self._heard = 0
        self._speaking, self._run, self._quiet, self._snr_db = False, 0, 0, 15.0
        self._waiting: list[tuple[bool, float, float]] = []

    def process(self, x: VadInput) -> Decisions:
        if not len(x.frames):
            return _no_decisions()
        return self._decide(*self._evidence.process(x))

    def flush(self) -> Decisions:
        """The frames that still wait; the network hears nothing behind them."""
        n_late = self._ahead_frames if self._heard else 0
        late = self._decide(np.zeros((n_late, N_EVIDENCE), np.float32), np.zeros(n_late))
        waiting = self._leave(0)
        self.reset()
        return Decisions(*(np.concatenate(pair) for pair in zip(late, waiting, strict=True)))

    def _decide(self, features: np.ndarray, level_db: np.ndarray) -> Decisions:
        """Decisions of the frames that `features` completes."""
        if not len(features):
            return _no_decisions()
        (logits,) = self._network.run(features=features[None])
        levels = np.concatenate((self._levels, level_db))
        self._levels = levels[len(levels) - self._ahead_frames :]
        n_early = max(0, min(len(features), self._ahead_frames - self._heard))
        self._heard += len(features)
        probability = 1.0 / (1.0 + np.exp(-logits[0].astype(np.float64)))
        for p, level in zip(probability[n_early:], levels[n_early:], strict=False):
            self._hear(float(p), float(level))
        return self._leave(self._held_frames)

    def _hear(self, probability: float, level_db: float) -> None:
        """One frame through threshold, hysteresis, pre-roll and hangover."""
        c = self._config
        share = min(1.0, max(0.0, (self._snr_db - NOISY_DB) / (CLEAN_DB - NOISY_DB)))
        threshold = c.noisy_threshold + share * (c.clean_threshold - c.noisy_threshold)
        self._quiet = 0 if probability >= threshold - c.release else self._quiet + 1
        self._run = self._run + 1 if probability >= threshold else 0
        if self._speaking:
            self._speaking = self._quiet <= c.hangover_frames
            self._snr_db += 0.02 * (level_db - self._snr_db)
        elif self._run >= c.onset_frames:
            self._speaking = True
            back = len(self._waiting) - self._held_frames
            self._waiting = [(i >= back or s, p, n) for i, (s, p, n) in enumerate(self._waiting)]
        self._waiting.append((self._speaking, probability, self._snr_db))

    def _leave(self, n_stay: int) -> Decisions:
        n_leave = max(0, len(self._waiting) - n_stay)
        leaving, self._waiting = self._waiting[:n_leave], self._waiting[n_leave:]
        speech, probability, snr_db = zip(*leaving, strict=True) if leaving else ((), (), ())
        return Decisions(np.array(speech, bool), np.array(probability), np.array(snr_db))


def _no_decisions() -> Decisions:
    return Decisions(np.zeros(0, bool), np.zeros(0), np.zeros(0))
