"""One embedding per recording, through the same stages as the live engine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from voicelane.audio.framer import Framer
from voicelane.audio.resampler import Resampler, finite
from voicelane.audio.sources import PullSource
from voicelane.base.errors import AudioError
from voicelane.base.timebase import FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE
from voicelane.config import PipelineConfig
from voicelane.stages.encoder import COLUMNS_PER_FRAME, MIN_COLUMNS, SpeechFrames, load_encoder
from voicelane.stages.enhancer import load_enhancer
from voicelane.stages.frontend import FrontEnd

LONGEST_COLUMNS = 1000
TELLING_S = 1.5


class FileEmbedder:
    """Recordings in, unit vectors float32 (dim,) over their speech out, enhanced where the settings say so.

    Raises `ModelError` where the enhancer cannot be used: vectors that are kept must not depend on a
    fall-back.
    """

    def __init__(self, config: PipelineConfig | None = None) -> None:
        config = config or PipelineConfig()
        self._encoder = load_encoder(config.encoder)
        self._enhancer = load_enhancer(config.enhancer, self._encoder)
        self._front_end = FrontEnd(config.vad, self._encoder, recording=True)
        self.dim = self._encoder.dim
        self.speech_s = 0.0
        """Speech behind the latest vector, in seconds; from less than `TELLING_S` nobody can be told."""

    def embed(self, source: PullSource) -> np.ndarray:
        """The voice of a recording; raises `AudioError` where it holds no sound at all.

        Where the detector finds too little speech, the whole recording is taken for speech. Speech of
        more than 10 s is cut into equal parts whose vectors are averaged.
        """
        heard = self._listen(source)
        self.speech_s = float(heard.speech.sum()) * FRAME_SAMPLES / SAMPLE_RATE
        columns = heard.columns[np.repeat(heard.speech, COLUMNS_PER_FRAME)]
        if len(columns) < MIN_COLUMNS:
            columns = heard.columns
        if len(columns) < MIN_COLUMNS:
            raise AudioError(
                f"{source.name}: too short, {MIN_COLUMNS * HOP_SAMPLES / SAMPLE_RATE:.1f} s "
                "of sound are the least that can be embedded"
            )
        columns = self._encoder.stream().normalise(columns)
        n_parts = -(-len(columns) // LONGEST_COLUMNS)
        parts = [self._encoder.tokens(part) for part in np.array_split(columns, n_parts)]
        total = np.sum([self._encoder.embed(part) for part in parts], axis=0)
        vector = (total / np.linalg.norm(total)).astype(np.float32)
        return self._enhancer.enhance(vector)[0] if self._enhancer else vector

    def _listen(self, source: PullSource) -> SpeechFrames:
        """All feature columns of a recording and which of its frames are speech."""
        self._front_end.reset()
        heard = [self._front_end.process(frames) for frames in _from_first_sound(_framed(source))]
        heard.append(self._front_end.flush())
        return SpeechFrames(*(np.concatenate(parts) for parts in zip(*heard, strict=True)))


def _from_first_sound(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames without the digital silence before the first sound, to which the detector would get used; all of
    it where there is nothing else."""
    silent: list[np.ndarray] = []
    for frames in blocks:
        loud = np.flatnonzero(frames.any(axis=1))
        if len(loud):
            yield frames[loud[0] :]
            break
        silent.append(frames)
    else:
        yield from silent
    yield from blocks


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
