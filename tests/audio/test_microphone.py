"""Through a real virtual microphone: PulseAudio's null sink, paplay, PortAudio, the live engine."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile as sf
from scipy.optimize import linear_sum_assignment

from tests.live.test_session import Collector, spoken
from tests.sound_server import ROOT, needs_sound_server
from voicelane import FileSource, LiveSession, Pipeline, SpeechEnded, read_rttm
from voicelane.live import final_turns

pytestmark = [pytest.mark.device, pytest.mark.slow, needs_sound_server]

LISTEN = """
import sys
from voicelane import JsonLinesSink, LiveSession, MicrophoneSource, Pipeline
from pathlib import Path
pipeline = Pipeline()
pipeline.warm_up()
session = LiveSession(MicrophoneSource("pulse"), pipeline, [JsonLinesSink(Path(sys.argv[1]))])
session.start()
print("ready", flush=True)
sys.stdin.readline()
session.stop()
print("lost", session.lost_samples, flush=True)
"""


def test_what_the_microphone_hears_is_what_the_file_says(sound_server, tmp_path, speech):
    sound = tmp_path / "talk.wav"
    sf.write(sound, speech, 16_000)
    log = tmp_path / "live.jsonl"
    listener = subprocess.Popen(
        [sys.executable, "-c", LISTEN, str(log)],
        env=sound_server.env,
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert listener.stdout is not None and listener.stdin is not None
    assert listener.stdout.readline().strip() == "ready"
    sound_server.play(sound)
    time.sleep(1.0)
    printed, _ = listener.communicate("\n", timeout=60)
    assert printed.split() == ["lost", "0"]

    live = [json.loads(line) for line in log.read_text().splitlines()]
    pipeline, collector = Pipeline(), Collector()
    with LiveSession(FileSource(sound), pipeline, [collector]) as session:
        session.wait()
    wanted = spoken(collector.events, len(speech))
    shift = first_start(live) - min(e.start for e in collector.events if isinstance(e, SpeechEnded))
    found = np.zeros(len(wanted), bool)
    for e in live:
        if e["event"] == "SpeechEnded":
            a, b = ((p - shift) // 320 for p in (e["start"], e["end"]))
            found[max(0, a) : max(0, b)] = True
    assert np.mean(found != wanted) < 0.05
    turns = [e for e in live if e["event"] == "SpeakerTurn" and e["final"]]
    assert turns
    # a new voice may be noticed a second earlier or later
    assert agreement(turns, final_turns(collector.events, revised=False), shift, len(wanted)) >= 0.85


def first_start(live: list[dict]) -> int:
    return min(e["start"] for e in live if e["event"] == "SpeechEnded")


def agreement(live: list[dict], offline: list, shift: int, n_frames: int) -> float:
    """Share of frames spoken in both whose speaker is the same, names matched as well as they can be."""
    said = [(t["speaker"], t["start"] - shift, t["end"] - shift) for t in live]
    rows = [spoken_by(said, n_frames), spoken_by([(t.speaker, t.start, t.end) for t in offline], n_frames)]
    shared = rows[0].astype(int) @ rows[1].T
    both = rows[0].any(axis=0) & rows[1].any(axis=0)
    return float(shared[linear_sum_assignment(-shared)].sum() / both.sum())


def spoken_by(turns: list[tuple[str, int, int]], n_frames: int) -> np.ndarray:
    """Who speaks when, bool (n_speakers, n_frames)."""
    names = sorted({name for name, *_ in turns})
    active = np.zeros((len(names), n_frames), bool)
    for name, start, end in turns:
        active[names.index(name), max(0, start // 320) : max(0, end // 320)] = True
    return active


def test_the_microphone_is_found_by_its_name(sound_server):
    found = subprocess.run(
        [sys.executable, "-m", "voicelane", "devices"],
        env=sound_server.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pulse" in found.stdout


def test_an_unknown_microphone_is_named_with_those_that_exist(sound_server):
    found = subprocess.run(
        [sys.executable, "-m", "voicelane", "run", "mic:Nonesuch 3000"],
        env=sound_server.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 2
    assert "Nonesuch 3000" in found.stderr and "pulse" in found.stderr and "Traceback" not in found.stderr


@pytest.mark.parametrize("name", ["mic:pulse", "mic"])
def test_the_command_line_listens_until_ctrl_c(sound_server, tmp_path, speech, name):
    sound, turns = tmp_path / "talk.wav", tmp_path / "live.rttm"
    sf.write(sound, speech[: 8 * 16_000], 16_000)
    process = sound_server.voicelane("run", name, "--rttm", turns)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("listening to mic:")
    sound_server.play(sound)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    printed, error = process.communicate(timeout=60)
    assert process.returncode == 0 and "everything heard so far is written" in error
    assert read_rttm(turns) and "sure" in printed


@needs_sound_server
def test_a_process_of_its_own_sees_the_same_devices_and_ends_no_stream(sound_server):
    code = """
import time, voicelane.audio
microphone, heard = voicelane.MicrophoneSource("pulse"), []
microphone.start(lambda block, *_: heard.append(len(block)))
def goes_on(before):
    for _ in range(100):
        time.sleep(0.1)
        if len(heard) > before:
            return not microphone.finished.is_set()
assert goes_on(0)
found = voicelane.audio.connected_devices()
assert found == voicelane.input_devices() and found, found
assert goes_on(len(heard) + 20)
"""
    subprocess.run([sys.executable, "-c", code], env=sound_server.env, cwd=ROOT, check=True, timeout=60)
