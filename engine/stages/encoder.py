"""Speaker embeddings of running speech: a window slides over each stretch of speech."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.config import EncoderConfig
from engine.dsp.features import N_MELS, Features, RunningMean
from engine.errors import ModelError
from engine.inference.onnx import Model
from engine.stopwatch import Stopwatch
from engine.timebase import FRAME_SAMPLES, HOP_SAMPLES, samples

COLUMNS_PER_FRAME = FRAME_SAMPLES // HOP_SAMPLES
MIN_COLUMNS = 10
FEATURE_KINDS = {"log_mel": 1, "log_mel+phase": 3}


class SpeechFrames(NamedTuple):
    """Judged frames: feature columns (2n, n_bands) and whether each frame is speech (n,)."""

    columns: np.ndarray
    speech: np.ndarray


@dataclass(frozen=True)
class SegmentStart:
    """Speech begins at sample `start`."""

    start: int


@dataclass(frozen=True)
class Embedding:
    """The voice between two samples as a unit vector float32 (dim,)."""

    start: int
    end: int
    vector: np.ndarray


@dataclass(frozen=True)
class SegmentEnd:
    """Speech ends at sample `end`."""

    end: int


Segmented = SegmentStart | Embedding | SegmentEnd


class SpeakerEncoder:
    """The network behind its normalisation: feature columns of speech in, unit vectors out.

    The manifest's `features` say what a column holds: `log_mel` (80 bands) or `log_mel+phase` (240:
    the log-mel bands and the two phase features).
    """

    def __init__(self, model: Model, stopwatch: Stopwatch | None = None) -> None:
        settings = model.manifest.settings
        missing = {"dim", "features", "mean", "mean_prior_columns", "mean_longest_columns"} - settings.keys()
        if missing:
            raise ModelError(
                f"{model.manifest.name}: its manifest lacks settings.{', settings.'.join(missing)}"
            )
        self.dim, self._timed = int(settings["dim"]), stopwatch or Stopwatch()
        if settings["features"] not in FEATURE_KINDS:
            raise ModelError(
                f"{model.manifest.name}: features {settings['features']!r} are not known to this version; "
                f"it has {', '.join(FEATURE_KINDS)}"
            )
        self.phase = settings["features"] == "log_mel+phase"
        self.n_bands = N_MELS * FEATURE_KINDS[settings["features"]]
        self._model = model
        self._mean = RunningMean(
            np.array(settings["mean"]), settings["mean_prior_columns"], settings["mean_longest_columns"]
        )

    def columns(self, features: Features) -> np.ndarray:
        """What this network takes of the features, float32 (n, n_bands)."""
        return np.concatenate(features, axis=1) if self.phase else features.log_mel

    def normalise(self, columns: np.ndarray) -> np.ndarray:
        """Columns (n, n_bands) less the running mean of the speech so far."""
        return self._mean.process(columns)

    def embed(self, columns: np.ndarray) -> np.ndarray:
        """Unit vector float32 (dim,) of normalised columns (n ≥ 10, n_bands)."""
        with self._timed("encoder"):
            (found,) = self._model.run(columns=columns[None])
        if not np.isfinite(found).all():
            raise ModelError(f"{self._model.manifest.name}: the embedding is not finite; reinstall the model")
        return found[0]

    def reset(self) -> None:
        self._mean.reset()


class EncoderStage:
    """`SpeechFrames` in; segment starts, embeddings and segment ends out, in order of time.

    A segment gives its first embedding after `first_s`, one more every `step_s`, each over the last
    `window_s` at most, and one at its end over what no window has reached.
    """

    latency_samples = 0

    def __init__(self, config: EncoderConfig, encoder: SpeakerEncoder) -> None:
        self._encoder = encoder
        self._window, self._step, self._first = (
            samples(s) // HOP_SAMPLES for s in (config.window_s, config.step_s, config.first_s)
        )
        self.reset()

    def reset(self) -> None:
        self._encoder.reset()
        self._position = 0  # columns judged so far
        self._speaking = False
        self._length = self._next = self._embedded = 0  # columns of this segment
        self._columns = np.zeros((0, self._encoder.n_bands), np.float32)

    def process(self, x: SpeechFrames) -> list[Segmented]:
        found: list[Segmented] = []
        edges = np.flatnonzero(np.diff(x.speech)) + 1
        bounds = [0, *edges.tolist(), len(x.speech)]
        for first, last in itertools.pairwise(bounds):
            if first == last:
                continue
            if x.speech[first]:
                self._speech(x.columns[first * COLUMNS_PER_FRAME : last * COLUMNS_PER_FRAME], found)
            else:
                self._end(found)
                self._position += (last - first) * COLUMNS_PER_FRAME
        return found

    def flush(self) -> list[Segmented]:
        found: list[Segmented] = []
        self._end(found)
        return found

    def _speech(self, columns: np.ndarray, found: list[Segmented]) -> None:
        if not self._speaking:
            self._speaking, self._length, self._embedded = True, 0, 0
            self._next = self._first
            self._columns = np.zeros((0, self._encoder.n_bands), np.float32)
            found.append(SegmentStart(self._position * HOP_SAMPLES))
        while len(columns):
            n = min(len(columns), self._next - self._length)
            new, columns = self._encoder.normalise(columns[:n]), columns[n:]
            self._columns = np.concatenate((self._columns, new))[-self._window :]
            self._position += n
            self._length += n
            if self._length == self._next:
                found.append(self._embedding())
                self._next += self._step

    def _end(self, found: list[Segmented]) -> None:
        if self._speaking:
            if self._length > self._embedded and len(self._columns) >= MIN_COLUMNS:
                found.append(self._embedding())
            found.append(SegmentEnd(self._position * HOP_SAMPLES))
        self._speaking = False

    def _embedding(self) -> Embedding:
        self._embedded = self._length
        end = self._position * HOP_SAMPLES
        vector = self._encoder.embed(self._columns)
        return Embedding(end - len(self._columns) * HOP_SAMPLES, end, vector)
