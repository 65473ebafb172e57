"""Log-mel features of perturbed copies of a corpus, computed once with the engine's own code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from voicelane.base import FRAME_SAMPLES
from voicelane.dsp import N_MELS, FeatureExtractor, Stft
from voicelane.rt_models.training.augment import Augmenter
from voicelane.rt_models.training.caches import digest_arrays, keep
from voicelane.rt_models.training.data import AudioCache, change_speed


def log_mel(samples: np.ndarray, n_mels: int = N_MELS, phase: bool = False) -> np.ndarray:
    """What the live engine would compute of the whole frames: log-mel float32 (n_columns, n_mels), with
    `phase` (n_columns, 3 · n_mels): the two phase features beside it."""
    whole = samples[: len(samples) - len(samples) % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    features = FeatureExtractor(n_mels, phase).process(Stft().process(whole))
    return np.concatenate(features, axis=1) if phase else features.log_mel


class Shard:
    """One copy of a corpus as float16 columns, memory-mapped; utterance i is `columns(i)`."""

    def __init__(self, path: Path) -> None:
        head = json.loads(path.with_suffix(".json").read_text())
        self.bounds = np.array(head["bounds"], np.int64)
        self.width = int(head["width"])
        self._columns = np.memmap(path, np.float16, "r").reshape(-1, self.width)

    def columns(self, index: int) -> np.ndarray:
        return self._columns[self.bounds[index] : self.bounds[index + 1]]


class FrameTargets:
    """The teacher's last frame features, every 20 ms, for one copy of a corpus."""

    def __init__(self, path: Path) -> None:
        self._frames = Shard(path)
        self.width = self._frames.width

    def at(self, index: int, columns: np.ndarray) -> np.ndarray:
        """Features float32 (n, K) where the engine's `columns` (n,) of utterance `index` are centred.

        Column k is centred at sample 160k − 40, the teacher's frame f at 320f + 200.
        """
        frames = self._frames.columns(index)
        nearest = np.rint((160 * columns - 240) / 320).astype(int)
        return frames[nearest.clip(0, len(frames) - 1)].astype(np.float32)


def write_shard(path: Path, pieces: Iterable[np.ndarray]) -> None:
    """One float16 array (n, width) per utterance, one after the other; complete once its head is there."""
    bounds = [0]
    with path.open("wb") as out:
        for piece in pieces:
            out.write(piece.astype(np.float16).tobytes())
            bounds.append(bounds[-1] + len(piece))
    path.with_suffix(".json").write_text(json.dumps({"bounds": bounds, "width": piece.shape[1]}))


def build_shard(
    cache: AudioCache,
    augment: Augmenter | None,
    speeds: np.ndarray,
    seed: int,
    path: Path,
    n_mels: int = N_MELS,
    phase: bool = False,
) -> Shard:
    """A copy, utterance i at speeds[i] and perturbed (clean where `augment` is None); kept in `path`."""

    def columns(i: int) -> np.ndarray:
        samples = change_speed(cache.audio(i), speeds[i])
        heard = augment(samples, np.random.default_rng((seed, i))) if augment else samples
        return log_mel(heard, n_mels, phase)

    perturbed = {"seed": seed, **augment.origin} if augment else {}
    origin = {"corpus": cache.sha256, "speeds": digest_arrays([speeds]), "n_mels": n_mels, "phase": phase}
    keep(path, origin | perturbed, lambda: write_shard(path, (columns(i) for i in range(len(cache)))))
    return Shard(path)
