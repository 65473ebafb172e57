"""Microphones that vanish, return, change or say nothing: what the user sees, what is lost to the sample."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.sound_server import ROOT, SoundServer, needs_sound_server
from voicelane import open_session

pytestmark = [pytest.mark.device, pytest.mark.slow, needs_sound_server]
CLOCK_S = 0.3
"""How far the end of the stream may be from where the clock says: the sound server's own delay."""


class Listening:
    """`voicelane run mic:pulse --session talk` under way, and all that it prints."""

    def __init__(self, server: SoundServer, folder: Path) -> None:
        self._log = folder / "live.jsonl"
        self._process = server.voicelane("run", "mic:pulse", "--session", "talk", "--jsonl", self._log)
        self.printed: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(lambda: '"StreamStarted"' in (self._log.read_text() if self._log.exists() else ""))

    def _read(self) -> None:
        for line in self._process.stdout:
            self.printed.append(line.rstrip())

    def wait_for(self, condition) -> None:
        ends = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < ends and self._process.poll() is None, self.printed
            time.sleep(0.02)

    def wait_for_line(self, words: str) -> str:
        self.wait_for(lambda: any(words in line for line in self.printed))
        return next(line for line in self.printed if words in line)

    def end(self) -> tuple[list[dict], np.ndarray, float]:
        """Ctrl-C: events, the recorded sound, and how long it should be by the clock, in seconds."""
        at_s = time.monotonic()
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(30) == 0
        self._reader.join(10)
        error = self._process.stderr.read()
        assert error.splitlines()[1:] == ["stopped; everything heard so far is written"]
        events = [json.loads(line) for line in self._log.read_text().splitlines()]
        session = open_session("talk")
        assert session.finished
        return events, np.concatenate(list(session.sound())), at_s - events[0]["clock_s"]


@pytest.fixture
def tones(tmp_path: Path) -> tuple[Path, Path]:
    """Twenty seconds of 500 Hz, and of 2 kHz."""
    time_s, paths = np.arange(20 * 48_000) / 48_000, (tmp_path / "low.wav", tmp_path / "high.wav")
    for path, hertz in zip(paths, (500, 2_000), strict=True):
        sf.write(path, 0.3 * np.sin(2 * np.pi * hertz * time_s), 48_000)
    return paths


