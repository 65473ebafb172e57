"""A PulseAudio daemon of a test's own; its null sinks are virtual microphones that hear what is played."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NEEDED = ("pulseaudio", "paplay", "pactl")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
MISSING += [] if find_library("portaudio") else ["libportaudio2"]

needs_sound_server = pytest.mark.skipif(
    bool(MISSING) and "CI" not in os.environ,
    reason=f"no virtual microphone: {', '.join(MISSING)} not installed "
    "(apt-get install pulseaudio pulseaudio-utils libasound2-plugins libportaudio2)",
)


class SoundServer:
    """`env` is what a program needs to find it; its default microphone is that of the sink `voice`."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "native"
        folder.mkdir(mode=0o700)
        self.env = os.environ | {
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_STATE_PATH": str(folder),
            "PULSE_SERVER": f"unix:{self.socket}",
            "HOME": str(folder),
        }
        (folder / ".asoundrc").write_text("pcm.pulse { type pulse }\nctl.pulse { type pulse }\n")
        self._daemon: subprocess.Popen | None = None

    def start(self, *modules: str) -> None:
        """The daemon, once it answers."""
        options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no"]
        socket = f"module-native-protocol-unix auth-anonymous=1 socket={self.socket}"
        loads = [f"--load={module}" for module in (socket, *modules)]
        self._daemon = subprocess.Popen(
            ["pulseaudio", *options, *loads], env=self.env, stderr=subprocess.PIPE
        )
        for _ in range(100):
            if subprocess.run(["pactl", "info"], env=self.env, capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        self._daemon.kill()
        pytest.fail(f"PulseAudio did not start: {self._daemon.communicate()[1].decode()[-500:]}")

    def stop(self, kill: bool = False) -> None:
        """End the daemon; with `kill` as a crash does."""
        if self._daemon is not None:
            (self._daemon.kill if kill else self._daemon.terminate)()
            self._daemon.communicate(timeout=10)
            self._daemon = None

    def pactl(self, *arguments: str) -> str:
        """What `pactl` answers."""
        found = subprocess.run(
            ["pactl", *arguments], env=self.env, check=True, capture_output=True, text=True
        )
        return found.stdout.strip()

    def plug(self, name: str, rate: int = 48_000, channels: int = 2) -> str:
        """Connect a virtual microphone; gives the number that `unplug` takes."""
        sink = (f"sink_name={name}", f"rate={rate}", f"channels={channels}")
        return self.pactl("load-module", "module-null-sink", *sink)

    def unplug(self, number: str) -> None:
        self.pactl("unload-module", number)

    def play(self, path: Path, sink: str = "voice") -> None:
        """A sound file into a virtual microphone, in its own time."""
        subprocess.run(["paplay", f"--device={sink}", str(path)], env=self.env, check=True, timeout=60)

    @contextmanager
    def playing(self, path: Path, sink: str = "voice") -> Iterator[None]:
        """A sound file goes into a virtual microphone meanwhile."""
        command = ["paplay", f"--device={sink}", str(path)]
        player = subprocess.Popen(command, env=self.env, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            player.kill()
            player.wait(10)

    def voicelane(self, *arguments: str | Path, **options: object) -> subprocess.Popen:
        """The command line as a process that hears this server's microphones."""
        return subprocess.Popen(
            [sys.executable, "-m", "engine", *map(str, arguments)],
            env=self.env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
