"""The mark: heard through what people do to sound, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import DEMO
from voicelane.bench.mark import CHANGES
from voicelane.voices import evidence, heard_mark, marked


@pytest.fixture(scope="module")
def whole() -> np.ndarray:
    return sf.read(DEMO, dtype="float32")[0]


@pytest.mark.parametrize("change", CHANGES)
def test_the_mark_is_heard_after(change, speech):
    assert evidence(CHANGES[change](marked(speech))) > 5.5


@pytest.mark.parametrize("change", ["as it is", "Opus, 16 kbit/s"])
def test_no_mark_is_heard_where_there_is_none(change, whole):
    assert not heard_mark([CHANGES[change](whole[: 40 * 16_000])]).found


def test_a_marked_part_of_a_long_recording_is_heard_and_its_place(whole):
    mixed = np.concatenate((whole[: 41 * 16_000], marked(whole[41 * 16_000 : 62 * 16_000])))
    found = heard_mark(iter(np.array_split(mixed, 100)))
    assert found.found and 35.0 < found.at_s < 45.0


def test_what_the_mark_changes_is_far_below_the_speech(speech):
    difference = marked(speech) - speech
    assert 10 * np.log10(np.square(speech).sum() / np.square(difference).sum()) > 18.0


@pytest.mark.parametrize("n", [0, 1, 255, 256, 257, 511, 512, 4_000])
def test_sound_of_any_length_keeps_it_and_no_short_one_is_evidence(n, speech):
    assert len(marked(speech[:n])) == n and evidence(marked(speech[:n])) == 0.0


def test_silence_and_noise_are_no_evidence(rng):
    assert not heard_mark([np.zeros(200_000, np.float32)]).found
    assert not heard_mark([0.1 * rng.standard_normal(200_000).astype(np.float32)]).found
