"""`python -m tests.gui.stall`: the most CPU time (ms) that a new app spends between two ticks of its window
while it says a first text."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

TEXT = "Good morning everybody. Shall we begin?"
TICK_MS, SLOW_S = 5, 90.0


class Cardboard:
    """A loudspeaker that nobody hears."""

    def __init__(self, *_: Any) -> None:
        self.start = self.close = lambda: None


def most_ms(act: Callable[[], object], over: Callable[[], bool]) -> float:
    """CPU time, so that other programs on the machine do not count."""
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication

    timer, ticks, until_s = QTimer(), [time.process_time()], time.monotonic() + SLOW_S
    timer.timeout.connect(lambda: ticks.append(time.process_time()))
    timer.start(TICK_MS)
    act()
    while not over():
        assert time.monotonic() < until_s, "it takes too long"
        QApplication.processEvents()
        time.sleep(0.001)
    return 1000 * max(late - early for early, late in pairwise(ticks))


def main() -> None:
    from voicelane.gui.app import SWITCH_S, application
    from voicelane.gui.window import Window
    from voicelane.gui.work.player import Player
    from voicelane.gui.work.studio import Studio
    from voicelane.gui.work.voicing import IDLE, Wanted

    sys.setswitchinterval(SWITCH_S)
    application([])
    studio = Studio(player=Player(Cardboard))
    studio.dress()
    window, voicing, problems = Window(studio), studio.voicing, list[str]()
    voicing.failed.connect(problems.append)
    window.show()
    window.show_page("voices")
    most_ms(lambda: voicing.make("Iris", 220.0, 3), lambda: bool(voicing.gallery.entries))
    found = most_ms(
        lambda: voicing.say(Wanted(TEXT, "pseudo", "Iris")),
        lambda: voicing.state == IDLE and bool(voicing.spoken or problems),
    )
    window.close()
    assert not problems, problems
    print(f"{found:.1f}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VOICELANE_HOME"] = folder
        main()
