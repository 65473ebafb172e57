"""Recordings whose channels differ: what of them is heard, and what is said of it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile as sf

from tests.cli.test_main import voicelane, wav
from tests.conftest import DEMO
from voicelane import FileSource, MicrophoneSource, Turn, diarisation_error, read_rttm
from voicelane.audio.channels import Gate, RunningMix, Tally, layout, leak_db
from voicelane.base.errors import AudioError, DeviceError

RATE = 16_000


@pytest.fixture(scope="module")
def talk(speech) -> np.ndarray:
    return speech[: 16 * RATE]


def hiss(n: int, level: float = 0.3) -> np.ndarray:
    return (level * np.random.default_rng(3).standard_normal(n)).astype(np.float32)


def hum(n: int) -> np.ndarray:
    at = np.arange(n) / RATE
    return (0.4 * sum(np.sin(2 * np.pi * 50 * k * at) / k for k in (1, 2, 3, 5, 7, 9))).astype(np.float32)


def late(sound: np.ndarray, n: int) -> np.ndarray:
    return np.concatenate((np.zeros(n, np.float32), sound[:-n]))


KINDS = {  # channels, weights, words
    "identical": (lambda s: [s, s], [1, 0], "1, 2 are the same"),
    "dead": (lambda s: [0 * s, s], [0, 1], "silent: 1"),
    "nearly dead": (lambda s: [s, 1e-5 * hiss(len(s))], [1, 0], "silent: 2"),
    "hiss": (lambda s: [s, hiss(len(s))], [1, 0], "only noise: 2"),
    "hum": (lambda s: [hum(len(s)), s], [0, 1], "only noise: 1"),
    "antiphase": (lambda s: [s, -s], [1, 0], "1, 2 are in antiphase"),
    "antiphase, quieter": (lambda s: [s, -0.5 * s + hiss(len(s), 1e-4)], [1, 0], "in antiphase"),
    "a delayed copy": (lambda s: [s, late(s, 160)], [1, 0], "are 10.0 ms apart"),
    "one of six": (lambda s: [*[0 * s] * 3, s, *[0 * s] * 2], [0, 0, 0, 1, 0, 0], "silent: 1, 2, 3, 5, 6"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_says_nothing_is_not_heard(tmp_path, talk, kind):
    channels, weights, words = KINDS[kind]
    source = FileSource(wav(tmp_path / "a.wav", np.stack(channels(talk), axis=1), RATE, subtype="FLOAT"))
    assert source.channels == 1 and len(source.remarks) == 1
    assert words in source.remarks[0] and f"channel {weights.index(1) + 1} is heard" in source.remarks[0]
    heard = np.concatenate(list(source.blocks()))[:, 0]
    source.close()
    np.testing.assert_allclose(heard, talk, atol=1e-6)


def test_stereo_of_one_room_is_mixed_without_a_word(tmp_path, talk, rng):
    room = [
        np.convolve(talk, rng.standard_normal(800) * np.exp(-np.arange(800) / 120))[: len(talk)] for _ in "ab"
    ]
    sound = 0.1 * np.stack(room, axis=1).astype(np.float32)
    source = FileSource(wav(tmp_path / "a.wav", sound, RATE, subtype="FLOAT"))
    heard = np.concatenate(list(source.blocks()))[:, 0]
    assert source.channels == 1 and not source.remarks
    np.testing.assert_allclose(heard, sound.mean(axis=1), atol=1e-6)


def call(leak: float = 0.05, shift: int = 40) -> tuple[np.ndarray, list[Turn]]:
    """Two people of the demo, a side each, each faintly heard on the other's; and who speaks when."""
    sound = sf.read(DEMO, dtype="float32")[0]
    turns = [t for t in read_rttm(DEMO.with_suffix(".rttm")) if t.speaker in ("speaker1", "speaker2")]
    sides = np.zeros((len(sound), 2), np.float32)
    for t in turns:
        a, b = int(t.start * RATE), int(t.end * RATE)
        sides[a:b, int(t.speaker[-1]) - 1] = sound[a:b]
    sides += leak * np.roll(sides[:, ::-1], shift, axis=0)
    return sides + hiss(sides.size, 1e-4).reshape(sides.shape), turns


@pytest.mark.parametrize("subtype", ["PCM_16", "ULAW"])
def test_a_call_with_a_person_on_each_side_is_two_people(tmp_path, capsys, subtype):
    import soxr

    sides, wanted = call()
    rate = 8_000 if subtype == "ULAW" else RATE
    path = wav(tmp_path / "call.wav", soxr.resample(sides, RATE, rate), rate, subtype=subtype)
    assert voicelane("run", path, "--rttm", tmp_path / "a.rttm", "--session", tmp_path / "talk") == 0
    assert "channels 1 and 2 hold different people" in capsys.readouterr().out
    found = read_rttm(tmp_path / "a.rttm")
    assert len({t.speaker for t in found}) == 2
    assert diarisation_error(wanted, found).rate < 0.08
    assert voicelane("batch", tmp_path, "--out", tmp_path / "out", "--jobs", 1) == 0
    batch = read_rttm(tmp_path / "out/call.rttm")
    assert [(t.start, t.end) for t in batch] == [(t.start, t.end) for t in found]


