"""A virtual sound card: a PulseAudio server of its own whose microphone hears what is played to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEEDED = ("pulseaudio", "paplay", "pactl")
HELP = "sudo apt-get install pulseaudio pulseaudio-utils libasound2-plugins libportaudio2"
DEVICE = "pulse"
BUFFER_MS = 20


@contextmanager
def sound_card(rate: int = 48_000) -> Iterator[None]:
    """For as long as it lasts, `MicrophoneSource(DEVICE)` of this process hears what `play` plays.

    It changes the environment, so it has to begin before PortAudio is loaded.
    """
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"no virtual sound card: {', '.join(missing)} not installed; {HELP}")
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / ".asoundrc").write_text("pcm.pulse { type pulse }\nctl.pulse { type pulse }\n")
        os.environ |= {
            "PULSE_RUNTIME_PATH": name,
            "PULSE_STATE_PATH": name,
            "PULSE_SERVER": f"unix:{folder}/native",
            "PULSE_SOURCE": "voice.monitor",
            "PULSE_SINK": "voice",
            "HOME": name,
            "PULSE_LATENCY_MSEC": str(BUFFER_MS),
        }
        server = _server(folder / "native", rate)
        try:
            yield
        finally:
            server.terminate()
            server.wait(10)
            os.environ.clear()
            os.environ.update(before)


def play(path: Path) -> subprocess.Popen:
    """Play a sound file to the virtual microphone."""
    return subprocess.Popen(["paplay", str(path)])


def _server(socket: Path, rate: int) -> subprocess.Popen:
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
    modules = [
        f"module-native-protocol-unix auth-anonymous=1 socket={socket}",
        f"module-null-sink sink_name=voice rate={rate}",
    ]
    command += [f"--load={module}" for module in modules]
    server = subprocess.Popen(command, stderr=subprocess.PIPE)
    for _ in range(100):
        if subprocess.run(["pactl", "info"], capture_output=True).returncode == 0:
            return server
        time.sleep(0.1)
    server.kill()
    said = server.stderr.read().decode()[-500:] if server.stderr else ""
    raise SystemExit(f"PulseAudio did not start: {said}")
