"""What a teacher says of the clean sound, computed once: CAM++ with its frame features, or one of ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from voicelane import SAMPLE_RATE
from voicelane.config import EncoderConfig
from voicelane.dsp import kaldi_fbank
from voicelane.inference import Model
from voicelane.rt_models.training.batches import speech_mask
from voicelane.rt_models.training.caches import digest_arrays, keep
from voicelane.rt_models.training.data import AudioCache, change_speed
from voicelane.rt_models.training.shards import log_mel, write_shard
from voicelane.stages import encoder_columns, load_encoder

MAX_SECONDS = 8.0
N_COMPONENTS = 96
LEAST_COLUMNS = 10


class Components(NamedTuple):
    """Principal components of the frame features; `weights` whiten them half way."""

    mean: np.ndarray
    """(512,)"""
    weights: np.ndarray
    """(512, 96)"""


class Teacher:
    """Runs the exported CAM++ (`python -m voicelane.rt_models.export campplus`) over a corpus."""

    def __init__(self, folder: Path, cache: AudioCache) -> None:
        self._model, self._cache = Model(folder), cache
        self._origin = {"teacher": self._model.manifest.sha256, "corpus": cache.sha256}

    def heard(self, index: int, speed: float) -> tuple[np.ndarray, np.ndarray]:
        """Unit-length embedding (192,) and frame features (n, 512) of the first 8 s of an utterance."""
        samples = change_speed(self._cache.audio(index)[: int(MAX_SECONDS * SAMPLE_RATE)], speed)
        columns = kaldi_fbank(samples)
        embedding, frames = self._model.run(columns=(columns - columns.mean(axis=0))[None])
        return embedding[0] / np.linalg.norm(embedding), frames[0]

    def components(self, path: Path, n_utterances: int = 160) -> Components:
        """Fitted to about 160 utterances at their own speed; kept in `path`."""

        def make() -> None:
            every = max(1, len(self._cache) // n_utterances)
            frames = [self.heard(i, 1.0)[1][::2] for i in range(0, len(self._cache), every)]
            mean, weights = principal(np.concatenate(frames).astype(np.float64))
            np.savez(path, mean=mean, weights=weights)

        keep(path, self._origin | {"n_utterances": n_utterances}, make)
        with np.load(path) as kept:
            return Components(**kept)

    def teach(self, speeds: np.ndarray, components: Components, work: Path, name: str) -> np.ndarray:
        """Embeddings (n_utterances, 192), utterance i at speeds[i]; frame features in frames_<name>.f16."""
        out, frames = work / f"teacher_{name}.npy", work / f"frames_{name}.f16"
        origin = self._origin | {"speeds": digest_arrays([speeds]), "components": digest_arrays(components)}

        def make() -> None:
            found: list[np.ndarray] = []
            write_shard(frames, self._frames(speeds, components, found))
            np.save(out, np.array(found, np.float32))

        keep(out, origin, make, frames)
        return np.load(out)

    def _frames(
        self, speeds: np.ndarray, components: Components, found: list[np.ndarray]
    ) -> Iterator[np.ndarray]:
        for index, speed in enumerate(tqdm(speeds, unit="utterance", desc="teacher", disable=None)):
            embedding, frames = self.heard(index, speed)
            found.append(embedding)
            yield (frames - components.mean) @ components.weights


def gives_frames(teacher: Path | None) -> bool:
    """Whether a teacher is one with frame features (CAM++) or an encoder of ours, which has none."""
    if teacher is None or not (teacher / "manifest.toml").exists():
        return False
    return "frames" in Model(teacher).manifest.outputs


def clean_voices(model: str, cache: AudioCache, speeds: np.ndarray, path: Path) -> np.ndarray:
    """Embeddings (n_utterances, dim) of the clean speech by an encoder of ours, utterance i at speeds[i].

    Kept in `path`.
    """
    encoder = load_encoder(EncoderConfig(model=model))

    def heard(samples: np.ndarray) -> np.ndarray:
        speech = np.flatnonzero(speech_mask(log_mel(samples)))
        columns = encoder_columns(encoder, samples)[speech] if len(speech) >= LEAST_COLUMNS else None
        if columns is None:
            columns = np.resize(encoder_columns(encoder, samples), (LEAST_COLUMNS, encoder.n_bands))
        return encoder.embed(encoder.tokens(encoder.stream().normalise(columns)))

    def make() -> None:
        every = tqdm(enumerate(speeds), total=len(speeds), unit="utterance", desc="teacher", disable=None)
        np.save(path, np.stack([heard(change_speed(cache.audio(i), s)) for i, s in every]))

    keep(path, {"teacher": encoder.id, "corpus": cache.sha256, "speeds": digest_arrays([speeds])}, make)
    return np.load(path)


def principal(frames: np.ndarray) -> Components:
    """The first 96 components of (n, 512) features, each divided by the fourth root of its variance."""
    mean = frames.mean(axis=0)
    variance, axes = np.linalg.eigh(np.cov((frames - mean).T))
    kept = np.argsort(variance)[::-1][:N_COMPONENTS]
    variance = np.maximum(variance, 1e-3 * variance.max())
    return Components(mean.astype(np.float32), (axes[:, kept] / variance[kept] ** 0.25).astype(np.float32))