def test_one_person_may_speak_on_both_sides(tmp_path, enrolment_sound, later, capsys):
    """The same person first on one side, then on the other."""
    first, second = enrolment_sound["speaker1"][: 12 * RATE], later["speaker1"][: 12 * RATE]
    sides = hiss(2 * (len(first) + len(second)), 1e-4).reshape(-1, 2)
    sides[: len(first), 0] += first
    sides[len(first) :, 1] += second
    path = wav(tmp_path / "a.wav", sides, RATE)
    assert voicelane("run", path, "--rttm", tmp_path / "a.rttm") == 0
    assert "hold different people" in capsys.readouterr().out
    assert len({t.speaker for t in read_rttm(tmp_path / "a.rttm")}) <= 2


def test_channels_are_chosen_by_hand(tmp_path, talk, capsys):
    sides = np.stack([talk, hiss(len(talk))], axis=1)
    path = wav(tmp_path / "a.wav", sides, RATE, subtype="FLOAT")
    for channels, wanted in ((1, sides[:, :1]), (2, sides[:, 1:]), ("mix", sides.mean(axis=1)[:, None])):
        heard = np.concatenate(list(FileSource(path, channels=channels).blocks()))
        np.testing.assert_allclose(heard, wanted, atol=1e-6)
    assert FileSource(path, channels="separate").channels == 2
    assert voicelane("run", path, "--channels", "2") == 0
    assert "channel 2 of 2 is heard" in capsys.readouterr().out
    for channels, words in (
        ("3", "there is no channel 3; it has 2"),
        ("left", "--channels left: expected auto"),
    ):
        assert voicelane("run", path, "--channels", channels) == 2
        assert words in capsys.readouterr().err


def test_cross_talk_is_silenced_and_nothing_else():
    sides, turns = call(leak=0.1, shift=0)
    tally = Tally(RATE, 2)
    tally.add(sides)
    tally.finish()
    leaks = leak_db(tally.levels_db)
    assert leaks[0, 1] == pytest.approx(-20.0, abs=1.5) and leaks[1, 0] == pytest.approx(-20.0, abs=1.5)
    gate = Gate(RATE, leaks)
    found = np.concatenate([*(gate.process(b) for b in np.array_split(sides, 997)), gate.flush()])
    assert found.shape == sides.shape
    for t in [t for t in turns if t.end - t.start > 1.0][:8]:
        middle = slice(int((t.start + 0.3) * RATE), int((t.end - 0.3) * RATE))
        own = int(t.speaker[-1]) - 1
        alone = not any(o.speaker != t.speaker and o.start < t.end and t.start < o.end for o in turns)
        power = np.square(found[middle]).sum(axis=0)
        assert power[own] > 0.97 * np.square(sides[middle, own]).sum()
        assert not alone or power[1 - own] < 1e-3 * power[own]


def test_a_live_mix_drops_what_hisses_and_is_what_comes_in_for_one_channel(talk):
    sound = np.stack([hiss(len(talk)), 0 * talk, talk, 0 * talk], axis=1)
    mix = RunningMix(RATE, 4)
    heard = np.concatenate([mix.process(block) for block in np.array_split(sound, 800)])[:, 0]
    np.testing.assert_allclose(heard[12 * RATE :], talk[12 * RATE :], atol=1e-5)


class Sounddevice(SimpleNamespace):
    """A sound system with one device of eight inputs and a sound server."""

    PortAudioError = RuntimeError

    def __init__(self) -> None:
        names = (("Interface", 8), ("pulse", 32))
        self.devices = [
            {"name": n, "max_input_channels": c, "default_samplerate": 48_000.0} for n, c in names
        ]
        self.default = SimpleNamespace(device=(0, 0))
        self.opened: list[dict] = []

    def query_devices(self) -> list[dict]:
        return self.devices

    def InputStream(self, **options):
        self.opened.append(options)
        return SimpleNamespace(start=lambda: None, close=lambda: None)


def test_a_device_is_opened_with_all_its_inputs_or_the_chosen_one(monkeypatch):
    system, heard = Sounddevice(), []
    monkeypatch.setitem(sys.modules, "sounddevice", system)
    for device, channel, opened, given in ((None, None, 8, 8), (None, 3, 3, 1), ("pulse", None, 2, 2)):
        source = MicrophoneSource(device, channel)
        source.start(heard.append)
        assert (system.opened[-1]["channels"], source.channels) == (opened, given)
    block = np.arange(12, dtype=np.float32).reshape(4, 3)
    when = SimpleNamespace(currentTime=0.0, inputBufferAdcTime=0.0)
    system.opened[1]["callback"](block, 4, when, SimpleNamespace(input_overflow=False))
    np.testing.assert_array_equal(heard[-1], block[:, 2:])
    with pytest.raises(DeviceError, match="there is no input 9; it has 8"):
        MicrophoneSource(None, 9)


def test_a_layout_is_of_the_whole_recording(talk):
    """A side that is silent for the first minute is no dead one."""
    sides = np.zeros((90 * RATE, 2), np.float32)
    sides[: len(talk), 0] = talk
    sides[70 * RATE : 70 * RATE + len(talk), 1] = talk[::-1]
    sides += hiss(sides.size, 1e-4).reshape(sides.shape)
    tally = Tally(RATE, 2)
    tally.add(sides)
    assert len(layout(tally, 2).weights) == 2


def test_a_hundred_channels_are_mixed_in_little_memory(tmp_path, talk):
    sound = np.tile(talk[:32_000, None], (1, 96))
    path = wav(tmp_path / "a.wav", sound, RATE, subtype="PCM_16")
    source = FileSource(path)
    heard = np.concatenate(list(source.blocks()))
    np.testing.assert_allclose(heard[:, 0], talk[:32_000], atol=1e-4)
    with pytest.raises(AudioError, match="too many to separate"):
        FileSource(path, channels="separate")
