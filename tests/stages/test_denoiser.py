"""What the denoiser does to sound, beyond the laws of a stage."""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import laws
from voicelane import ArraySource, Person, Pipeline, PipelineConfig, SpeechEnded, SpeechStarted
from voicelane.base import ModelError, VoicelaneError
from voicelane.config import DenoiserConfig
from voicelane.dsp import Stft, band_levels
from voicelane.inference import Model, find_model, models_folder
from voicelane.profiles import FileEmbedder
from voicelane.stages import Denoiser, FullBandDenoiser, load_denoiser
from voicelane.stages.denoiser import as_pairs

CLEAN = DenoiserConfig("clean")


def through(stage, sound: np.ndarray, block: int = 16_000) -> np.ndarray:
    parts = [stage.process(sound[at : at + block]) for at in range(0, len(sound), block)]
    return np.concatenate([*parts, stage.flush()])


def si_sdr_db(found: np.ndarray, wanted: np.ndarray) -> float:
    """Le Roux et al. 2019."""
    target = (found @ wanted) / (wanted @ wanted) * wanted
    return float(10 * np.log10(target @ target / ((found - target) @ (found - target))))


@pytest.fixture(scope="module")
def noise(speech: np.ndarray) -> np.ndarray:
    """As loud as the speech, falling towards high frequencies."""
    white = np.random.default_rng(1).standard_normal(len(speech))
    brown = np.convolve(white, 0.9 ** np.arange(60), "same").astype(np.float32)
    return brown * np.float32(speech.std() / brown.std())


def test_noise_goes_and_speech_stays(speech, noise):
    noisy = speech + np.float32(0.5) * noise
    clean = through(load_denoiser(CLEAN), noisy)
    assert si_sdr_db(clean, speech) > si_sdr_db(noisy, speech) + 4.0


def band_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Mean squared difference of band levels while somebody speaks."""
    levels = [
        band_levels(as_pairs(Stft().process(x[: len(x) // 320 * 320].reshape(-1, 320))))
        for x in (found, wanted)
    ]
    loud = levels[1].mean(axis=1) > levels[1].mean()
    return float(np.square(levels[0] - levels[1])[loud].mean())


@pytest.mark.parametrize("steps", [1, 4])
def test_diffusion_brings_the_bands_nearer_to_the_clean_ones(speech, noise, steps):
    noisy = speech + np.float32(0.5) * noise
    cleaned, refined = (through(load_denoiser(replace(CLEAN, steps=n)), noisy) for n in (0, steps))
    assert len(refined) == len(noisy)
    assert band_error(refined, speech) < 0.95 * band_error(cleaned, speech)


@pytest.fixture
def made_for_another(tmp_path):
    """A shipped model whose manifest names another network under `setting`."""

    def copied(name: str, setting: str) -> str:
        folder = Path(shutil.copytree(models_folder() / name, tmp_path / name))
        manifest = folder / "manifest.toml"
        made_for = tomllib.loads(manifest.read_text())["settings"][setting]
        manifest.write_text(manifest.read_text().replace(made_for, "0" * 64))
        return str(folder)

    return copied


def test_a_refiner_of_another_cleaner_is_refused(made_for_another):
    with pytest.raises(ModelError, match="refines what another network than clean made"):
        load_denoiser(replace(CLEAN, steps=1, refiner=made_for_another("refine", "cleaner")))


@pytest.mark.parametrize("setting", ["cleaner", "encoder_id"])
def test_a_keeper_of_another_network_is_refused(made_for_another, setting):
    keeping = replace(CLEAN, keeper=made_for_another("keep", setting))
    with pytest.raises(ModelError, match="behind another network than clean, or of another conv_transformer"):
        load_denoiser(keeping, person=Person("Anna", np.eye(1, 192, dtype="f4")))


def test_a_person_of_other_numbers_is_refused():
    with pytest.raises(VoicelaneError, match=r"Anna: expected finite embeddings of shape \(n, 192\)"):
        load_denoiser(CLEAN, person=Person("Anna", np.eye(1, 64, dtype="f4")))


def test_who_is_kept_stays_and_the_others_are_turned_down(enrolment_sound, later):
    """dB that each of the conversation's three becomes softer, a row for each who is kept."""

    def softer_db(who: str, sound: np.ndarray) -> float:
        voice = FileEmbedder().embed(ArraySource(enrolment_sound[who]))[None]
        left = through(load_denoiser(CLEAN, person=Person(who, voice)), sound)
        return float(10 * np.log10(np.mean(sound**2) / np.mean(left**2)))

    found = np.array([[softer_db(who, sound) for sound in later.values()] for who in later])
    others = found[~np.eye(3, dtype=bool)]
    assert found.diagonal().max() < 8.0 and others.mean() > found.diagonal().mean() + 8.0


def test_clean_speech_comes_through(speech):
    assert si_sdr_db(through(load_denoiser(CLEAN), speech), speech) > 15.0


@pytest.mark.parametrize("gain_db", [-30, 12])
def test_the_level_hardly_matters(speech, noise, gain_db):
    gain = np.float32(10 ** (gain_db / 20))
    noisy = 0.1 * (speech + np.float32(0.5) * noise)
    clean, scaled = through(load_denoiser(CLEAN), noisy), through(load_denoiser(CLEAN), gain * noisy)
    assert si_sdr_db(scaled, speech) > si_sdr_db(clean, speech) - 2.0


