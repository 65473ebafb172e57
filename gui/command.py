"""`voicelane gui`: the desktop app, where its libraries are installed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicelane import VoicelaneError
from voicelane.cli import add_command

INSTALL = "install it with `pip install 'voicelane[gui]'`"
NO_SCREEN = "there is no screen; open voicelane in a desktop session, or use `voicelane run` in the terminal"
LIBRARIES = (
    "on Debian or Ubuntu run `sudo apt-get install libegl1 libgl1 libxkbcommon0 libdbus-1-3 "
    "libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 "
    "libxcb-render-util0 libxcb-shape0 libxcb-xkb1`"
)


def gui(args: argparse.Namespace) -> int:
    """`voicelane gui`: until the window is closed."""
    try:
        from voicelane.gui import app
    except ModuleNotFoundError as problem:
        raise VoicelaneError(f"the desktop app needs {problem.name}, which is missing; {INSTALL}") from None
    except ImportError as problem:
        raise VoicelaneError(f"the desktop app cannot start ({problem}); {LIBRARIES}") from None
    if reason := no_screen(os.environ, sys.platform):
        raise VoicelaneError(reason)
    missing = [file for file in args.files if not file.exists()]
    if missing:
        raise VoicelaneError(f"{missing[0]}: there is no such file")
    return int(app.main(args.files))


def no_screen(environment: Mapping[str, str], platform: str) -> str:
    """Why no window can be opened, or nothing: Qt itself ends the program without a word that helps."""
    if not platform.startswith("linux") or environment.get("QT_QPA_PLATFORM"):
        return ""
    shown = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return "" if shown else NO_SCREEN


def add(commands: Any) -> None:
    """The command, for `voicelane.commands`."""
    command = add_command(commands, gui, "open the desktop app")
    command.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="listen to it; several are heard one after another",
    )
