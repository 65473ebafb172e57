"""Diffusion in discrete time against Gaussians, for which the best network is known exactly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from voicelane.dsp import ddpm

MEAN, SPREAD = 1.5, 0.3
REACH_NOISE = {
    "linear 1000": ddpm.linear(1000),
    "linear 300": ddpm.linear(300),
    "cosine 300": ddpm.cosine(300),
    "cosine 1000": ddpm.cosine(1000),
}
every_schedule = pytest.mark.parametrize("alpha_bar", REACH_NOISE.values(), ids=REACH_NOISE)


def best(alpha_bar, target="epsilon", mean=MEAN, spread=SPREAD):
    """The exact ε̂ or x̂0 of data from N(mean, spread²): the posterior mean of a Gaussian."""

    def predict(x_t, t):
        kept, noise = alpha_bar[t], 1 - alpha_bar[t]
        x0 = mean + spread**2 * kept**0.5 / (spread**2 * kept + noise) * (x_t - kept**0.5 * mean)
        return x0 if target == "x0" else ddpm.noise_of(x_t, x0, kept)

    return predict


def moments(alpha_bar, at, eta=0.0, target="epsilon", predict=None):
    """Mean and deviation, without drawing, of what comes out of N(0, 1): every step is affine in its noises,
    so that one row of unit size for each of them gives its coefficient."""
    n = len(at)
    noises = iter(np.eye(n + 1, n)[:, k] for k in range(1, n))
    found = ddpm.sample(
        predict or best(alpha_bar, target),
        np.eye(n + 1, n)[:, 0],
        alpha_bar,
        at,
        target,
        eta,
        lambda: next(noises),
    )
    return found[-1], np.sqrt(((found[:-1] - found[-1]) ** 2).sum())


@every_schedule
def test_schedules_begin_at_the_data_and_end_in_noise(alpha_bar):
    assert alpha_bar[0] == 1
    assert 0 < alpha_bar[-1] < ddpm.NOISE
    assert (np.diff(alpha_bar) < 0).all()


def test_the_cosine_schedule_is_the_published_one():
    found = ddpm.cosine(1000)
    wanted = (np.cos((0.5 + 0.008) / 1.008 * np.pi / 2) / np.cos(0.008 / 1.008 * np.pi / 2)) ** 2
    assert found[500] == pytest.approx(wanted)


def test_speakerdiffs_schedule_ends_far_from_noise():
    assert ddpm.sigmoid()[-1] == pytest.approx(0.778, abs=5e-4)


@every_schedule
@pytest.mark.parametrize("target", ["epsilon", "x0"])
def test_ancestral_sampling_gives_back_a_gaussian(alpha_bar, target):
    last = len(alpha_bar) - 1
    mean, spread = moments(alpha_bar, ddpm.times(last, last), eta=1.0, target=target)
    assert mean == pytest.approx(MEAN, abs=0.01)
    assert spread == pytest.approx(SPREAD, rel=0.04)


@every_schedule
def test_ddim_comes_nearer_with_every_step_more(alpha_bar):
    last = len(alpha_bar) - 1
    found = [moments(alpha_bar, ddpm.times(last, n)) for n in (4, 8, 15, 60, last)]
    assert [mean for mean, _ in found] == pytest.approx([MEAN] * 5, abs=0.02)
    missing = [SPREAD - spread for _, spread in found]
    assert missing == sorted(missing, reverse=True)
    assert 0 < missing[-1] < 0.02 * SPREAD


@pytest.mark.parametrize(("n_steps", "least"), [(15, 0.85), (8, 0.73), (4, 0.53)])
def test_few_steps_keep_most_of_the_spread_with_the_cosine_schedule(n_steps, least):
    found = moments(ddpm.cosine(300), ddpm.times(300, n_steps))[1]
    assert least * SPREAD < found < SPREAD
    assert found > moments(ddpm.linear(300), ddpm.times(300, n_steps))[1]


@every_schedule
@pytest.mark.parametrize("n_steps", [15, 8, 4])
def test_each_step_of_ddim_on_white_data_is_a_turn(alpha_bar, n_steps):
    """Of N(0, 1), a step turns x by the difference of the angles arccos √ᾱ: what is left is its cosine."""
    last = len(alpha_bar) - 1
    at = ddpm.times(last, n_steps)
    turns = np.diff(np.arccos(np.sqrt(alpha_bar[at])))
    found = moments(alpha_bar, at, predict=best(alpha_bar, mean=0.0, spread=1.0))[1]
    assert found == pytest.approx(np.prod(np.cos(turns)))


@pytest.mark.parametrize("n_steps", [15, 8, 4])
def test_a_step_to_the_time_before_the_next_one_would_be_seen(n_steps):
    """`alphas_cumprod_prev[prev_t]` of the original is ᾱ one index too early: noise stays that no step
    expects, and the last step does not end at the data."""
    alpha_bar = ddpm.linear(300)
    at = ddpm.times(300, n_steps)
    right = moments(alpha_bar, at)[1]
    x = np.array([0.0, 1.0])
    for t, t_next in itertools.pairwise(at):
        late = float(alpha_bar[max(t_next - 1, 0)])
        x = ddpm.step(x, best(alpha_bar, "x0")(x, t), float(alpha_bar[t]), late, 0.0, 0.0)
    assert abs(x[1] - x[0] - SPREAD) > abs(right - SPREAD)


def test_from_pure_noise_speakerdiffs_schedule_gives_too_wide_a_set():
    """x_T of its schedule is nine parts data; started at N(0, 1) instead, what comes out has another mean and
    is far too wide, however exact the network is."""
    alpha_bar = ddpm.sigmoid()
    mean, spread = moments(alpha_bar, ddpm.times(100, 100), eta=1.0)
    assert mean < 0.8 * MEAN
    assert spread > 1.2 * SPREAD


@pytest.mark.parametrize("alpha_bar", [ddpm.linear(1000), ddpm.cosine(300)], ids=["linear", "cosine"])
def test_the_last_step_adds_no_noise(alpha_bar):
    assert ddpm.deviation(float(alpha_bar[1]), float(alpha_bar[0]), 1.0) == 0
    assert ddpm.deviation(float(alpha_bar[2]), float(alpha_bar[1]), 1.0) > 0


def test_the_deviation_of_one_step_is_the_published_one():
    alpha_bar = ddpm.linear(1000)
    beta = 1 - alpha_bar[400] / alpha_bar[399]
    wanted = np.sqrt(beta * (1 - alpha_bar[399]) / (1 - alpha_bar[400]))
    assert ddpm.deviation(float(alpha_bar[400]), float(alpha_bar[399]), 1.0) == pytest.approx(wanted)


def test_guidance_moves_gaussians_as_far_as_it_says():
    """Of N(m, s²) within N(0, s²), ε̂ differs by a constant: weight w gives the mean of (1 + w) m."""
    alpha_bar = ddpm.linear(1000)
    one, everybody = best(alpha_bar), best(alpha_bar, mean=0.0)
    for w in (0.0, 1.0, 3.0):
        mean, spread = moments(
            alpha_bar,
            ddpm.times(1000, 1000),
            predict=lambda x, t, w=w: ddpm.guided(one(x, t), everybody(x, t), w),
        )
        assert mean == pytest.approx((1 + w) * MEAN, rel=0.02)
        assert spread == pytest.approx(SPREAD, rel=0.02)


def test_clean_and_noise_are_found_again(rng):
    x, noise = rng.standard_normal((2, 3, 8))
    x_t = ddpm.noised(x, noise, 0.3)
    np.testing.assert_allclose(ddpm.clean_of(x_t, noise, 0.3), x)
    np.testing.assert_allclose(ddpm.noise_of(x_t, x, 0.3), noise)


def test_estimates_are_kept_in_range():
    found = ddpm.sample(
        best(ddpm.linear(300)),
        np.array([-40.0, 40.0]),
        ddpm.linear(300),
        [300, 150, 0],
        limit=lambda x: np.clip(x, 0, 2),
    )
    assert ((found >= 0) & (found <= 2)).all()


@pytest.mark.parametrize(("t0", "n_steps"), [(300, 15), (300, 300), (7, 3), (1, 1)])
def test_times_fall_from_the_noise_to_the_data(t0, n_steps):
    found = ddpm.times(t0, n_steps)
    assert found[0] == t0 and found[-1] == 0 and len(found) == n_steps + 1
    assert all(a > b for a, b in itertools.pairwise(found))


@pytest.mark.parametrize(("t0", "n_steps"), [(10, 0), (10, 11), (0, 1)])
def test_impossible_numbers_of_steps_are_refused(t0, n_steps):
    with pytest.raises(ValueError, match="expected 1 …"):
        ddpm.times(t0, n_steps)


@pytest.mark.torch
def test_torch_goes_through_the_same_functions(rng):
    torch = pytest.importorskip("torch")
    x = rng.standard_normal((2, 8))
    alpha_bar, at = ddpm.linear(300), ddpm.times(300, 8)
    found = ddpm.sample(best(alpha_bar), torch.from_numpy(x), alpha_bar, at)
    np.testing.assert_allclose(found.numpy(), ddpm.sample(best(alpha_bar), x, alpha_bar, at))
