"""The clients of the examples, against a server: a page each, and the same turns."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve")]
MOST_LINES = 30


def lines(*command: object) -> list[list[str]]:
    done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return [line.split() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", ["live_client.py", "live_client.mjs"])
def test_a_client_is_short(name):
    assert len((ROOT / "examples" / name).read_text().splitlines()) <= MOST_LINES


def test_the_client_in_python_tells_who_speaks(server, talk):
    told = lines(sys.executable, "examples/live_client.py", talk, server.url)
    assert told and {speaker for _, _, speaker in told} <= {"S1", "S2", "S3"}


def test_the_client_in_javascript_tells_who_speaks(server, talk):
    if shutil.which("node") is None:
        pytest.skip("no Node here that runs JavaScript")
    told = lines("node", "--experimental-websocket", "examples/live_client.mjs", talk, server.url)
    assert told and {speaker for _, _, speaker in told} <= {"S1", "S2", "S3"}
