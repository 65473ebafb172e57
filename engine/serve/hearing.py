"""One live stream in a worker: bytes of a client in, messages for it out. No sockets, no waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from voicelane.audio.channels import MOST_CHANNELS, RunningMix
from voicelane.audio.level import ClippingWatch
from voicelane.audio.resampler import Resampler, finite
from voicelane.base.errors import AudioError, VoicelaneError
from voicelane.base.text import check_name, one_line
from voicelane.base.timebase import SAMPLE_RATE, seconds
from voicelane.config import PipelineConfig
from voicelane.events import Event, InvalidSamples, SoundRemark, SpeakerRenamed, SpeakerTurn
from voicelane.labels.desk import LabelDesk
from voicelane.live.outbox import Sink, Sound
from voicelane.offline import pipeline_for
from voicelane.serve.decoders import decoder_for
from voicelane.serve.floor import Floor, Message, named_turns
from voicelane.serve.messages import Start
from voicelane.sessions.recorder import Recorder
from voicelane.sides import SidesPipeline
from voicelane.stages.recogniser import Person
from voicelane.words.captioner import MODEL, Captioner, CaptionSettings

STEP_SAMPLES = 4_000
"""Of the client's sound at 16 kHz that is heard in one turn; then other streams have theirs."""


class Hearing:
    """A stream from its start message to its end; `step` does a little of the work and comes back."""

    def __init__(
        self,
        start: Start,
        config: PipelineConfig,
        people: Sequence[Person] = (),
        folder: Path | None = None,
        model: str = MODEL,
    ) -> None:
        """`people` are recognised, the session is recorded into `folder`, `model` knows words. Raises
        `VoicelaneError`."""
        self._names = tuple(check_name(n) if n else "" for n in start.channel_names)
        self._start, self._decoder = start, decoder_for(start)
        try:
            self.pipeline = pipeline_for(start.sides, _config(start, config), people)
            self._desk, self._floor, self._known = LabelDesk(), Floor(), set[str]()
            self._turns, self._said = list[SpeakerTurn](), list[Event]()
            self._bytes, self._blocks = deque[bytes](), deque[np.ndarray]()
            self._resampler: Resampler | None = None
            self._mix: RunningMix | None = None
            self._clipping = ClippingWatch()
            self._sinks = self._sinks_for(start, folder, model)
        except BaseException:
            self._decoder.close()
            raise

    @property
    def heard_s(self) -> float:
        """Seconds of sound so far."""
        return seconds(self.pipeline.heard_samples)

    @property
    def has_work(self) -> bool:
        """Whether `step` has something to do now."""
        return bool(self._blocks or self._bytes)

    def put(self, data: bytes) -> None:
        """The next bytes."""
        self._bytes.append(data)

    def step(self) -> tuple[int, list[Message]]:
        """A little of what waits: how many bytes were taken, and what is to be told of it.

        Raises `AudioError` for what is no sound.
        """
        taken = self._take_bytes()
        self._blocks.extend(self._decoder.blocks())
        return taken, self._tell(self._hear_next())

    def rename(self, speaker: str, name: str) -> list[Message]:
        """A speaker has a name; raises `VoicelaneError` where there is none such."""
        self._desk.rename(speaker, name)
        return self._tell([])

    def merge(self, speaker: str, into: str) -> list[Message]:
        """One speaker is another; raises `VoicelaneError`."""
        self._desk.merge(speaker, into)
        return self._tell([])

    def finish(self) -> list[Message]:
        """All that is left, and the turns of the whole stream."""
        found: list[Message] = []
        while self.has_work:
            found += self.step()[1]
        for block in self._decoder.finish():
            found += self._tell(self._hear(block))
        if self._resampler:
            found += self._tell(self._push(self._resampler.flush()))
        found += self._tell(self.pipeline.flush())
        self._close_sinks()
        found += self._tell([])
        turns = named_turns(self._turns, self._floor.labels)
        return [*found, {"type": "end", "heard_s": round(self.heard_s, 3), "turns": turns}]

    def close(self) -> None:
        """Let go of everything, whatever state it is in."""
        self._decoder.close()
        self._close_sinks()

    def _take_bytes(self) -> int:
        taken = 0
        while self._bytes:
            data = self._bytes.popleft()
            n_bytes = self._decoder.put(data)
            taken += n_bytes
            if n_bytes < len(data):
                self._bytes.appendleft(data[n_bytes:])
                break
        return taken

    def _hear_next(self) -> list[Event]:
        """One step of the sound that is decoded."""
        if not self._blocks:
            return []
        most = max(1, STEP_SAMPLES * (self._decoder.rate or SAMPLE_RATE) // SAMPLE_RATE)
        whole = self._blocks.popleft()
        while self._blocks and len(whole) + len(self._blocks[0]) <= most:
            whole = np.concatenate((whole, self._blocks.popleft()))
        if len(whole) > most:
            self._blocks.appendleft(whole[most:])
        return self._hear(whole[:most])

    def _hear(self, block: np.ndarray) -> list[Event]:
        """Sound at the client's rate, (n, channels)."""
        if self._resampler is None:
            self._begin(block.shape[1])
        at, events = self.pipeline.heard_samples, list[Event]()
        if sentence := self._clipping.process(block):
            events.append(SoundRemark(at, one_line(sentence)))
        block, n_invalid = finite(block)
        if n_invalid:
            events.append(InvalidSamples(at, n_invalid))
        return events + self._push(self._resampled(block))

    def _begin(self, channels: int) -> None:
        """The first sound: its rate and channels are known now. Raises `AudioError`."""
        sides = self._start.sides
        if sides > 1 and channels != sides:
            raise AudioError(f"the sound has {channels} channels; {sides} were said to come")
        self._resampler = Resampler(self._decoder.rate, sides)
        if sides == 1 and 1 < channels <= MOST_CHANNELS:
            self._mix = RunningMix(self._decoder.rate, channels)

    def _resampled(self, block: np.ndarray) -> np.ndarray:
        """16 kHz sound, (n,) or (n, sides)."""
        assert self._resampler
        return self._resampler.process(self._mix.process(block) if self._mix else block)

    def _push(self, sound: np.ndarray) -> list[Event]:
        """16 kHz sound into the pipeline and to those that hear."""
        mono = sound if sound.ndim == 1 else sound.mean(axis=1, dtype=np.float32)
        for sink in self._sinks:
            getattr(sink, "hear", _deaf)(Sound(self.pipeline.heard_samples, mono))
        return self.pipeline.push(sound) if len(sound) else []

    def _tell(self, events: list[Event]) -> list[Message]:
        """What the client is told of events, of corrections, and of what the captions say."""
        self._desk.see(events)
        said, self._said = self._said, []
        events = [*events, *self._channel_names(events), *said]
        events += self._desk.take(self.pipeline.heard_samples)
        self._turns += [e for e in events if isinstance(e, SpeakerTurn) and e.final]
        for sink in self._sinks:
            for event in events:
                sink.put(event)
        return self._floor.tell(events)

    def _channel_names(self, events: Iterable[Event]) -> list[Event]:
        """Who always speaks on a channel has that name from the first turn on."""
        if not (self._names and isinstance(self.pipeline, SidesPipeline)):
            return []
        speakers = {e.speaker for e in events if isinstance(e, SpeakerTurn)} - self._known
        self._known |= speakers
        at = self.pipeline.heard_samples
        named = ((s, self._names[self.pipeline.side_of(s)]) for s in sorted(speakers))
        return [SpeakerRenamed(at, speaker, name) for speaker, name in named if name]

    def _sinks_for(self, start: Start, folder: Path | None, model: str) -> list[Sink]:
        sinks: list[Sink] = []
        if start.captions:
            captioner = Captioner(CaptionSettings(model, start.language))
            captioner.speak(lambda event: self._said.append(event), patient=False)
            sinks.append(captioner)
        if folder is not None:
            sinks.append(Recorder(folder, "live stream", self.pipeline.space))
        return sinks

    def _close_sinks(self) -> None:
        sinks, self._sinks = self._sinks, []
        for sink in sinks:
            sink.close()


def _deaf(sound: Sound) -> None:
    """A sink that takes events alone."""


def _config(start: Start, config: PipelineConfig) -> PipelineConfig:
    most = 1 if start.channel_names and start.sides > 1 else start.max_speakers
    if most is None:
        return config
    return replace(config, diariser=replace(config.diariser, max_speakers=most))


def refusal(problem: VoicelaneError | OSError) -> dict[str, Any]:
    """What the server is told where a stream cannot go on."""
    return {"problem": one_line(str(problem)), "sound": isinstance(problem, AudioError)}
