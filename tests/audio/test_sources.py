"""Sources: nothing is loaded whole, and what is missing is said with its remedy."""

from __future__ import annotations

import sys
import tracemalloc
from itertools import islice

import numpy as np
import pytest
import soundfile as sf

from voicelane import ArraySource, FileSource
from voicelane.audio import Resampler
from voicelane.base import AudioError
from voicelane.cli.main import main


def test_a_two_hour_file_is_never_loaded_whole(tmp_path):
    path = tmp_path / "long.wav"
    with sf.SoundFile(path, "w", 8_000, 2, "PCM_16") as file:
        for _ in range(120):
            file.write(np.zeros((8_000 * 60, 2), np.int16))
    source = FileSource(path)
    assert source.duration_s == 7200
    tracemalloc.start()
    length = sum(len(block) for block in islice(source.blocks(), 500))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    source.close()
    assert length == 10 * 8_000
    assert peak < 1_000_000


def test_blocks_are_what_the_file_holds(tmp_path, rng):
    samples = rng.uniform(-0.5, 0.5, (10_007, 3)).astype(np.float32)
    sf.write(tmp_path / "a.wav", samples, 48_000, subtype="FLOAT")
    source = FileSource(tmp_path / "a.wav", channels="all")
    assert (source.rate, source.channels) == (48_000, 3)
    np.testing.assert_array_equal(np.concatenate(list(source.blocks())), samples)


@pytest.mark.parametrize("shape", [(10,), (10, 2)])
def test_arrays_come_as_they_are(shape):
    samples = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    found = np.concatenate(list(ArraySource(samples, 100).blocks()))
    np.testing.assert_array_equal(found, samples.reshape(10, -1))


def test_an_array_of_a_wrong_shape_is_refused():
    with pytest.raises(AudioError, match=r"\(2, 3, 4\)"):
        ArraySource(np.zeros((2, 3, 4)))


@pytest.mark.parametrize("rate", [0, -1, 10_000_000])
def test_an_impossible_rate_is_refused(rate):
    with pytest.raises(AudioError, match="sample rate"):
        Resampler(rate)


def test_without_portaudio_the_install_line_is_given(tmp_path, monkeypatch, capsys):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    del sys.modules["sounddevice"]
    for command in (["devices"], ["run", "mic"]):
        assert main(command) == 2
        error = capsys.readouterr().err
        assert "apt-get install libportaudio2" in error and error.count("\n") == 1


def test_without_a_microphone_the_command_says_what_to_do(tmp_path, monkeypatch, capsys):
    (tmp_path / "sounddevice.py").write_text("def query_devices():\n    return []\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    del sys.modules["sounddevice"]
    assert main(["run", "mic"]) == 2
    assert "no microphone found" in capsys.readouterr().err
