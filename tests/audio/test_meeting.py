"""Microphone and the computer's own sound as two lanes, through a sound server of its own."""

from __future__ import annotations

import subprocess
from itertools import takewhile

import numpy as np
import pytest
import soundfile as sf

from tests.sound_server import SoundServer, needs_sound_server
from voicelane.audio import meeting
from voicelane.audio.meeting import MeetingSource
from voicelane.base.errors import DeviceError
from voicelane.offline import sides_of

RATE = 48_000


@pytest.fixture
def card(tmp_path, monkeypatch):
    server = SoundServer(tmp_path / "pulse")
    server.start(*(f"module-null-sink sink_name={name} rate={RATE}" for name in ("voice", "loud")))
    server.pactl("set-default-sink", "loud")
    server.pactl("set-default-source", "voice.monitor")
    for name in ("PULSE_SERVER", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH", "HOME"):
        monkeypatch.setenv(name, server.env[name])
    yield server
    server.stop()


def tone(path, hz: float, duration_s: float = 4.0) -> None:
    sf.write(path, 0.3 * np.sin(2 * np.pi * hz * np.arange(int(duration_s * RATE)) / RATE), RATE)


@needs_sound_server
@pytest.mark.device
@pytest.mark.slow
def test_each_lane_hears_its_own_side(card, tmp_path):
    tone(tmp_path / "voice.wav", 440.0)
    tone(tmp_path / "loud.wav", 1_000.0)
    source = MeetingSource()
    assert sides_of(source) == 2
    try:
        with card.playing(tmp_path / "voice.wav"), card.playing(tmp_path / "loud.wav", "loud"):
            heard, lanes = 0, []
            for block in source.blocks():
                lanes.append(block)
                heard += len(block)
                if heard > 3 * 16_000:
                    break
    finally:
        source.close()
    sound = np.concatenate(lanes)[-16_000:]
    peaks = np.abs(np.fft.rfft(sound, axis=0)).argmax(axis=0)  # a second: bins are Hz
    assert peaks == pytest.approx([440, 1_000], abs=2)


@needs_sound_server
@pytest.mark.device
@pytest.mark.slow
def test_a_sound_server_that_goes_away_is_told(card):
    source = MeetingSource()
    try:
        next(source.blocks())
        card.stop()
        with pytest.raises(DeviceError, match="sound server"):
            list(takewhile(lambda block: True, source.blocks()))
    finally:
        source.close()


def test_a_lane_that_gives_nothing_is_silent_and_time_stays_true(monkeypatch):
    """A sleeping monitor; the other lane goes on."""

    def recorder(device: str) -> subprocess.Popen:
        rest = "; cat /dev/zero | head -c 128000; sleep 9" if "SOURCE" in device else "; sleep 9"
        return subprocess.Popen(["sh", "-c", ":" + rest], stdout=subprocess.PIPE)

    monkeypatch.setattr(meeting, "_recorder", recorder)
    monkeypatch.setattr(meeting.shutil, "which", lambda name: "/bin/true")
    source = MeetingSource()
    try:
        block = next(source.blocks())
        assert block.shape[1] == 2 and 1_600 <= len(block) <= 16_000 and not block.any()
    finally:
        source.close()


def test_without_a_recorder_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(meeting.shutil, "which", lambda name: None)
    with pytest.raises(DeviceError, match="pulseaudio-utils"):
        MeetingSource()
