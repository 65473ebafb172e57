"""A dial for the log-likelihood ratio, with the threshold marked."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from voicelane.gui.model.language import number, tr
from voicelane.gui.work.studio import Studio

LEAST, MOST = -10.0, 10.0
SPAN = 220.0
"""Degrees from the one end to the other."""
SMOOTH = 0.25
"""Share of the way to the latest value that the needle goes in one picture."""


class Gauge(QWidget):
    """Red for somebody else, green for the person; the needle moves smoothly."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self._llr: float | None = None
        self._threshold: float | None = None
        self._shown = 0.0
        self.setMinimumSize(260, 200)
        self.setAccessibleName(tr("Log-likelihood ratio"))

    def sizeHint(self) -> QSize:
        return QSize(340, 260)

    def show_evidence(self, llr: float | None, threshold: float | None) -> None:
        """The latest evidence; None before there is any."""
        self._llr, self._threshold = llr, threshold
        target = 0.0 if llr is None else min(max(llr, LEAST), MOST)
        self._shown += SMOOTH * (target - self._shown)
        if abs(target - self._shown) < 0.02:
            self._shown = target
        self.setAccessibleDescription(tr("no evidence yet") if llr is None else number(llr, 1, sign=True))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._studio.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = min(self.width() / 2 - 34, self.height() / 1.5 - 24)
        middle = QPointF(self.width() / 2, self.height() / 2 + 0.3 * radius)
        place = QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius)
        border = self._threshold if self._threshold is not None else 0.0
        for low, high, colour in ((LEAST, border, theme.bad), (border, MOST, theme.good)):
            painter.setPen(QPen(QColor(colour), 12, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap))
            painter.drawArc(place, round(16 * angle(low)), round(16 * (angle(high) - angle(low))))
        painter.setPen(QColor(theme.quiet))
        for mark in (-10, -5, 0, 5, 10):
            text = self._at(middle, radius + 20, mark)
            painter.drawText(
                QRectF(text.x() - 20, text.y() - 9, 40, 18),
                Qt.AlignmentFlag.AlignCenter,
                f"{mark:+d}" if mark else "0",
            )
        if self._threshold is not None:
            painter.setPen(QPen(QColor(theme.text), 2))
            painter.drawLine(
                self._at(middle, radius - 12, self._threshold), self._at(middle, radius + 8, self._threshold)
            )
        if self._llr is not None:
            painter.setPen(QPen(QColor(theme.text), 3, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLine(
                self._at(middle, 0.35 * radius, self._shown), self._at(middle, radius - 14, self._shown)
            )
        font = QFont(painter.font())
        font.setPixelSize(max(20, round(radius / 3.2)))
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(theme.text if self._llr is not None else theme.quiet))
        words = "–" if self._llr is None else number(self._llr, 1, sign=True)
        painter.drawText(
            QRectF(middle.x() - radius, middle.y() - 6, 2 * radius, radius / 2),
            Qt.AlignmentFlag.AlignCenter,
            words,
        )
        painter.end()

    def _at(self, middle: QPointF, radius: float, value: float) -> QPointF:
        turn = math.radians(angle(value))
        return QPointF(middle.x() + radius * math.cos(turn), middle.y() - radius * math.sin(turn))


def angle(value: float) -> float:
    """Degrees, counted against the clock from the right, of a ratio between −10 and 10."""
    share = (min(max(value, LEAST), MOST) - LEAST) / (MOST - LEAST)
    return 90 + SPAN / 2 - SPAN * share
