"""The model of voices, and Bayesian clustering on it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from voicelane.dsp.kernels import forward_backward
from voicelane.stages.plda import vbx

LOOP, ACOUSTIC, SPEAKER = 0.7, 0.4, 8.0


def talk(rng: np.random.Generator, order: list[int], dim: int = 64) -> np.ndarray:
    """Projected embeddings: voices of variance 2 around which embeddings have variance 1."""
    voices = np.sqrt(2.0) * rng.standard_normal((max(order) + 1, dim))
    return voices[order] + rng.standard_normal((len(order), dim))


def plain_forward_backward(log_p: np.ndarray, prior: np.ndarray, loop: float) -> tuple[np.ndarray, float]:
    """The twin in the log domain, with the whole transition matrix."""
    n, n_states = log_p.shape
    step = np.log(loop * np.eye(n_states) + (1 - loop) * prior)
    ahead, back = np.zeros((n, n_states)), np.zeros((n, n_states))
    ahead[0] = log_p[0] + np.log(prior)
    for t in range(1, n):
        ahead[t] = log_p[t] + logsumexp(ahead[t - 1][:, None] + step, axis=0)
    for t in range(n - 2, -1, -1):
        back[t] = logsumexp(step + log_p[t + 1] + back[t + 1], axis=1)
    total = logsumexp(ahead[-1])
    return np.exp(ahead + back - total), float(total)


@pytest.mark.parametrize("seed", range(5))
def test_forward_backward_equals_its_plain_twin(seed):
    rng = np.random.default_rng(seed)
    log_p, prior = 5 * rng.standard_normal((40, 3)), rng.dirichlet(np.ones(3))
    chance, starts, total = forward_backward(log_p, prior, 0.8)
    wanted, wanted_total = plain_forward_backward(log_p, prior, 0.8)
    np.testing.assert_allclose(chance, wanted, atol=1e-9)
    assert total == pytest.approx(wanted_total) and starts.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(5))
def test_clusters_that_nobody_needs_lose_their_members(seed):
    """Three people, begun from nine clusters."""
    rng = np.random.default_rng(seed)
    order = np.repeat(rng.permutation([0, 1, 2] * 6), 5).tolist()
    begun = np.array([3 * voice + int(rng.integers(3)) for voice in order])
    found = vbx(talk(rng, order), np.full(64, 2.0), begun, LOOP, ACOUSTIC, SPEAKER)[0].argmax(axis=1)
    assert len(set(found)) == 3
    assert len({(a, b) for a, b in zip(order, found.tolist(), strict=True)}) == 3


def test_chances_are_chances_and_repeat():
    rng = np.random.default_rng(0)
    x, begun = talk(rng, [0, 0, 1, 1, 0] * 8), np.array([0, 1, 2, 3, 1] * 8)
    a, b = (vbx(x, np.full(64, 2.0), begun, LOOP, ACOUSTIC, SPEAKER)[0] for _ in range(2))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(a.sum(axis=1), 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_the_bound_prefers_who_spoke_to_wherever_else_it_may_begin(seed):
    """Three people, begun with one of them taken for another, from the truth, and from nine clusters."""
    rng = np.random.default_rng(seed)
    order = np.repeat(rng.permutation([0, 1, 2] * 6), 5)
    x, between = talk(rng, order.tolist()), np.full(64, 2.0)
    begun = (np.minimum(order, 1), order, 3 * order + rng.integers(3, size=len(order)))
    merged, right, parted = (vbx(x, between, start, LOOP, ACOUSTIC, SPEAKER)[1] for start in begun)
    assert right > merged
    assert parted == pytest.approx(right, abs=0.01 * abs(right))
