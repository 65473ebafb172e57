"""Who of up to three voices speaks when within the last seconds, and what each of them sounds like."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from engine.config import SegmentationConfig
from engine.dsp.features import N_MELS
from engine.errors import ModelError
from engine.inference.onnx import Model, find_model
from engine.stages.encoder import (
    COLUMNS_PER_FRAME,
    MIN_COLUMNS,
    Embedding,
    SegmentEnd,
    SegmentStart,
    SpeakerEncoder,
    SpeechFrames,
)
from engine.stopwatch import Stopwatch
from engine.timebase import FRAME_SAMPLES, HOP_SAMPLES, samples

SHORTEST_COLUMNS = 80


@dataclass(frozen=True, eq=False)
class Window:
    """The last seconds of sound up to `end`, in frames of 20 ms."""

    start: int
    """Sample."""
    end: int
    activity: np.ndarray
    """Probability that each local voice speaks, float32 (n_frames, n_voices); zero where no speech is."""
    embeddings: tuple[Embedding | None, ...]
    """Per voice, over what it speaks alone; None where that is too little."""
    clean: np.ndarray
    """Frames that each voice speaks alone, bool (n_frames, n_voices)."""


Heard = SegmentStart | Window | SegmentEnd


class Segmentation:
    """The network: log-mel columns (n, 80), a multiple of 4, in, probabilities of its voices out."""

    def __init__(self, model: Model, stopwatch: Stopwatch | None = None) -> None:
        self._model, self._timed = model, stopwatch or Stopwatch()
        settings = model.manifest.settings
        if settings.get("n_mels") != N_MELS or "classes" not in settings or "window_columns" not in settings:
            raise ModelError(
                f"{model.manifest.name}: expected settings.n_mels = {N_MELS}, window_columns and classes in "
                "its manifest; reinstall the model"
            )
        self.window_columns = int(settings["window_columns"])
        self._members = np.zeros((len(settings["classes"]), 3), np.float32)
        for row, voices in enumerate(settings["classes"]):
            self._members[row, voices] = 1.0
        self._alone = self._members * (self._members.sum(axis=1, keepdims=True) == 1)

    def __call__(self, log_mel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Per 20 ms frame, that each voice speaks, and that it speaks alone: float32 (n // 2, 3) each."""
        with self._timed("segmentation"):
            logits = self._model.run(log_mel=log_mel[None])[0][0]
            chance = np.exp(logits - logits.max(axis=1, keepdims=True))
            chance /= chance.sum(axis=1, keepdims=True)
        return chance @ self._members, chance @ self._alone


def load_segmentation(config: SegmentationConfig, stopwatch: Stopwatch | None = None) -> Segmentation:
    """The segmentation network that the settings name."""
    return Segmentation(Model(find_model(config.model, "segmentation"), config.threads), stopwatch)


class _Tokens(NamedTuple):
    """Encoder tokens (n, width) and the stream's column in the middle of each (n,)."""

    values: np.ndarray
    centres: np.ndarray


@dataclass
class _State:
    """What one stream holds."""

    position: int = 0
    """Columns judged so far."""
    speaking: bool = False
    silence: int = 1 << 40
    """Columns since somebody spoke."""
    log_mel: np.ndarray = field(default_factory=lambda: np.zeros((0, N_MELS), np.float32))
    """Of the last window, as `speech` (n_frames,)."""
    speech: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    pending: list[np.ndarray] = field(default_factory=list)
    """Normalised columns of the running speech that are in no token yet."""
    tokens: list[_Tokens] = field(default_factory=list)


