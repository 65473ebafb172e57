"""The pages in Chromium without a screen: a microphone that is a file, lanes with names, an overlay."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve")]
FLAGS = (
    "--no-sandbox --disable-gpu --use-fake-device-for-media-stream --use-fake-ui-for-media-stream "
    "--autoplay-policy=no-user-gesture-required --use-file-for-fake-audio-capture={}"
)


def browse(url: str, first: str, last: str, microphone: str = "") -> subprocess.Popen:
    """A browser that is at it."""
    environ = os.environ | {
        "QTWEBENGINE_CHROMIUM_FLAGS": FLAGS.format(microphone),
        "QT_QPA_PLATFORM": "offscreen",
    }
    environ |= {"QTWEBENGINE_DISABLE_SANDBOX": "1"}
    command = [sys.executable, "-m", "tests.serve.browser", url, first, last]
    return subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def said(browser: subprocess.Popen) -> dict:
    out, err = browser.communicate(timeout=200)
    lines = [line for line in out.splitlines() if line.startswith("{")]
    assert lines, err
    return json.loads(lines[-1])


LANES = """voicelane.lanes().names.get("S1") === "S1" && voicelane.rename("S1", "Anna"),
voicelane.lanes().final.length > 1 && voicelane.lanes().names.get("S1") === "Anna" && JSON.stringify({
  names: [...document.querySelectorAll('.lane button')].map((b) => b.textContent),
  spans: document.querySelectorAll('.span').length,
  heard: voicelane.lanes().heard, state: document.getElementById('state').textContent })"""
OVERLAY = """voicelane.lanes().names.get("S1") === "Anna" && JSON.stringify({
  seen: [...voicelane.lanes().names.values()], size: document.body.style.fontSize,
  background: getComputedStyle(document.body).backgroundColor, colour: document.body.style.color })"""


def test_the_page_shows_who_speaks_and_the_overlay_too(server, speech, tmp_path):
    pytest.importorskip("PySide6.QtWebEngineCore")
    sf.write(tmp_path / "voice.wav", np.tile(speech, 3), 16_000)
    watching = browse(f"{server.url}/overlay?size=48&colour=gold", "0", OVERLAY)
    listen = "document.getElementById('listen').click()"
    page = browse(server.url + "/", listen, LANES, str(tmp_path / "voice.wav"))
    try:
        over, found = said(watching), said(page)
    finally:
        for browser in (watching, page):
            browser.kill()
    assert "Anna" in found["names"] and found["spans"] >= 2 and found["heard"] > 5.0, found
    assert "Anna" in over["seen"] and over["size"] == "48px" and over["colour"] == "gold"
    assert over["background"] == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("path", ["/", "/overlay", "/docs", "/page/lanes.js", "/page/page.css"])
def test_pages_take_nothing_from_elsewhere(server, path):
    httpx = pytest.importorskip("httpx")
    answer = httpx.get(server.url + path)
    assert answer.status_code == 200 and "https://" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/page/", "/page/../app.py", "/page/..%2fapp.py", "/page/index.html/x"])
def test_there_are_no_other_files(server, path):
    httpx = pytest.importorskip("httpx")
    assert httpx.get(server.url + path).status_code == 404
