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
class Piece:
    """One voice from sample `start` to `end`."""

    start: int
    end: int
    first: bool
    """False where somebody else is heard more clearly at the same time."""
    heard: Embedding | None
    """Of the same voice there and nearby; None where too little of it is heard alone."""
    n_frames: int
    """Speech of 20 ms behind the embedding."""


@dataclass(frozen=True, eq=False)
class Window:
    """The last seconds of sound up to sample `end`."""

    start: int
    end: int
    settled: int
    """Pieces that end by this sample are final; those behind will come again, better known."""
    people: np.ndarray
    """Expected number of people who speak, float32 (n_frames,)."""
    pieces: tuple[Piece, ...]
    glance: bool = False
    """Only the newest sound, to name its speaker early; the next window tells it again, better known."""


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


class _View(NamedTuple):
    """What the network makes of a window, in frames of 20 ms."""

    begin: int
    """Its first frame in the stream."""
    activity: np.ndarray
    """Probability that each voice speaks (n_frames, 3)."""
    clean: np.ndarray
    """Whether it speaks alone (n_frames, 3)."""
    speech: np.ndarray
    """Whether anybody does, by the detector (n_frames,)."""


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

    A window ends every `step_s` of the stream while somebody speaks and until `linger_s` afterwards, and
    while somebody speaks, glances every `glance_s` fall between.
    """

    latency_samples = 0

    def __init__(self, config: SegmentationConfig, network: Segmentation, encoder: SpeakerEncoder) -> None:
        self._network, self._encoder = network, encoder
        self._step, self._glance, self._linger = (
            samples(s) // HOP_SAMPLES for s in (config.step_s, config.glance_s, config.linger_s)
        )
        self._confirm, self._context = (
            samples(s) // FRAME_SAMPLES for s in (config.confirm_s, config.context_s)
        )
        self._least = max(MIN_COLUMNS, samples(config.least_s) // HOP_SAMPLES) // encoder.stride
        self._sure, self._second = config.sure, config.second
        self.window_columns = network.window_columns
        self.reset()

    def reset(self) -> None:
        self._encoder.reset()
        self._state = _State()
        self._settled = self._newest = 0  # frames that are told for good, and for the time being

    def process(self, x: SpeechFrames) -> list[Heard]:
        found: list[Heard] = []
        s, done = self._state, 0
        while done < len(x.speech):
            left = min(step - s.position % step for step in (self._step, self._glance)) // COLUMNS_PER_FRAME
            n = min(left, len(x.speech) - done)
            found += self._hear(SpeechFrames(*(part for part in _cut(x, done, done + n))))
            done += n
            if s.position % self._step == 0:
                found += self._window() if s.silence <= self._linger else ()
            elif s.position % self._glance == 0 and s.speaking:
                found += self._window(glance=True)
        return found

    def flush(self) -> list[Heard]:
        s = self._state
        found: list[Heard] = []
        if s.silence <= self._linger:
            found += self._window(ending=True)
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

    def _window(self, ending: bool = False, glance: bool = False) -> Iterator[Window]:
        """What is known now: for good of what lies `confirm_s` back, and for the time being of the newest."""
        s = self._state
        if len(s.log_mel) < SHORTEST_COLUMNS:
            return
        self._take_tokens()
        view = self._view()
        end = view.begin + len(view.speech)
        settled = self._settled if glance else end if ending else end - self._confirm
        spans = ((self._settled, settled), (max(settled, self._newest), end))
        pieces = tuple(p for a, b in spans for p in self._pieces(view, a, b))
        if not glance:
            self._settled, self._newest = max(self._settled, settled), end
        people = (view.activity.sum(axis=1) * view.speech).astype(np.float32)
        begin, end = view.begin * FRAME_SAMPLES, s.position * HOP_SAMPLES
        yield Window(begin, end, settled * FRAME_SAMPLES, people, pieces, glance)

    def _view(self) -> _View:
        s = self._state
        usable = len(s.log_mel) // 4 * 4
        activity, alone = self._network(s.log_mel[-usable:])
        begin = (s.position - usable) // COLUMNS_PER_FRAME
        return _View(begin, activity, alone > self._sure, s.speech[-usable // COLUMNS_PER_FRAME :])

    def _pieces(self, view: _View, first: int, last: int) -> Iterator[Piece]:
        """Who speaks in the frames `first` … `last` − 1: runs of the clearest voice, and of the second."""
        first = max(first, view.begin)
        if last <= first:
            return
        there = slice(first - view.begin, last - view.begin)
        order = np.argsort(-view.activity[there], axis=1, kind="stable")
        second = np.take_along_axis(view.activity[there], order[:, 1:2], axis=1)[:, 0] > self._second
        for rank, on in ((0, view.speech[there]), (1, view.speech[there] & second)):
            voices = np.where(on, order[:, rank], -1)
            edges = np.flatnonzero(np.diff(voices)) + 1
            for a, b in itertools.pairwise([0, *edges.tolist(), len(voices)]):
                if voices[a] >= 0:
                    yield self._piece(view, first + a, first + b, int(voices[a]), rank == 0)

    def _piece(self, view: _View, first: int, last: int, voice: int, clearest: bool) -> Piece:
        """Embed a voice by what is heard of it alone, at best within `context_s` of the piece."""
        known = self._state.tokens
        where = np.concatenate([t.centres for t in known] or [np.zeros(0, int)]) // COLUMNS_PER_FRAME
        usable = (where >= view.begin) & (where < view.begin + len(view.speech))
        usable[usable] = view.clean[where[usable] - view.begin, voice]
        near = usable & (np.abs(where - (first + last) // 2) <= self._context)
        chosen = near if near.sum() >= self._least else usable
        start, end = first * FRAME_SAMPLES, last * FRAME_SAMPLES
        if chosen.sum() < self._least:
            return Piece(start, end, clearest, None, 0)
        tokens = np.concatenate([t.values for t in known])[chosen]
        reach = where[chosen]
        heard = Embedding(
            int(reach[0]) * FRAME_SAMPLES, (int(reach[-1]) + 1) * FRAME_SAMPLES, self._encoder.embed(tokens)
        )
        return Piece(start, end, clearest, heard, len(tokens) * self._encoder.stride // COLUMNS_PER_FRAME)


def _cut(x: SpeechFrames, first: int, last: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames `first` … `last` − 1."""
    columns = slice(first * COLUMNS_PER_FRAME, last * COLUMNS_PER_FRAME)
    return x.columns[columns], x.speech[first:last], x.log_mel[columns]
