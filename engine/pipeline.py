"""The engine as a pure machine: samples in, events out. No threads, no devices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from voicelane.audio.framer import Framer
from voicelane.audio.resampler import finite
from voicelane.base.errors import AudioError, ModelError
from voicelane.base.space import OFF, Space
from voicelane.base.stopwatch import Stopwatch
from voicelane.base.timebase import FRAME_SAMPLES, HOP_SAMPLES, samples
from voicelane.config import DiariserConfig, PipelineConfig, ReclusteringConfig
from voicelane.dsp.kernels import forward_backward
from voicelane.events import EnhancerFellBack, Event, InvalidSamples, Overrun, StageTiming
from voicelane.stages.denoiser import load_denoiser
from voicelane.stages.diariser import Diariser
from voicelane.stages.encoder import (
    MIN_COLUMNS,
    Embedding,
    EncoderStage,
    Segmented,
    SpeakerEncoder,
    SpeechFrames,
    load_encoder,
)
from voicelane.stages.enhancer import EnhancerStage, load_enhancer
from voicelane.stages.frontend import FrontEnd
from voicelane.stages.gate import VoiceGate
from voicelane.stages.recogniser import Person, check_people
from voicelane.stages.scale import load_scale
from voicelane.stages.segmenter import Heard, Segmenter, load_segmentation
from voicelane.stages.verifier import LiveVerifier, Verifier, check_verifier

BLOCK_FRAMES = 50
NOTHING = np.zeros(0, np.float32)


class Pipeline:
    """Framer → STFT → features → VAD → segmenter (with the encoder) → enhancer → diariser (and verifier), for
    one stream of 16 kHz mono sound; a denoiser before them where the settings name one. Any number of
    pipelines share one set of weights.

    >>> pipeline = Pipeline()
    >>> events = pipeline.push(block) + pipeline.flush()
    """

    sides = 1
    """Columns of its sound; `SidesPipeline` has several."""

    def __init__(
        self,
        config: PipelineConfig | None = None,
        timing: bool = False,
        people: Sequence[Person] = (),
        verifier: Verifier | None = None,
        voices: bool = False,
        live_verifier: LiveVerifier | None = None,
    ) -> None:
        """`timing` adds a `StageTiming` event to every push, `voices` a `VoiceMeasured` for every voice of
        every window; models are loaded here.

        `people` are recognised by name; their embeddings come from the same encoder and enhancer. `verifier`
        judges all speech as one person's, `live_verifier` that of each speaker. When the enhancer falls back,
        nobody is recognised or verified any more.
        """
        self.config = config = config or PipelineConfig()
        self._timing, self._stopwatch = timing, Stopwatch()
        self._speaker_encoder = encoder = load_encoder(config.encoder, self._stopwatch)
        self._denoiser = load_denoiser(config.denoiser, self._stopwatch)
        self._framer = Framer()
        self._front_end = FrontEnd(config.vad, encoder, self._stopwatch)
        network = load_segmentation(config.segmentation, self._stopwatch)
        self._segmenter = Segmenter(config.segmentation, network, encoder)
        self._enhancer, enhancer_id = _enhancer_stage(config, encoder, self._stopwatch)
        self.space = Space(encoder.id, enhancer_id, encoder.name)
        check_people(people, encoder.dim)
        self._scale = load_scale(config.encoder, encoder)
        self._people, self._voices, self._live_verifier = people, voices, live_verifier
        if live_verifier:
            check_verifier(live_verifier, self.space)
        self._gate = VoiceGate(self._scale, config.diariser.voice_llr)
        self._diariser = self.diariser(config.diariser, config.reclustering)
        self._verifying = _Verifying(config, verifier, self.space, encoder) if verifier else None
        self.reset()

    @property
    def latency_samples(self) -> int:
        """From a sound to the decision whether it is speech: framing plus the look-ahead of the VAD, and that
        of a denoiser."""
        cleaning = self._denoiser.latency_samples if self._denoiser else 0
        return cleaning + self._framer.latency_samples + self._front_end.latency_samples

    @property
    def final_latency_samples(self) -> int:
        """From a sound to the turn that says for good who speaks there (`confirmed_end`), at most.

        A turn is told of when it is `shortest_s` long, at the end of the first window that finds it so.
        """
        step = samples(self.config.segmentation.step_s)
        growing = -(-samples(self.config.diariser.shortest_s) // step) * step
        return self.latency_samples + self._segmenter.longest_delay_samples + growing

    @property
    def heard_samples(self) -> int:
        """Length of the stream so far, lost sound included."""
        return self._heard

    @property
    def cleaned(self) -> np.ndarray | None:
        """What the last call cleaned, float32 (n,), where the stream's last one ended; None without a
        denoiser."""
        return np.concatenate([NOTHING, *self._cleaned]) if self._denoiser else None

    def push(self, block: np.ndarray) -> list[Event]:
        """Events that `block`, float (n_samples,) of 16 kHz mono in −1 … 1, brings about.

        Raises `AudioError` for any other shape. Samples that are no numbers count as silence and are
        reported.
        """
        self._cleaned.clear()
        return self._take(block)

    def _take(self, block: np.ndarray) -> list[Event]:
        block = np.asarray(block)
        if block.ndim != 1 or block.dtype.kind != "f":
            raise AudioError(f"expected float samples of shape (n,), got {block.dtype} {block.shape}")
        events: list[Event] = []
        block = np.ascontiguousarray(block, np.float32)
        block, n_invalid = finite(block)
        if n_invalid:
            events.append(InvalidSamples(self._heard, n_invalid))
        self._heard += len(block)
        if self._denoiser:
            block = self._denoiser.process(block)
            self._cleaned.append(block)
        return events + self._frame(block)

    def _frame(self, block: np.ndarray) -> list[Event]:
        frames = self._framer.process(block)
        blocks = [frames[i : i + BLOCK_FRAMES] for i in range(0, len(frames), BLOCK_FRAMES)]
        return [event for part in blocks for event in self._hear(part)]

    def skip(self, n_samples: int) -> list[Event]:
        """Sound that was lost: an `Overrun`, and silence in its place so that time stays true."""
        self._cleaned.clear()
        events: list[Event] = [Overrun(self._heard, n_samples)]
        block = np.zeros(BLOCK_FRAMES * FRAME_SAMPLES, np.float32)
        for start in range(0, n_samples, len(block)):
            events += self._take(block[: n_samples - start])
        return events

    def flush(self) -> list[Event]:
        """The end of the stream: events that still wait. Afterwards only `reset` makes sense."""
        self._cleaned.clear()
        events: list[Event] = []
        if self._denoiser:
            self._cleaned.append(self._denoiser.flush())
            events += self._frame(self._cleaned[0])
        events += self._hear(self._framer.flush())
        events += self._judge(self._front_end.flush())
        events += self._attribute(self._segmenter.flush()) + self._diariser.flush()
        events += self._verifying.flush() if self._verifying else []
        return [_within(event, self._heard) for event in events]

    def reset(self) -> None:
        for stage in (self._framer, self._front_end, self._segmenter, self._enhancer, self._diariser):
            stage.reset()
        if self._verifying:
            self._verifying.reset()
        if self._denoiser:
            self._denoiser.reset()
        self._cleaned: list[np.ndarray] = []
        self._stopwatch.take()
        self._heard = 0

    def split(self, samples: np.ndarray) -> list[Heard]:
        """What the diariser is given of a whole recording (n_samples,), to try it alone with `diariser`."""
        self.reset()
        if self._denoiser:
            samples = np.concatenate((self._denoiser.process(samples), self._denoiser.flush()))
        speech = [self._front_end.process(f) for f in (self._framer.process(samples), self._framer.flush())]
        found = [item for part in speech for item in self._segmenter.process(part)]
        found += self._segmenter.process(self._front_end.flush()) + self._segmenter.flush()
        kept = [item for item in self._enhancer.process(self._gate.process(found)) if isinstance(item, Heard)]
        self.reset()
        return kept

    def diariser(self, config: DiariserConfig, reclustering: ReclusteringConfig) -> Diariser:
        """A new last stage with other settings: `process(items)` and `flush()` give events."""
        return Diariser(config, reclustering, self._scale, self._people, self._voices, self._live_verifier)

    def warm_up(self) -> None:
        """Compile, load and touch everything once, so that the first sound meets no pause."""
        rng, encoder = np.random.default_rng(0), self._speaker_encoder
        noise = rng.standard_normal(samples(3.0)).astype(np.float32) * 0.1
        self.push(noise)
        self.flush()
        forward_backward(np.zeros((2, 2)), np.full(2, 0.5), self.config.reclustering.loop_probability)
        for n_columns in range(MIN_COLUMNS, self._segmenter.window_columns + 1, 2 * MIN_COLUMNS):
            columns = rng.standard_normal((n_columns, encoder.n_bands)).astype(np.float32)
            vector = encoder.embed(encoder.tokens(encoder.stream().normalise(columns)))
            self._enhancer.enhance(Embedding(0, n_columns * HOP_SAMPLES, vector))
        self.reset()

    def _hear(self, frames: np.ndarray) -> list[Event]:
        if not len(frames):
            return []
        events = self._judge(self._front_end.process(frames))
        if self._timing:
            events.append(StageTiming(self._heard, len(frames), *self._stopwatch.take()))
        return events

    def _judge(self, speech: SpeechFrames) -> list[Event]:
        found = self._attribute(self._segmenter.process(speech))
        return found + (self._verifying.process(speech) if self._verifying else [])

    def _attribute(self, items: list[Heard]) -> list[Event]:
        """Enhance the embeddings and let the diariser say whose they are."""
        events: list[Event] = []
        for item in self._enhancer.process(self._gate.process(items)):
            with self._stopwatch("diariser"):
                if isinstance(item, EnhancerFellBack):
                    self._diariser.distrust()
                    events.append(item)
                elif not isinstance(item, Embedding):
                    events += self._diariser.process([item])
        return events


def _enhancer_stage(
    config: PipelineConfig, encoder: SpeakerEncoder, stopwatch: Stopwatch | None = None
) -> tuple[EnhancerStage, str]:
    """The stage and the enhancer's id; a broken one must not stop the stream: the stage announces it."""
    try:
        found = load_enhancer(config.enhancer, encoder, stopwatch)
    except ModelError as problem:
        return EnhancerStage(None, str(problem)), OFF
    return EnhancerStage(found), found.id if found else OFF


