"""What to listen to, start, pause, stop, record, how long, how loud."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from engine import seconds
from gui.icons import icon
from gui.listening import DEMO, IDLE, MICROPHONE, PAUSED, PREPARING, RUNNING, STOPPING
from gui.panels.meter import Meter
from gui.panels.widgets import IconButton, Picker, label
from gui.studio import Studio
from gui.theme import GAP, SMALL
from gui.viewport import clock

FRAME_MS = 50
OTHER_FILE = "another file"
SOUND_FILES = "Sound (*.wav *.flac *.ogg *.opus *.mp3 *.aiff *.aif *.caf *.au);;All files (*)"


class Transport(QFrame):
    """The bar at the top."""

    file_wanted = Signal()

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._listening = studio, studio.listening
        self.setProperty("card", True)
        self.setAccessibleName("Transport")
        self._build()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(FRAME_MS)
        self._listening.changed.connect(self._show_state)
        studio.devices.changed.connect(self._fill_sources)
        studio.preferences.changed.connect(self._fill_sources)
        studio.preferences.changed.connect(self._show_record)
        studio.themed.connect(self._fill_sources)
        studio.conversation.replaced.connect(self._show_state)
        self._fill_sources()
        self._show_state()

    def _build(self) -> None:
        self.source = Picker()
        self.source.setAccessibleName("Source of the sound")
        self.source.setMinimumWidth(220)
        self.source.setMaximumWidth(300)
        self.source.activated.connect(self._choose)
        self.source.opened.connect(self._studio.devices.ask)
        self.start = IconButton(self._studio, "play", "Start listening", self._start_or_pause)
        self.start.setShortcut("Ctrl+L")
        self.stop = IconButton(self._studio, "stop", "Stop listening", self._listening.stop)
        self.stop.setShortcut("Ctrl+.")
        self.record = IconButton(self._studio, "record", "Keep a recording of what is heard")
        self.record.setCheckable(True)
        self.record.setChecked(self._studio.preferences.now.record)
        self.record.toggled.connect(self._studio.preferences.setter("record"))
        self.record.toggled.connect(self._listening.record)
        self.clock, self.title = label("0:00.0", "clock"), label("", "quiet")
        self.clock.setAccessibleName("Time heard so far")
        self.clock.setMinimumWidth(104)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(6)
        self.progress.setAccessibleName("Progress of the file")
        self.meter = Meter(self._studio)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self.title)
        words.addWidget(self.progress)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, SMALL + 2, GAP, SMALL + 2)
        row.setSpacing(SMALL + 2)
        for widget in (self.source, self.start, self.stop, self.record):
            row.addWidget(widget)
        row.addSpacing(GAP)
        row.addWidget(self.clock)
        row.addLayout(words, 1)
        row.addSpacing(GAP)
        row.addWidget(self.meter)

    def choose_file(self, path: str) -> None:
        """Listen to a file next."""
        self._studio.preferences.change(source=path)

    def ask_for_file(self) -> None:
        """Let somebody choose a file."""
        path, _ = QFileDialog.getOpenFileName(self, "Choose a sound file", "", SOUND_FILES)
        if path:
            self.choose_file(path)
        else:
            self._fill_sources()

    def _fill_sources(self) -> None:
        """Microphones, the demo, the chosen file, and a way to another one."""
        now, box, colour = self._studio.preferences.now, self.source, self._studio.theme.text
        box.blockSignals(True)
        box.clear()
        box.addItem(icon("microphone", colour), "Default microphone", (MICROPHONE, ""))
        names = [d["name"] for d in self._studio.devices.found]
        if now.device and now.device not in names:
            names.append(now.device)
        for name in names:
            box.addItem(icon("microphone", colour), name, (MICROPHONE, name))
        box.insertSeparator(box.count())
        box.addItem(icon("demo", colour), "Try the demo conversation", (DEMO, ""))
        if now.source not in (MICROPHONE, DEMO):
            box.addItem(icon("file", colour), Path(now.source).name, (now.source, ""))
        box.addItem(icon("file", colour), "Sound file …", (OTHER_FILE, ""))
        wanted = (now.source, now.device if now.source == MICROPHONE else "")
        box.setCurrentIndex(max(0, next((i for i in range(box.count()) if box.itemData(i) == wanted), 0)))
        box.setToolTip(self._studio.devices.problem or box.currentText())
        box.blockSignals(False)
        box.fill_again()

    def _show_record(self) -> None:
        self.record.setChecked(self._studio.preferences.now.record)

    def _choose(self, index: int) -> None:
        source, device = self.source.itemData(index)
        if source == OTHER_FILE:
            self.ask_for_file()
        elif source == MICROPHONE:
            self._studio.preferences.change(source=source, device=device)
        else:
            self._studio.preferences.change(source=source)

    def _start_or_pause(self) -> None:
        state = self._listening.state
        if state == IDLE:
            self._studio.listen()
        elif state == RUNNING:
            self._listening.pause()
        elif state == PAUSED:
            self._listening.resume()

    def _show_state(self) -> None:
        state = self._listening.state
        name = {RUNNING: "Pause listening", PAUSED: "Go on listening"}.get(state, "Start listening")
        self.start.draw("pause" if state == RUNNING else "play", name)
        self.start.setShortcut("Ctrl+L")
        self.start.setEnabled(state in (IDLE, RUNNING, PAUSED))
        self.stop.setEnabled(state in (PREPARING, RUNNING, PAUSED))
        self.source.setEnabled(state == IDLE)
        self.record.setEnabled(state in (IDLE, RUNNING, PAUSED))
        self._tick()

    def _tick(self) -> None:
        conversation, listening = self._studio.conversation, self._listening
        self.clock.setText(clock(seconds(conversation.n_samples), 1))
        self.title.setText(self._words())
        live = listening.state in (RUNNING, PAUSED)
        self.meter.show_level(conversation.sound.level if live else None)
        progress = listening.progress
        self.progress.setVisible(progress is not None or listening.state == PREPARING)
        self.progress.setRange(0, 0 if listening.state == PREPARING else 1000)
        self.progress.setValue(round(1000 * (progress or 0)))

    def _words(self) -> str:
        """What goes on, in words."""
        title = self._studio.conversation.title
        if self._studio.conversation.state.device_lost:
            return "the microphone is gone; waiting for it …"
        return {
            PREPARING: "preparing …",
            RUNNING: f"listening to {title}",
            PAUSED: f"paused · {title}",
            STOPPING: "writing the rest …",
        }.get(self._listening.state, title or "nothing heard yet")


def drop_target(widget: QWidget) -> None:
    """Let files be dropped on a widget."""
    widget.setAcceptDrops(True)
    widget.setAttribute(Qt.WidgetAttribute.WA_AcceptDrops, True)
