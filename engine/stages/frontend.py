"""From frames to judged feature columns: STFT, features and VAD, for the live engine and for files."""

from __future__ import annotations

import numpy as np

from engine.config import VadConfig
from engine.dsp.features import FeatureExtractor
from engine.dsp.stft import Stft
from engine.inference.onnx import Model, find_model
from engine.stages.encoder import COLUMNS_PER_FRAME, SpeakerEncoder, SpeechFrames
from engine.stages.vad import Decisions, Vad, VadInput
from engine.stopwatch import Stopwatch


class FrontEnd:
    """Frames float32 (n, 320) in, `SpeechFrames` out for as many frames, `latency_samples` later."""

    def __init__(
        self, config: VadConfig, encoder: SpeakerEncoder, stopwatch: Stopwatch | None = None
    ) -> None:
        self._encoder, self._timed = encoder, stopwatch or Stopwatch()
        self._stft, self._features = Stft(), FeatureExtractor(phase=encoder.phase)
        self._vad = Vad(config, Model(find_model(config.model, "vad")))
        self.latency_samples = self._vad.latency_samples
        self.reset()

    def reset(self) -> None:
        for stage in (self._stft, self._features, self._vad):
            stage.reset()
        self._waiting = np.zeros((0, self._encoder.n_bands), np.float32)  # columns not judged yet

    def process(self, frames: np.ndarray) -> SpeechFrames:
        with self._timed("stft"):
            spectra = self._stft.process(frames)
        with self._timed("features"):
            features = self._features.process(spectra)
            self._waiting = np.concatenate((self._waiting, self._encoder.columns(features)))
        with self._timed("vad"):
            decisions = self._vad.process(VadInput(frames, features.log_mel))
        return self._judged(decisions)

    def flush(self) -> SpeechFrames:
        return self._judged(self._vad.flush())

    def _judged(self, decisions: Decisions) -> SpeechFrames:
        n_columns = COLUMNS_PER_FRAME * len(decisions.speech)
        judged, self._waiting = self._waiting[:n_columns], self._waiting[n_columns:]
        return SpeechFrames(judged, decisions.speech)
