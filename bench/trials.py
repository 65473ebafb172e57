"""Trial lists with their fixed noise, and the error rates of scores."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy.signal import fftconvolve

from voicelane import SAMPLE_RATE
from voicelane.bench.sound import add_noise, read_mono
from voicelane.labels import (
    calibration_cost,
    equal_error_rate,
    minimum_calibration_cost,
    minimum_detection_cost,
)


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


def in_room(name: str, samples: np.ndarray) -> np.ndarray:
    """Each file in one of a hundred simulated rooms, chosen by its name."""
    return fftconvolve(samples, _response(zlib.crc32(name.encode()) % 100))[: len(samples)].astype(np.float32)


@lru_cache(maxsize=100)
def _response(number: int) -> np.ndarray:
    """Impulse response of shoebox room `number`: 10 – 150 m², T60 0.2 – 0.7 s, talker 0.7 – 4 m away."""
    import pyroomacoustics

    rng = np.random.default_rng((number, 1))
    size, t60 = np.array([*rng.uniform(3.2, 12.0, 2), rng.uniform(2.4, 3.5)]), rng.uniform(0.2, 0.7)
    absorption, order = pyroomacoustics.inverse_sabine(max(t60, 0.03 * size.max()), size)
    room = pyroomacoustics.ShoeBox(
        size, fs=SAMPLE_RATE, materials=pyroomacoustics.Material(absorption), max_order=min(order, 17)
    )
    talker = rng.uniform((0.5, 0.5, 1.1), size - (0.5, 0.5, 0.6))
    away = rng.standard_normal(3) * (1, 1, 0.2)
    away *= rng.uniform(0.7, 4.0) / np.linalg.norm(away)
    room.add_source(talker)
    room.add_microphone(np.clip(talker + away, 0.3, size - 0.3))
    room.compute_rir()
    response = np.asarray(room.rir[0][0])
    direct = int(np.argmax(np.abs(response) > 0.2 * np.abs(response).max()))
    return response[direct:] / np.abs(response).max()


def error_rates(targets: np.ndarray, nontargets: np.ndarray) -> dict[str, float]:
    """EER in percent and minDCF at two priors."""
    return {
        "eer": round(100 * equal_error_rate(targets, nontargets), 3),
        "min_dcf_p05": round(minimum_detection_cost(targets, nontargets, 0.05), 4),
        "min_dcf_p01": round(minimum_detection_cost(targets, nontargets, 0.01), 4),
    }


def evidence_costs(
    targets: np.ndarray, nontargets: np.ndarray, thresholds: dict[str, float]
) -> dict[str, float | dict[str, float]]:
    """Cllr as it is and at its best, and what is accepted and rejected wrongly, in percent, at thresholds."""
    return {
        "cllr": round(calibration_cost(targets, nontargets), 4),
        "min_cllr": round(minimum_calibration_cost(targets, nontargets), 4),
        "false_accepts": {k: round(100 * float((nontargets >= t).mean()), 3) for k, t in thresholds.items()},
        "false_rejects": {k: round(100 * float((targets < t).mean()), 3) for k, t in thresholds.items()},
    }
