"""The one transport: a red button begins a new conversation, ▶ plays the one on the screen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
)

from voicelane.audio import SOUND_ENDINGS
from voicelane.base import seconds
from voicelane.gui.look.icons import icon
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import IconButton, Picker, label
from voicelane.gui.model.language import later, percent, tr
from voicelane.gui.model.viewport import clock
from voicelane.gui.panels.meter import Meter
from voicelane.gui.panels.playback import PlaybackMenu
from voicelane.gui.work.listening import DEMO, IDLE, MICROPHONE, PAUSED, PREPARING, RUNNING, STOPPING
from voicelane.gui.work.studio import Studio

FRAME_MS = 50
STEPS = 10_000
"""Of the position."""
BEGIN = later("Begin a new conversation (Ctrl+L)")
PLAY, PAUSE = later(("Play from the cursor (Space)", "Pause playing (Space)"))
CLEAN = later("Take noise off what is heard; a recording keeps both sounds")
OTHER_FILE = "another"
BUTTON_NAMES = later({RUNNING: "Pause listening (Ctrl+L)", PAUSED: "Go on listening (Ctrl+L)"})


class Transport(QFrame):
    """The bar at the top."""

    file_wanted = Signal()

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._listening = studio, studio.listening
        self.setProperty("card", True)
        self.setAccessibleName(tr("Transport"))
        self._build()
        self._timer = Ticking(self, studio, FRAME_MS, self._tick)
        self._listening.changed.connect(self._show_state)
        studio.devices.changed.connect(self._fill_sources)
        studio.preferences.changed.connect(self._fill_sources)
        studio.preferences.changed.connect(self._show_switches)
        studio.themed.connect(self._fill_sources)
        studio.conversation.replaced.connect(self._show_state)
        studio.conversation.moved.connect(self._tick)
        studio.player.changed.connect(self._tick)
        self._fill_sources()
        self._show_state()

    def _build(self) -> None:
        self.playback = PlaybackMenu(self._studio, self)
        self.source = Picker()
        self.source.setAccessibleName(tr("Source of the sound"))
        self.source.setMinimumWidth(70)
        self.source.setMaximumWidth(300)
        self.source.setMinimumContentsLength(18)
        self.source.setSizeAdjustPolicy(Picker.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.source.activated.connect(self._choose)
        self.source.opened.connect(self._studio.devices.ask)
        self.start = IconButton(self._studio, "begin", tr(BEGIN), self._start_or_pause)
        self.start.setShortcut("Ctrl+L")
        self.stop = IconButton(self._studio, "stop", tr("Stop listening (Ctrl+.)"), self._studio.stop)
        self.stop.setShortcut("Ctrl+.")
        self.play = IconButton(self._studio, "play", tr(PLAY), self._studio.toggle_playing)
        self.how = IconButton(
            self._studio, "how", tr("How it is played: speed, silence, who, where, how loud")
        )
        self.how.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.how.setMenu(self.playback)
        self.record = IconButton(self._studio, "keep", tr("Keep a recording of what is heard"))
        self.clean = IconButton(self._studio, "clean", tr(CLEAN))
        for control in (self.start, self.stop, self.play, self.how, self.record, self.clean):
            control.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves Space to the document
        self.record.setCheckable(True)
        self.record.setChecked(self._studio.preferences.now.record)
        self.record.toggled.connect(self._studio.preferences.setter("record"))
        self.record.toggled.connect(self._listening.record)
        self.clean.setCheckable(True)
        self.clean.setChecked(self._studio.preferences.now.clean)
        self.clean.toggled.connect(self._studio.preferences.setter("clean"))
        self.clock, self.title = label("0:00.0", "clock"), label("", "quiet")
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.title.setMinimumWidth(50)
        self.clock.setAccessibleName(tr("Time heard so far"))
        self.clock.setMinimumWidth(104)
        self.position = QSlider(Qt.Orientation.Horizontal)
        self.position.setAccessibleName(tr("Position in the conversation"))
        self.position.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as time runs everywhere
        self.position.setRange(0, STEPS)
        self.position.setPageStep(STEPS // 10)
        self.position.valueChanged.connect(self._seek)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setMaximumHeight(6)
        self.progress.setAccessibleName(tr("Progress of the file"))
        self.meter = Meter(self._studio)
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self.title)
        words.addWidget(self.progress)
        words.addWidget(self.position)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, SMALL + 2, GAP, SMALL + 2)
        row.setSpacing(SMALL + 2)
        for widget in (self.source, self.start, self.stop, self.record, self.clean):
            row.addWidget(widget)
        row.addSpacing(GAP)
        row.addWidget(self.play)
        row.addWidget(self.how)
        row.addWidget(self.clock)
        row.addLayout(words, 1)
        row.addSpacing(GAP)
        row.addWidget(self.meter)

    def choose_file(self, path: str) -> None:
        """Listen to a file next."""
        self._studio.preferences.change(source=path)

    def asked_file(self) -> str:
        """The file that somebody chooses, or nothing."""
        return self._studio.files.to_open(self, tr("Choose a sound file"), sound_files())

    def ask_for_file(self) -> None:
        """Let somebody choose a file to listen to next."""
        if path := self.asked_file():
            self.choose_file(path)
        else:
            self._fill_sources()

    def _fill_sources(self) -> None:
        """Microphones, the demo, the chosen file, and a way to another one."""
        now, box, colour = self._studio.preferences.now, self.source, self._studio.theme.text
        box.blockSignals(True)
        box.clear()
        box.addItem(icon("microphone", colour), tr("Default microphone"), (MICROPHONE, ""))
        names = [d["name"] for d in self._studio.devices.found]
        if now.device and now.device not in names:
            names.append(now.device)
        for name in names:
            box.addItem(icon("microphone", colour), name, (MICROPHONE, name))
        box.insertSeparator(box.count())
        box.addItem(icon("demo", colour), tr("Try the demo conversation"), (DEMO, ""))
        if now.source not in (MICROPHONE, DEMO):
            box.addItem(icon("file", colour), Path(now.source).name, (now.source, ""))
        box.addItem(icon("file", colour), tr("Sound file …"), (OTHER_FILE, ""))
        wanted = (now.source, now.device if now.source == MICROPHONE else "")
        box.setCurrentIndex(max(0, next((i for i in range(box.count()) if box.itemData(i) == wanted), 0)))
        box.setToolTip(self._studio.devices.problem or box.currentText())
        box.blockSignals(False)
        box.fill_again()

    def _show_switches(self) -> None:
        self.record.setChecked(self._studio.preferences.now.record)
        self.clean.setChecked(self._studio.preferences.now.clean)

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
        elif state in (RUNNING, PAUSED):
            self._studio.pause_or_go_on()

    def _show_state(self) -> None:
        state = self._listening.state
        if self.start.hasFocus() and state not in (IDLE, RUNNING, PAUSED):
            self.setFocus()  # it comes back to the button with the next state
        name = tr(BUTTON_NAMES.get(state, BEGIN))
        self.start.draw("pause" if state == RUNNING else "begin", name)
        self.start.setShortcut("Ctrl+L")
        self.start.setEnabled(state in (IDLE, RUNNING, PAUSED))
        if self.hasFocus() and self.start.isEnabled():
            self.start.setFocus()
        self.stop.setEnabled(state in (PREPARING, RUNNING, PAUSED))
        self.source.setEnabled(state == IDLE)
        self.record.setEnabled(state in (IDLE, RUNNING, PAUSED))
        self.clean.setEnabled(state == IDLE)
        self._tick()

    def _tick(self) -> None:
        conversation, listening = self._studio.conversation, self._listening
        live = listening.state in (RUNNING, PAUSED, STOPPING)
        self._show_place(live)
        self.title.setText(words := self._words())
        self.title.setToolTip(words)
        self.meter.show_level(conversation.sound.level if live else None)
        opening = self._studio.opening
        progress = opening.share if opening is not None else listening.progress
        unknown = listening.state == PREPARING or (opening is not None and progress is None)
        self.progress.setVisible(progress is not None or unknown)
        self.progress.setRange(0, 0 if unknown else 1000)
        self.progress.setValue(round(1000 * (progress or 0)))
        self.position.setVisible(not self.progress.isVisible() and not live and conversation.n_samples > 0)

    def _show_place(self, live: bool) -> None:
        """Clock, position and ▶: while something is heard, how long it is; else where it would be played."""
        studio, conversation = self._studio, self._studio.conversation
        playing, length = studio.player.playing, conversation.n_samples
        place = studio.player.place if playing else length if live else conversation.cursor
        self.clock.setText(clock(seconds(place), 1))
        self.clock.setToolTip(tr("of {time}", time=clock(seconds(length), 1)))
        if playing != (self.play.drawing == "pause"):
            self.play.draw("pause" if playing else "play", tr(PAUSE if playing else PLAY))
        self.play.setEnabled(conversation.sound.n_samples > 0)
        if not self.position.isSliderDown():
            self.position.blockSignals(True)
            self.position.setValue(round(STEPS * place / max(1, length)))
            self.position.blockSignals(False)

    def _seek(self, step: int) -> None:
        """Somebody moved the position."""
        self._studio.seek(step * self._studio.conversation.n_samples // STEPS)

    def _words(self) -> str:
        """What goes on, in words."""
        title = self._studio.conversation.title
        if self._studio.conversation.state.device_lost:
            return tr("the microphone is gone; waiting for it …")
        if (opening := self._studio.opening) is not None:
            share = "" if opening.share is None else f" {percent(opening.share)}"
            return tr("opening {name} …", name=opening.name) + share
        return {
            PREPARING: tr("preparing …"),
            RUNNING: f"{self._how()} {title}",
            PAUSED: tr("paused · {title}", title=title),
            STOPPING: tr("writing the rest …"),
        }.get(self._listening.state, title or tr("nothing heard yet"))

    def _how(self) -> str:
        """Whether what is heard is kept."""
        session = self._listening.session
        return (
            tr("● recording") if session is not None and session.recorder else tr("listening, not recorded:")
        )


def sound_files() -> str:
    """What dialogs for files offer."""
    endings = " ".join(f"*{ending}" for ending in sorted(SOUND_ENDINGS))
    return f"{tr('Sound')} ({endings});;{tr('All files')} (*)"
