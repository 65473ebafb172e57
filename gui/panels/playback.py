"""How what is on the screen is played: speed, silence, one person alone, loudspeaker, volume."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSlider, QWidget, QWidgetAction

from voicelane.gui.look.theme import GAP
from voicelane.gui.look.widgets import label
from voicelane.gui.model.language import tr
from voicelane.gui.work.studio import Studio

SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
PERCENT = 100


class PlaybackMenu(QMenu):
    """Every choice holds at once, also for what plays."""

    def __init__(self, studio: Studio, parent: QWidget) -> None:
        super().__init__(tr("&Playback"), parent)
        self._studio = studio
        self.speeds = self.addMenu(tr("Speed"))
        self.skip = self._switch(tr("Leave silence out"), "skip_silence")
        self.clean = self._switch(tr("Without noise"), "play_clean")
        self.clean.setShortcut("Ctrl+B")
        parent.addAction(self.clean)  # the key holds while the menu is closed
        self.solo, self.outputs = self.addMenu(tr("Hear only")), self.addMenu(tr("Loudspeaker"))
        self.audible = self._switch(tr("Hear the demo and files at their own speed"), "audible")
        self.addSeparator()
        self.addAction(self._volume())
        self.aboutToShow.connect(self.fill)
        studio.devices.changed.connect(self._fill_outputs)
        self.fill()

    def _switch(self, words: str, setting: str) -> QAction:
        found = self.addAction(words)
        found.setCheckable(True)
        found.triggered.connect(self._studio.preferences.setter(setting))
        return found

    def fill(self) -> None:
        """What can be chosen now."""
        now = self._studio.preferences.now
        self.skip.setChecked(now.skip_silence)
        self.clean.setChecked(now.play_clean)
        self.audible.setChecked(now.audible)
        self.volume.setValue(round(PERCENT * now.volume))
        change = self._studio.preferences.setter("playing_speed")
        _choices(
            self.speeds,
            {f"{QLocale().toString(s)} ×": (partial(change, s), s == now.playing_speed) for s in SPEEDS},
        )
        self._fill_solo()
        self._fill_outputs()

    def showEvent(self, event: object) -> None:
        self._studio.devices.ask_for_outputs()

    def _fill_solo(self) -> None:
        studio = self._studio
        act, shown = studio.hear_only, studio.conversation.shown
        people = {
            shown(lane.speaker): (partial(act, lane.speaker), lane.speaker == studio.solo)
            for lane in studio.conversation.lanes.all
        }
        _choices(self.solo, {tr("Everybody"): (partial(act, ""), not studio.solo)} | people)

    def _fill_outputs(self) -> None:
        now = self._studio.preferences.now.output
        change = self._studio.preferences.setter("output")
        names = [n for n in dict.fromkeys((*self._studio.devices.outputs, now)) if n]
        default = {tr("The system's default"): (partial(change, ""), not now)}
        _choices(self.outputs, default | {n: (partial(change, n), n == now) for n in names})

    def _volume(self) -> QWidgetAction:
        holder, self.volume = QWidget(), QSlider(Qt.Orientation.Horizontal)
        self.volume.setRange(0, PERCENT)
        self.volume.setAccessibleName(tr("Volume"))
        self.volume.valueChanged.connect(
            lambda percent: self._studio.preferences.change(volume=percent / PERCENT)
        )
        row = QHBoxLayout(holder)
        row.setContentsMargins(GAP, GAP, GAP, GAP)
        row.addWidget(label(tr("Volume")))
        row.addWidget(self.volume, 1)
        found = QWidgetAction(self)
        found.setDefaultWidget(holder)
        return found


def _choices(menu: QMenu, choices: dict[str, tuple[partial[None], bool]]) -> None:
    """One of several, each with what it does and whether it is chosen."""
    menu.clear()
    group = QActionGroup(menu)
    for words, (act, chosen) in choices.items():
        action = QAction(words, menu, checkable=True, checked=chosen)
        action.triggered.connect(lambda _checked=False, act=act: act())
        group.addAction(action)
        menu.addAction(action)
