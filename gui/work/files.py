"""Dialogs for files and folders, which begin where somebody was last."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from voicelane.gui.model.preferences import Preferences


class Files:
    """All dialogs of the app share one folder; each answers with a path, or nothing where it was left."""

    def __init__(self, preferences: Preferences) -> None:
        self._preferences = preferences

    def to_open(self, parent: QWidget, title: str, kinds: str) -> str:
        """A file that is there."""
        return self._kept(QFileDialog.getOpenFileName(parent, title, self._start(), kinds)[0])

    def to_save(self, parent: QWidget, title: str, name: str, kinds: str) -> str:
        """A file to be written; `name` is suggested."""
        return self._kept(QFileDialog.getSaveFileName(parent, title, self._start(name), kinds)[0])

    def folder(self, parent: QWidget, title: str) -> str:
        """A folder to write into."""
        path = QFileDialog.getExistingDirectory(parent, title, self._start())
        if path:
            self._preferences.change(folder=path)
        return path

    def _start(self, name: str = "") -> str:
        folder = Path(self._preferences.now.folder or Path.home())
        return str(folder / name if folder.is_dir() else Path.home() / name)

    def _kept(self, path: str) -> str:
        if path:
            self._preferences.change(folder=str(Path(path).parent))
        return path
