"""Fitting a calibration: the regression finds what made the scores, and what is written is what is read."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import soundfile as sf

pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from voicelane import Enroller, PipelineConfig
from voicelane.inference import models_folder
from voicelane.labels import calibration_cost, minimum_calibration_cost
from voicelane.rt_models.training.augment import simulate_room
from voicelane.rt_models.training.calibration import (
    CalibrationConfig,
    Heard,
    Trials,
    calibrate,
    compare,
    fit,
    write_calibration,
)
from voicelane.rt_models.training.corpus import Prepared
from voicelane.rt_models.training.data import AudioCache, Utterance
from voicelane.stages import load_calibration, score_features

pytestmark = pytest.mark.torch


def test_the_fit_finds_the_ratios_of_two_normal_distributions(rng):
    """N(±d/2, 1) have the log-likelihood ratio d · score."""
    n, d = 40_000, 3.0
    same = np.arange(n) % 4 == 0
    scores = rng.normal(np.where(same, d / 2, -d / 2), 1.0)
    trials = Trials(scores, rng.uniform(1.0, 8.0, n), same)
    weights = fit(trials, np.array([1.0, 8.0]))
    np.testing.assert_allclose(weights, [0.0, d, 0.0, 0.0], atol=0.25)
    ratios = score_features(trials.scores, trials.heard_s) @ weights
    least = minimum_calibration_cost(ratios[same], ratios[~same])
    assert calibration_cost(ratios[same], ratios[~same]) == pytest.approx(least, abs=0.005)


def test_a_score_that_says_nothing_or_the_reverse_is_refused(rng):
    same = np.arange(2_000) % 2 == 0
    backwards = Trials(rng.normal(np.where(same, -1.0, 1.0), 1.0), np.full(2_000, 2.0), same)
    with pytest.raises(ValueError, match="not more evidence"):
        fit(backwards, np.array([1.0, 4.0]))


@pytest.mark.parametrize("nearest", [0, 20])
def test_strangers_are_of_the_same_corpus_and_speed(rng, nearest):
    def unit(*shape: int) -> np.ndarray:
        rows = rng.standard_normal(shape).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=-1, keepdims=True)

    groups = [("a", 0.9), ("a", 0.9), ("a", 0.9), ("a", 1.1), ("b", 0.9)]
    voices = [Heard(group, v, [v, v], [1.0, 2.0]) for group, v in zip(groups, unit(5, 16), strict=True)]
    cohorts = {s: unit(80, 16) for s in (1.0, 0.9, 1.1)}
    trials = compare(voices, cohorts, CalibrationConfig(nearest=nearest, strangers=9), rng)
    assert trials.same.sum() == 10 and (~trials.same).sum() == 3 * 2 * 2
    assert trials.scores[trials.same].min() > trials.scores[~trials.same].max()


@pytest.fixture
def data(tmp_path, enrolment_sound, later, speech, rng) -> Prepared:
    """The three of the demo with four recordings each, and a crowd of one recording each."""
    pieces = [
        (who, x) for who in later for x in np.array_split(np.append(enrolment_sound[who], later[who]), 4)
    ]
    pieces += [(f"crowd {i}", piece) for i, piece in enumerate(np.array_split(speech, 8))]
    for i, (_, piece) in enumerate(pieces):
        sf.write(tmp_path / f"{i}.wav", piece, 16_000)
    utterances = [Utterance(f"{i}.wav", who, "demo") for i, (who, _) in enumerate(pieces)]
    cache = AudioCache.build(utterances, tmp_path, tmp_path / "cache")
    return Prepared(cache, [simulate_room(rng)], [rng.standard_normal(16_000).astype(np.float32)], tmp_path)


def test_what_is_calibrated_is_what_the_engine_reads(data, tmp_path):
    options = CalibrationConfig(
        n_cohort=8, nearest=8, n_speakers=3, speeds=(0.9,), seconds=(1.5, 3.0), perturbed=0.0
    )
    content, cohort = calibrate(PipelineConfig(), data, options)
    shutil.copy(models_folder() / "conv_transformer" / "manifest.toml", tmp_path)
    write_calibration(content, cohort, tmp_path)
    found = load_calibration(tmp_path, Enroller().space)
    assert found.weights.tolist() == content["weights"]
    assert found.nearest == 8 and found.n_voices == 3 and found.n_strangers == 3 * 2 * 2
    assert list(found.thresholds) == ["0.1", "1", "5"]
    np.testing.assert_allclose(found.cohort, cohort, atol=1e-3)
    again, _ = calibrate(PipelineConfig(), data, options)
    assert again == content, "seeded"
