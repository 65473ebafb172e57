"""A server for all tests of this folder, in processes of its own."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import ROOT
from tests.words.models import PARTS, base_model
from voicelane.client.connection import Client

READY_S = 240.0


class Server:
    """`voicelane serve` on a free port."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home = home
        command = [sys.executable, "-m", "voicelane", "serve", "--port", "0", "--workers", "1", *options]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"VOICELANE_HOME": str(home), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = self._address()
        self.client = Client(self.url)
        self.live = f"ws{self.url.removeprefix('http')}/v1/live"

    def _address(self) -> str:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], READY_S)[0]:
            self.stop()
            raise TimeoutError(self.process.stderr)
        said = self.process.stdout.readline()
        found = re.search(r"(https?://\S+);", said)
        assert found, (said, self.process.communicate())
        return found[1]

    def stop(self) -> str:
        """What it said on stderr."""
        self.process.terminate()
        try:
            return self.process.communicate(timeout=30)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def gauge(self, name: str) -> float:
        """A number of `/metrics`."""
        import httpx

        text = httpx.get(f"{self.url}/metrics").text
        return float(re.search(rf"^voicelane_{name} (\S+)$", text, re.MULTILINE)[1])

    def until(self, name: str, value: float, within_s: float = 30.0) -> None:
        """Wait for a number of `/metrics`."""
        until_s = time.monotonic() + within_s
        while self.gauge(name) != value:
            assert time.monotonic() < until_s, f"{name} is {self.gauge(name)}, not {value}"
            time.sleep(0.1)

    def until_gone(self, session: str, within_s: float = 30.0) -> None:
        """Wait for one stream's end, whatever others do."""
        until_s = time.monotonic() + within_s
        while session in {s["id"] for s in self.client.get("/v1/streams")["streams"]}:
            assert time.monotonic() < until_s, f"{session} is still there"
            time.sleep(0.1)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One with short patience, on this machine alone, without tokens."""
    pytest.importorskip("uvicorn")
    words = ["--words-model", str(base_model())] if find_spec(PARTS[0]) else []
    found = Server(tmp_path_factory.mktemp("served"), "--resume-s", "3", "--max-upload-mb", "3", *words)
    yield found
    said = found.stop()
    assert "Traceback" not in said, said


@pytest.fixture(scope="session")
def talk(tmp_path_factory: pytest.TempPathFactory, speech: np.ndarray) -> Path:
    """The first 12 s of the conversation as a file."""
    path = tmp_path_factory.mktemp("talk") / "talk.flac"
    sf.write(path, speech[: 12 * 16_000], 16_000)
    return path
