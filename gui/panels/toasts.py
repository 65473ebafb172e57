"""What happened, in a corner of the window for some seconds: nothing moves, nothing has to be closed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.widgets import label
from voicelane.gui.model.language import sentence, tr
from voicelane.gui.work.studio import Studio

SHOWN_MS = 6_000
MOST = 4
"""At once; the oldest makes way."""
WIDTH = 340


class Toasts(QWidget):
    """The latest messages, one above the other; keys and mouse reach what lies behind."""

    def __init__(self, studio: Studio, window: QWidget, above: QWidget) -> None:
        """In the lower right corner of a `window`, over what lies at its bottom (`above`)."""
        super().__init__(window)
        self._window, self._above = window, above
        self.setAccessibleName(tr("What happened"))
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(SMALL)
        self.toasts: list[QFrame] = []
        self.hide()
        window.installEventFilter(self)
        studio.told.connect(self.tell)

    @property
    def words(self) -> list[str]:
        """What stands there, the oldest first."""
        return [toast.accessibleName() for toast in self.toasts]

    def tell(self, words: str) -> None:
        """Show a sentence for a while."""
        text = sentence(words)
        toast = _toast(text)
        self.toasts.append(toast)
        self._rows.addWidget(toast)
        while len(self.toasts) > MOST:
            self._end(self.toasts[0])
        QTimer.singleShot(SHOWN_MS, self, lambda: self._end(toast))
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def _end(self, toast: QFrame) -> None:
        if toast in self.toasts:
            self.toasts.remove(toast)
            self._rows.removeWidget(toast)
            toast.hide()
            toast.deleteLater()
            self._place()

    def _place(self) -> None:
        """Into the corner, as high as the messages are."""
        self.setVisible(bool(self.toasts))
        for toast in self.toasts:
            toast.show()  # a layout counts only what is shown
        width = min(WIDTH, self._window.width() - 2 * GAP)
        height = sum(toast.heightForWidth(width) + SMALL for toast in self.toasts)
        bottom = self._window.height() - self._above.height() - SMALL
        self.setGeometry(self._window.width() - width - GAP, bottom - height, width, height)
        self.raise_()


def _toast(text: str) -> QFrame:
    frame = QFrame()
    frame.setObjectName("toast")
    frame.setAccessibleName(text)
    inside = QVBoxLayout(frame)
    inside.setContentsMargins(GAP, SMALL + 2, GAP, SMALL + 2)
    inside.addWidget(label(text, wrap=True))
    return frame
