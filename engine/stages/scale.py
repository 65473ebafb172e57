"""From two voices of one session to evidence: a log-likelihood ratio that means the same for every encoder.

Embeddings of one session share an offset that its channel makes. It is estimated as the session runs and
taken off, as the posterior mean of a Gaussian model: people spread by `between`, channels by `channel`. With
one person heard, most of the mean is that person and little is taken off; with many, what they share is the
channel. Then logistic regression on the cosine and on the seconds of speech on both sides (Brümmer & du Preez
2006) gives the ratio: natural logarithm, above 0 for one person.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from voicelane.base.errors import ModelError
from voicelane.base.text import quoted
from voicelane.config import EncoderConfig
from voicelane.inference.manifest import read_part
from voicelane.inference.onnx import find_beside, find_model
from voicelane.stages.encoder import SpeakerEncoder
from voicelane.stages.plda import Plda

NAME = "scale.npz"
REMEDY = "make it with `python -m voicelane.rt_models.training calibrate --encoder NAME`"
N_WEIGHTS = 6
MOST_PEOPLE = 20
"""Beyond so many people, one more tells no more of the channel."""


@dataclass(frozen=True, eq=False)
class Scale:
    """What was fitted to an encoder's embeddings of training sessions."""

    plda: Plda
    weights: np.ndarray
    """Of `ratio_features`, (6,)."""
    lengths_s: tuple[float, float]
    """Seconds of speech that it was fitted on; outside, the nearer of the two is taken."""
    between: np.ndarray
    """Covariance (dim, dim) of people's mean embeddings within a session."""
    channel: np.ndarray
    """Covariance (dim, dim) of sessions' offsets."""
    voice: np.ndarray | None = None
    """Weights (dim + 1,) of the ratio that an embedding is a voice's, the last one constant; None where that
    was not fitted."""

    @property
    def dim(self) -> int:
        return len(self.plda.mean)

    def offset(self, voices: np.ndarray) -> np.ndarray:
        """What the session adds to all embeddings (dim,), from the mean embedding of each person (n, dim)."""
        if not len(voices):
            return self.plda.mean
        gain = self._gains[min(len(voices), MOST_PEOPLE) - 1]
        return np.asarray(self.plda.mean + gain @ (voices.mean(axis=0) - self.plda.mean))

    def ratios(
        self, heard: np.ndarray, heard_s: np.ndarray, known: np.ndarray, known_s: np.ndarray
    ) -> np.ndarray:
        """Log-likelihood ratios (n, m) that `centred` embeddings (n, dim) of `heard_s` (n,) seconds each are
        of the same people as those (m, dim) of `known_s` (m,) seconds."""
        heard_log, known_log = (np.log2(np.clip(s, *self.lengths_s)) for s in (heard_s[:, None], known_s))
        bias, slope = (a + b * heard_log + c * known_log for a, b, c in self.weights.reshape(2, 3))
        return np.asarray(bias + slope * (heard @ known.T))

    def voice_ratios(self, vectors: np.ndarray) -> np.ndarray:
        """Log-likelihood ratios (n,) that embeddings (n, dim) are of voices and not of other sounds."""
        if self.voice is None:
            return np.full(len(vectors), np.inf)
        return np.asarray(vectors @ self.voice[:-1] + self.voice[-1])

    @cached_property
    def _gains(self) -> np.ndarray:
        """How much of the mean of n people is the channel's, (MOST_PEOPLE, dim, dim)."""
        people = np.arange(1, MOST_PEOPLE + 1)[:, None, None]
        spread = self.channel + self.between / people
        return np.swapaxes(np.linalg.solve(spread, np.broadcast_to(self.channel, spread.shape)), 1, 2)


def centred(vectors: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Embeddings (n, dim) less an offset, at length 1."""
    moved = vectors - offset
    return np.asarray(moved / (np.linalg.norm(moved, axis=-1, keepdims=True) + 1e-9))


def ratio_features(cosines: np.ndarray, heard_s: np.ndarray, known_s: np.ndarray) -> np.ndarray:
    """What the ratio is linear in (..., 6): 1 and the cosine, each by itself and times log2 of the seconds on
    either side."""
    ones = np.ones_like(cosines)
    lengths = (ones, np.log2(heard_s) * ones, np.log2(known_s) * ones)
    return np.stack([x * y for x in (ones, cosines) for y in lengths], axis=-1)


def load_scale(config: EncoderConfig, encoder: SpeakerEncoder) -> Scale:
    """The scale in the encoder's folder, or in that of the encoder it is a variant of.

    Raises `ModelError` where there is none, for a file that is damaged, and for that of another encoder.
    """
    path = find_beside(find_model(config.model, "encoder"), encoder.id, NAME)
    if path is None:
        raise ModelError(f"{encoder.name}: its scores are not calibrated, so voices cannot be told; {REMEDY}")
    return read_scale(read_part(path.parent, NAME), path, encoder)


def read_scale(content: bytes, path: Path, encoder: SpeakerEncoder) -> Scale:
    """The content of a file that `python -m voicelane.rt_models.training calibrate` wrote."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            arrays = {n: kept[n] for n in kept.files}
            wanted = str(arrays.pop("encoder_id"))
            numbers = {n: a.astype(np.float64) for n, a in arrays.items()}
            scale = Scale(
                Plda(numbers["mean"], numbers["transform"], numbers["plda_between"]),
                numbers["weights"],
                (float(numbers["lengths_s"][0]), float(numbers["lengths_s"][1])),
                numbers["between"],
                numbers["channel"],
                numbers.get("voice"),
            )
    except Exception as problem:  # numpy and zipfile raise a dozen kinds for damage
        raise ModelError(f"{path}: is damaged ({quoted(str(problem))}); reinstall the model") from None
    if wanted != encoder.id:
        raise ModelError(f"{path}: was fitted to another encoder; {REMEDY}")
    if not _fits(scale, encoder.dim):
        raise ModelError(f"{path}: does not fit embeddings of {encoder.dim} numbers; reinstall the model")
    return scale


def _fits(scale: Scale, dim: int) -> bool:
    plda = scale.plda
    shapes = [
        (plda.mean, (dim,)),
        (plda.transform, (dim, plda.between.size)),
        (scale.weights, (N_WEIGHTS,)),
        (scale.between, (dim, dim)),
        (scale.channel, (dim, dim)),
        *([] if scale.voice is None else [(scale.voice, (dim + 1,))]),
    ]
    whole = all(a.shape == s and np.isfinite(a).all() for a, s in shapes)
    return whole and np.isfinite(plda.between).all() and 0 < scale.lengths_s[0] <= scale.lengths_s[1]
