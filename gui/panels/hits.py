"""Where the words of a search are, in all sessions: a line each, which opens its session there."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from voicelane.base import seconds
from voicelane.gui.look.widgets import label
from voicelane.gui.model.language import later, tr
from voicelane.gui.model.viewport import clock
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.studio import Studio
from voicelane.sessions import Hit
from voicelane.words import Found, search_sessions

PAUSE_MS = 250
"""Without a key, after which a search begins."""
HEIGHT = 150
KINDS = later({"name": "name", "tag": "tag", "note": "note", "person": "person"})
NOTHING = Found((), ())


class Hits(QWidget):
    """Hidden where nothing is found."""

    def __init__(self, studio: Studio, told: Callable[[], object]) -> None:
        """`told` is called when a search has ended."""
        super().__init__()
        self._studio, self._told, self._text = studio, told, ""
        self.found = NOTHING
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Where it was found"))
        self.list.setMaximumHeight(HEIGHT)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.itemClicked.connect(self._open)
        self.list.itemActivated.connect(self._open)
        self.left_out = label("", "quiet", wrap=True)
        self.left_out.setTextFormat(Qt.TextFormat.PlainText)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addWidget(self.left_out)
        self._timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._timer.timeout.connect(self._begin)
        self._show(NOTHING)

    @property
    def sessions(self) -> set[str]:
        """Names of those in which something was found."""
        return {hit.session for hit in self.found.hits}

    def look_for(self, text: str) -> None:
        """Search for a text, away from the window, once nobody types any more."""
        self._text = text.strip()
        self._show(NOTHING)
        self._timer.start()

    def _begin(self) -> None:
        if text := self._text:
            Job(lambda: search_sessions(text), lambda found: self._take(text, found), self._studio.told.emit)

    def _take(self, text: str, found: Found) -> None:
        if text == self._text:
            self._show(found)
            self._told()

    def _show(self, found: Found) -> None:
        self.found = found
        self.list.clear()
        for hit in found.hits:
            item = QListWidgetItem(_line(hit))
            item.setData(Qt.ItemDataRole.UserRole, hit)
            self.list.addItem(item)
        self.left_out.setText(
            tr("Not searched: {names}", names="; ".join(found.left_out)) if found.left_out else ""
        )
        self.list.setVisible(bool(found.hits))
        self.left_out.setVisible(bool(found.left_out))

    def _open(self, item: QListWidgetItem) -> None:
        hit: Hit = item.data(Qt.ItemDataRole.UserRole)
        opening = self._studio.opening
        if opening is None or opening.name != hit.session:
            self._studio.open(hit.session, hit.sample)


def _line(hit: Hit) -> str:
    at = "" if hit.sample is None else f"{clock(seconds(hit.sample))}  "
    who = (hit.who or tr("somebody")) if hit.kind == "words" else tr(KINDS.get(hit.kind, hit.kind))
    return f"{hit.session}  {at}{who}: {hit.text}"
