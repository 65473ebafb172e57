"""Small pieces that several panels are made of."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from voicelane.gui.look.icons import icon
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.work.studio import Studio


def label(text: str = "", role: str = "", wrap: bool = False) -> QLabel:
    """Text; the style sheet knows the roles `title`, `heading`, `quiet`, `clock` and `big`."""
    found = QLabel(text)
    found.setProperty("role", role)
    found.setWordWrap(wrap)
    return found


def number_field(least: int, most: int, now: int) -> QSpinBox:
    """A field for a whole number; its text keeps as far from the border as that of other fields."""
    found = QSpinBox()
    found.setRange(least, most)
    found.setValue(now)
    found.lineEdit().setTextMargins(GAP - 3, 0, 0, 0)  # Qt leaves out what a style sheet says of it
    return found


def card(name: str) -> tuple[QFrame, QVBoxLayout]:
    """A framed part of a page, and its layout."""
    frame = QFrame()
    frame.setProperty("card", True)
    frame.setAccessibleName(name)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(GAP, GAP, GAP, GAP)
    layout.setSpacing(SMALL)
    return frame, layout


def page(title: str, about: str) -> tuple[QScrollArea, QVBoxLayout]:
    """A page with a heading and a sentence on what it is for; it scrolls where the window is too small."""
    widget = QWidget()
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(2 * GAP, 2 * GAP, 2 * GAP, GAP)
    layout.setSpacing(GAP)
    layout.addWidget(label(title, "title"))
    layout.addWidget(label(about, "quiet", wrap=True))
    return scrolled(widget), layout


def scrolled(widget: QWidget) -> QScrollArea:
    """A widget that can be seen whole, whatever room there is."""
    found = QScrollArea()
    found.setWidgetResizable(True)
    found.setWidget(widget)
    found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return found


def row_of(*widgets: QWidget) -> QHBoxLayout:
    """Widgets beside each other, room behind them."""
    row = QHBoxLayout()
    row.setSpacing(SMALL)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row


class Stretch(QWidget):
    """Holds a widget that takes the height that is left over, however high it would like to be."""

    def __init__(self, inner: QWidget, least_height: int) -> None:
        super().__init__()
        self._inner = inner
        inner.setParent(self)
        self.setMinimumHeight(least_height)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(self._inner.minimumSizeHint().width(), self.minimumHeight())

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._inner.setGeometry(self.rect())


def button(text: str, act: Callable[[], object], primary: bool = False, danger: bool = False) -> QPushButton:
    """A push button that says what it does."""
    found = QPushButton(text)
    found.setAccessibleName(text.replace("&", ""))
    found.setProperty("primary", primary)
    found.setProperty("danger", danger)
    found.clicked.connect(lambda _checked=False: act())
    return found


class Picker(QComboBox):
    """A list of choices that says when somebody looks at it, and can grow meanwhile."""

    opened = Signal()

    def showPopup(self) -> None:
        self.opened.emit()
        super().showPopup()

    def fill_again(self) -> None:
        """Show all of it where it is open: it was filled anew."""
        if self.view().isVisible():
            super().showPopup()


class IconButton(QToolButton):
    """A drawing with a name and a hint, in the colours of the theme."""

    def __init__(
        self, studio: Studio, drawing: str, name: str, act: Callable[[], object] | None = None
    ) -> None:
        super().__init__()
        self._studio, self._drawing = studio, drawing
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setIconSize(QSize(18, 18))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setObjectName(drawing)
        if act is not None:
            self.clicked.connect(lambda _checked=False: act())
        studio.themed.connect(self._dress)
        self._dress()

    @property
    def drawing(self) -> str:
        """Name of the drawing."""
        return self._drawing

    def draw(self, drawing: str, name: str) -> None:
        """Another drawing, which means something else."""
        self._drawing = drawing
        self.setAccessibleName(name)
        self.setToolTip(name)
        self._dress()

    def _dress(self) -> None:
        theme = self._studio.theme
        if self._drawing == "begin":
            self.setIcon(icon("begin", theme.bad))
        else:
            self.setIcon(icon(self._drawing, theme.text, theme.on_accent))


class Hint(QLabel):
    """Words in the middle of an empty panel."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.setProperty("role", "quiet")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """All of them are seen, however many lines they take."""
        super().resizeEvent(event)
        self.setMinimumHeight(self.heightForWidth(event.size().width()))
