"""Who of up to three voices speaks when within the last seconds, and what each of them sounds like."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from voicelane.base.errors import ModelError
from voicelane.base.stopwatch import Stopwatch
from voicelane.base.timebase import FRAME_SAMPLES, HOP_SAMPLES, samples
from voicelane.config import SegmentationConfig
from voicelane.dsp.features import N_MELS
from voicelane.inference.onnx import Model, find_model
from voicelane.stages.encoder import (
    COLUMNS_PER_FRAME,
    MIN_COLUMNS,
    Embedding,
    SegmentEnd,
    SegmentStart,
    SpeakerEncoder,
    SpeechFrames,
)

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

    @property
    def heard_samples(self) -> int:
        """Speech behind the embedding."""
        return self.n_frames * FRAME_SAMPLES


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
    """The network: sound in frames of 20 ms in, probabilities of its voices out.

    Its manifest says what it takes of a frame: `features` is `log_mel` (two columns of 80 bands; the network
    answers every 20 ms) or `samples` (it answers every `frame_step_samples`, of `frame_span_samples` each).
    `tells_speech`, where it is there, is the probability from which the network finds speech that the
    detector missed, and `silence_logit` what is added to its logit of nobody: a network that was trained on
    sound with less speech is sure of silence too often (the prior in its logits, taken off).
    """

    def __init__(self, model: Model, stopwatch: Stopwatch | None = None) -> None:
        self._model, self._timed = model, stopwatch or Stopwatch()
        settings = model.manifest.settings
        self._by_samples = settings.get("features") == "samples"
        needed = {"classes", "window_columns", "features"}
        needed |= {"frame_step_samples", "frame_span_samples"} if self._by_samples else {"n_mels"}
        if needed - settings.keys() or settings.get("n_mels", N_MELS) != N_MELS:
            raise ModelError(
                f"{model.manifest.name}: expected settings.{', settings.'.join(sorted(needed))} in its "
                f"manifest, and {N_MELS} bands; reinstall the model"
            )
        if self._by_samples:
            self._step, self._span = (int(settings[f"frame_{n}_samples"]) for n in ("step", "span"))
        self.window_columns = int(settings["window_columns"])
        tells = settings.get("tells_speech", math.inf)
        self.certain = 0.5 if tells is True else float(tells)  # True in packs that were added earlier
        self._silence = np.zeros(len(settings["classes"]), np.float32)
        self._silence[[not voices for voices in settings["classes"]]] = settings.get("silence_logit", 0.0)
        self.width = FRAME_SAMPLES if self._by_samples else COLUMNS_PER_FRAME * N_MELS
        self._members = np.zeros((len(settings["classes"]), 3), np.float32)
        for row, voices in enumerate(settings["classes"]):
            self._members[row, voices] = 1.0
        self._alone = self._members * (self._members.sum(axis=1, keepdims=True) == 1)

    def of(self, x: SpeechFrames) -> np.ndarray:
        """What the network takes of judged frames, float32 (n, width)."""
        return x.frames if self._by_samples else x.log_mel.reshape(len(x.speech), self.width)

    def __call__(self, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Per 20 ms frame of (n, width), n even, that each voice speaks, and that it speaks alone: float32
        (n, 3) each."""
        with self._timed("segmentation"):
            chance = self._of_samples(sound) if self._by_samples else self._of_log_mel(sound)
        return chance @ self._members, chance @ self._alone

    def _of_log_mel(self, sound: np.ndarray) -> np.ndarray:
        return softmax(self._model.run(log_mel=sound.reshape(1, -1, N_MELS))[0][0] + self._silence)

    def _of_samples(self, sound: np.ndarray) -> np.ndarray:
        """Chances (n, n_classes) by straight lines between the network's own frames."""
        chance = softmax(self._model.run(samples=sound.reshape(1, -1))[0][0] + self._silence)
        own = self._step * np.arange(len(chance)) + self._span // 2
        wanted = FRAME_SAMPLES * np.arange(len(sound)) + FRAME_SAMPLES // 2
        return np.stack([np.interp(wanted, own, c) for c in chance.T], axis=1).astype(np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Chances over the last axis of (n, k)."""
    chance = np.exp(logits - logits.max(axis=1, keepdims=True))
    return chance / chance.sum(axis=1, keepdims=True)


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
    """Whether anybody does, by the detector or the network (n_frames,)."""


@dataclass
class _State:
    """What one stream holds."""

    position: int = 0
    """Columns judged so far."""
    speaking: bool = False
    silence: int = 1 << 40
    """Columns since somebody spoke."""
    sound: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """What the network takes of the last window (n_frames, width), as `speech` (n_frames,)."""
    speech: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    pending: list[np.ndarray] = field(default_factory=list)
    """Normalised columns of the running speech that are in no token yet."""
    tokens: list[_Tokens] = field(default_factory=list)


class Segmenter:
    """`SpeechFrames` in; segment starts, windows and segment ends out, in order of time.

    A window ends every `step_s` of the stream while somebody speaks and until `linger_s` afterwards, and
    while somebody speaks, glances every `glance_s` fall between. Speech is told for good by the first window
    that ends `confirm_s` behind it; with a `linger_s` that is shorter, by the next speech at the latest.
    """

    def __init__(self, config: SegmentationConfig, network: Segmentation, encoder: SpeakerEncoder) -> None:
        self._network, self._encoder, self._stream = network, encoder, encoder.stream()
        self._step, self._glance, self._linger = (
            samples(s) // HOP_SAMPLES for s in (config.step_s, config.glance_s, config.linger_s)
        )
        self._confirm, self._context = (
            samples(s) // FRAME_SAMPLES for s in (config.confirm_s, config.context_s)
        )
        self._least = max(MIN_COLUMNS, samples(config.least_s) // HOP_SAMPLES) // encoder.stride
        self._alone, self._second = config.alone_probability, config.second_probability
        self.window_columns = network.window_columns
        self.longest_delay_samples = self._confirm * FRAME_SAMPLES + self._step * HOP_SAMPLES
        self.reset()

    def reset(self) -> None:
        self._stream.reset()
        self._state = _State(sound=np.zeros((0, self._network.width), np.float32))
        self._settled = self._newest = 0  # frames that are told for good, and for the time being

    def process(self, x: SpeechFrames) -> list[Heard]:
        items: list[Heard] = []
        s, done = self._state, 0
        while done < len(x.speech):
            left = min(step - s.position % step for step in (self._step, self._glance)) // COLUMNS_PER_FRAME
            n = min(left, len(x.speech) - done)
            items += self._hear(_cut(x, done, done + n))
            done += n
            if s.position % self._step == 0:
                items += self._window() if s.silence <= self._linger else ()
            elif s.position % self._glance == 0 and s.speaking:
                items += self._window(glance=True)
        return items

    def flush(self) -> list[Heard]:
        s = self._state
        items: list[Heard] = []
        if s.silence <= self._linger:
            items += self._window(ending=True)
        if s.speaking:
            s.speaking = False
            items.append(SegmentEnd(s.position * HOP_SAMPLES))
        return items

    def _hear(self, x: SpeechFrames) -> Iterator[Heard]:
        """Take up frames that lie within one step."""
        s = self._state
        most = self._network.window_columns // COLUMNS_PER_FRAME
        s.sound = np.concatenate((s.sound, self._network.of(x)))[-most:]
        s.speech = np.concatenate((s.speech, x.speech))[-most:]
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
                s.pending.append(self._stream.normalise(columns))

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
        begin = s.position - COLUMNS_PER_FRAME * len(s.sound)
        s.tokens = [t for t in s.tokens if t.centres[-1] >= begin]

    def _window(self, ending: bool = False, glance: bool = False) -> Iterator[Window]:
        """What is known now: for good of what lies `confirm_s` back, and for the time being of the newest."""
        s = self._state
        if COLUMNS_PER_FRAME * len(s.sound) < SHORTEST_COLUMNS:
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
        usable = len(s.sound) // 2 * 2
        activity, alone = self._network(s.sound[-usable:])
        begin = s.position // COLUMNS_PER_FRAME - usable
        speech = s.speech[-usable:] | (activity.max(axis=1) > self._network.certain)
        return _View(begin, activity, alone > self._alone, speech)

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


def _cut(x: SpeechFrames, first: int, last: int) -> SpeechFrames:
    """Frames `first` … `last` − 1."""
    columns = slice(first * COLUMNS_PER_FRAME, last * COLUMNS_PER_FRAME)
    return SpeechFrames(x.columns[columns], x.speech[first:last], x.log_mel[columns], x.frames[first:last])
