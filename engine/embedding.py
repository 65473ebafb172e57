"""One embedding per recording, through the same stages as the live engine."""

from __future__ import annotations

import numpy as np

from engine.audio.framer import Framer
from engine.audio.resampler import Resampler
from engine.audio.sources import PullSource
from engine.config import PipelineConfig
from engine.dsp.features import FeatureExtractor
from engine.dsp.stft import Stft
from engine.errors import AudioError
from engine.inference.onnx import Model, find_model
from engine.stages.encoder import COLUMNS_PER_FRAME, MIN_COLUMNS, SpeakerEncoder
from engine.stages.vad import Vad, VadInput
from engine.timebase import HOP_SAMPLES, SAMPLE_RATE

LONGEST_COLUMNS = 1000


class FileEmbedder:
    """Recordings in, unit vectors float32 (dim,) over their speech out."""

    def __init__(self, config: PipelineConfig | None = None) -> None:
        config = config or PipelineConfig()
        self._stft, self._features = Stft(), FeatureExtractor(phase=False)
        self._vad = Vad(config.vad, Model(find_model(config.vad.model, "vad")))
        self._encoder = SpeakerEncoder(
            Model(find_model(config.encoder.model, "encoder"), config.encoder.threads)
        )
        self.dim = self._encoder.dim

    def embed(self, source: PullSource) -> np.ndarray:
        """The voice of a recording; raises `AudioError` where it holds no sound at all.

        Where the detector finds too little speech, the whole recording is taken for speech. Speech of
        more than 10 s is cut into equal parts whose vectors are averaged.
        """
        log_mel, speech = self._listen(source)
        columns = log_mel[np.repeat(speech, COLUMNS_PER_FRAME)]
        if len(columns) < MIN_COLUMNS:
            columns = log_mel
        if len(columns) < MIN_COLUMNS:
            raise AudioError(
                f"{source.name}: too short, {MIN_COLUMNS * HOP_SAMPLES / SAMPLE_RATE:.1f} s "
                "of sound are the least that can be embedded"
            )
        self._encoder.reset()
        columns = self._encoder.normalise(columns)
        n_parts = -(-len(columns) // LONGEST_COLUMNS)
        total = np.sum([self._encoder.embed(p) for p in np.array_split(columns, n_parts)], axis=0)
        return (total / np.linalg.norm(total)).astype(np.float32)

    def _listen(self, source: PullSource) -> tuple[np.ndarray, np.ndarray]:
        """Log-mel columns (2n, 80) and speech (n,) of a whole recording."""
        resampler, framer = Resampler(source.rate), Framer()
        for stage in (self._stft, self._features, self._vad):
            stage.reset()
        log_mel, speech = [], []
        blocks = [resampler.process(b) for b in source.blocks()] + [resampler.flush()]
        samples = np.nan_to_num(np.concatenate(blocks), nan=0.0, posinf=0.0, neginf=0.0)
        for frames in np.array_split(
            np.concatenate((framer.process(samples), framer.flush())), max(1, len(samples) // SAMPLE_RATE)
        ):
            columns = self._features.process(self._stft.process(frames)).log_mel
            log_mel.append(columns)
            speech.append(self._vad.process(VadInput(frames, columns)).speech)
        speech.append(self._vad.flush().speech)
        return np.concatenate(log_mel), np.concatenate(speech)
