"""Which microphones and loudspeakers there are: asked away from the window, whenever somebody looks."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from voicelane.audio import BY_SERVER, SERVERS, connected_devices, served_devices
from voicelane.gui.work.jobs import Job


class Devices(QObject):
    """`found` has the recording devices by name; nothing that plays or records is disturbed."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.outputs: list[str] = []
        """Names of the loudspeakers, once somebody asked."""
        self.problem = ""
        """Why there are none."""
        self._asking = False

    def ask(self) -> None:
        """One look, on another thread."""
        if not self._asking:
            self._asking = True
            Job(recording_devices, self._take, lambda sentence: self._take([], sentence))

    def ask_for_outputs(self) -> None:
        """One look for loudspeakers, on another thread."""
        Job(playing_devices, self._take_outputs)

    def _take_outputs(self, names: list[str]) -> None:
        if names != self.outputs:
            self.outputs = names
            self.changed.emit()

    def _take(self, found: list[dict[str, Any]], problem: str = "") -> None:
        self._asking = False
        if (found, problem) != (self.found, self.problem):
            self.found, self.problem = found, problem
            self.changed.emit()


def recording_devices() -> list[dict[str, Any]]:
    """Those of the sound server by the names it gives them, then what PortAudio opens by itself.

    Where the server tells its devices, the names that stand for the server as a whole are left out.
    """
    opened = connected_devices()
    served = served_devices() if any(d["name"] == BY_SERVER for d in opened) else []
    found: list[dict[str, Any]] = [
        {"name": d.name, "rate": d.rate, "channels": d.channels, "default": False} for d in served
    ]
    return found + [d for d in opened if not (served and d["name"] in SERVERS)]


def playing_devices() -> list[str]:
    """Names of the loudspeakers, in the same way."""
    opened = connected_devices(outputs=True)
    served = served_devices("sinks") if any(d["name"] == BY_SERVER for d in opened) else []
    return [d.name for d in served] + [d["name"] for d in opened if not (served and d["name"] in SERVERS)]


def sink_named(name: str) -> str:
    """The sound server's own name of a loudspeaker of its; empty where it has none of that name."""
    return next((d.source for d in served_devices("sinks") if d.name == name), "") if name else ""
