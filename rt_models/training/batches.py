"""Training batches: crops of perturbed speech as the live encoder would hear them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import N_MELS, RunningMean
from rt_models.training.data import Utterance
from rt_models.training.shards import Shard


@dataclass(frozen=True)
class CropConfig:
    """How crops are cut and normalised."""

    columns: tuple[int, ...] = (120, 160, 240)
    """Crop lengths (10 ms each); few, because each is a new shape."""
    chances: tuple[float, ...] = (0.25, 0.5, 0.25)
    fresh: float = 0.4
    """Chance that the running mean has heard nothing yet; otherwise it has heard another voice."""
    one_corpus: float = 0.6
    """Chance that all of a batch comes from one corpus, so that the recording tells nothing."""
    history_columns: tuple[int, int] = (30, 300)
    level_jitter: float = 1.4
    """Level difference to the voice heard before, in nepers of power."""
    band_masks: int = 1
    band_width: int = 10
    time_masks: int = 1
    time_width: int = 15


def speech_mask(columns: np.ndarray, range_db: float = 32.0, hangover: int = 10) -> np.ndarray:
    """Columns of clean speech within `range_db` of its loud parts, widened by `hangover` columns."""
    level = 10.0 / np.log(10.0) * np.logaddexp.reduce(columns.astype(np.float32), axis=1)
    loud = level > np.percentile(level, 95) - range_db if len(level) else np.zeros(0, bool)
    return np.convolve(loud, np.ones(2 * hangover + 1), mode="same") > 0.5


class CropSampler:
    """Draws batches from several copies (shards) of one corpus, each with its teacher targets."""

    def __init__(
        self,
        shards: list[Shard],
        masks: list[list[np.ndarray]],
        targets: list[np.ndarray],
        prior: np.ndarray,
        utterances: list[Utterance],
        config: CropConfig,
    ) -> None:
        _, self._speakers = np.unique([u.speaker for u in utterances], return_inverse=True)
        self._corpora = np.array([u.corpus for u in utterances])
        self._shards, self._masks, self._targets = shards, masks, targets
        self.prior, self._config = prior, config

    def batch(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Crops float32 (size, n_columns, 80), unit-length targets (size, D), speaker numbers (size,)."""
        c = self._config
        length = int(rng.choice(c.columns, p=c.chances))
        which = rng.integers(len(self._shards), size=size)
        chosen = self._choose(size, rng)
        crops = [self._speech(w, i) for w, i in zip(which, chosen, strict=True)]
        means = [crop.mean(axis=0) for crop in crops]
        cut = np.stack(
            [
                self._normalised(_crop(crop, length, rng), means[i], means[i - 1], rng)
                for i, crop in enumerate(crops)
            ]
        )
        self._mask(cut, rng)
        targets = np.stack([self._targets[w][i] for w, i in zip(which, chosen, strict=True)])
        return cut, targets, self._speakers[chosen]

    def _choose(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Utterances of the whole collection, or of the corpus of a random one of them."""
        if rng.random() >= self._config.one_corpus:
            return rng.integers(len(self._corpora), size=size)
        corpus = self._corpora[rng.integers(len(self._corpora))]
        return rng.choice(np.flatnonzero(self._corpora == corpus), size=size)

    def _speech(self, which: int, index: int) -> np.ndarray:
        columns = self._shards[which].columns(index).astype(np.float32)
        mask = self._masks[which][index]
        return columns[: len(mask)][mask[: len(columns)]]

    def _normalised(
        self, crop: np.ndarray, own: np.ndarray, other: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        c = self._config
        if rng.random() < c.fresh:
            return RunningMean(self.prior).process(crop)
        shape = own if rng.random() < 0.5 else other
        shift = own.mean() - shape.mean() + rng.uniform(-c.level_jitter, c.level_jitter)
        return RunningMean(shape + shift, int(rng.integers(*c.history_columns))).process(crop)

    def _mask(self, crops: np.ndarray, rng: np.random.Generator) -> None:
        c = self._config
        for crop in crops:
            for _ in range(c.band_masks):
                width = int(rng.integers(c.band_width + 1))
                start = int(rng.integers(N_MELS - width + 1))
                crop[:, start : start + width] = 0.0
            for _ in range(c.time_masks):
                width = int(rng.integers(c.time_width + 1))
                start = int(rng.integers(len(crop) - width + 1))
                crop[start : start + width] = 0.0


def _crop(columns: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """A random piece of `length` columns; a shorter recording is repeated."""
    if len(columns) < length:
        return np.resize(columns, (length, N_MELS))
    start = int(rng.integers(len(columns) - length + 1))
    return columns[start : start + length]
