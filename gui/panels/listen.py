"""The page for listening: timeline and curves on the left, speakers and voices on the right."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSplitter, QStackedLayout, QWidget

from gui.listening import DEMO, IDLE
from gui.panels.curves import Curves
from gui.panels.speakers import Speakers
from gui.panels.timeline import Timeline
from gui.panels.timeline_keys import ZOOM_STEP
from gui.panels.voice_map import VoiceMap
from gui.panels.widgets import IconButton, button, card, label
from gui.studio import Studio
from gui.theme import GAP, SMALL


class Listen(QWidget):
    """What most people look at."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.timeline, self.speakers = Timeline(studio), Speakers(studio)
        self.curves, self.map = Curves(studio), VoiceMap(studio)
        frame, inside = card("Timeline")
        inside.setContentsMargins(1, SMALL, 1, 1)
        inside.addLayout(self._tools())
        inside.addWidget(self.timeline, 1)
        self._frame = frame
        left, right = QSplitter(Qt.Orientation.Vertical), QSplitter(Qt.Orientation.Vertical)
        for splitter, upper, lower in ((left, frame, self.curves), (right, self.speakers, self.map)):
            splitter.addWidget(upper)
            splitter.addWidget(lower)
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(SMALL + 2)
        left.setSizes([520, 170])
        left.setStretchFactor(0, 1)
        right.setSizes([420, 270])
        right.setStretchFactor(0, 1)
        across = QSplitter(Qt.Orientation.Horizontal)
        across.setHandleWidth(SMALL + 2)
        across.setChildrenCollapsible(False)
        across.addWidget(left)
        across.addWidget(right)
        across.setSizes([900, 280])
        across.setStretchFactor(0, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(welcome(studio))
        self._stack.addWidget(across)
        studio.conversation.replaced.connect(self._choose)
        studio.listening.changed.connect(self._choose)
        self._choose()

    def _choose(self) -> None:
        """The welcome, until there is something to see."""
        idle = self._studio.conversation.empty and self._studio.listening.state == IDLE
        self._stack.setCurrentIndex(0 if idle else 1)

    def _tools(self) -> QHBoxLayout:
        """Follow, zoom, everything."""
        studio, timeline = self._studio, self.timeline
        self.play = IconButton(studio, "play", "Play from the cursor (space)", studio.toggle_playing)
        self.follow = IconButton(studio, "follow", "Follow the newest sound (F)")
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.follow.clicked.connect(timeline.follow)
        row = QHBoxLayout()
        row.setContentsMargins(GAP, 0, SMALL, 0)
        row.addWidget(label("Timeline", "heading"), 1)
        for widget in (
            self.play,
            self.follow,
            IconButton(studio, "zoom out", "Zoom out (−)", lambda: timeline.zoom(1 / ZOOM_STEP)),
            IconButton(studio, "zoom in", "Zoom in (+)", lambda: timeline.zoom(ZOOM_STEP)),
            IconButton(studio, "whole", "Show everything (0)", timeline.whole),
        ):
            row.addWidget(widget)
        timeline.view_changed.connect(self._show_follow)
        studio.player.changed.connect(self._show_playing)
        return row

    def _show_follow(self) -> None:
        self.follow.setChecked(self._studio.conversation.view.follow)

    def _show_playing(self) -> None:
        playing = self._studio.player.playing
        self.play.draw(
            "stop" if playing else "play", "Stop (space)" if playing else "Play from the cursor (space)"
        )


def welcome(studio: Studio) -> QFrame:
    """What an empty window says."""
    frame, layout = card("Welcome")
    layout.addStretch(2)
    title = label("See who is speaking, while they speak", "title")
    about = label(
        "Choose a microphone or a sound file above and press play, drop a file here, or try the demo: "
        "eighty seconds of three people talking. Everything stays on this machine.",
        "quiet",
        wrap=True,
    )
    about.setFixedWidth(520)
    about.setMinimumHeight(66)
    row = QHBoxLayout()
    row.addStretch(1)
    row.addWidget(button("Start listening", studio.listen, primary=True))
    row.addWidget(button("Try the demo conversation", lambda: try_demo(studio)))
    row.addWidget(button("Open a recorded session", lambda: studio.page_wanted.emit("sessions")))
    row.addStretch(1)
    for widget in (title, about):
        widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(GAP)
    layout.addLayout(row)
    layout.addStretch(3)
    return frame


def try_demo(studio: Studio) -> None:
    """Choose the demo, and play it."""
    studio.preferences.change(source=DEMO)
    studio.listen()
