"""From a cosine to evidence: a score, then a log-likelihood ratio.

A cosine means more in long speech than in short, and is higher for common voices than for rare ones. A cohort
of strangers can take off the latter (adaptive s-norm, Matějka et al. 2017; a calibration says whether it
does); logistic regression on score and duration (Brümmer & du Preez 2006) makes a log-likelihood ratio of it:
natural logarithm, above 0 for the same voice.
"""

from __future__ import annotations

import hashlib
import io
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from voicelane.base.errors import ModelError
from voicelane.base.space import Space
from voicelane.inference.manifest import read_part
from voicelane.inference.onnx import find_beside, find_model

CALIBRATION_NAME, COHORT_NAME = "calibration.toml", "cohort.npy"
LEAST_STRANGERS = 2
N_WEIGHTS = 4
REMEDY = "make one with `python -m voicelane.rt_models.training calibrate`"


class Evidence(NamedTuple):
    """What a comparison of two voices says."""

    score: float
    """Cosine; where the calibration is by a cohort, in standard deviations above its strangers."""
    llr: float
    """Natural logarithm of how much likelier it is for one person than for two."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """How scores of one embedding space become log-likelihood ratios, and where to decide."""

    space: Space
    """What it was fitted for."""
    weights: np.ndarray
    """Of `score_features`, (4,)."""
    lengths_s: tuple[float, float]
    """Seconds of speech that it was fitted on; outside, the nearer of the two is taken."""
    cohort: np.ndarray
    """Unit vectors of strangers float32 (n, dim)."""
    nearest: int
    """How many of them, those most like a voice, its score is normalised by; 0 leaves the cosine."""
    thresholds: dict[str, float]
    """Log-likelihood ratio at which so many percent of strangers were accepted."""
    n_strangers: int
    """Comparisons of different voices behind the thresholds."""
    n_voices: int
    """Voices behind those comparisons."""

    def compare(self, enrolled: np.ndarray, heard: np.ndarray, heard_s: float) -> Evidence:
        """Whether unit vectors (dim,) of an enrolled voice and of `heard_s` of speech are one person's."""
        score = s_norm(enrolled[None], heard[None], self.cohort, self.nearest)[0]
        length_s = np.clip([heard_s], *self.lengths_s)
        return Evidence(float(score[0]), float((score_features(score, length_s) @ self.weights)[0]))

    def threshold(self, false_accepts: float) -> float:
        """The ratio to decide at for a false-accept rate in percent; raises `ModelError` for another."""
        name = f"{false_accepts:g}"
        if name not in self.thresholds:
            measured = ", ".join(self.thresholds)
            raise ModelError(f"a false-accept rate of {name} % was not measured; choose one of {measured}")
        return self.thresholds[name]


def s_norm(enrolled: np.ndarray, heard: np.ndarray, cohort: np.ndarray, nearest: int) -> np.ndarray:
    """Adaptive s-norm of the cosines (n, m) of unit vectors (n, dim), (m, dim) by those `nearest` strangers
    of a cohort that are most like each; 0 leaves the cosines as they are."""
    cosines = enrolled @ heard.T
    if not nearest:
        return cosines
    (mean_e, std_e), (mean_h, std_h) = (_strangers(side, cohort, nearest) for side in (enrolled, heard))
    return ((cosines - mean_e[:, None]) / std_e[:, None] + (cosines - mean_h) / std_h) / 2


def _strangers(vectors: np.ndarray, cohort: np.ndarray, nearest: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation (n,) of the cosines of vectors (n, dim) with the strangers most like each."""
    near = np.sort(vectors @ cohort.T, axis=1)[:, -nearest:]
    return near.mean(axis=1), near.std(axis=1) + 1e-6


def score_features(score: np.ndarray, heard_s: np.ndarray) -> np.ndarray:
    """What the log-likelihood ratio is linear in (n, 4): 1, score, log2 of seconds, and their product."""
    length = np.log2(heard_s)
    return np.stack([np.ones_like(score), score, length, score * length], axis=-1)


def find_calibration(encoder: str, space: Space) -> Calibration:
    """The calibration for a space: the encoder's own, or that of the encoder it is a variant of.

    Raises `ModelError` as `load_calibration` does.
    """
    folder = find_model(encoder, "encoder")
    found = find_beside(folder, space.encoder_id, CALIBRATION_NAME)
    return load_calibration(found.parent if found else folder, space)


def load_calibration(folder: Path, space: Space) -> Calibration:
    """The calibration in an encoder's folder; raises `ModelError` where it is missing, damaged, or of
    another space."""
    path = folder / CALIBRATION_NAME
    if not path.exists():
        raise ModelError(f"{folder.name}: its scores are not calibrated, so nobody can be verified; {REMEDY}")
    try:
        found = _read(
            tomllib.loads(read_part(folder, CALIBRATION_NAME).decode("utf-8")),
            (folder / COHORT_NAME).read_bytes(),
        )
    except KeyError as problem:
        raise ModelError(f"{path}: lacks {problem.args[0]}; {REMEDY}") from None
    except (OSError, ValueError, TypeError, AttributeError) as problem:
        raise ModelError(f"{path}: the calibration is damaged ({problem}); {REMEDY}") from None
    if found.space != space:
        raise ModelError(f"{path}: is for {found.space}, not for {space}; its figures would mean nothing")
    return found


def _read(content: dict[str, Any], cohort_file: bytes) -> Calibration:
    if hashlib.sha256(cohort_file).hexdigest() != content["cohort_sha256"]:
        raise ValueError(f"the checksum of {COHORT_NAME} is wrong")
    cohort = np.load(io.BytesIO(cohort_file), allow_pickle=False).astype(np.float32)
    cohort /= np.linalg.norm(cohort, axis=-1, keepdims=True)
    weights = np.array(content["weights"], float)
    shortest_s, longest_s = (float(s) for s in content["lengths_s"])
    thresholds = {str(k): float(v) for k, v in content["thresholds"].items()}
    if cohort.ndim != 2 or len(cohort) < LEAST_STRANGERS or not np.isfinite(cohort).all():
        raise ValueError(f"{COHORT_NAME}: expected finite vectors (n, dim), got shape {cohort.shape}")
    if weights.shape != (N_WEIGHTS,) or not np.isfinite([*weights, *thresholds.values()]).all():
        raise ValueError(f"expected {N_WEIGHTS} finite weights and finite thresholds")
    if content["nearest"] not in range(len(cohort) + 1):
        raise ValueError(f"nearest = {content['nearest']}: expected 0 … {len(cohort)}")
    if not 0 < shortest_s <= longest_s or not thresholds:
        raise ValueError("expected rising lengths_s above 0 and at least one threshold")
    return Calibration(
        Space(*(str(content[name]) for name in ("encoder_id", "enhancer", "encoder"))),
        weights,
        (shortest_s, longest_s),
        cohort,
        int(content["nearest"]),
        thresholds,
        int(content["n_strangers"]),
        int(content["n_voices"]),
    )
