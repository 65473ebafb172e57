"""Which format, and where: what everything that is exported asks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from voicelane.gui.model.language import tr
from voicelane.gui.work.exporting import ENDINGS, FOLDERS, FORMATS
from voicelane.gui.work.studio import Studio


def format_menu(parent: QWidget, below: QWidget, act: Callable[[str], object]) -> None:
    """All formats, under a button."""
    menu = QMenu(parent)
    for kind, words in FORMATS.items():
        menu.addAction(tr(words), partial(act, kind))
    menu.popup(below.mapToGlobal(below.rect().bottomLeft()))


def ask_where(studio: Studio, parent: QWidget, kind: str, name: str) -> Path | None:
    """Where to write something of that name; None where somebody leaves it."""
    ending = ENDINGS.get(kind, kind)
    if kind in FOLDERS:
        path = studio.files.folder(parent, tr("Folder for one file per speaker"))
    else:
        path = studio.files.to_save(
            parent, tr("Export"), f"{name}.{ending}", f"{tr(FORMATS[kind])} (*.{ending})"
        )
    return Path(path) if path else None
