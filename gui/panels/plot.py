"""A pyqtgraph plot in the colours of the theme."""

from __future__ import annotations

import pyqtgraph
from PySide6.QtGui import QColor

from gui.studio import Studio


def plot_widget(studio: Studio, name: str) -> pyqtgraph.PlotWidget:
    """An empty plot that mouse and menu do not move; it follows the theme."""
    found = pyqtgraph.PlotWidget()
    found.setAccessibleName(name)
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
