"""What CAM++ says of the clean sound: an embedding per utterance and its frame features, computed once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from engine import SAMPLE_RATE, Model, kaldi_fbank
from rt_models.training.data import AudioCache, change_speed
from rt_models.training.shards import write_shard

MAX_SECONDS = 8.0
N_COMPONENTS = 96


class Components(NamedTuple):
    """Principal components of the frame features; `weights` whiten them half way."""

    mean: np.ndarray
    """(512,)"""
    weights: np.ndarray
    """(512, 96)"""


class Teacher:
    """Runs the exported CAM++ (`python -m rt_models.export campplus`) over a corpus."""

    def __init__(self, folder: Path, cache: AudioCache) -> None:
        self._model, self._cache = Model(folder), cache
        self.sha256 = self._model.manifest.sha256

    def heard(self, index: int, speed: float) -> tuple[np.ndarray, np.ndarray]:
        """Unit-length embedding (192,) and frame features (n, 512) of the first 8 s of an utterance."""
        samples = change_speed(self._cache.audio(index)[: int(MAX_SECONDS * SAMPLE_RATE)], speed)
        columns = kaldi_fbank(samples)
        embedding, frames = self._model.run(columns=(columns - columns.mean(axis=0))[None])
        return embedding[0] / np.linalg.norm(embedding), frames[0]

    def components(self, path: Path, n_utterances: int = 160) -> Components:
        """Fitted to about 160 utterances at their own speed; kept in `path`."""
        if not path.exists():
            every = max(1, len(self._cache) // n_utterances)
            frames = [self.heard(i, 1.0)[1][::2] for i in range(0, len(self._cache), every)]
            np.savez(path, **principal(np.concatenate(frames).astype(np.float64))._asdict())
        with np.load(path) as kept:
            return Components(**kept)

    def teach(self, speeds: np.ndarray, components: Components, work: Path, name: str) -> np.ndarray:
        """Embeddings (n_utterances, 192), utterance i at speeds[i]; frame features in frames_<name>.f16."""
        out = work / f"teacher_{name}.npy"
        if not out.exists():
            found: list[np.ndarray] = []
            write_shard(work / f"frames_{name}.f16", self._frames(speeds, components, found))
            np.save(out, np.array(found, np.float32))
        return np.load(out)

    def _frames(
        self, speeds: np.ndarray, components: Components, found: list[np.ndarray]
    ) -> Iterator[np.ndarray]:
        for index, speed in enumerate(tqdm(speeds, unit="utterance", desc="teacher", disable=None)):
            embedding, frames = self.heard(index, speed)
            found.append(embedding)
            yield (frames - components.mean) @ components.weights


def principal(frames: np.ndarray) -> Components:
    """The first 96 components of (n, 512) features, each divided by the fourth root of its variance."""
    mean = frames.mean(axis=0)
    variance, axes = np.linalg.eigh(np.cov((frames - mean).T))
    kept = np.argsort(variance)[::-1][:N_COMPONENTS]
    variance = np.maximum(variance, 1e-3 * variance.max())
    return Components(mean.astype(np.float32), (axes[:, kept] / variance[kept] ** 0.25).astype(np.float32))
