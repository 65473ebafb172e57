"""End to end: a real window on a virtual screen hears the demo conversation through a virtual microphone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile as sf

from tests.conftest import DEMO, ROOT
from tests.sound_server import MISSING, SoundServer
from voicelane import read_rttm

pytest.importorskip("PySide6")

ABSENT = [*MISSING, *([] if shutil.which("Xvfb") else ["Xvfb"])]
needs_screen_and_sound = pytest.mark.skipif(
    bool(ABSENT) and "CI" not in os.environ,
    reason=f"no virtual screen or microphone: {', '.join(ABSENT)} not installed (apt-get install xvfb)",
)
pytestmark = [pytest.mark.qt, pytest.mark.device, pytest.mark.slow, needs_screen_and_sound]
PLAYED_S = 16.0


@pytest.fixture
def screen() -> Iterator[str]:
    """The name of a display of its own."""
    reading, writing = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"],
        pass_fds=[writing],
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(10)


def test_listen_enrol_merge_stop_open_again_and_export(sound_server, screen, tmp_path):
    sound, out = tmp_path / "talk.wav", tmp_path / "out"
    out.mkdir()
    samples = sf.read(DEMO, dtype="float32")[0]
    sf.write(sound, samples[5 * 16_000 : int((7 + PLAYED_S) * 16_000)], 16_000)
    env = sound_server.env | {
        "DISPLAY": screen,
        "QT_QPA_PLATFORM": "xcb",
        "VOICELANE_HOME": str(tmp_path / "home"),
        "XDG_RUNTIME_DIR": str(tmp_path),
    }
    visit = subprocess.Popen(
        [sys.executable, "-m", "tests.gui.visit", str(out), str(PLAYED_S - 6)],
        env=env,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert visit.stdout is not None
    ready = visit.stdout.readline().strip()
    player = subprocess.Popen(["paplay", str(sound)], env=sound_server.env) if ready == "ready" else None
    printed, problems = visit.communicate(timeout=120)
    if player:
        player.terminate()
        player.wait(10)
    assert ready == "ready" and visit.returncode == 0, problems
    found = json.loads(printed)
    second, first = found["merged"]
    assert found["platform"] == "xcb" and found["lost"] == 0 and found["enrolled"] == "Anna"
    assert {first, second} <= set(found["before"])
    assert second not in found["live"] and first in found["live"]
    assert found["reopened"] == found["live"] and found["state"] == "finished"
    exported = {turn.speaker for turn in read_rttm(out / "talk.rttm")}
    assert first in exported and second not in exported
    assert (out / "live.png").stat().st_size > 20_000
    assert Path(out / "sessions.png").stat().st_size > 10_000


def begun(server: SoundServer, home: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """A visit without a screen, under way."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.gui.visit", *map(str, arguments)],
        env=server.env | {"VOICELANE_HOME": str(home / "home"), "QT_QPA_PLATFORM": "offscreen"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_microphone_that_goes_and_comes_back_goes_on_in_the_same_session(sound_server, tmp_path):
    visit = begun(sound_server, tmp_path, "lose")
    assert visit.stdout is not None
    try:
        assert visit.stdout.readline().strip() == "ready"
        sound_server.stop()
        assert visit.stdout.readline().strip() == "lost"
        sound_server.start()
        sound_server.plug("voice")
        found = json.loads(visit.communicate(timeout=60)[0])
    finally:
        visit.kill()
    ((start, end, kind),) = found["gaps"]
    assert kind == "device" and 16_000 < start < end < found["heard"]
    assert "microphone is gone" in found["banner"] and not found["banner_after"]
    assert abs(found["recorded"] - found["heard"]) < 1_600


def test_a_microphone_that_is_plugged_in_while_something_plays_is_seen_and_can_be_heard(
    sound_server, tmp_path, talk_file
):
    visit = begun(sound_server, tmp_path, "plug", talk_file)
    assert visit.stdout is not None
    try:
        ready = visit.stdout.readline().strip()
        with (Path(sound_server.env["HOME"]) / ".asoundrc").open("a") as cards:
            cards.write("pcm.headset { type pulse }\n")
        printed, problems = visit.communicate(timeout=90)
    finally:
        visit.kill()
    assert ready == "playing" and visit.returncode == 0, problems
    found = json.loads(printed)
    served = [name for name in found["before"] if name.startswith("Monitor of")]
    assert served and not {"pulse", "default", "headset"} & set(found["before"]), "real names"
    assert found["plays_on"], "looking for microphones ends no sound"
    assert found["title"] == "headset"
