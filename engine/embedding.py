"""One embedding per recording, through the same stages as the live engine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.audio.framer import Framer
from engine.audio.resampler import Resampler, finite
from engine.audio.sources import PullSource
from engine.config import PipelineConfig
from engine.errors import AudioError
from engine.stages.encoder import COLUMNS_PER_FRAME, MIN_COLUMNS, SpeechFrames, load_encoder
from engine.stages.enhancer import load_enhancer
from engine.stages.frontend import FrontEnd
from engine.timebase import HOP_SAMPLES, SAMPLE_RATE

LONGEST_COLUMNS = 1000


class FileEmbedder:
    """Recordings in, unit vectors float32 (dim,) over their speech out, enhanced where the settings say so.

    Raises `ModelError` where the enhancer cannot be used: vectors that are kept must not depend on a
    fall-back.
    """

    def __init__(self, config: PipelineConfig | None = None) -> None:
        config = config or PipelineConfig()
        self._encoder = load_encoder(config.encoder)
        self._enhancer = load_enhancer(config.enhancer, self._encoder)
        self._front_end = FrontEnd(config.vad, self._encoder)
        self.dim = self._encoder.dim

    def embed(self, source: PullSource) -> np.ndarray:
        """The voice of a recording; raises `AudioError` where it holds no sound at all.

        Where the detector finds too little speech, the whole recording is taken for speech. Speech of
        more than 10 s is cut into equal parts whose vectors are averaged.
        """
        heard = self._listen(source)
        columns = heard.columns[np.repeat(heard.speech, COLUMNS_PER_FRAME)]
        if len(columns) < MIN_COLUMNS:
            columns = heard.columns
        if len(columns) < MIN_COLUMNS:
            raise AudioError(
                f"{source.name}: too short, {MIN_COLUMNS * HOP_SAMPLES / SAMPLE_RATE:.1f} s "
                "of sound are the least that can be embedded"
            )
        self._encoder.reset()
        columns = self._encoder.normalise(columns)
        n_parts = -(-len(columns) // LONGEST_COLUMNS)
        parts = [self._encoder.tokens(part) for part in np.array_split(columns, n_parts)]
        total = np.sum([self._encoder.embed(part) for part in parts], axis=0)
        vector = (total / np.linalg.norm(total)).astype(np.float32)
        return self._enhancer.enhance(vector)[0] if self._enhancer else vector

    def _listen(self, source: PullSource) -> SpeechFrames:
        """All feature columns of a recording and which of its frames are speech."""
        self._front_end.reset()
        heard = [self._front_end.process(frames) for frames in _framed(source)]
        heard.append(self._front_end.flush())
        return SpeechFrames(*(np.concatenate(parts) for parts in zip(*heard, strict=True)))


def _framed(source: PullSource) -> Iterator[np.ndarray]:
    """The recording as whole frames of 16 kHz mono, about a second at a time."""
    resampler, framer = Resampler(source.rate), Framer()
    waiting: list[np.ndarray] = []
    for block in source.blocks():
        waiting.append(block)
        if sum(len(b) for b in waiting) >= source.rate:
            yield framer.process(resampler.process(finite(np.concatenate(waiting))[0]))
            waiting = []
    rest = [resampler.process(finite(b)[0]) for b in waiting] + [resampler.flush()]
    yield framer.process(np.concatenate(rest))
    yield framer.flush()
