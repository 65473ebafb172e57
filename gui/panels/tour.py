"""Three steps for who is here for the first time, in a bar above the page: it covers nothing."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from voicelane.base import samples
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import IconButton, button, label
from voicelane.gui.model.language import later, tr
from voicelane.gui.model.level import Level
from voicelane.gui.panels.meter import Meter
from voicelane.gui.work.enrolling import PREPARING, RECORDING
from voicelane.gui.work.studio import Studio

STEPS = later(
    (
        (
            "Choose a microphone",
            "All microphones are in the list above. Check the chosen one and say something: its level must "
            "move. Nothing of the check is kept.",
        ),
        (
            "Speak, or let people speak",
            "The red button above begins. Everybody who speaks gets a lane and a colour; what is hatched may "
            "still change.",
        ),
        (
            "Name a voice",
            "Double-click a speaker in the list, or press F2 there, and write the name. The menu of a "
            "speaker has the voice remembered: it is known by name from then on.",
        ),
    )
)
"""What each is called, and what it says."""
MICROPHONE, SPEAK, NAME = range(3)
SILENT = later("Not the least sound: look for the mute switch, or choose another microphone.")
REFRESH_MS = 60
SILENT_SAMPLES, LONGEST_SAMPLES = samples(2.0), samples(60.0)
"""Without any sound before that is told; and of a check."""
HEARD_DB = -45.0
"""A voice is louder."""


class Tour(QFrame):
    """Hidden unless it goes on; Escape ends it."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._checking = studio, studio.booth.checking
        self.step, self._device = MICROPHONE, ""
        self.setObjectName("tour")
        self.setAccessibleName(tr("Tour"))
        self.title, self.words, self.found = label("", "heading"), label("", wrap=True), label("", wrap=True)
        self.title.setAccessibleName(tr("Step of the tour"))
        self.found.setAccessibleName(tr("What was found"))
        self.meter = Meter(studio)
        self.act = button(tr("Check the microphone"), self._act)
        self.back = button(tr("Back"), lambda: self.go(self.step - 1))
        self.next = button(tr("Next"), self._next, primary=True)
        self.close_button = IconButton(studio, "close", tr("End the tour (Escape)"), self.end)
        self._assemble()
        self._timer = Ticking(self, studio, REFRESH_MS, self._tick)
        for source in (studio.listening, studio.conversation, studio.preferences, self._checking):
            source.changed.connect(self._follow)
        self.hide()

    def _assemble(self) -> None:
        head, row, whole = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        whole.setContentsMargins(GAP, SMALL, SMALL, SMALL)
        whole.setSpacing(SMALL)
        head.addWidget(self.title, 1)
        head.addWidget(self.close_button)
        for widget in (self.act, self.meter):
            row.addWidget(widget)
        row.addWidget(self.found, 1)
        for widget in (self.back, self.next):
            row.addWidget(widget)
        whole.addLayout(head)
        whole.addWidget(self.words)
        whole.addLayout(row)

    def offer(self) -> None:
        """Show it to who has not seen it; the keyboard stays where it is."""
        if not self._studio.preferences.now.toured:
            self.go(MICROPHONE)

    def begin(self) -> None:
        """Show it to who asks for it."""
        self.go(MICROPHONE)
        self.next.setFocus()

    def go(self, step: int) -> None:
        """Show a step, beside what it is about."""
        self.step = step
        self._end_check()
        self._studio.page_wanted.emit("listen")
        self.show()
        self._show()

    def end(self) -> None:
        """It was seen."""
        self._end_check()
        self.hide()
        self._studio.preferences.change(toured=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.end()
        else:
            super().keyPressEvent(event)

    def _next(self) -> None:
        if self.step == NAME:
            self.end()
        else:
            self.go(self.step + 1)

    def _act(self) -> None:
        """What the button of the step does."""
        if self.step == SPEAK:
            self._studio.listen()
        elif self._checking.recording:
            self._end_check()
        else:
            self._studio.moved_on.emit()
            self._device = self._studio.preferences.now.device
            self._checking.record()

    def _end_check(self) -> None:
        if self._checking.recording:
            self._checking.cancel()

    def _follow(self) -> None:
        """Who listens needs the microphone; and another one may have been chosen."""
        if not self._checking.recording:
            pass
        elif not self._studio.nobody_is_heard:
            self._end_check()
        elif self._device != self._studio.preferences.now.device:
            self._end_check()
            self._act()
        self._show()

    def _show(self) -> None:
        """What the step is, and what can be done."""
        if self.isHidden():
            return
        title, words = STEPS[self.step]
        step = tr("{number} of {count}: {title}", number=self.step + 1, count=len(STEPS), title=tr(title))
        self.title.setText(step)
        self.words.setText(tr(words))
        checked = self._checking.recording
        texts = (tr("End the check") if checked else tr("Check the microphone"), tr("Start listening"), "")
        last = self.step == NAME
        for found, text in ((self.act, texts[self.step]), (self.next, tr("Done") if last else tr("Next"))):
            found.setText(text)
            found.setAccessibleName(text)
        self.act.setEnabled(self._studio.nobody_is_heard)
        self.act.setVisible(not last)
        self.meter.setVisible(self.step == MICROPHONE)
        self.back.setEnabled(self.step > MICROPHONE)
        self._tick()

    def _tick(self) -> None:
        """What moves: the level, and what came of the step."""
        level = self._checking.ear.level if self._checking.state == RECORDING else None
        self.meter.show_level(level)
        self.found.setText((self._heard, self._lanes, self._names)[self.step]())
        if level is not None and level.n_heard > LONGEST_SAMPLES:
            self._end_check()

    def _heard(self) -> str:
        state = self._checking.state
        if state == RECORDING:
            return judged(self._checking.ear.level)
        return tr("preparing …") if state == PREPARING else ""

    def _lanes(self) -> str:
        n = len(self._studio.conversation.lanes.all)
        return tr("%n people have been heard.", n) if n else ""

    def _names(self) -> str:
        shown = self._studio.conversation.shown
        speakers = [lane.speaker for lane in self._studio.conversation.lanes.all]
        names = [shown(speaker) for speaker in speakers if shown(speaker) != speaker]
        return tr("Named: {names}.", names=", ".join(names)) if names else ""


def judged(level: Level) -> str:
    """Whether a microphone can be used."""
    if level.n_silent >= SILENT_SAMPLES:
        return tr(SILENT)
    if level.clipping:
        return tr("Too loud: turn the microphone down.")
    if level.peak_db > HEARD_DB:
        return tr("You are heard.")
    return tr("Hardly anything is heard: speak, or come nearer.")
