"""`voicelane gui`: how it starts, and what it says where it cannot."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

import engine.gui_command
from tests.conftest import DEMO
from tests.test_cli import voicelane


def test_the_command_runs_the_app(monkeypatch):
    monkeypatch.setattr(engine.gui_command, "import_module", lambda name: SimpleNamespace(main=lambda: 0))
    assert voicelane("gui") == 0


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ModuleNotFoundError("No module named 'PySide6'", name="PySide6"), "pip install 'voicelane[gui]'"),
        (ImportError("libEGL.so.1: cannot open shared object file"), "apt-get install libegl1"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(monkeypatch, capsys, problem, words):
    def refuse(name: str) -> None:
        raise problem

    monkeypatch.setattr(engine.gui_command, "import_module", refuse)
    assert voicelane("gui") == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_the_app_loads_no_torch_and_opens_no_device():
    pytest.importorskip("PySide6")
    code = (
        "import sys, threading; import gui.window, gui.app; "
        "heavy = {'torch', 'sounddevice', 'rt_models', 'matplotlib'} & set(sys.modules); "
        "assert not heavy, heavy; assert threading.active_count() == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=DEMO.parents[2])


def test_it_opens_its_window_and_closes_on_a_signal(tmp_path):
    """A signal that comes when the window is there ends it in order: the settings are written."""
    pytest.importorskip("PySide6")
    code = (
        "import os, signal; from PySide6.QtCore import QTimer; import gui.app as app; "
        "opened = app.open_window; "
        "app.open_window = lambda a: (QTimer.singleShot(300, lambda: os.kill(os.getpid(), signal.SIGTERM)), "
        "opened(a))[1]; raise SystemExit(app.main())"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=DEMO.parents[2], timeout=60)
    assert found.returncode == 0
    from engine import home_folder

    assert "geometry" in (home_folder() / "app.toml").read_text()
