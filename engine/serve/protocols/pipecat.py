"""For pipecat's pipelines: whether somebody speaks, and who it is whose words follow."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from pipecat.audio.vad.vad_analyzer import VADAnalyzer, VADParams
from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    SystemFrame,
    TranscriptionFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from voicelane.audio.framer import Framer
from voicelane.audio.resampler import Resampler
from voicelane.base.errors import VoicelaneError
from voicelane.client.connection import AsyncClient, AsyncStream, Message
from voicelane.config import PipelineConfig
from voicelane.dsp.features import FeatureExtractor
from voicelane.dsp.stft import Stft
from voicelane.inference.onnx import Model, find_model
from voicelane.stages.leveller import Leveller
from voicelane.stages.vad import Vad, VadInput

CHUNK_S = 0.02
SILENT = 0.0
CONFIDENCE, LEAST_VOLUME = 0.5, 0.0
"""The detector weighs the level itself; pipecat's own threshold of volume would only take from it."""


class VoicelaneVAD(VADAnalyzer):
    """The speech detector of the engine, as pipecat asks it: a probability every 20 ms."""

    def __init__(self, *, sample_rate: int | None = None, params: VADParams | None = None) -> None:
        super().__init__(
            sample_rate=sample_rate,
            params=params or VADParams(confidence=CONFIDENCE, min_volume=LEAST_VOLUME),
        )
        config = PipelineConfig().vad
        self._framer, self._stft, self._features = Framer(), Stft(), FeatureExtractor(phase=False)
        self._leveller = Leveller(False)
        self._vad = Vad(config, Model(find_model(config.model, "vad")))
        self._resampler: Resampler | None = None
        self._latest = SILENT

    def num_frames_required(self) -> int:
        """Samples of 20 ms."""
        return int(CHUNK_S * self.sample_rate)

    def voice_confidence(self, buffer: bytes) -> float:
        """Probability of speech in the latest frame that is decided, 0 … 1."""
        if self._resampler is None:
            self._resampler = Resampler(self.sample_rate)
        sound = np.frombuffer(buffer, "<i2").astype(np.float32)[:, None] / 32_768.0
        frames = self._framer.process(self._resampler.process(sound))
        if len(frames):
            features = self._features.process(self._stft.process(frames))
            decided = self._vad.process(self._leveller.process(VadInput(frames, features.log_mel)))
            self._latest = float(decided.probability[-1]) if len(decided.probability) else self._latest
        return self._latest


@dataclass
class SpeakerFrame(SystemFrame):
    """A speaker begins or ends to speak."""

    speaker: str = ""
    person: str = ""
    """The name of the speaker, or the label again."""
    speaking: bool = True


class Speakers(FrameProcessor):
    """Between the transport and whatever follows: tells who speaks, and gives words their speaker.

    Sound goes to `voicelane serve`; a `SpeakerFrame` comes out when somebody begins or ends, and every
    `TranscriptionFrame` that passes has the name of whoever spoke last as its `user_id`.
    """

    def __init__(self, voicelane: AsyncClient, people: bool = True) -> None:
        super().__init__()
        self._voicelane, self._people = voicelane, people
        self._stream: AsyncStream | None = None
        self._reading: asyncio.Task[None] | None = None
        self.person = ""
        """Who spoke last."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Every frame goes on; sound is heard, words are given a name."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            with suppress(VoicelaneError, OSError):  # without voicelane, words go on without a name
                await self._hear(frame)
        elif isinstance(frame, TranscriptionFrame) and self.person:
            frame.user_id = self.person
        elif isinstance(frame, EndFrame | CancelFrame):
            await self._end()
        await self.push_frame(frame, direction)

    async def _hear(self, frame: InputAudioRawFrame) -> None:
        if self._stream is None:
            self._stream = self._voicelane.stream(
                rate=frame.sample_rate, channels=frame.num_channels, people=self._people
            )
            await self._stream.__aenter__()
            self._reading = asyncio.create_task(self._read(self._stream))
        await self._stream.send(frame.audio)

    async def _read(self, stream: AsyncStream) -> None:
        async for message in stream:
            if message["type"] in ("speaker_start", "speaker_end", "name"):
                await self._tell(message)

    async def _tell(self, message: Message) -> None:
        speaker: str = message["speaker"]
        person: str = message.get("name", speaker)
        if message["type"] != "speaker_end":
            self.person = person
        if message["type"] != "name":
            speaking = message["type"] == "speaker_start"
            await self.push_frame(SpeakerFrame(speaker, person, speaking))

    async def _end(self) -> None:
        """The pipeline ends: what is still to be told comes first."""
        stream, self._stream = self._stream, None
        if stream and self._reading:
            with suppress(VoicelaneError, OSError):
                await stream.end()
                await self._reading
            await stream.__aexit__(None, None, None)