def pitch_hz(sound: np.ndarray) -> float:
    """The strongest frequency of 16 kHz sound."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(power.argmax() * 16_000 / len(sound))


def unplug(server: SoundServer) -> None:
    server.unplug(server.pactl("list", "short", "modules").splitlines()[-1].split()[0])


def crash(server: SoundServer) -> None:
    server.stop(kill=True)


def restart(server: SoundServer) -> None:
    server.start()
    server.plug("voice")


@pytest.mark.parametrize(
    ("take_away", "bring_back"),
    [(unplug, lambda server: server.plug("voice")), (crash, restart)],
    ids=["unplugged", "sound server killed"],
)
def test_a_lost_microphone_is_waited_for_and_only_the_gap_is_missing(
    sound_server, tmp_path, tones, take_away, bring_back
):
    """Seen: a line when it is lost, a line with the missing seconds. Lost: the gap, which is silence."""
    with sound_server.playing(tones[0]):
        live = Listening(sound_server, tmp_path)
        time.sleep(1.0)
        take_away(sound_server)
        live.wait_for_line("the device has stopped; waiting for more, Ctrl-C ends")
    time.sleep(1.5)
    bring_back(sound_server)
    with sound_server.playing(tones[1]):
        line = live.wait_for_line("is heard again")
        time.sleep(1.5)
        events, sound, by_the_clock_s = live.end()
    (lost,) = [e["sample"] for e in events if e["event"] == "DeviceLost"]
    (back,) = [e["sample"] for e in events if e["event"] == "DeviceReturned"]
    assert f"mic:pulse is heard again; {(back - lost) / 16_000:.2f} s are missing" in line
    assert not sound[lost:back].any(), "silence stands for the gap"
    assert sound[lost - 200 : lost].any() and sound[back:].any()
    assert abs(pitch_hz(sound[lost - 8_000 : lost]) - 500) < 5 and abs(pitch_hz(sound[-8_000:]) - 2_000) < 5
    assert abs(len(sound) / 16_000 - by_the_clock_s) < CLOCK_S, "time stays true"


def test_ctrl_c_ends_the_waiting_and_the_rest_is_reported_missing(sound_server, tmp_path):
    """Seen: the line that it is lost. Lost: what lies behind `DeviceLost`, to the end of the recording."""
    live = Listening(sound_server, tmp_path)
    unplug(sound_server)
    live.wait_for_line("waiting for more")
    time.sleep(1.5)
    events, sound, by_the_clock_s = live.end()
    (lost,) = [e["sample"] for e in events if e["event"] == "DeviceLost"]
    assert not any(e["event"] == "DeviceReturned" for e in events) and not sound[lost:].any()
    assert lost < len(sound) <= (by_the_clock_s + CLOCK_S) * 16_000


def test_an_enrolment_whose_microphone_vanishes_is_not_kept(sound_server, tmp_path, home):
    """Seen: one sentence, status 2. Lost: the recording that had begun; no profile is made of a part."""
    enrolment = sound_server.voicelane("enrol", "Anna", "mic:pulse", "--seconds", "10")
    assert enrolment.stdout.readline() == "speak now, for 10 s\n"
    time.sleep(1.5)
    unplug(sound_server)
    _, error = enrolment.communicate(timeout=30)
    assert enrolment.returncode == 2
    told = "voicelane: mic:pulse: no more sound comes; connect it again and start anew"
    assert error.strip().splitlines()[-1] == told and not home.exists()


def test_a_silent_microphone_is_no_fault_and_its_silence_is_recorded(sound_server, tmp_path):
    """Seen: that no speech was found. Lost: nothing."""
    live = Listening(sound_server, tmp_path)
    time.sleep(1.5)
    events, sound, by_the_clock_s = live.end()
    assert "no speech was found" in live.printed
    assert [e["event"] for e in events] == ["StreamStarted"] and not sound.any()
    assert abs(len(sound) / 16_000 - by_the_clock_s) < CLOCK_S


@pytest.mark.parametrize("how", ["chosen", "unplugged"])
def test_the_stream_follows_the_default_microphone(sound_server, tmp_path, tones, how):
    """Seen: two lines, as the sound server drops about a second when it carries a stream over.
    Lost: the gap between the two events, no more; time stays true."""
    first = sound_server.pactl("list", "short", "modules").splitlines()[-1].split()[0]
    sound_server.plug("other")
    sound_server.pactl("set-default-source", "voice.monitor")
    with sound_server.playing(tones[1], "other"):
        with sound_server.playing(tones[0]):
            live = Listening(sound_server, tmp_path)
            time.sleep(1.5)
        if how == "chosen":
            sound_server.pactl("set-default-source", "other.monitor")
        else:
            sound_server.unplug(first)
        line = live.wait_for_line("is heard again")
        time.sleep(1.5)
        events, sound, by_the_clock_s = live.end()
    gaps = {e["event"]: e["sample"] for e in events if e["event"].startswith("Device")}
    lost, back = gaps["DeviceLost"], gaps["DeviceReturned"]
    assert f"{(back - lost) / 16_000:.2f} s are missing" in line and not sound[lost:back].any()
    assert abs(pitch_hz(sound[:8_000]) - 500) < 5 and abs(pitch_hz(sound[-8_000:]) - 2_000) < 5
    assert abs(len(sound) / 16_000 - by_the_clock_s) < CLOCK_S


HEAR = """
import json, sys, time
import numpy as np
from voicelane import LiveSession, MicrophoneSource, Pipeline
from tests.live.test_pauses import Listener
pipeline = Pipeline()
pipeline.warm_up()
for rate, channels in ((44_100, 1), (44_100, 2), (48_000, 1), (48_000, 2)):
    source, ear = MicrophoneSource("pulse"), Listener()
    source.rate, source.opened, source.channels = rate, channels, channels
    pipeline.reset()
    with LiveSession(source, pipeline, [ear]) as session:
        while pipeline.heard_samples < 24_000:
            time.sleep(0.01)
        at_s = time.monotonic()
        heard = pipeline.heard_samples
    sound = np.concatenate([s.samples for s in ear.sound])
    began_s = ear.events[0].clock_s
    print(json.dumps([rate, ear.events[0].rate, sound[-16_000:].tolist(), heard / 16_000 - (at_s - began_s)]))
"""


@pytest.mark.parametrize("sink", [(44_100, 1), (48_000, 2)], ids=["44.1 kHz mono", "48 kHz stereo"])
def test_any_rate_and_channel_count_gives_the_same_sound_and_true_time(sound_server, tones, sink):
    """Streams at 44.1 and 48 kHz, mono and stereo, from a device that is neither or both. Lost: nothing."""
    sound_server.plug("device", *sink)
    sound_server.pactl("set-default-source", "device.monitor")
    with sound_server.playing(tones[0], "device"):
        command = [sys.executable, "-c", HEAR]
        found = subprocess.run(
            command, env=sound_server.env, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
    rows = [json.loads(line) for line in found.stdout.splitlines()]
    assert len(rows) == 4, found.stderr
    for asked, told, sound, ahead_s in rows:
        assert asked == told and abs(pitch_hz(np.array(sound)) - 500) < 2
        assert np.abs(sound).max() == pytest.approx(0.3, abs=0.03), "channels are averaged, not added"
        assert abs(ahead_s) < CLOCK_S
