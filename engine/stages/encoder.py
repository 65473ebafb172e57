"""Speaker embeddings of running speech: a window slides over each stretch of speech."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from voicelane.base.errors import ModelError
from voicelane.base.stopwatch import Stopwatch
from voicelane.base.timebase import FRAME_SAMPLES, HOP_SAMPLES, samples
from voicelane.config import EncoderConfig
from voicelane.dsp.features import RunningMean
from voicelane.inference.manifest import Manifest
from voicelane.inference.onnx import Model, find_beside, find_model

COLUMNS_PER_FRAME = FRAME_SAMPLES // HOP_SAMPLES
MIN_COLUMNS = 10
FEATURE_KINDS = {"log_mel": 1, "log_mel+phase": 3, "kaldi_fbank": 1}


class SpeechFrames(NamedTuple):
    """Judged frames: the encoder's columns (2n, n_bands), whether each frame is speech (n,), the log-mel
    bands (2n, 80), and the samples (n, 320)."""

    columns: np.ndarray
    speech: np.ndarray
    log_mel: np.ndarray
    frames: np.ndarray


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
    confidence: float | None = None
    """What an enhancer expects of it, 0 … 1."""
    raw: np.ndarray | None = None
    """The vector before the enhancer."""


@dataclass(frozen=True)
class SegmentEnd:
    """Speech ends at sample `end`."""

    end: int


Segmented = SegmentStart | Embedding | SegmentEnd


class SpeakerEncoder:
    """A network behind its normalisation: feature columns of speech in, unit vectors out.

    It holds weights alone, for any number of streams; what it knows of one lies in `stream()`.

    The manifest says what a column holds: `features` is `log_mel`, `log_mel+phase` (the log-mel bands and
    two phase features) or `kaldi_fbank`, each of `n_mels` bands; and what is taken off: `mean` is
    `window` (the window's own mean), `none`, or the values at which a running mean starts. A network in two
    halves turns columns to `tokens` first: token k depends on `span` columns from `stride` · k on.

    `id` names the space of its vectors: only those of equal ids may be compared. It is the checksum of the
    weights, or of the weights that a quantised variant stands for (`embedding_space`).
    """

    def __init__(self, model: Model, tokens: Model | None = None, stopwatch: Stopwatch | None = None) -> None:
        self._model, self._tokens, self._timed = model, tokens, stopwatch or Stopwatch()
        settings = _settings(model.manifest)
        self.name = model.manifest.name
        self.id = model.manifest.space
        self.dim, self.n_mels = int(settings["dim"]), int(settings["n_mels"])
        self.features = str(settings["features"])
        self.n_bands = self.n_mels * FEATURE_KINDS[self.features]
        self.span, self.stride = int(settings["token_columns"]), int(settings["token_stride"])
        self._settings = settings
        self._of_window = settings["mean"] == "window"

    def stream(self) -> EncoderStream:
        """A stream of speech that begins now."""
        return EncoderStream(_running_mean(self._settings))

    def tokens(self, columns: np.ndarray) -> np.ndarray:
        """What neighbouring windows share, of normalised columns (n, n_bands): the columns themselves, or
        (n − span) // stride + 1 tokens (n_tokens, width)."""
        if self._tokens is None:
            return columns
        with self._timed("encoder"):
            return self._tokens.run(columns=columns[None])[0][0]

    def embed(self, tokens: np.ndarray) -> np.ndarray:
        """Unit vector float32 (dim,) of one or more tokens (n_tokens, width)."""
        if self._of_window:
            tokens = tokens - tokens.mean(axis=0)
        with self._timed("encoder"):
            (name,) = self._model.manifest.inputs
            found = self._model.run(**{name: tokens[None]})[0][0]
        length = np.linalg.norm(found)
        if not (np.isfinite(length) and length > 0 and found.shape == (self.dim,)):
            raise ModelError(
                f"{self._model.manifest.name}: expected a finite embedding of {self.dim} numbers, got "
                f"shape {found.shape}; correct settings.dim of its manifest or reinstall the model"
            )
        return (found / length).astype(np.float32)


class EncoderStream:
    """What an encoder knows of one stream: the running mean of its speech, where the model wants one."""

    def __init__(self, mean: RunningMean | None) -> None:
        self._mean = mean

    def normalise(self, columns: np.ndarray) -> np.ndarray:
        """Columns (n, n_bands) less the running mean of the speech so far."""
        return self._mean.process(columns) if self._mean else columns

    def reset(self) -> None:
        """No speech so far."""
        if self._mean:
            self._mean.reset()


def load_encoder(config: EncoderConfig, stopwatch: Stopwatch | None = None) -> SpeakerEncoder:
    """The encoder that the settings name, with its `tokens` half or that of the encoder it is made of."""
    folder = find_model(config.model, "encoder")
    model = Model(folder, config.threads)
    if "token_columns" not in model.manifest.settings:
        return SpeakerEncoder(model, None, stopwatch)
    tokens = find_beside(folder, model.manifest.space, "tokens") or folder / "tokens"
    return SpeakerEncoder(model, Model(tokens, config.threads), stopwatch)


def _settings(manifest: Manifest) -> dict[str, Any]:
    """The manifest's settings, checked, with the defaults of a network in one piece."""
    settings = {"token_columns": 1, "token_stride": 1, **manifest.settings}
    missing = {"dim", "features", "n_mels", "mean"} - settings.keys()
    if missing:
        raise ModelError(
            f"{manifest.name}: its manifest lacks settings.{', settings.'.join(sorted(missing))}"
        )
    if settings["features"] not in FEATURE_KINDS:
        raise ModelError(
            f"{manifest.name}: features {settings['features']!r} are not known to this version; "
            f"it has {', '.join(FEATURE_KINDS)}"
        )
    mean, n_bands = settings["mean"], settings["n_mels"] * FEATURE_KINDS[settings["features"]]
    span, stride = settings["token_columns"], settings["token_stride"]
    if not (1 <= span <= MIN_COLUMNS and stride >= 1):
        raise ModelError(
            f"{manifest.name}: token_columns = {span}, token_stride = {stride}: expected 1 … {MIN_COLUMNS} "
            "and at least 1"
        )
    if mean == "window" and "token_columns" in manifest.settings:
        raise ModelError(f"{manifest.name}: mean = 'window' cannot be taken off tokens that windows share")
    if len(manifest.inputs) != 1:
        raise ModelError(f"{manifest.name}: expected one input, got {', '.join(manifest.inputs)}")
    if not (mean in ("window", "none") or (isinstance(mean, list) and len(mean) == n_bands)):
        raise ModelError(
            f"{manifest.name}: settings.mean: expected window, none or a list of {n_bands} numbers"
        )
    return settings


def _running_mean(settings: dict[str, Any]) -> RunningMean | None:
    if isinstance(settings["mean"], str):
        return None
    prior, longest = settings.get("mean_prior_columns", 10), settings.get("mean_longest_columns", 300)
    return RunningMean(np.array(settings["mean"]), prior, longest, n_mels=int(settings["n_mels"]))


class EncoderStage:
    """`SpeechFrames` in; segment starts, embeddings and segment ends out, in order of time.

    A segment gives its first embedding after `first_s`, one more every `step_s`, each over the last
    `window_s` at most, and one at its end over what no window has reached. Every column is turned to
    tokens once, however many windows it is in.
    """

    def __init__(self, config: EncoderConfig, encoder: SpeakerEncoder) -> None:
        self._encoder, self._stream = encoder, encoder.stream()
        self._window, self._step, self._first = (
            samples(s) // HOP_SAMPLES for s in (config.window_s, config.step_s, config.first_s)
        )
        self.longest_delay_samples = max(self._first, self._step) * HOP_SAMPLES
        self.reset()

    def reset(self) -> None:
        self._stream.reset()
        self._position = 0  # columns judged so far
        self._speaking = False
        self._length = self._next = self._embedded = 0  # columns of this segment
        self._begin()

    def _begin(self) -> None:
        self._columns = np.zeros((0, self._encoder.n_bands), np.float32)  # not in a token yet
        self._tokens: np.ndarray | None = None  # of the last window

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
            self._begin()
            found.append(SegmentStart(self._position * HOP_SAMPLES))
        while len(columns):
            n = min(len(columns), self._next - self._length)
            new, columns = self._stream.normalise(columns[:n]), columns[n:]
            self._columns = np.concatenate((self._columns, new))
            self._position += n
            self._length += n
            if self._length == self._next:
                found.append(self._embedding())
                self._next += self._step

    def _end(self, found: list[Segmented]) -> None:
        if self._speaking:
            if self._length > self._embedded and self._length >= MIN_COLUMNS:
                found.append(self._embedding())
            found.append(SegmentEnd(self._position * HOP_SAMPLES))
        self._speaking = False

    def _embedding(self) -> Embedding:
        self._embedded = self._length
        end, length = self._position * HOP_SAMPLES, min(self._window, self._length)
        return Embedding(end - length * HOP_SAMPLES, end, self._encoder.embed(self._window_tokens()))

    def _window_tokens(self) -> np.ndarray:
        """As many of the last tokens as fit a window."""
        e = self._encoder
        if len(self._columns) >= e.span:
            new = e.tokens(self._columns)
            self._columns = self._columns[len(new) * e.stride :]
            self._tokens = new if self._tokens is None else np.concatenate((self._tokens, new))
        assert self._tokens is not None, "a segment is embedded from MIN_COLUMNS on, which fill a token"
        self._tokens = self._tokens[-((self._window - e.span) // e.stride + 1) :]
        return self._tokens
