"""`voicelane gui`: how it starts, and what it says where it cannot."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.cli.test_main import voicelane
from tests.conftest import ROOT

pytestmark = pytest.mark.qt


def test_the_command_runs_the_app_and_takes_files(monkeypatch, tmp_path, capsys):
    pytest.importorskip("PySide6")
    opened = []
    monkeypatch.setattr("voicelane.gui.app.main", lambda files: opened.append(files) or 0)
    assert voicelane("gui") == 0
    files = [tmp_path / "a.wav", tmp_path / "b.wav"]
    assert voicelane("gui", *files) == 2 and "a.wav: there is no such file" in capsys.readouterr().err
    for file in files:
        file.touch()
    assert voicelane("gui", *files) == 0
    assert opened == [[], files]


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("ModuleNotFoundError('No module named PySide6', name='PySide6')", "pip install 'voicelane[gui]'"),
        ("ImportError('libEGL.so.1: cannot open shared object file')", "apt-get install libegl1"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(problem, words):
    code = (
        "import sys\n"
        "class Refusing:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name.split('.')[0] == 'PySide6': raise {problem}\n"
        "sys.meta_path.insert(0, Refusing())\n"
        "from voicelane.cli.main import main\n"
        "raise SystemExit(main(['gui']))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 2
    assert words in found.stderr and found.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "platform", "words"),
    [
        ({}, "linux", "there is no screen"),
        ({"DISPLAY": ":0"}, "linux", ""),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", ""),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", ""),
        ({}, "darwin", ""),
    ],
)
def test_without_a_screen_one_sentence_says_so(environment, platform, words):
    from voicelane.gui.command import no_screen

    assert no_screen(environment, platform).startswith(words) and bool(words) == bool(
        no_screen(environment, platform)
    )


def test_every_key_stands_on_the_sheet(window):
    """What menus and buttons take as shortcuts, and what the timeline does with a turn."""
    from PySide6.QtGui import QAction, QKeySequence
    from PySide6.QtWidgets import QAbstractButton

    from voicelane.gui.panels.help import KEYS
    from voicelane.gui.panels.timeline.keys import EDITS

    sheet = " ".join(key for _, keys in KEYS for key, _ in keys)
    taken = {a.shortcut().toString() for a in window.findChildren(QAction)}
    taken |= {b.shortcut().toString() for b in window.findChildren(QAbstractButton)}
    told = ("Ctrl++", "Ctrl+-", "Ctrl+0", *(f"Ctrl+{n}" for n in range(1, 7)))
    assert {key for key in taken if key and key not in told and key not in sheet} == set()
    names = {QKeySequence(key).toString() for key in EDITS}
    assert {n for n in names if n not in sheet} == set()


def test_nothing_ticks_while_nothing_moves_and_all_does_when_something_does(talk, qtbot, monkeypatch):
    from voicelane.gui.look.ticking import Ticking

    def ticking() -> set[bool]:
        return {timer.isActive() for timer in talk.findChildren(Ticking)}

    assert len(talk.findChildren(Ticking)) >= 6
    qtbot.waitUntil(lambda: ticking() == {False}, timeout=20_000)
    talk.studio.play()
    assert ticking() == {True}
    qtbot.wait(100)
    assert ticking() == {True}
    talk.studio.player.stop()
    qtbot.waitUntil(lambda: ticking() == {False}, timeout=20_000)


@pytest.mark.slow
def test_the_app_loads_no_torch_and_opens_no_device():
    pytest.importorskip("PySide6")
    code = (
        "import sys, threading; import voicelane.gui.window, voicelane.gui.app; "
        "heavy = {'torch', 'sounddevice', 'voicelane.rt_models', 'matplotlib'} & set(sys.modules); "
        "assert not heavy, heavy; assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.slow
def test_it_opens_its_window_and_closes_on_a_signal(tmp_path):
    """A signal that comes when the window is there ends it in order: the settings are written."""
    pytest.importorskip("PySide6")
    code = (
        "import os, signal; from PySide6.QtCore import QTimer; import voicelane.gui.app as app; "
        "opened = app.open_window; "
        "app.open_window = lambda a: (QTimer.singleShot(300, lambda: os.kill(os.getpid(), signal.SIGTERM)), "
        "opened(a))[1]; raise SystemExit(app.main())"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60)
    assert found.returncode == 0
    from voicelane.base import home_folder

    assert "geometry" in (home_folder() / "app.toml").read_text()