class Segmenter:
    """`SpeechFrames` in; segment starts, windows and segment ends out, in order of time.

    A window ends every `step_s` of the stream while somebody speaks and until `linger_s` afterwards.
    """

    latency_samples = 0

    def __init__(self, config: SegmentationConfig, network: Segmentation, encoder: SpeakerEncoder) -> None:
        self._network, self._encoder = network, encoder
        self._step, self._linger = (samples(s) // HOP_SAMPLES for s in (config.step_s, config.linger_s))
        self._least = max(MIN_COLUMNS, samples(config.least_s) // HOP_SAMPLES)
        self._sure = config.sure
        self.window_columns = network.window_columns
        self.reset()

    def reset(self) -> None:
        self._encoder.reset()
        self._state = _State()

    def process(self, x: SpeechFrames) -> list[Heard]:
        found: list[Heard] = []
        s, done = self._state, 0
        while done < len(x.speech):
            left = (self._step - s.position % self._step) // COLUMNS_PER_FRAME
            n = min(left, len(x.speech) - done)
            found += self._hear(SpeechFrames(*(part for part in _cut(x, done, done + n))))
            done += n
            if s.position % self._step == 0 and s.silence <= self._linger:
                found += self._window()
        return found

    def flush(self) -> list[Heard]:
        s = self._state
        found: list[Heard] = []
        if s.silence <= self._linger and s.position % self._step:
            found += self._window()
        if s.speaking:
            s.speaking = False
            found.append(SegmentEnd(s.position * HOP_SAMPLES))
        return found

    def _hear(self, x: SpeechFrames) -> Iterator[Heard]:
        """Take up frames that lie within one step."""
        s = self._state
        s.log_mel = np.concatenate((s.log_mel, x.log_mel))[-self._network.window_columns :]
        s.speech = np.concatenate((s.speech, x.speech))[-self._network.window_columns // COLUMNS_PER_FRAME :]
        edges = np.flatnonzero(np.diff(x.speech)) + 1
        for first, last in itertools.pairwise([0, *edges.tolist(), len(x.speech)]):
            if x.speech[first] != s.speaking:
                s.speaking = bool(x.speech[first])
                self._take_tokens()
                s.pending = []
                yield (SegmentStart if s.speaking else SegmentEnd)(s.position * HOP_SAMPLES)
            n = (last - first) * COLUMNS_PER_FRAME
            s.position += n
            s.silence = 0 if s.speaking else s.silence + n
            if s.speaking:
                columns = x.columns[first * COLUMNS_PER_FRAME : last * COLUMNS_PER_FRAME]
                s.pending.append(self._encoder.normalise(columns))

    def _take_tokens(self) -> None:
        """Turn the waiting columns of the running speech to tokens; drop those behind the window."""
        s, e = self._state, self._encoder
        columns = np.concatenate(s.pending) if s.pending else np.zeros((0, e.n_bands), np.float32)
        if len(columns) >= e.span:
            values = e.tokens(columns)
            first = s.position - len(columns)
            s.tokens.append(_Tokens(values, first + e.stride * np.arange(len(values)) + e.span // 2))
            columns = columns[len(values) * e.stride :]
        s.pending = [columns]
        begin = s.position - len(s.log_mel)
        s.tokens = [t for t in s.tokens if t.centres[-1] >= begin]

    def _window(self) -> Iterator[Window]:
        s = self._state
        if len(s.log_mel) < SHORTEST_COLUMNS:
            return
        self._take_tokens()
        usable = len(s.log_mel) // 4 * 4
        log_mel, speech = s.log_mel[-usable:], s.speech[-usable // COLUMNS_PER_FRAME :]
        activity, alone = self._network(log_mel)
        activity, alone = activity * speech[:, None], alone * speech[:, None]
        begin = s.position - usable
        clean = alone > self._sure
        embeddings = tuple(self._embed(clean[:, voice], begin) for voice in range(clean.shape[1]))
        yield Window(begin * HOP_SAMPLES, s.position * HOP_SAMPLES, activity, embeddings, clean)

    def _embed(self, clean: np.ndarray, begin: int) -> Embedding | None:
        """The voice that speaks alone in the frames `clean`, which start at column `begin`."""
        where = np.flatnonzero(clean)
        if len(where) * COLUMNS_PER_FRAME < self._least:
            return None
        chosen = [
            t.values[inside][clean[(t.centres[inside] - begin) // COLUMNS_PER_FRAME]]
            for t in self._state.tokens
            if (inside := t.centres >= begin).any()
        ]
        tokens = np.concatenate(chosen) if chosen else np.zeros((0, 1), np.float32)
        if len(tokens) * self._encoder.stride < self._least // 2:
            return None
        start, end = (begin * HOP_SAMPLES + FRAME_SAMPLES * int(i) for i in (where[0], where[-1] + 1))
        return Embedding(start, end, self._encoder.embed(tokens))


def _cut(x: SpeechFrames, first: int, last: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames `first` … `last` − 1."""
    columns = slice(first * COLUMNS_PER_FRAME, last * COLUMNS_PER_FRAME)
    return x.columns[columns], x.speech[first:last], x.log_mel[columns]
