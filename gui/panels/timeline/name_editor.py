"""A name that is edited where it stands."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from voicelane.gui.model.language import tr


class NameEditor(QLineEdit):
    """Enter and going elsewhere keep the name, Escape leaves it; no key reaches what lies behind."""

    def __init__(self, name: str, parent: QWidget, keep: Callable[[str], object]) -> None:
        super().__init__(name, parent)
        self._keep: Callable[[str], object] | None = keep
        self.setAccessibleName(tr("Name of the speaker"))
        self.selectAll()

    def end(self, kept: bool) -> None:
        """Once, whatever comes after it."""
        keep, self._keep = self._keep, None
        if keep is None:
            return
        self.hide()
        self.deleteLater()
        if kept and self.text().strip():
            keep(self.text().strip())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.end(True)
        elif event.key() == Qt.Key.Key_Escape:
            self.end(False)
        else:
            super().keyPressEvent(event)
        event.accept()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:  # its own menu
            self.end(True)
