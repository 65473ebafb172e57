"""Scores of the field: equal error rate, detection and calibration cost, diarisation error rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression, linear_sum_assignment


def error_curve(targets: np.ndarray, nontargets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False-accept and false-reject rates at every threshold, from the lowest to the highest."""
    scores = np.concatenate((targets, nontargets))
    is_target = np.concatenate((np.ones(len(targets)), np.zeros(len(nontargets))))
    order = np.argsort(scores, kind="stable")
    rejected = np.concatenate(([0.0], np.cumsum(is_target[order]))) / len(targets)
    accepted = 1.0 - np.concatenate(([0.0], np.cumsum(1 - is_target[order]))) / len(nontargets)
    last_of_tie = np.append(np.diff(scores[order]) > 0, True)
    keep = np.concatenate(([True], last_of_tie))
    return accepted[keep], rejected[keep]


def equal_error_rate(targets: np.ndarray, nontargets: np.ndarray) -> float:
    """The rate, in 0…1, at which false accepts and false rejects are equal (linear between points)."""
    accepted, rejected = error_curve(targets, nontargets)
    gap = rejected - accepted
    i = int(np.searchsorted(gap, 0.0))
    if gap[i] == 0.0 or i == 0:
        return float(rejected[i])
    part = gap[i - 1] / (gap[i - 1] - gap[i])
    return float(rejected[i - 1] + part * (rejected[i] - rejected[i - 1]))


def minimum_detection_cost(targets: np.ndarray, nontargets: np.ndarray, prior: float) -> float:
    """NIST detection cost at the best threshold, equal miss and false-alarm costs, normalised."""
    accepted, rejected = error_curve(targets, nontargets)
    cost = prior * rejected + (1 - prior) * accepted
    return float(cost.min() / min(prior, 1 - prior))


def calibration_cost(targets: np.ndarray, nontargets: np.ndarray) -> float:
    """Cllr in bits of log-likelihood ratios (natural logarithm): 0 is perfect, 1 says nothing (Brümmer & du
    Preez 2006)."""
    return float((np.logaddexp(0, -targets).mean() + np.logaddexp(0, nontargets).mean()) / (2 * np.log(2)))


def minimum_calibration_cost(targets: np.ndarray, nontargets: np.ndarray) -> float:
    """Cllr after the best monotonic change of the scores (isotonic regression)."""
    scores = np.concatenate((targets, nontargets))
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)  # equal scores stay equal
    hits = np.bincount(place[: len(targets)], minlength=len(count))
    posterior = isotonic_regression(hits / count, weights=count).x.clip(1e-12, 1 - 1e-12)
    ratios = np.log(posterior / (1 - posterior)) - np.log(len(targets) / len(nontargets))
    return calibration_cost(ratios[place[: len(targets)]], ratios[place[len(targets) :]])


@dataclass(frozen=True)
class Turn:
    """One speaker speaking from `start` to `end` (any one unit of time)."""

    speaker: str
    start: float
    end: float


@dataclass(frozen=True)
class DiarisationError:
    """Parts of the diarisation error, as fractions of the reference speech."""

    miss: float
    false_alarm: float
    confusion: float

    @property
    def rate(self) -> float:
        return self.miss + self.false_alarm + self.confusion


def diarisation_error(reference: list[Turn], hypothesis: list[Turn]) -> DiarisationError:
    """Diarisation error without collar, overlap scored, speakers matched for the least confusion.

    Turns of one speaker that overlap count once: pyannote.metrics over `Annotation.support()`.
    """
    edges = np.unique([t for turn in reference + hypothesis for t in (turn.start, turn.end)])
    lengths = np.diff(edges)
    ref, hyp = _activity(reference, edges), _activity(hypothesis, edges)  # (n_speakers, n_pieces)
    n_ref, n_hyp = ref.sum(axis=0), hyp.sum(axis=0)
    total = float(n_ref @ lengths)
    if total == 0:
        raise ValueError("the reference holds no speech")
    shared = (ref * lengths) @ hyp.T
    correct = float(shared[linear_sum_assignment(shared, maximize=True)].sum())
    miss = float(np.maximum(n_ref - n_hyp, 0) @ lengths)
    false_alarm = float(np.maximum(n_hyp - n_ref, 0) @ lengths)
    confusion = float(np.minimum(n_ref, n_hyp) @ lengths) - correct
    return DiarisationError(miss / total, false_alarm / total, confusion / total)


def _activity(turns: list[Turn], edges: np.ndarray) -> np.ndarray:
    speakers = sorted({t.speaker for t in turns})
    active = np.zeros((len(speakers), max(len(edges) - 1, 0)))
    for turn in turns:
        first, last = np.searchsorted(edges, (turn.start, turn.end))
        active[speakers.index(turn.speaker), first:last] = 1.0
    return active
