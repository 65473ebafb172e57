"""What is wrong with the microphone right now, in the banner for as long as it is so."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer

from voicelane.base import samples
from voicelane.gui.model.language import later, tr
from voicelane.gui.panels.banner import Banner
from voicelane.gui.work.listening import RUNNING
from voicelane.gui.work.studio import Studio

LOOK_MS = 500
SILENT_SAMPLES = samples(5.0)
GONE = later(
    "the microphone is gone ({device}). Everything heard so far is kept; listening goes on as soon as it is "
    "back."
)
SILENT = later(
    "{device} delivers digital silence: not the least sound for five seconds. Look for its mute switch and "
    "the system's permission to record, or stop and choose another microphone."
)


class Watch(QObject):
    """Says that a microphone is gone, or silent, and is quiet again when it is well."""

    def __init__(self, studio: Studio, banner: Banner) -> None:
        super().__init__(banner)
        self._studio, self._banner = studio, banner
        self._said, self._since = "", 0
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        studio.conversation.changed.connect(self.look)
        studio.listening.changed.connect(self._listen)

    def look(self) -> None:
        """Say what is wrong now, once."""
        wrong = self._wrong()
        if wrong == self._said:
            return
        self._said = wrong
        if wrong:
            self._banner.say(wrong)
        else:
            self._banner.hide()

    def _listen(self) -> None:
        """Silence is counted from where the microphone begins to be heard."""
        running = self._studio.listening.state == RUNNING
        self._since = self._studio.conversation.sound.level.n_heard
        self._timer.start() if running else self._timer.stop()
        self.look()

    def _wrong(self) -> str:
        conversation, listening = self._studio.conversation, self._studio.listening
        if reason := conversation.state.device_lost:
            return tr(GONE, device=reason.removeprefix("mic:"))
        level = conversation.sound.level
        silent = min(level.n_silent, level.n_heard - self._since)
        heard = listening.state == RUNNING and listening.request.live
        return tr(SILENT, device=listening.request.title) if heard and silent >= SILENT_SAMPLES else ""
