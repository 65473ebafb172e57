"""A pyqtgraph plot in the colours of the theme."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.widgets import Hint
from voicelane.gui.work.studio import Studio


def plot_widget(studio: Studio, name: str) -> pyqtgraph.PlotWidget:
    """An empty plot that mouse and menu do not move; it follows the theme."""
    found = pyqtgraph.PlotWidget()
    found.setAccessibleName(name)
    found.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
    found.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the plot itself takes the keyboard, once
    found.setMenuEnabled(False)
    found.setMouseEnabled(False, False)
    found.hideButtons()
    found.setFrameShape(found.Shape.NoFrame)
    studio.themed.connect(lambda: dress(studio, found))
    dress(studio, found)
    return found


def dress(studio: Studio, plot: pyqtgraph.PlotWidget) -> None:
    """Colours of the background, the axes and the grid."""
    theme = studio.theme
    plot.setBackground(QColor(theme.panel))
    for side in ("left", "bottom"):
        axis = plot.getAxis(side)
        axis.setPen(QColor(theme.line))
        axis.setTextPen(QColor(theme.quiet))


def framed(panel: QWidget, head: Sequence[QWidget], plot: pyqtgraph.PlotWidget, empty: str) -> QStackedLayout:
    """Lay out a panel: a row of words, then the plot (1) or, while there is nothing to draw, `empty` (0)."""
    row = QHBoxLayout()
    row.setContentsMargins(GAP, SMALL, GAP, 0)
    for widget in head:
        row.addWidget(widget)
    row.insertStretch(1)
    layout = QVBoxLayout(panel)
    layout.setContentsMargins(0, 0, 0, SMALL)
    layout.setSpacing(2)
    layout.addLayout(row)
    holder = QWidget()
    stack = QStackedLayout(holder)
    stack.addWidget(Hint(empty))
    stack.addWidget(plot)
    layout.addWidget(holder, 1)
    return stack
