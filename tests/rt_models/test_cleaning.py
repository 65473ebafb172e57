"""Training of the network that takes noise off speech."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from voicelane.inference import Model
from voicelane.stages import Denoiser

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from voicelane.rt_models.export.cleaner import export_cleaner  # noqa: E402
from voicelane.rt_models.nets.cleaner import CleanerConfig, CleanerNet, band_matrix  # noqa: E402
from voicelane.rt_models.training import cleaning  # noqa: E402

pytestmark = pytest.mark.torch

SMALL = CleanerConfig(width=16, fine=8, coarse=8, filtered=4)


@pytest.fixture
def config() -> cleaning.CleanerTrainConfig:
    sound = cleaning.SoundConfig(seconds=0.6, clean_db=0.0)
    return cleaning.CleanerTrainConfig(SMALL, sound, steps=4, batch=4, pool=4, pool_steps=60)


def test_noise_lies_as_far_below_the_speech_as_drawn(data):
    sound = cleaning.SoundConfig(seconds=1.0, clean_db=0.0, snr_db=(7.0, 7.0), speechless=0.0)
    source = cleaning.MixtureSource(data.cache, data.rooms, data.noises, sound)
    drawn = source.mixtures(source.pool(3, np.random.default_rng(0)), 8, np.random.default_rng(1))
    assert drawn.noisy.shape == drawn.clean.shape == (8, 100, 257, 2)
    noise = (drawn.noisy - drawn.clean).square().sum((1, 2, 3))
    ratio_db = 10 * torch.log10(drawn.clean.square().sum((1, 2, 3)) / noise)
    assert (
        ratio_db < 15.0
    ).all() and ratio_db.max() > 0.0  # pauses count for the noise alone, responses differ


def test_without_anybody_speaking_nothing_is_to_be_heard(data):
    sound = cleaning.SoundConfig(seconds=0.6, clean_db=0.0, speechless=1.0)
    source = cleaning.MixtureSource(data.cache, data.rooms, data.noises, sound)
    drawn = source.mixtures(source.pool(2, np.random.default_rng(0)), 4, np.random.default_rng(1))
    assert not drawn.clean.any() and drawn.noisy.any()


def test_a_hissing_recording_counts_as_no_clean_one(rng):
    voice = np.repeat(rng.random(50) < 0.5, 320) * rng.standard_normal(16_000) * 0.1
    assert cleaning.range_db(voice) > 40 > cleaning.range_db(voice + 0.01 * rng.standard_normal(16_000))


def test_the_loss_is_least_for_the_clean_sound_at_any_level(data, config):
    source = cleaning.MixtureSource(data.cache, data.rooms, data.noises, config.sound)
    rng = np.random.default_rng(0)
    noisy, clean = source.mixtures(source.pool(2, rng), 4, rng)
    best, worse = (cleaning.judged(x, clean, noisy, 0.02)[0] for x in (clean, 0.5 * (clean + noisy)))
    quiet = cleaning.judged(0.005 * (clean + noisy), 0.01 * clean, 0.01 * noisy, 0.02)[0]
    assert best < worse and quiet == pytest.approx(float(worse), rel=1e-2)


def test_bands_cover_every_bin_once():
    matrix = band_matrix(64, 36)
    assert ((matrix > 0).sum(dim=1) == 1).all()
    torch.testing.assert_close(matrix.sum(dim=0), torch.ones(100))


def test_a_column_is_cleaned_by_what_comes_up_to_its_look_ahead():
    """What is heard `ahead` columns later still counts, what comes behind the pair of columns does not."""
    torch.manual_seed(0)
    net = CleanerNet(SMALL).eval()
    spectra = torch.randn(1, 60, 257, 2, requires_grad=True)
    found = net(spectra, *net.silence(1))[0]
    found[0, 30].square().sum().backward()  # of column 26
    heard = spectra.grad[0].square().sum((1, 2)) > 0
    assert heard[20:32].all() and not heard[32:].any()


def test_in_pieces_it_gives_what_it_gives_at_once():
    net = CleanerNet(SMALL).eval()
    spectra, state, parts = torch.randn(2, 40, 257, 2), net.silence(2), []
    for piece in spectra.split(10, dim=1):
        clean, *state = net(piece, *state)
        parts.append(clean)
    torch.testing.assert_close(torch.cat(parts, dim=1), net(spectra, *net.silence(2))[0])


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_exactly(data, config, tmp_path):
    config = dataclasses.replace(config, steps=102)
    whole = cleaning.train(config, data)
    cleaning.train(config, data, tmp_path / "parts.pt", stop_after=100)
    assert (tmp_path / "parts.pt").exists()
    resumed = cleaning.train(config, data, tmp_path / "parts.pt")
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.slow
def test_a_toy_learns_to_be_better_than_nothing(data, config):
    net = cleaning.train(dataclasses.replace(config, steps=150, batch=8), data)
    source = cleaning.MixtureSource(data.cache, data.rooms, data.noises, config.sound)
    drawn = source.mixtures(source.pool(8, np.random.default_rng(98)), 16, np.random.default_rng(99))
    with torch.inference_mode():
        found, clean, noisy = cleaning.tried(net, drawn, 1.0, np.random.default_rng(0))
        before, after = (cleaning.judged(x, clean, noisy, 0.02)[0] for x in (noisy, found))
    assert after < 0.8 * before


def test_the_exported_network_runs_in_the_engine(tmp_path, speech):
    torch.manual_seed(0)
    assert export_cleaner(CleanerNet(SMALL), tmp_path / "toy", "0") <= 1e-4
    denoiser = Denoiser(Model(tmp_path / "toy"))
    assert denoiser.latency_samples == 319 + 4 * 160 + 240
    assert len(denoiser.process(speech[:16_000])) == 16_000 - 880
