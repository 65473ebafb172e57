"""The level of the sound as a bar, with a mark where it was clipped."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from voicelane.gui.model.language import number, tr
from voicelane.gui.model.level import Level, noise_words
from voicelane.gui.work.studio import Studio

LEAST_DB, LOUD_DB = -60.0, -6.0
N_SEGMENTS = 24
FALL_DB = 1.5
"""By which the bar falls from one picture to the next."""


class Meter(QWidget):
    """Shows a `Level`, thirty times a second at most."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self._level: Level | None = None
        self._shown_db = LEAST_DB
        self.setMinimumWidth(96)
        self.setAccessibleName(tr("Level meter"))

    def sizeHint(self) -> QSize:
        return QSize(190, 34)

    def show_level(self, level: Level | None) -> None:
        """Draw a level; None for silence."""
        self._level = level
        target = level.peak_db if level else LEAST_DB
        self._shown_db = max(target, self._shown_db - FALL_DB)
        self.setToolTip(self.words())
        self.update()

    def words(self) -> str:
        """What the meter says."""
        if self._level is None:
            return tr("no sound")
        snr, parts = self._level.snr_db, [tr("peak {db} dB", db=number(self._level.peak_db))]
        if snr is not None and self._studio.preferences.now.lab:
            parts.append(tr("voice {db} dB over the noise", db=number(snr)))
        elif snr is not None:
            parts.append(noise_words(snr))
        loud = [tr("too loud: turn the microphone down")] if self._level.clipping else []
        return "; ".join([", ".join(parts), *loud])

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._studio.theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        clipping = self._level is not None and self._level.clipping
        width = (self.width() - 14) / N_SEGMENTS
        for i in range(N_SEGMENTS):
            db = LEAST_DB * (1 - (i + 1) / N_SEGMENTS)
            lit = self._shown_db > LEAST_DB * (1 - i / N_SEGMENTS)
            colour = theme.good if db < LOUD_DB - 6 else theme.warning if db < -2 else theme.bad
            painter.setBrush(QColor(colour if lit else theme.line))
            painter.drawRoundedRect(QRectF(i * width, 3, width - 2, 12), 2, 2)
        painter.setBrush(QColor(theme.bad if clipping else theme.line))
        painter.drawEllipse(QRectF(self.width() - 12, 3.5, 11, 11))
        painter.setPen(QColor(theme.bad if clipping else theme.quiet))
        painter.drawText(
            QRectF(0, 17, self.width(), self.height() - 17),
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter,
            tr("too loud") if clipping else self._caption(),
        )
        painter.end()

    def _caption(self) -> str:
        if self._level is None:
            return tr("no sound")
        snr = self._level.snr_db
        if self._studio.preferences.now.lab:
            peak = tr("{db} dB", db=number(self._level.peak_db))
            return peak + (tr(" · SNR {db} dB", db=number(snr)) if snr is not None else "")
        return tr("listening …") if snr is None else noise_words(snr)
