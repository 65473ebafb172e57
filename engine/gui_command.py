"""`voicelane gui`: the desktop app, where its libraries are installed."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from engine.errors import VoicelaneError
from engine.options import add_command

INSTALL = "install it with `pip install 'voicelane[gui]'`"
LIBRARIES = "on Debian or Ubuntu run `sudo apt-get install libegl1 libgl1 libxkbcommon0 libdbus-1-3`"


def gui(args: argparse.Namespace) -> int:
    """`voicelane gui`: until the window is closed."""
    try:
        app = import_module("gui.app")
    except ModuleNotFoundError as problem:
        raise VoicelaneError(f"the desktop app needs {problem.name}, which is missing; {INSTALL}") from None
    except ImportError as problem:
        raise VoicelaneError(f"the desktop app cannot start ({problem}); {LIBRARIES}") from None
    return int(app.main())


def add_gui(commands: Any) -> None:
    add_command(commands, gui, "open the desktop app")
