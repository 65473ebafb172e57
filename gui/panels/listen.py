"""The page for listening: timeline and curves on the left, speakers and voices on the right."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSplitter, QStackedLayout, QVBoxLayout, QWidget

from voicelane.gui.look.focus import turned
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.widgets import IconButton, button, card, label, scrolled
from voicelane.gui.model.language import later, tr
from voicelane.gui.panels.curves import Curves
from voicelane.gui.panels.document import DocumentBar
from voicelane.gui.panels.review import Review
from voicelane.gui.panels.speakers import Speakers
from voicelane.gui.panels.timeline.keys import ZOOM_STEP
from voicelane.gui.panels.timeline.view import Timeline
from voicelane.gui.panels.transcript import Transcript
from voicelane.gui.panels.voice_map import VoiceMap
from voicelane.gui.work.listening import DEMO, IDLE
from voicelane.gui.work.studio import Studio

HEIGHTS = {True: [420, 220, 150], False: [600, 110, 150]}
"""Of timeline, transcript and curves, with words and without: shares of the room there is."""
TITLE = later("See who is speaking, while they speak")
ABOUT = later(
    "Choose a microphone or a sound file above and press the red button, drop a file here, or try the demo: "
    "eighty seconds of three people talking. Everything stays on this machine."
)


class Listen(QWidget):
    """What most people look at."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.timeline, self.speakers = Timeline(studio), Speakers(studio)
        self.curves, self.map = Curves(studio), VoiceMap(studio)
        self.review = Review(studio)
        frame, inside = card(tr("Timeline"))
        inside.setContentsMargins(1, SMALL, 1, 1)
        inside.addLayout(self._tools())
        inside.addWidget(Remarks(studio))
        inside.addWidget(self.review)
        inside.addWidget(self.timeline, 1)
        self._frame = frame
        self.transcript = Transcript(studio)
        left, right = QSplitter(Qt.Orientation.Vertical), QSplitter(Qt.Orientation.Vertical)
        parts = ((left, (frame, self.transcript, self.curves)), (right, (self.speakers, self.map)))
        for splitter, panels in parts:
            for panel in panels:
                splitter.addWidget(panel)
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(SMALL + 2)
        left.setSizes(HEIGHTS[False])
        self.transcript.filled.connect(lambda some: left.setSizes(HEIGHTS[some]))
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
        self.welcome = Welcome(studio)
        self._stack.addWidget(scrolled(self.welcome))
        self.document = DocumentBar(studio)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SMALL)
        column.addWidget(self.document)
        column.addWidget(across, 1)
        self._stack.addWidget(scrolled(whole))
        studio.preferences.changed.connect(self._show_lab)
        self._show_lab()
        studio.conversation.replaced.connect(self._choose)
        studio.listening.changed.connect(self._choose)
        self._choose()

    @property
    def home(self) -> QWidget:
        """Where the keyboard focus may rest."""
        return self.timeline if self.timeline.isVisible() else self.welcome.start

    def _show_lab(self) -> None:
        """Curves and map are for engineers."""
        for panel in (self.curves, self.map):
            panel.setVisible(self._studio.preferences.now.lab)

    def _choose(self) -> None:
        """The welcome, until there is something to see."""
        idle = self._studio.conversation.empty and self._studio.listening.state == IDLE
        if self._stack.currentIndex() != (wanted := 0 if idle else 1):
            with turned(self, lambda: self.home):
                self._stack.setCurrentIndex(wanted)

    def _tools(self) -> QHBoxLayout:
        """Follow, zoom, everything."""
        studio, timeline = self._studio, self.timeline
        self.follow = IconButton(studio, "follow", tr("Follow the newest sound (F)"))
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.follow.clicked.connect(timeline.follow)
        row = QHBoxLayout()
        row.setContentsMargins(GAP, 0, SMALL, 0)
        row.addWidget(label(tr("Timeline"), "heading"), 1)
        self.uncertain = button("", self.review.begin)
        self.uncertain.setToolTip(tr("Hear the turns of which it is not sure who speaks, and say who it is"))
        studio.conversation.changed.connect(self._show_uncertain)
        studio.conversation.replaced.connect(self._show_uncertain)
        studio.shown.connect(self._show_sample)
        self._show_uncertain()
        for widget in (
            self.uncertain,
            self.follow,
            IconButton(studio, "zoom out", tr("Zoom out (−)"), lambda: timeline.zoom(1 / ZOOM_STEP)),
            IconButton(studio, "zoom in", tr("Zoom in (+)"), lambda: timeline.zoom(ZOOM_STEP)),
            IconButton(studio, "whole", tr("Show everything (0)"), timeline.whole),
        ):
            row.addWidget(widget)
        timeline.view_changed.connect(self._show_follow)
        return row

    def _show_uncertain(self) -> None:
        """How many turns somebody might look at, when it is over."""
        n = sum(len(lane.unsure) for lane in self._studio.conversation.lanes.all)
        self.uncertain.setText(tr("Review %n uncertain", n))
        self.uncertain.setAccessibleName(tr("Review %n uncertain turns", n))
        self.uncertain.setVisible(n > 0 and self._studio.conversation.live is None)

    def _show_sample(self, sample: int) -> None:
        timeline = self.timeline
        timeline.show_view(timeline.view.showing(sample, self._studio.conversation.n_samples))

    def _show_follow(self) -> None:
        self.follow.setChecked(self._studio.conversation.view.follow)


class Remarks(QLabel):
    """A quiet line on the sound itself, where there is something to know: how it is heard, what is wrong."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._conversation = studio.conversation
        self.setProperty("role", "quiet")
        self.setAccessibleName(tr("About the sound"))
        self.setWordWrap(True)
        self.setContentsMargins(GAP, 0, GAP, 0)
        self._conversation.changed.connect(self._show)
        self._conversation.replaced.connect(self._show)
        self._show()

    def _show(self) -> None:
        remarks = self._conversation.state.remarks
        self.setText(tr("About the sound: {remarks}", remarks="; ".join(remarks)) if remarks else "")
        self.setVisible(bool(remarks))


class Welcome(QFrame):
    """What an empty window says."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.start = button(tr("Start listening"), studio.listen, primary=True)
        others = (
            button(tr("Try the demo conversation"), lambda: try_demo(studio)),
            button(tr("Open a recorded session"), lambda: studio.page_wanted.emit("sessions")),
        )
        row = QHBoxLayout()
        row.addStretch(1)
        for choice in (self.start, *others):
            row.addWidget(choice)
        row.addStretch(1)
        frame, layout = card(tr("Welcome"))
        layout.addStretch(2)
        for widget in (label(tr(TITLE), "title"), _about()):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
            layout.addSpacing(GAP)
        layout.addLayout(row)
        layout.addStretch(3)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(frame)


def _about() -> QLabel:
    found = label(tr(ABOUT), "quiet", wrap=True)
    found.setFixedWidth(520)
    found.setMinimumHeight(66)
    return found


def try_demo(studio: Studio) -> None:
    """Choose the demo, and play it."""
    studio.preferences.change(source=DEMO)
    studio.listen()
