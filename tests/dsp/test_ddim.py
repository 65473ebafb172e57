"""The DDIM sampler against a known implementation, and its laws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from voicelane.dsp import ddim

WEIGHT = np.linalg.qr(np.random.default_rng(5).standard_normal((16, 16)))[0]


def denoise(x_t, t, before):
    """Smooth, of all three arguments; as good as any network."""
    return np.tanh(x_t @ WEIGHT + 0.001 * t) + 0.1 * before


def test_the_schedule_is_scaled_linear():
    found = ddim.alpha_bars()
    assert found.shape == (1000,)
    assert np.sqrt(found[50]) == pytest.approx(0.9954, abs=1e-4)
    assert np.sqrt(1 - found[50]) == pytest.approx(0.0957, abs=1e-4)


@pytest.mark.torch
@pytest.mark.parametrize(("first", "stride"), [(50, 50), (50, 25), (40, 10), (200, 20), (400, 8), (980, 20)])
def test_sampling_agrees_with_the_scheduler_of_diffusers(rng, first, stride):
    torch = pytest.importorskip("torch")
    diffusers = pytest.importorskip("diffusers")
    reference = diffusers.DDIMScheduler(
        num_train_timesteps=1000,
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule="scaled_linear",
        prediction_type="sample",
        clip_sample=False,
    )
    reference.alphas_cumprod = torch.cumprod(1 - reference.betas.double(), dim=0)  # its own is float32
    reference.set_timesteps(1000 // stride)
    x, noise = (torch.from_numpy(rng.standard_normal((3, 16))) for _ in range(2))
    x_t = reference.add_noise(x, noise, torch.tensor([first]))
    before = torch.zeros_like(x)
    at = list(range(first, 0, -stride))
    for t in at:
        estimate = torch.from_numpy(denoise(x_t.numpy(), t, before.numpy()))
        given = reference.step(estimate, t, x_t, eta=0.0)
        x_t, before = given.prev_sample, estimate
    found = ddim.sample(denoise, x.numpy(), noise.numpy(), at)
    np.testing.assert_allclose(found, before.numpy(), atol=1e-5)


@pytest.mark.parametrize(("t0", "n_steps"), [(10, 1), (50, 2), (50, 50), (400, 6), (999, 999)])
def test_times_fall_from_t0_in_as_many_steps(t0, n_steps):
    found = ddim.times(t0, n_steps)
    assert found[0] == t0
    assert len(found) == n_steps
    assert all(a > b for a, b in pairwise(found))
    assert found[-1] >= 1


@pytest.mark.parametrize(("t0", "n_steps"), [(0, 1), (1000, 1), (50, 0), (50, 51)])
def test_impossible_schedules_are_refused(t0, n_steps):
    with pytest.raises(ValueError, match="expected 1 …"):
        ddim.times(t0, n_steps)


def test_a_perfect_denoiser_gives_the_clean_vectors_from_any_time_in_any_number_of_steps(rng):
    clean, noise = rng.standard_normal((2, 4, 16))
    for t0, n_steps in ((10, 1), (400, 6), (900, 50)):
        found = ddim.sample(lambda x_t, t, before: clean, clean + 1, noise, ddim.times(t0, n_steps))
        np.testing.assert_allclose(found, clean)


def test_a_step_keeps_the_noise_that_the_estimate_implies(rng):
    clean, noise = rng.standard_normal((2, 4, 16))
    np.testing.assert_allclose(
        ddim.step(ddim.noised(clean, noise, 300), clean, 300, 40), ddim.noised(clean, noise, 40)
    )


def test_without_noise_sampling_is_deterministic_and_seeded_draws_repeat(rng):
    x = rng.standard_normal((4, 16))
    at = ddim.times(50, 2)
    still = ddim.average(denoise, x, at, draws=0, seed=0)
    np.testing.assert_array_equal(still, ddim.sample(denoise, x, np.zeros_like(x), at))
    a, b, other = (ddim.average(denoise, x, at, draws=3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - other).max() > 1e-3
    many = ddim.average(denoise, x, at, draws=400, seed=3)
    assert np.abs(many - still).max() < np.abs(a - still).max()


def test_float32_stays_float32(rng):
    x = rng.standard_normal((4, 16)).astype(np.float32)
    seen = []
    ddim.average(lambda x_t, t, before: seen.append((x_t, before)) or x_t, x, ddim.times(50, 3), 2, 0)
    assert {a.dtype for pair in seen for a in pair} == {np.dtype(np.float32)}


@pytest.mark.torch
def test_torch_and_numpy_go_through_the_same_functions(rng):
    torch = pytest.importorskip("torch")
    x, noise = rng.standard_normal((2, 4, 16))
    found = ddim.sample(
        lambda x_t, t, before: torch.from_numpy(denoise(x_t.numpy(), t, before.numpy())),
        torch.from_numpy(x),
        torch.from_numpy(noise),
        ddim.times(100, 4),
    )
    np.testing.assert_allclose(found.numpy(), ddim.sample(denoise, x, noise, ddim.times(100, 4)))
