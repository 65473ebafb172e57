"""Training of the network that refines cleaned speech by diffusion."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from voicelane.dsp import band_levels, samplers
from voicelane.dsp.bands import at_levels
from voicelane.inference import Model, find_model
from voicelane.stages.refiner import SHARE, Refiner

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from voicelane.rt_models.export.refiner import export_refiner  # noqa: E402
from voicelane.rt_models.nets.refiner import RefinerConfig, RefinerNet  # noqa: E402
from voicelane.rt_models.training import cleaning, refining  # noqa: E402
from voicelane.rt_models.training.cleaning import SoundConfig  # noqa: E402

pytestmark = pytest.mark.torch

SMALL = RefinerConfig(width=32, blocks=2, kernel=3)


@pytest.fixture
def config() -> refining.RefinerTrainConfig:
    sound = SoundConfig(seconds=0.6, clean_db=0.0)
    return refining.RefinerTrainConfig(SMALL, sound, mixtures=8, pool=4, columns=40, steps=4, batch=4)


def learned(net: RefinerNet) -> RefinerNet:
    """With an output that depends on its input, which an untrained one's does not."""
    torch.manual_seed(0)
    torch.nn.init.normal_(net.out.weight, std=0.1)
    return net.eval()


def test_spectra_keep_their_phases_and_get_the_levels_that_are_wanted(rng):
    spectra = rng.standard_normal((20, 257, 2)).astype(np.float32)
    before = band_levels(spectra)
    after = at_levels(spectra, before, before - 0.8)
    np.testing.assert_allclose(band_levels(after)[:, 5:75], before[:, 5:75] - 0.8, atol=1e-4)
    ratio = (after[..., 0] + 1j * after[..., 1]) / (spectra[..., 0] + 1j * spectra[..., 1])
    np.testing.assert_allclose(ratio.imag, 0.0, atol=1e-4)
    assert (ratio.real > 0).all()


def test_levels_are_in_time_with_one_another(data, config, speech):
    """Of a mixture without noise the cleaned levels follow the clean ones, not those before or behind."""
    spectra = cleaning.spectra(speech[:32_000])
    noisy, cleaned, clean = refining.levels(Model(find_model("clean", "cleaner")), spectra, spectra).astype(
        "f4"
    )
    np.testing.assert_array_equal(noisy, clean)
    errors = [np.square(cleaned[3:-3] - np.roll(clean, k, 0)[3:-3]).mean() for k in (-2, -1, 0, 1, 2)]
    assert int(np.argmin(errors)) == 2


def test_in_pieces_it_gives_what_it_gives_at_once():
    net = learned(RefinerNet(SMALL))
    columns, t, state, parts = torch.randn(4, 2, 40, 80), torch.tensor([0.3, 1.0]), net.silence(2), []
    for piece in columns.split(7, dim=2):
        found, state = net(*piece, t, state)
        parts.append(found)
    torch.testing.assert_close(torch.cat(parts, dim=1), net(*columns, t, net.silence(2))[0])


def test_the_loss_of_a_network_that_leaves_the_base_is_the_bases_error(config):
    crops, times = torch.randn(3, 4, 40, 80), [0.1, 0.5, 1.0, 1.0]
    wanted = (crops[1] - crops[2])[:, : -SMALL.ahead].square().mean()
    torch.testing.assert_close(refining.judged(RefinerNet(SMALL), crops, times), wanted)


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_exactly(data, config, tmp_path):
    config = dataclasses.replace(config, steps=202)
    kept = refining.mixed(config, data, find_model("clean", "cleaner"))
    whole = refining.train(config, kept)
    refining.train(config, kept, tmp_path / "parts.pt", stop_after=200)
    resumed = refining.train(config, kept, tmp_path / "parts.pt")
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_the_exported_network_runs_in_the_engine_in_pieces_of_any_length(tmp_path, rng):
    net = learned(RefinerNet(SMALL))
    assert export_refiner(net, "of a cleaner", tmp_path / "toy", "0") <= 1e-4
    noisy, cleaned = rng.standard_normal((2, 40, 257, 2)).astype(np.float32)
    refiner = Refiner(Model(tmp_path / "toy"), 3)
    whole = refiner.process(noisy, cleaned)
    refiner.reset()
    parts = [refiner.process(noisy[a : a + 6], cleaned[a : a + 6]) for a in range(0, 40, 6)]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-4)
    assert not whole[: SMALL.ahead].any()


def test_one_step_is_the_networks_estimate(tmp_path, rng):
    """DDIM ends at ẑ0 of its last step; with one step that is ẑ0 of noise around x̂."""
    net = learned(RefinerNet(SMALL))
    export_refiner(net, "of a cleaner", tmp_path / "toy", "0")
    noisy, cleaned = rng.standard_normal((2, 20, 257, 2)).astype(np.float32)
    refiner = Refiner(Model(tmp_path / "toy"), 1, seed=5)
    base = band_levels(np.concatenate((np.zeros((SMALL.ahead, 257, 2), np.float32), cleaned)))[:20]
    noise = np.random.default_rng(5).standard_normal(base.shape, np.float32)
    z = samplers.start(base, noise, refining.NOISING, 1.0)
    columns = [
        torch.from_numpy(np.asarray(x, np.float32))[None]
        for x in (z, base, band_levels(cleaned), band_levels(noisy))
    ]
    with torch.inference_mode():
        wanted, _ = net(*columns, torch.ones(1), net.silence(1))
    late = np.concatenate((np.zeros((SMALL.ahead, 257, 2), np.float32), cleaned))[:20]
    np.testing.assert_allclose(
        refiner.process(noisy, cleaned),
        at_levels(late, base, base + SHARE * (wanted[0].numpy() - base)),
        atol=1e-3,
    )
