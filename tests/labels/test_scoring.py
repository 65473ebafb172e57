"""Scores against pyannote.metrics and against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane import Turn, diarisation_error
from voicelane.labels import (
    calibration_cost,
    equal_error_rate,
    error_curve,
    minimum_calibration_cost,
    minimum_detection_cost,
)


def random_turns(rng: np.random.Generator, speakers: int) -> list[Turn]:
    """Turns that may overlap, but never with another of the same speaker."""
    turns = []
    for k in range(speakers):
        edges = np.sort(rng.uniform(0, 60, 2 * int(rng.integers(1, 8)))).round(3)
        turns += [Turn(f"s{k}", float(a), float(b)) for a, b in edges.reshape(-1, 2)]
    return turns


@pytest.mark.parametrize("seed", range(10))
def test_diarisation_error_equals_pyannote_metrics(seed):
    core = pytest.importorskip("pyannote.core")
    metrics = pytest.importorskip("pyannote.metrics.diarization")
    rng = np.random.default_rng(seed)
    reference, hypothesis = random_turns(rng, 3), random_turns(rng, 1 + seed % 5)

    def annotation(turns):
        found = core.Annotation()
        for i, t in enumerate(turns):
            found[core.Segment(t.start, t.end), i] = t.speaker
        return found

    parts = metrics.DiarizationErrorRate(collar=0.0, skip_overlap=False)(
        annotation(reference), annotation(hypothesis), uem=core.Timeline([core.Segment(0, 61)]), detailed=True
    )
    found = diarisation_error(reference, hypothesis)
    assert found.rate == pytest.approx(parts["diarization error rate"], abs=1e-6)
    assert found.miss == pytest.approx(parts["missed detection"] / parts["total"], abs=1e-6)
    assert found.confusion == pytest.approx(parts["confusion"] / parts["total"], abs=1e-6)


def test_equal_error_rate_of_two_normal_distributions(rng):
    targets, nontargets = rng.normal(2, 1, 200_000), rng.normal(0, 1, 200_000)
    assert equal_error_rate(targets, nontargets) == pytest.approx(0.15866, abs=0.002)


def test_equal_error_rate_at_the_ends():
    assert equal_error_rate(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 0.0
    assert equal_error_rate(np.array([0.0, 1.0]), np.array([2.0, 3.0])) == 1.0
    assert equal_error_rate(np.ones(10), np.ones(30)) == pytest.approx(0.5)


@pytest.mark.parametrize("prior", [0.01, 0.05, 0.5])
def test_minimum_cost_is_the_least_over_all_thresholds(rng, prior):
    targets, nontargets = rng.normal(1, 1, 300).round(2), rng.normal(0, 1, 400).round(2)
    costs = [
        prior * np.mean(targets < t) + (1 - prior) * np.mean(nontargets >= t)
        for t in [*np.unique(np.concatenate((targets, nontargets))), np.inf]
    ]
    wanted = min(costs) / min(prior, 1 - prior)
    assert minimum_detection_cost(targets, nontargets, prior) == pytest.approx(wanted)


def test_the_curve_is_monotone(rng):
    accepted, rejected = error_curve(rng.normal(1, 1, 100).round(1), rng.normal(0, 1, 100).round(1))
    assert (np.diff(accepted) <= 1e-12).all() and (np.diff(rejected) >= -1e-12).all()
    assert (accepted[0], rejected[0], rejected[-1]) == (1.0, 0.0, 1.0)
    assert accepted[-1] == pytest.approx(0.0)


def test_calibration_cost_at_the_ends():
    assert calibration_cost(np.full(3, 40.0), np.full(5, -40.0)) == pytest.approx(0.0, abs=1e-9)
    assert calibration_cost(np.zeros(3), np.zeros(5)) == 1.0
    assert calibration_cost(np.full(3, -5.0), np.full(5, 5.0)) > 7.0, "confidently wrong"
    assert minimum_calibration_cost(np.zeros(3), np.zeros(5)) == pytest.approx(1.0)
    assert minimum_calibration_cost(np.arange(3.0) + 9, np.arange(5.0)) == pytest.approx(0.0, abs=1e-9)


def test_ratios_of_two_normal_distributions_are_calibrated_and_scaled_ones_are_not(rng):
    """N(±2, σ² = 4) are their own log-likelihood ratios."""
    targets, nontargets = rng.normal(2, 2, 50_000), rng.normal(-2, 2, 50_000)
    cost, least = calibration_cost(targets, nontargets), minimum_calibration_cost(targets, nontargets)
    assert least <= cost == pytest.approx(least, abs=0.005)
    for worse in (2.0, 0.5):
        assert calibration_cost(worse * targets, worse * nontargets) > cost + 0.01


@pytest.mark.parametrize("seed", range(10))
def test_the_least_calibration_cost_is_invariant_to_monotone_maps_and_never_above_the_cost(seed):
    rng = np.random.default_rng(seed)
    targets, nontargets = rng.normal(1, 2, 60).round(1), rng.normal(-1, 2, 200).round(1)
    least = minimum_calibration_cost(targets, nontargets)
    for change in (lambda x: x, lambda x: 7 * x - 3, np.exp, np.arctan, lambda x: x**3):
        assert minimum_calibration_cost(change(targets), change(nontargets)) == pytest.approx(least, abs=1e-9)
        assert least <= calibration_cost(change(targets), change(nontargets))
