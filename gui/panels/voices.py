"""The page of voices: whose there are, on a list and a map; new ones of nobody; and text that they say."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from voicelane.gui.look.theme import GAP
from voicelane.gui.look.widgets import Stretch, label, page
from voicelane.gui.model.language import later, sentence, tr
from voicelane.gui.panels.gallery import GalleryCard
from voicelane.gui.panels.new_voice import NewVoice
from voicelane.gui.panels.say import Say
from voicelane.gui.panels.voice_picture import VoicePicture
from voicelane.gui.work.studio import Studio

MAP_HEIGHT = 190
LEAST_WIDTH = 740
"""Pixels that two columns need."""
ABOUT = later(
    "Voices that are nobody's, and those of enrolled people who consent, say what you write. A file that is "
    "saved carries an inaudible mark, and says in its properties that a computer made it."
)


class VoicesPage(QWidget):
    """Voices and their map on the left, what is done with them on the right."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self.voicing = studio, studio.voicing
        inner, layout = page(tr("Voices"), tr(ABOUT))
        self.missing = label("", wrap=True)
        self.missing.setAccessibleName(tr("What is missing"))
        self.list, self.map = GalleryCard(studio), VoicePicture(studio)
        self.say, self.new = Say(studio), NewVoice(studio)
        columns = self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        columns.setSpacing(GAP)
        for share, parts in ((1, (self.list, Stretch(self.map, MAP_HEIGHT))), (1, (self.say, self.new))):
            column = QVBoxLayout()
            column.setSpacing(GAP)
            for part in parts:
                column.addWidget(part, 0 if part is self.new else 1)
            columns.addLayout(column, share)
        layout.addWidget(self.missing)
        layout.addLayout(columns, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(inner)
        self.list.listened.connect(self.say.listen)
        self.list.chose.connect(self.map.choose)
        self.map.clicked.connect(self.list.choose)
        self._show()

    @property
    def home(self) -> QWidget:
        """Where the keyboard focus may rest."""
        return self.say.text

    def resizeEvent(self, event: QResizeEvent) -> None:
        """One below the other where there is no room beside."""
        narrow = event.size().width() < LEAST_WIDTH
        direction = QBoxLayout.Direction.TopToBottom if narrow else QBoxLayout.Direction.LeftToRight
        self._columns.setDirection(direction)

    def showEvent(self, event: QShowEvent) -> None:
        self._studio.unlock()
        self.voicing.refresh()

    def _show(self) -> None:
        """Whether the extra is there."""
        missing = self.voicing.missing
        self.missing.setText(f"{sentence(missing)}." if missing else "")
        self.missing.setVisible(bool(missing))
