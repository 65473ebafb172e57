"""A virtual sound card: a PulseAudio server of its own whose microphones hear what is played to them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from pathlib import Path

DEVICE = "pulse"
NEEDED = ("pulseaudio", "paplay", "pactl")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
MISSING += [] if find_library("portaudio") else ["libportaudio2"]
HELP = (
    f"no virtual microphone: {', '.join(MISSING)} not installed "
    "(apt-get install pulseaudio pulseaudio-utils libasound2-plugins libportaudio2)"
)


class SoundServer:
    """Its null sinks are microphones that hear what is played to them, the default one that of `voice`.

    `env` is what a program needs to find it.
    """

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
        said = self._daemon.communicate()[1].decode()[-500:]
        raise SystemExit(f"PulseAudio did not start: {said}")

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
        subprocess.run(["paplay", f"--device={sink}", str(path)], env=self.env, check=True)

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


@contextmanager
def sound_card() -> Iterator[SoundServer]:
    """For as long as it lasts, `MicrophoneSource(DEVICE)` of this process hears what the server plays.

    It changes the environment, so it has to begin before PortAudio is loaded.
    """
    if MISSING:
        raise SystemExit(HELP)
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as name:
        server = SoundServer(Path(name) / "pulse")
        server.start("module-null-sink sink_name=voice rate=48000")
        os.environ |= server.env | {"PULSE_SOURCE": "voice.monitor", "PULSE_SINK": "voice"}
        try:
            yield server
        finally:
            server.stop()
            os.environ.clear()
            os.environ.update(before)
