"""Trial lists with their fixed noise, and the error rates of scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from bench.sound import add_noise, read_mono
from engine import SAMPLE_RATE, equal_error_rate, minimum_detection_cost


@dataclass(frozen=True)
class Bed:
    """What lies under one file: a noise clip from an offset on, or other voices."""

    noise: str
    offset_s: float
    babble: list[str]


def read_trials(path: Path) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Labels (n,) and pairs of files of a `1|0 file file` list."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return np.array([r[0] == "1" for r in rows]), [(r[1], r[2]) for r in rows]


@lru_cache(maxsize=4)
def read_beds(path: Path) -> dict[str, Bed]:
    """The fixed noise of every file, from a TSV of file, noise, offset_s, babble."""
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    return {r[0]: Bed(r[1], float(r[2]), r[3].split(",")) for r in rows}


def with_noise(root: Path, beds: dict[str, Bed], snr_db: float) -> Callable[[str, np.ndarray], np.ndarray]:
    """Each file over its own noise clip."""

    def heard(name: str, samples: np.ndarray) -> np.ndarray:
        noise = read_mono(root / beds[name].noise)
        return add_noise(samples, np.roll(noise, -round(beds[name].offset_s * SAMPLE_RATE)), snr_db)

    return heard


def with_babble(root: Path, beds: dict[str, Bed], snr_db: float) -> Callable[[str, np.ndarray], np.ndarray]:
    """Each file over the sum of its babble files, each looped."""

    def heard(name: str, samples: np.ndarray) -> np.ndarray:
        voices = [np.resize(read_mono(root / b), len(samples)) for b in beds[name].babble]
        return add_noise(samples, np.sum(voices, axis=0), snr_db)

    return heard


def error_rates(targets: np.ndarray, nontargets: np.ndarray) -> dict[str, float]:
    """EER in percent and minDCF at two priors."""
    return {
        "eer": round(100 * equal_error_rate(targets, nontargets), 3),
        "min_dcf_p05": round(minimum_detection_cost(targets, nontargets, 0.05), 4),
        "min_dcf_p01": round(minimum_detection_cost(targets, nontargets, 0.01), 4),
    }
