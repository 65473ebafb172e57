"""The detector's own promises: level hardly matters, and silence and noise are not speech."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conftest import DEMO
from voicelane import read_rttm
from voicelane.base import FRAME_SAMPLES
from voicelane.config import VadConfig
from voicelane.inference import Model, find_model
from voicelane.stages import Vad, levelled


def detect(samples: np.ndarray, config: VadConfig | None = None) -> np.ndarray:
    vad = Vad(config or VadConfig(), Model(find_model("vad", "vad")))
    return np.concatenate((vad.process(levelled(samples)).speech, vad.flush().speech))


def reference(n_frames: int) -> np.ndarray:
    middle = (np.arange(n_frames) + 0.5) * 0.02
    turns = read_rttm(DEMO.with_suffix(".rttm"))
    return np.any([(middle >= t.start) & (middle < t.end) for t in turns], axis=0)


def test_most_frames_of_the_demo_are_judged_right(speech):
    found = detect(speech)
    assert np.mean(found != reference(len(found))) < 0.15


@pytest.mark.parametrize("gain_db", [-20, -10, 10])
def test_the_level_hardly_matters(speech, gain_db):
    assert np.mean(detect(speech) != detect(speech * np.float32(10 ** (gain_db / 20)))) < 0.06


@pytest.mark.parametrize("snr_db", [60, 40, 20, 10, 5, 0])
def test_white_noise_is_not_taken_for_speech(speech, rng, snr_db):
    spoken = reference(len(speech) // FRAME_SAMPLES)
    level = np.sqrt(
        np.mean(np.square(speech[: len(spoken) * FRAME_SAMPLES][np.repeat(spoken, FRAME_SAMPLES)]))
    )
    noise = rng.standard_normal(len(speech)).astype(np.float32) * level * 10 ** (-snr_db / 20)
    found = detect(speech + noise)
    assert np.mean(found & ~spoken) < 0.1
    assert np.mean(found != spoken) < (0.2 if snr_db > 0 else 0.35)


@pytest.mark.parametrize("samples", [np.zeros(64_000, np.float32), np.full(64_000, 0.3, np.float32)])
def test_silence_and_a_constant_hold_no_speech(samples):
    assert not detect(samples).any()


def test_steady_noise_holds_no_speech(rng):
    assert detect(rng.standard_normal(160_000).astype(np.float32) * 0.05).mean() < 0.05


def test_pre_roll_and_hangover_widen_speech_by_exactly_their_frames(speech):
    narrow = detect(speech, VadConfig(pre_roll_frames=0, hangover_frames=0))
    wide = detect(speech, VadConfig(pre_roll_frames=3, hangover_frames=2))
    assert 0.1 < narrow.mean() < wide.mean() < 0.95
    wanted = narrow.copy()
    for t in np.flatnonzero(narrow):
        wanted[max(0, t - 3) : t + 3] = True
    starts = np.flatnonzero(np.diff(np.concatenate(([0], narrow.astype(int)))) == 1)
    assert all(wide[max(0, t - 3) : t + 1].all() for t in starts)
    assert np.mean(wide & ~wanted) < 0.02
