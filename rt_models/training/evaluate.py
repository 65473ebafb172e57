"""Equal error rate of a network on a trial list, while it trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from voicelane.dsp import RunningMean
from voicelane.labels import equal_error_rate
from voicelane.rt_models.training.batches import speech_mask
from voicelane.rt_models.training.data import read_audio
from voicelane.rt_models.training.shards import log_mel


def read_trials(path: Path) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Labels (n,) and pairs of files of a `1|0 file file` list."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return np.array([r[0] == "1" for r in rows]), [(r[1], r[2]) for r in rows]


class TrialSet:
    """About `most` files of a trial list as features, and the trials among them, ready to score."""

    def __init__(self, trials: Path, root: Path, prior: np.ndarray, n_mels: int, most: int = 1000) -> None:
        """`prior` (n_bands,) is where the running mean starts; more bands than mels are phase features."""
        labels, pairs = read_trials(trials)
        names = sorted({name for pair in pairs for name in pair})
        names = names[:: max(1, len(names) // most)]
        self._index = {name: i for i, name in enumerate(names)}
        kept = [i for i, (a, b) in enumerate(pairs) if a in self._index and b in self._index]
        self._labels, self._pairs = labels[kept], [pairs[i] for i in kept]
        self._columns = []
        for name in names:
            samples = read_audio(root / name)
            speech = speech_mask(log_mel(samples))
            columns = log_mel(samples, n_mels, phase=len(prior) > n_mels)[speech]
            self._columns.append(RunningMean(prior, n_mels=n_mels).process(columns))

    @torch.inference_mode()
    def error_rate(self, net: torch.nn.Module) -> float:
        """EER in percent over whole files, by cosine."""
        was_training = net.training
        net.eval()
        device = next(net.parameters()).device
        found = torch.cat([net(torch.from_numpy(c)[None].to(device)) for c in self._columns]).cpu().numpy()
        net.train(was_training)
        scores = np.array([found[self._index[a]] @ found[self._index[b]] for a, b in self._pairs])
        return 100 * equal_error_rate(scores[self._labels], scores[~self._labels])
