"""Tags and a note of a recorded session; what was written is kept when one leaves the field."""

from __future__ import annotations

import re

from PySide6.QtCore import Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QWidget

from voicelane.gui.look.theme import SMALL
from voicelane.gui.model.language import tr
from voicelane.gui.model.session_list import Summary
from voicelane.gui.work.studio import Studio

NOTE_HEIGHT = 54
APART = re.compile(r"[,\s]+")


class Notes(QWidget):
    """Two fields beside each other."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._of = studio, Summary("", "", "", 0.0, (), "")
        self.tags, self.note = QLineEdit(), NoteField()
        self.tags.setAccessibleName(tr("Tags of the session"))
        self.tags.setPlaceholderText(tr("Tags"))
        self.note.setAccessibleName(tr("Note on the session"))
        self.note.setPlaceholderText(tr("Note"))
        self.tags.editingFinished.connect(self._keep_tags)
        self.note.left.connect(self._keep_note)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SMALL)
        row.addWidget(self.tags, 1)
        row.addWidget(self.note, 2)

    def show_of(self, summary: Summary | None) -> None:
        """Those of a session; what somebody writes on it right now stays."""
        before, self._of = self._of, summary or Summary("", "", "", 0.0, (), "")
        same = before.name == self._of.name
        if not (same and self.tags.hasFocus()):
            self.tags.setText(" ".join(self._of.tags))
        if not (same and self.note.hasFocus()):
            self.note.setPlainText(self._of.note)
        self.setEnabled(self._of.state not in ("", "damaged", "recording"))

    def _keep_tags(self) -> None:
        tags = tuple(filter(None, APART.split(self.tags.text())))
        if self._of.name and tags != self._of.tags:
            self._studio.tag_session(self._of.name, tags)

    def _keep_note(self) -> None:
        note = self.note.toPlainText().strip()
        if self._of.name and note != self._of.note:
            self._studio.note_session(self._of.name, note)


class NoteField(QPlainTextEdit):
    """A few lines of text; Tab leaves it."""

    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setTabChangesFocus(True)
        self.setFixedHeight(NOTE_HEIGHT)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.left.emit()
