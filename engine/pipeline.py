"""The engine as a pure machine: samples in, events out. No threads, no devices, no clock but for timing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from engine.audio.framer import Framer
from engine.config import PipelineConfig
from engine.dsp.features import N_MELS, FeatureExtractor
from engine.dsp.stft import Stft
from engine.errors import AudioError
from engine.events import Event, InvalidSamples, Overrun, StageTiming
from engine.inference.onnx import Model, find_model
from engine.stages.diariser import Diariser
from engine.stages.encoder import EncoderStage, SpeakerEncoder, SpeechFrames
from engine.stages.vad import Decisions, Vad, VadInput
from engine.timebase import FRAME_SAMPLES, samples

BLOCK_FRAMES = 50


class Pipeline:
    """Framer → STFT → features → VAD → encoder → diariser, for one stream of 16 kHz mono sound.

    >>> pipeline = Pipeline()
    >>> events = pipeline.push(block) + pipeline.flush()
    """

    def __init__(self, config: PipelineConfig | None = None, timing: bool = False) -> None:
        """`timing` adds a `StageTiming` event to every push; models are loaded here."""
        self.config = config = config or PipelineConfig()
        self._timing = timing
        self._framer, self._stft = Framer(), Stft()
        self._features = FeatureExtractor(phase=False)
        self._vad = Vad(config.vad, Model(find_model(config.vad.model, "vad")))
        encoder = Model(find_model(config.encoder.model, "encoder"), config.encoder.threads)
        self._encoder = EncoderStage(config.encoder, SpeakerEncoder(encoder))
        self._diariser = Diariser(config.diariser, samples(config.encoder.window_s))
        self.reset()

    @property
    def latency_samples(self) -> int:
        """From a sound to the decision whether it is speech: framing plus the VAD's look-ahead."""
        return self._framer.latency_samples + self._vad.latency_samples

    @property
    def heard_samples(self) -> int:
        """Length of the stream so far, lost sound included."""
        return self._heard

    def push(self, block: np.ndarray) -> list[Event]:
        """Events that `block`, float (n_samples,) of 16 kHz mono in −1 … 1, brings about.

        Raises `AudioError` for any other shape. Samples that are not finite count as silence and are
        reported.
        """
        block = np.asarray(block)
        if block.ndim != 1 or block.dtype.kind != "f":
            raise AudioError(f"expected float samples of shape (n,), got {block.dtype} {block.shape}")
        events: list[Event] = []
        block = np.ascontiguousarray(block, np.float32)
        n_invalid = len(block) - int(np.count_nonzero(np.isfinite(block)))
        if n_invalid:
            block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
            events.append(InvalidSamples(self._heard, n_invalid))
        self._heard += len(block)
        frames = self._framer.process(block)
        for i in range(0, len(frames), BLOCK_FRAMES):
            events += self._hear(frames[i : i + BLOCK_FRAMES])
        return events

    def skip(self, n_samples: int) -> list[Event]:
        """Sound that was lost: an `Overrun`, and silence in its place so that time stays true."""
        events: list[Event] = [Overrun(self._heard, n_samples)]
        block = np.zeros(BLOCK_FRAMES * FRAME_SAMPLES, np.float32)
        for start in range(0, n_samples, len(block)):
            events += self.push(block[: n_samples - start])
        return events

    def flush(self) -> list[Event]:
        """The end of the stream: events that still wait. Afterwards only `reset` makes sense."""
        events = self._hear(self._framer.flush())
        events += self._judge(self._vad.flush())
        return events + self._diariser.process(self._encoder.flush()) + self._diariser.flush()

    def reset(self) -> None:
        for stage in (self._framer, self._stft, self._features, self._vad, self._encoder, self._diariser):
            stage.reset()
        self._waiting = np.zeros((0, N_MELS), np.float32)  # columns that the VAD has not judged
        self._heard = 0
        self._wall_ms: dict[str, float] = {}
        self._cpu_ms: dict[str, float] = {}

    def warm_up(self) -> None:
        """Compile, load and touch everything once, so that the first sound meets no pause."""
        noise = np.random.default_rng(0).standard_normal(samples(3.0)).astype(np.float32) * 0.1
        self.push(noise)
        self.flush()
        for length_s in (self.config.encoder.first_s, self.config.encoder.window_s):
            speech = np.ones(samples(length_s) // FRAME_SAMPLES, bool)
            self._encoder.process(SpeechFrames(np.zeros((2 * len(speech), N_MELS), np.float32), speech))
        self.reset()

    def _hear(self, frames: np.ndarray) -> list[Event]:
        if not len(frames):
            return []
        with self._timed("stft"):
            spectra = self._stft.process(frames)
        with self._timed("features"):
            log_mel = self._features.process(spectra).log_mel
            self._waiting = np.concatenate((self._waiting, log_mel))
        with self._timed("vad"):
            decisions = self._vad.process(VadInput(frames, log_mel))
        events = self._judge(decisions)
        if self._timing:
            events.append(StageTiming(self._heard, len(frames), self._wall_ms, self._cpu_ms))
            self._wall_ms, self._cpu_ms = {}, {}
        return events

    def _judge(self, decisions: Decisions) -> list[Event]:
        n_columns = 2 * len(decisions.speech)
        judged, self._waiting = self._waiting[:n_columns], self._waiting[n_columns:]
        with self._timed("encoder"):
            items = self._encoder.process(SpeechFrames(judged, decisions.speech))
        with self._timed("diariser"):
            return self._diariser.process(items)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.thread_time()
        yield
        self._wall_ms[stage] = (time.perf_counter() - wall) * 1e3
        self._cpu_ms[stage] = (time.thread_time() - cpu) * 1e3
