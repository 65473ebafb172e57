"""From frames to judged feature columns: STFT, features and VAD, for the live engine and for files."""

from __future__ import annotations

import numpy as np

from voicelane.base.stopwatch import Stopwatch
from voicelane.base.timebase import FRAME_SAMPLES
from voicelane.config import VadConfig
from voicelane.dsp.fbank import KaldiFbank
from voicelane.dsp.features import N_MELS, FeatureExtractor, Features
from voicelane.dsp.stft import Stft
from voicelane.inference.onnx import Model, find_model
from voicelane.stages.encoder import COLUMNS_PER_FRAME, SpeakerEncoder, SpeechFrames
from voicelane.stages.leveller import Leveller
from voicelane.stages.vad import Decisions, Vad, VadInput


class FrontEnd:
    """Frames float32 (n, 320) in, `SpeechFrames` out for as many frames, `latency_samples` later.

    The encoder's columns are those of the sound as it came, the log-mel bands are levelled.
    """

    def __init__(
        self,
        config: VadConfig,
        encoder: SpeakerEncoder,
        stopwatch: Stopwatch | None = None,
        recording: bool = False,
    ) -> None:
        """Of a `recording`, which is heard as a whole, the level does not matter at all (`Leveller`)."""
        self._encoder, self._timed = encoder, stopwatch or Stopwatch()
        self._stft, self._features = Stft(), FeatureExtractor(phase=encoder.features == "log_mel+phase")
        self._columns = ColumnSource(encoder)
        self._leveller, self._vad = Leveller(recording), Vad(config, Model(find_model(config.model, "vad")))
        self.latency_samples = self._vad.latency_samples
        self.reset()

    def reset(self) -> None:
        for stage in (self._stft, self._features, self._columns, self._leveller, self._vad):
            stage.reset()
        self._waiting = np.zeros((0, self._encoder.n_bands), np.float32)  # columns not judged yet
        self._waiting_mel = np.zeros((0, N_MELS), np.float32)
        self._waiting_frames = np.zeros((0, FRAME_SAMPLES), np.float32)

    def process(self, frames: np.ndarray) -> SpeechFrames:
        with self._timed("stft"):
            spectra = self._stft.process(frames)
        with self._timed("features"):
            features = self._features.process(spectra)
            columns = self._columns.process(frames, spectra, features)
            self._waiting = np.concatenate((self._waiting, columns))
            heard = self._leveller.process(VadInput(frames, features.log_mel))
            self._waiting_mel = np.concatenate((self._waiting_mel, heard.log_mel))
            self._waiting_frames = np.concatenate((self._waiting_frames, frames))
        with self._timed("vad"):
            decisions = self._vad.process(heard)
        return self._judged(decisions)

    def flush(self) -> SpeechFrames:
        return self._judged(self._vad.flush())

    def _judged(self, decisions: Decisions) -> SpeechFrames:
        n_frames = len(decisions.speech)
        n_columns = COLUMNS_PER_FRAME * n_frames
        judged, self._waiting = self._waiting[:n_columns], self._waiting[n_columns:]
        mel, self._waiting_mel = self._waiting_mel[:n_columns], self._waiting_mel[n_columns:]
        frames, self._waiting_frames = self._waiting_frames[:n_frames], self._waiting_frames[n_frames:]
        return SpeechFrames(judged, decisions.speech, mel, frames)


class ColumnSource:
    """The feature columns that an encoder was trained on, two per frame; shared with the VAD's if it can."""

    def __init__(self, encoder: SpeakerEncoder) -> None:
        self._kind, self._n_mels = encoder.features, encoder.n_mels
        self._own: FeatureExtractor | KaldiFbank | None = None
        if self._kind == "kaldi_fbank":
            self._own = KaldiFbank(self._n_mels)
        elif self._n_mels != N_MELS:
            self._own = FeatureExtractor(self._n_mels, phase=self._kind == "log_mel+phase")

    def process(self, frames: np.ndarray, spectra: np.ndarray, features: Features) -> np.ndarray:
        """float32 (2n, n_bands) of n frames."""
        if isinstance(self._own, KaldiFbank):
            return self._own.process(frames)
        if self._own:
            features = self._own.process(spectra)
        return np.concatenate(features, axis=1) if self._kind == "log_mel+phase" else features.log_mel

    def reset(self) -> None:
        if self._own:
            self._own.reset()


def encoder_columns(encoder: SpeakerEncoder, samples: np.ndarray) -> np.ndarray:
    """Feature columns float32 (2n, n_bands) of the n whole frames of a recording, for offline work."""
    frames = samples[: len(samples) - len(samples) % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    spectra = Stft().process(frames)
    features = FeatureExtractor(phase=encoder.features == "log_mel+phase").process(spectra)
    return ColumnSource(encoder).process(frames, spectra, features)
