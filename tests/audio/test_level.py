"""Scale, clipping, too little speech: heard as well as can be, and told."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cli.test_main import voicelane, wav
from voicelane import ArraySource, FileSource
from voicelane.audio.level import ClippingWatch, full_scale


@pytest.mark.parametrize(("bits", "whole"), [(16, True), (16, False), (24, True), (32, True)])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_integers_in_a_file_of_floats_are_heard_at_their_scale_with_one_remark(
    tmp_path, speech, bits, whole, subtype
):
    full = 2.0 ** (bits - 1)
    samples = speech * full
    path = wav(tmp_path / "a.wav", np.round(samples) if whole else samples, subtype=subtype)
    source = FileSource(path)
    heard = np.concatenate(list(source.blocks()))[:, 0]
    assert len(source.remarks) == 1 and f"{int(full):,}" in source.remarks[0]
    np.testing.assert_allclose(heard, speech, atol=1.0 / 32_768)


def test_loud_floats_damaged_ones_and_silence_keep_their_scale(speech):
    damaged = speech.copy()
    damaged[::50] = 1e6
    damaged[1::50] = np.nan
    for sound in (speech, 31.0 * speech, damaged, 0.0 * speech):
        assert full_scale(sound) == 1.0


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_integer_arrays_have_their_own_full_scale(speech, dtype):
    samples = (speech * np.iinfo(dtype).max).astype(dtype)
    heard = np.concatenate(list(ArraySource(samples).blocks()))[:, 0]
    np.testing.assert_allclose(heard, speech, atol=1.0 / 16_384)


@pytest.mark.parametrize("gain_db", [20, 30])
def test_clipping_is_told_once(tmp_path, speech, gain_db, capsys):
    loud = speech / np.abs(speech).max() * 10 ** (gain_db / 20)
    path = wav(tmp_path / "a.wav", np.clip(loud, -1, 1), subtype="PCM_16")
    assert voicelane("run", path) == 0
    assert capsys.readouterr().out.count("the sound is clipped") == 1


def test_what_is_not_clipped_is_not_said_to_be(speech):
    at = np.arange(80_000) / 16_000
    sounds = [speech / np.abs(speech).max(), np.sin(2 * np.pi * 100 * at), np.zeros(80_000)]
    for sound in sounds:
        watch = ClippingWatch()
        blocks = np.array_split(sound[:, None].astype(np.float32), 100)
        assert not any(watch.process(block) for block in blocks)


@pytest.mark.parametrize("length_s", [0.3, 10.0])
def test_too_little_speech_is_told_by_embed(tmp_path, speech, length_s, capsys):
    sound = np.zeros(160_000, np.float32) if length_s == 10.0 else speech[16_000:20_800]
    path = wav(tmp_path / "a.wav", sound)
    assert voicelane("embed", path, "--out", tmp_path / "a.npz") == 0
    error = capsys.readouterr().err
    assert "too little to tell whose voice it is" in error and error.count(str(path)) == 1
    assert voicelane("embed", wav(path, speech), "--out", tmp_path / "a.npz") == 0
    assert "too little" not in capsys.readouterr().err


def test_too_little_speech_is_told_by_verify_and_enrol(tmp_path, home, speech, capsys):
    whole, short = wav(tmp_path / "a.wav", speech), wav(tmp_path / "b.wav", speech[16_000:32_000])
    assert voicelane("enrol", "Anna", whole) == 0
    assert "too little" not in capsys.readouterr().err
    for command in (["verify", "Anna", short], ["verify", "Anna", short, "--live"], ["enrol", "Zoë", short]):
        voicelane(*command)
        assert "too little to tell whose voice it is" in capsys.readouterr().err