def test_what_is_cleaned_is_in_time_with_what_was_heard(speech):
    clean = through(load_denoiser(CLEAN), speech)
    scores = [
        clean[max(0, -k) : len(clean) - max(0, k)] @ speech[max(0, k) :][: len(clean) - abs(k)]
        for k in range(4)
    ]
    assert int(np.argmax(scores)) == 0 and len(clean) == len(speech)


def test_strength_mixes(speech, noise):
    noisy = speech + noise
    whole, half = (
        through(load_denoiser(CLEAN), noisy),
        through(load_denoiser(DenoiserConfig("clean", 0.5)), noisy),
    )
    np.testing.assert_allclose(half, (whole + noisy) / 2, atol=1e-5)
    np.testing.assert_array_equal(through(load_denoiser(DenoiserConfig("clean", 0.0)), noisy), noisy)


def test_silence_stays_silence_and_what_is_no_number_is_silence(speech):
    assert np.abs(through(load_denoiser(CLEAN), np.zeros(16_000, np.float32))).max() < 1e-5
    broken, whole = speech.copy(), speech.copy()
    broken[8_000:8_400], whole[8_000:8_400] = np.nan, 0.0
    broken[9_000], whole[9_000] = np.inf, 0.0
    np.testing.assert_array_equal(through(load_denoiser(CLEAN), broken), through(load_denoiser(CLEAN), whole))


def test_clipped_sound_stays_within_bounds(speech):
    clipped = np.clip(30 * speech, -1, 1)
    assert np.abs(through(load_denoiser(CLEAN), clipped)).max() < 3.0


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 96_000])
def test_every_rate_and_channel_keeps_its_length_and_its_time(rate):
    """A tone at 1 kHz that comes and goes, and one beyond 8 kHz where the rate holds it."""
    t = np.arange(2 * rate + 13) / rate
    tone = (0.2 * np.sin(2 * np.pi * 1_000 * t) * (np.sin(2 * np.pi * 3 * t) > 0)).astype(np.float32)
    sound = np.stack((tone, 0.3 * tone[::-1]), axis=1)
    same = through(FullBandDenoiser(DenoiserConfig("clean", 0.0), rate, 2), sound, rate // 3)
    np.testing.assert_allclose(same, sound, atol=1e-6)
    assert through(FullBandDenoiser(CLEAN, rate, 2), sound, rate // 3).shape == sound.shape


def test_channels_are_cleaned_by_themselves(speech, noise):
    both = np.stack((speech, noise), axis=1)
    cleaned = through(FullBandDenoiser(CLEAN, 16_000, 2), both)
    for k in range(2):
        alone = through(FullBandDenoiser(CLEAN, 16_000, 1), both[:, k : k + 1])
        np.testing.assert_allclose(cleaned[:, k], alone[:, 0], atol=1e-5)


def test_hiss_beyond_the_network_goes_with_that_below_it(speech):
    """At 48 kHz the band above 8 kHz gets as soft as the one below."""
    rng = np.random.default_rng(2)
    hiss = (0.02 * rng.standard_normal((3 * 48_000, 1))).astype(np.float32)
    cleaned = through(FullBandDenoiser(CLEAN, 48_000, 1), hiss)[48_000:, 0]
    high = np.abs(np.fft.rfft(cleaned))[int(len(cleaned) / 48_000 * 9_000) :]
    before = np.abs(np.fft.rfft(hiss[48_000:, 0]))[int(len(cleaned) / 48_000 * 9_000) :]
    assert (high**2).sum() < 0.3 * (before**2).sum()


def test_a_model_of_another_front_end_is_refused(tmp_path: Path):
    folder = Path(shutil.copytree(models_folder() / "clean", tmp_path / "other"))
    manifest = folder / "manifest.toml"
    manifest.write_text(manifest.read_text().replace("hamming 400/160", "hann 1024/256"))
    with pytest.raises(ModelError, match=r"trained on other spectra \(hann 1024/256"):
        Denoiser(Model(find_model(str(folder), "cleaner")))


def test_a_model_of_another_kind_is_refused():
    with pytest.raises(ModelError, match="expected a model of kind cleaner, got vad"):
        load_denoiser(DenoiserConfig("vad"))
    with pytest.raises(ModelError, match="no cleaner model named 'nothing'"):
        load_denoiser(DenoiserConfig("nothing"))


def test_the_pipeline_hears_what_the_denoiser_leaves(speech, noise):
    """As if the cleaned sound had come, and `cleaned` is that sound, however it is cut."""
    noisy, config = (speech + noise)[:100_000], PipelineConfig(denoiser=CLEAN)
    pipeline, wanted = Pipeline(config), Pipeline()
    events, kept = [], []
    for at in range(0, len(noisy), 7_000):
        events += pipeline.push(noisy[at : at + 7_000])
        kept.append(pipeline.cleaned)
    events += pipeline.flush()
    clean = through(load_denoiser(CLEAN), noisy)
    np.testing.assert_allclose(np.concatenate([*kept, pipeline.cleaned]), clean, atol=1e-5)
    laws.same(spoken(events), spoken(wanted.push(clean) + wanted.flush()), 1e-3)
    assert pipeline.latency_samples > wanted.latency_samples and wanted.cleaned is None


def spoken(events):
    return [e for e in events if isinstance(e, SpeechStarted | SpeechEnded)]
