"""Log-mel features of perturbed copies of a corpus, computed once with the engine's own code."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from engine import FRAME_SAMPLES, N_MELS, FeatureExtractor, Stft
from rt_models.training.augment import Augmenter
from rt_models.training.data import AudioCache, change_speed


def log_mel(samples: np.ndarray) -> np.ndarray:
    """What the live engine would compute: log-mel float32 (n_columns, 80) of the whole frames."""
    whole = samples[: len(samples) - len(samples) % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    return FeatureExtractor(phase=False).process(Stft().process(whole)).log_mel


class Shard:
    """One copy of a corpus as float16 columns, memory-mapped; utterance i is `columns(i)`."""

    def __init__(self, path: Path) -> None:
        head = json.loads(path.with_suffix(".json").read_text())
        self.bounds = np.array(head["bounds"], np.int64)
        self._columns = np.memmap(path, np.float16, "r").reshape(-1, N_MELS)

    def columns(self, index: int) -> np.ndarray:
        return self._columns[self.bounds[index] : self.bounds[index + 1]]


def build_shard(
    cache: AudioCache, augment: Augmenter | None, speeds: np.ndarray, seed: int, path: Path
) -> Shard:
    """A copy, utterance i at speeds[i] and perturbed (clean where `augment` is None); kept in `path`."""
    if not path.with_suffix(".json").exists():
        bounds = [0]
        with path.open("wb") as out:
            for i in range(len(cache)):
                rng = np.random.default_rng((seed, i))
                samples = change_speed(cache.audio(i), speeds[i])
                heard = augment(samples, rng) if augment else samples
                columns = log_mel(heard).astype(np.float16)
                out.write(columns.tobytes())
                bounds.append(bounds[-1] + len(columns))
        path.with_suffix(".json").write_text(json.dumps({"bounds": bounds}))
    return Shard(path)
