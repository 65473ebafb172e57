"""Samplers against what is known in closed form, and against `diffusers`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from voicelane.dsp import samplers
from voicelane.dsp.samplers import OUVE, VE, VP, Noising, Scales

NOISINGS = [VP(), VE(), VE(0.01, 25.0), OUVE(), OUVE(0.7, 0.1, 2.0)]
MEAN, VARIANCE, Y = 0.8, 0.3, -0.5
"""Of the sound, and what pulls."""


def marginal(noising: Noising, t: float) -> tuple[float, float]:
    """Mean and deviation of z_t where z_0 is N(MEAN, VARIANCE)."""
    at = samplers.scales(noising, t)
    return at.kept * MEAN + at.pulled * Y, math.sqrt(at.kept**2 * VARIANCE + at.noise**2)


def gaussian(noising: Noising) -> Callable[[np.ndarray, float], np.ndarray]:
    """The exact denoiser of such a sound: E[z_0 | z_t]."""

    def denoise(z: np.ndarray, t: float) -> np.ndarray:
        at, (mean, deviation) = samplers.scales(noising, t), marginal(noising, t)
        return MEAN + at.kept * VARIANCE / deviation**2 * (z - mean)

    return denoise


def flowed(noising: Noising, z: np.ndarray, t: float, t_next: float) -> np.ndarray:
    """Where the probability flow carries z exactly: it keeps its place within the marginal."""
    (mean, deviation), (mean_next, deviation_next) = marginal(noising, t), marginal(noising, t_next)
    return mean_next + deviation_next * (z - mean) / deviation


@pytest.mark.parametrize("noising", NOISINGS, ids=str)
def test_the_scales_solve_the_equation(noising: Noising) -> None:
    """d kept = −rate · kept, d variance = −2 · rate · variance + g²."""
    for t in (0.1, 0.5, 0.9):
        h = 1e-5
        rate = (noising.pull(t + h) - noising.pull(t - h)) / (2 * h)
        power = (noising.power(t + h) - noising.power(t - h)) / (2 * h)
        variance = [noising.deviation(t + k * h) ** 2 for k in (-1, 0, 1)]
        slope = (variance[2] - variance[0]) / (2 * h)
        assert slope == pytest.approx(power - 2 * rate * variance[1], rel=1e-4)
        assert samplers.scales(noising, t).kept == pytest.approx(math.exp(-noising.pull(t)))


@pytest.mark.parametrize("noising", NOISINGS, ids=str)
def test_ddim_is_exact_where_the_sound_is_one_point(noising: Noising) -> None:
    z = np.linspace(-3, 3, 7)
    for n_steps in (1, 2, 4, 10, 30):
        found = samplers.ddim(lambda z, t: np.full_like(z, MEAN), z, Y, noising, samplers.times(n_steps))
        assert np.array_equal(found, np.full_like(z, MEAN))
    half = samplers.ddim(
        lambda z, t: np.full_like(z, MEAN), z, Y, noising, samplers.times(3, last=1.0, first=0.4)
    )
    before, after = samplers.scales(noising, 1.0), samplers.scales(noising, 0.4)
    implied = (z - before.kept * MEAN - before.pulled * Y) / before.noise
    assert np.allclose(half, after.kept * MEAN + after.pulled * Y + after.noise * implied)


@pytest.mark.parametrize("sampler", [samplers.ddim, samplers.probability_flow])
@pytest.mark.parametrize("noising", NOISINGS, ids=str)
def test_the_flow_of_a_gaussian_is_met_to_the_first_order(
    sampler: Callable[..., np.ndarray], noising: Noising
) -> None:
    """Twice the steps, half the error; and no error in the limit."""
    z, ends = np.linspace(-2, 2, 9), (0.9, 0.3)
    exact = flowed(noising, z, *ends)
    errors = [
        np.abs(sampler(gaussian(noising), z, Y, noising, samplers.times(n, *ends)) - exact).max()
        for n in (800, 1600)
    ]
    assert errors[1] < 2e-2 * np.abs(exact).max()
    assert errors[0] / errors[1] == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize("noising", NOISINGS, ids=str)
def test_predictor_corrector_draws_the_sound_itself(noising: Noising) -> None:
    """From the exact marginal at the end to the distribution of the sound at the beginning."""
    rng = np.random.default_rng(0)
    mean, deviation = marginal(noising, 1.0)
    z = mean + deviation * rng.standard_normal((20_000, 1))
    found = samplers.predictor_corrector(
        gaussian(noising),
        z,
        Y,
        noising,
        samplers.times(300, first=0.01),
        lambda x: rng.standard_normal(x.shape),
        ratio=0.05,
    )
    wanted_mean, wanted = marginal(noising, 0.01)
    assert found.mean() == pytest.approx(wanted_mean, abs=0.03)
    assert found.std() == pytest.approx(wanted, rel=0.05)


def test_a_step_count_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="0 steps: expected 1 or more"):
        samplers.times(0)


@pytest.mark.torch
def test_ddim_agrees_with_diffusers() -> None:
    diffusers, torch = pytest.importorskip("diffusers"), pytest.importorskip("torch")
    theirs = diffusers.DDIMScheduler(
        1000, 1e-4, 0.02, "scaled_linear", clip_sample=False, set_alpha_to_one=True
    )
    theirs.set_timesteps(10)
    z, noise = torch.randn(3, 5, dtype=torch.float64), torch.randn(3, 5, dtype=torch.float64)

    def at(t: int) -> Scales:
        kept = float(theirs.alphas_cumprod[t]) if t >= 0 else 1.0
        return Scales(kept**0.5, 0.0, (1 - kept) ** 0.5)

    for t in theirs.timesteps.tolist()[:-1]:
        before, after = at(t), at(t - 100)
        z0 = (z - before.noise * noise) / before.kept
        wanted = theirs.step(noise, t, z).prev_sample
        assert torch.allclose(samplers.ddim_step(z, z0, 0.0, before, after), wanted, atol=1e-6)


@pytest.mark.torch
def test_exploding_variance_agrees_with_diffusers() -> None:
    """DDIM without a pull is their Euler step over σ."""
    diffusers, torch = pytest.importorskip("diffusers"), pytest.importorskip("torch")
    theirs = diffusers.EulerDiscreteScheduler(1000, prediction_type="sample")
    theirs.set_timesteps(8)
    z, z0 = torch.randn(2, 4), torch.randn(2, 4)
    for k, t in enumerate(theirs.timesteps):
        sigma, after = float(theirs.sigmas[k]), float(theirs.sigmas[k + 1])
        theirs.scale_model_input(z, t)
        wanted = theirs.step(z0, t, z).prev_sample
        ours = samplers.ddim_step(z, z0, 0.0, Scales(1.0, 0.0, sigma), Scales(1.0, 0.0, after))
        assert torch.allclose(ours, wanted, atol=1e-4)
        z = wanted


@pytest.mark.torch
def test_predictor_and_corrector_agree_with_diffusers() -> None:
    diffusers, torch = pytest.importorskip("diffusers"), pytest.importorskip("torch")
    theirs = diffusers.ScoreSdeVeScheduler(200, snr=0.15, sigma_min=0.01, sigma_max=50.0)
    theirs.set_timesteps(20)
    theirs.set_sigmas(20)
    z, s = torch.randn(4, 1, 6, 6), torch.randn(4, 1, 6, 6)
    for k, t in enumerate(theirs.timesteps[:-1]):
        power = float(theirs.discrete_sigmas[19 - k]) ** 2 - float(theirs.discrete_sigmas[18 - k]) ** 2
        found = theirs.step_pred(s, t, z, generator=torch.Generator().manual_seed(k))
        noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(k))
        ours = samplers.predictor_step(z, s, 0.0, noise, 0.0, power)
        assert torch.allclose(ours, found.prev_sample, rtol=1e-4, atol=1e-4)
    corrected = theirs.step_correct(s, z, generator=torch.Generator().manual_seed(9)).prev_sample
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(9))
    size = samplers.langevin_size(s, noise, 0.15)
    assert torch.allclose(samplers.corrector_step(z, s, noise, size), corrected, atol=1e-4)