class _Verifying:
    """All speech as one person's: windows, each over the last seconds of it, and the verdict on them."""

    def __init__(
        self, config: PipelineConfig, verifier: Verifier, space: Space, encoder: SpeakerEncoder
    ) -> None:
        check_verifier(verifier, space)
        self._encoder = EncoderStage(config.encoder, encoder)
        self._enhancer, _ = _enhancer_stage(config, encoder)
        self._verifier = verifier

    def process(self, speech: SpeechFrames) -> list[Event]:
        return self._judge(self._encoder.process(speech))

    def flush(self) -> list[Event]:
        return self._judge(self._encoder.flush()) + self._verifier.flush()

    def reset(self) -> None:
        for stage in (self._encoder, self._enhancer, self._verifier):
            stage.reset()

    def _judge(self, items: list[Segmented]) -> list[Event]:
        found: list[Event] = []
        for item in self._enhancer.process(items):
            if isinstance(item, EnhancerFellBack):
                self._verifier.distrust()
            elif isinstance(item, Embedding):
                found += self._verifier.process([item])
        return found


def _within(event: Event, n_samples: int) -> Event:
    """The event without the padding of the last frame."""
    names = {"sample", "end", "confirmed_end"} & set(event.__dataclass_fields__)
    return replace(event, **{name: min(getattr(event, name), n_samples) for name in names})
