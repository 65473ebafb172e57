"""The network's way to another voice: when it is taken, and what stays of the speech."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pyworld")
from tests.voices.toys import draw
from voicelane.voices import Change, Fitter, converted, network
from voicelane.voices.bands import bands_of, envelope_of, usual
from voicelane.voices.conversion import NEEDED_SAMPLES
from voicelane.voices.fitting import framed, loud_part
from voicelane.voices.network import Clone, level, load_conversion
from voicelane.voices.world import FFT_SAMPLES, analysed


class Wide:
    """In the place of the network: the mean of all that it hears around each frame."""

    around_frames = 18

    def shapes(self, bands: np.ndarray, pitch_hz: np.ndarray, voice: np.ndarray) -> np.ndarray:
        assert len(bands) == len(pitch_hz) and len(bands) % 2 == 0
        windows = np.lib.stride_tricks.sliding_window_view(bands, 1 + 2 * self.around_frames, axis=0)
        return windows.mean(axis=2)


@pytest.fixture(scope="module")
def clone(speech) -> Clone:
    frames = framed(loud_part(speech))
    return Clone(Wide(), usual(bands_of(frames.envelope)), np.ones(192, np.float32) / 192**0.5)


def test_bands_and_back_keep_a_smooth_envelope():
    smooth = np.cos(np.linspace(0, 3, FFT_SAMPLES // 2 + 1))[None] * 4.0
    assert np.abs(envelope_of(bands_of(smooth)) - smooth).max() < 0.15


@pytest.mark.parametrize("n", [40, 41])
def test_every_frame_is_as_loud_as_it_was(clone, speech, n):
    heard = analysed(speech[:32_000], 100, 100 + n + 2 * clone.around_frames)
    found = clone.envelope(heard, 1.2)
    assert found.shape == (n, 513)
    kept = heard.envelope[clone.around_frames : clone.around_frames + n]
    assert np.abs(level(found) - level(kept)).max() < 1e-6


def test_sound_is_changed_by_what_lies_within_the_latency_and_no_more(clone, speech):
    """A block of 200 ms is heard with 120 ms behind it; what comes later cannot matter."""
    sound = speech[:64_000]
    other = sound.copy()
    other[NEEDED_SAMPLES:] = 0.0
    change = Change(1.1, clone=clone)
    block = 3_200
    assert np.array_equal(converted(sound, change)[:block], converted(other, change)[:block])


def test_the_way_that_comes_nearer_is_taken(speech, monkeypatch):
    fitter, (target,) = Fitter(), draw(1, np.random.default_rng(0))
    reach = fitter.reach(speech[:64_000])
    fitter._network = Wide()
    for wins in (True, False):
        like = {True: target.embedding, False: -target.embedding}
        monkeypatch.setattr(
            "voicelane.voices.fitting.said", lambda frames, way: np.full(9, way.clone is not None, np.float32)
        )
        monkeypatch.setattr(fitter, "embed", lambda sound, like=like, wins=wins: like[bool(sound[0]) == wins])
        assert (fitter.change(reach, target).clone is not None) == wins


def test_a_network_of_another_encoder_is_not_used(speech):
    assert load_conversion("another encoder") is None
    fitter, (target,) = Fitter(), draw(1, np.random.default_rng(0))
    fitter._network = load_conversion("another encoder")
    assert fitter.change(fitter.reach(speech[:64_000]), target).clone is None


def test_the_shipped_network_knows_voices_of_the_shipped_encoder():
    found = load_conversion(Fitter().encoder_id)
    assert isinstance(found, network.ConversionNetwork)
    quiet = found.shapes(np.zeros((60, 64), np.float32), np.zeros(60), np.ones(192, np.float32) / 192**0.5)
    assert quiet.shape == (60 - 2 * found.around_frames, 64)
