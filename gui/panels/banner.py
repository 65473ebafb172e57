"""A sentence on what is wrong now, or is offered, above the page; what it was of ends it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton

from voicelane.gui.look.icons import icon
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.widgets import IconButton, button, label
from voicelane.gui.model.language import sentence, tr
from voicelane.gui.work.studio import Studio


class Banner(QFrame):
    """Hidden unless there is something to say."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.setObjectName("banner")
        self.words = label("", wrap=True)
        self.words.setAccessibleName(tr("Notice"))
        self._icon = QLabel()
        self._act: Callable[[], object] | None = None
        self.action: QPushButton = button(tr("Open it"), self._do)
        self.close_button = IconButton(studio, "close", tr("Close this notice"), self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, SMALL, SMALL, SMALL)
        row.addWidget(self._icon)
        row.addWidget(self.words, 1)
        row.addWidget(self.action)
        row.addWidget(self.close_button)
        self.hide()
        studio.noticed.connect(self.say)
        studio.moved_on.connect(self.hide)
        studio.themed.connect(self._dress)
        self._dress()

    def say(self, words: str, offer: str = "", act: Callable[[], object] | None = None) -> None:
        """Show a sentence, and a button for what can be done about it."""
        self.words.setText(sentence(words))
        self._act = act
        self.action.setText(offer)
        self.action.setAccessibleName(offer)
        self.action.setVisible(act is not None)
        self.show()

    def _do(self) -> None:
        self.hide()
        if self._act:
            self._act()

    def _dress(self) -> None:
        warning = icon("warning", self._studio.theme.warning)
        self._icon.setPixmap(warning.pixmap(QSize(20, 20), self.devicePixelRatioF()))
