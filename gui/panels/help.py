"""Help: every key on one sheet, and what this program is."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QGridLayout, QMessageBox, QVBoxLayout, QWidget

import voicelane
from voicelane.gui.look.theme import GAP
from voicelane.gui.look.widgets import button, label, scrolled
from voicelane.gui.model.language import later, tr

KEYS = later(
    (
        (
            "Anywhere",
            (
                ("Space", "play and pause what is on the screen"),
                ("Ctrl+B", "hear it without noise, and as it was"),
                ("Ctrl+L", "begin a new conversation; pause it and go on"),
                ("Ctrl+.", "stop listening"),
                ("Ctrl+O", "listen to a sound file"),
                ("Ctrl+S", "save as session"),
                ("Ctrl+E", "export"),
                ("Ctrl+I", "summary"),
                ("Ctrl+Z, Ctrl+Shift+Z or Ctrl+Y", "undo and redo corrections"),
                ("Ctrl+1 … Ctrl+7", "pages"),
                ("Ctrl+Shift+L", "lab view"),
                ("Ctrl+P", "print the summary"),
                ("F1", "this sheet"),
                ("Ctrl+Q", "quit"),
            ),
        ),
        (
            "Timeline",
            (
                ("Left, Right", "move the cursor by a second; with Shift by ten"),
                ("Up, Down", "the turn before, the next turn"),
                ("Enter", "hear the chosen turn"),
                ("[ and ]", "put its beginning, or its end, at the cursor"),
                ("D, J", "divide it at the cursor; join it with the next"),
                ("C, Del", "confirm it; delete it"),
                ("I", "insert a turn at the cursor"),
                ("+, −, 0", "zoom; show everything (elsewhere with Ctrl)"),
                ("F", "follow the newest sound"),
            ),
        ),
        (
            "Transcript",
            (
                ("Enter", "play from the word at the cursor"),
                ("F2", "write it otherwise"),
                ("Ctrl+C", "copy what is selected"),
            ),
        ),
        (
            "Lists",
            (
                ("F2", "rename"),
                ("Del", "delete"),
                ("Enter", "open"),
            ),
        ),
    )
)
"""Where keys hold; which, and what they do."""
ABOUT = later(
    "voicelane {version}\n\nWho is speaking, while they speak.\nEverything stays on this machine.\n\n"
    "Licence and the makers of all models: docs/index.md and the cards beside the models."
)


class KeySheet(QDialog):
    """All keys, by where they hold."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Keys"))
        sheet = QWidget()
        grid = QGridLayout(sheet)
        grid.setHorizontalSpacing(2 * GAP)
        grid.setColumnStretch(1, 1)
        for place, keys in KEYS:
            grid.addWidget(label(tr(place), "heading"), grid.rowCount(), 0, 1, 2)
            for key, words in keys:
                row = grid.rowCount()
                grid.addWidget(label(tr(key)), row, 0)
                grid.addWidget(label(tr(words), "quiet", wrap=True), row, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(scrolled(sheet), 1)
        layout.addWidget(button(tr("Close"), self.close, primary=True))
        self.resize(600, 560)


def about(parent: QWidget) -> None:
    """What this program is, and of which version."""
    QMessageBox.about(parent, tr("About voicelane"), tr(ABOUT, version=voicelane.__version__))
