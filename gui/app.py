"""`voicelane gui`: the desktop app."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from voicelane.gui.look.theme import ASSETS
from voicelane.gui.model.language import speak
from voicelane.gui.window import Window
from voicelane.gui.work.studio import Studio

SIGNALS_MS = 300
SWITCH_S = 0.001
"""How long the window may keep the engine from Python's interpreter; five times as long by default."""


def application(arguments: list[str]) -> QApplication:
    """Qt's application object, with the names that settings and window managers see."""
    app = QApplication.instance() or QApplication(arguments)
    assert isinstance(app, QApplication)
    app.setApplicationName("voicelane")
    app.setApplicationDisplayName("voicelane")
    app.setDesktopFileName("voicelane")
    app.setWindowIcon(QIcon(f"{ASSETS}/voicelane.svg"))
    return app


def open_window(app: QApplication) -> Window:
    """The window with everything behind it, following the system's light and dark."""
    studio = Studio()
    speak(studio.preferences.now.interface)
    studio.dress()
    app.styleHints().colorSchemeChanged.connect(studio.dress)
    window = Window(studio)
    studio.devices.ask()
    window.tour.offer()
    window.sessions.offer_interrupted(window.banner)
    window.show()
    return window


def main(files: Sequence[Path] | None = None) -> int:
    """Run until the window is closed or Ctrl-C comes; returns the exit status.

    Listens to `files`, or those that the program was started with, one after the other.
    """
    sys.setswitchinterval(SWITCH_S)
    app = application(sys.argv[:1])
    window = open_window(app)
    window.studio.hear_files([Path(argument) for argument in sys.argv[1:]] if files is None else files)
    for sign in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(sign, lambda *_: window.leave())
    awake = QTimer()  # Python only sees a signal while it runs
    awake.timeout.connect(lambda: None)
    awake.start(SIGNALS_MS)
    return app.exec()
