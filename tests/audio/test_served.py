"""Microphones by the names that a sound server gives them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.sound_server import needs_sound_server
from voicelane.audio.served import VARIABLES, Served, opened_as, parsed, served_devices

LISTING = """Source #1
\tState: SUSPENDED
\tName: alsa_output.pci.monitor
\tDescription: Monitor of Built-in Audio
\tSample Specification: s16le 2ch 48000Hz
\tMonitor of Sink: alsa_output.pci
\tProperties:
\t\tdevice.description = "Monitor of Built-in Audio"

Source #2
\tName: alsa_input.usb-1
\tDescription: Blue Yeti
\tSample Specification: s24le 1ch 44100Hz
\tMonitor of Sink: n/a

Source #3
\tName: alsa_input.usb-2
\tDescription: Blue Yeti
\tSample Specification: s24le 1ch 44100Hz
\tMonitor of Sink: n/a

Source #4
\tState: torn
"""


def test_a_listing_is_read_and_two_of_one_name_are_told_apart():
    assert parsed(LISTING) == [
        Served("alsa_output.pci.monitor", "Monitor of Built-in Audio", 48_000, 2, True),
        Served("alsa_input.usb-1", "Blue Yeti (alsa_input.usb-1)", 44_100, 1, False),
        Served("alsa_input.usb-2", "Blue Yeti (alsa_input.usb-2)", 44_100, 1, False),
    ]
    assert parsed("") == []
    sinks = LISTING.replace("Source #", "Sink #")
    assert [device.source for device in parsed(sinks)] == [device.source for device in parsed(LISTING)]


def test_without_a_server_there_is_nothing(monkeypatch):
    monkeypatch.setattr("voicelane.audio.served.LIST", ("a program that is not there",))
    assert served_devices() == []


@pytest.mark.parametrize("before", [None, "mine"])
@pytest.mark.parametrize("kind", VARIABLES)
def test_the_choice_lasts_as_long_as_the_device_is_opened(monkeypatch, before, kind):
    variable = VARIABLES[kind]
    monkeypatch.delenv(variable, raising=False)
    if before:
        monkeypatch.setenv(variable, before)
    with opened_as("usb", kind):
        assert os.environ[variable] == "usb"
    with opened_as("", kind):
        assert os.environ.get(variable) == before
    assert os.environ.get(variable) == before


HEAR = """
import sys, time
from voicelane.audio import MicrophoneSource, served_devices
names = {d.source: d.name for d in served_devices()}
microphone, blocks = MicrophoneSource(names["second.monitor"]), []
microphone.start(blocks.append)
print("hears", flush=True)
for _ in range(100):
    time.sleep(0.1)
    if any(abs(b).max() > 0.01 for b in list(blocks)):
        print(microphone.name, max(abs(b).max() for b in list(blocks)) > 0.01)
        break
microphone.close()
"""


@needs_sound_server
@pytest.mark.device
@pytest.mark.slow
def test_a_source_is_opened_by_its_name_though_another_is_the_default(sound_server, talk_file):
    sound_server.plug("second")
    command = [sys.executable, "-c", HEAR]
    program = subprocess.Popen(command, env=sound_server.env, stdout=subprocess.PIPE, text=True)
    assert program.stdout.readline().strip() == "hears"
    with sound_server.playing(talk_file, "second"):
        said = program.communicate(timeout=60)[0]
    assert said.startswith("mic:Monitor of") and said.strip().endswith("True")
