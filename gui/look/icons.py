"""Line drawings on buttons, in the colour of the theme and sharp at any size."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

SIZE = 96
"""Pixels of the picture; a button shows 16 … 24, on a fine screen up to four times as many."""

FILLED = {"play", "pause", "stop", "begin"}
LENS = "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13z M15.5 15.5L20 20 M7.5 10.5h6"
PATHS = {
    "play": "M7 4.5v15l12.5-7.5z",
    "pause": "M6.5 5h4v14h-4z M13.5 5h4v14h-4z",
    "stop": "M6 6h12v12H6z",
    "begin": "M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0-14z",
    "how": "M5 19v-5 M5 10V5 M2.500 12h5 M12 19v-9 M12 6V5 M9.500 8h5 M19 19v-3 M19 12V5 M16.500 14h5",
    "before": "M15 5l-7 7l7 7",
    "next": "M9 5l7 7l-7 7",
    "keep": "M5 4h11l3 3v13H5z M8.500 4v5h6V4 M8.500 20v-6h7v6",
    "clean": "M10 4l2 6l6 2l-6 2l-2 6l-2-6l-6-2l6-2z M18 3v4 M16 5h4",
    "summary": "M4 20h16 M7 17v-6 M12 17V5 M17 17v-9",
    "microphone": "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3z "
    "M5.5 11a6.5 6.5 0 0 0 13 0 M12 17.5V21",
    "file": "M6 3h8l4 4v14H6z M14 3v4h4",
    "demo": "M4 12v-2 M8 16V8 M12 20V4 M16 16V8 M20 13v-2",
    "people": "M9 11a3.5 3.5 0 1 0 0-7a3.5 3.5 0 0 0 0 7z M2.5 20c0-4 3-6 6.5-6s6.5 2 6.5 6 "
    "M16 4.5a3.2 3.2 0 0 1 0 6.2 M17.5 14.2c2.5.6 4 2.600 4 5.800",
    "voices": "M4 10v4 M8 6v12 M12 9v6 M16 4v16 M20 9v6",
    "verify": "M12 3l8 3v6c0 4.500-3.400 7.800-8 9c-4.600-1.200-8-4.500-8-9V6z M8.500 12l2.500 2.500l4.500-5",
    "sessions": "M4 6h16 M4 12h16 M4 18h10",
    "health": "M3 12h4l2.500-7l5 14l2.500-7h4",
    "settings": "M4 7h9 M17 7h3 M4 17h3 M11 17h9 M15 4.500v5 M9 14.500v5",
    "undo": "M8 5L4 9l4 4 M4 9h10a6 6 0 0 1 0 11h-4",
    "redo": "M16 5l4 4l-4 4 M20 9H10a6 6 0 0 0 0 11h4",
    "follow": "M4 12h13 M12 6l6 6l-6 6 M20.500 5v14",
    "zoom in": f"{LENS} M10.5 7.5v6",
    "zoom out": LENS,
    "whole": "M4 6v12 M20 6v12 M7 12h10 M9.500 9l-3 3l3 3 M14.500 9l3 3l-3 3",
    "export": "M12 15V4 M8 8l4-4l4 4 M5 14v6h14v-6",
    "close": "M6 6l12 12 M18 6L6 18",
    "remove": "M4 7h16 M9 7V4h6v3 M6.500 7l1 13h9l1-13",
    "rename": "M4 20l1-4L16 5l3 3L8 19z",
    "merge": "M5 4v3c0 5 7 4 7 9v4 M19 4v3c0 5-7 4-7 9",
    "add": "M12 5v14 M5 12h14",
    "warning": "M12 4l9 16H3z M12 10v4 M12 17v.5",
}


def icon(name: str, colour: str, checked: str | None = None) -> QIcon:
    """A drawing in a colour, and another one for a checked button."""
    found = QIcon(picture(name, colour))
    if checked is not None:
        found.addPixmap(picture(name, checked), QIcon.Mode.Normal, QIcon.State.On)
    return found


def picture(name: str, colour: str) -> QPixmap:
    """The drawing, 96 pixels square."""
    fill, stroke = (colour, "none") if name in FILLED else ("none", colour)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="{PATHS[name]}" fill="{fill}" '
        f'stroke="{stroke}" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></svg>'
    )
    found = QPixmap(SIZE, SIZE)
    found.fill(Qt.GlobalColor.transparent)
    painter = QPainter(found)
    QSvgRenderer(QByteArray(svg.encode())).render(painter)
    painter.end()
    return found
