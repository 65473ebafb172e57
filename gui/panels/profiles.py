"""The list of enrolled people, and what can be done with a profile."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from voicelane import ProfileStore, VoicelaneError
from voicelane.base import LockedError, StoreError
from voicelane.gui.look.widgets import Hint, button, card, label, row_of
from voicelane.gui.model.language import day, later, number, tr
from voicelane.gui.model.wording import words_for
from voicelane.gui.work.leaving import confirmed
from voicelane.gui.work.studio import Studio
from voicelane.profiles import export_profiles, import_profiles

COLUMNS = later(("Name", "Speech", "Recordings", "Encoder", "Changed"))
EMPTY = later(
    "Nobody is enrolled yet.\nEnrol somebody on the right, or remember a voice from a conversation."
)


class Profiles(QFrame):
    """A table of profiles with buttons under it."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        frame, layout = card(tr("Enrolled people"))
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName(tr("Enrolled people"))
        self.table.setHorizontalHeaderLabels([tr(column) for column in COLUMNS])
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.table.setTabKeyNavigation(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        self.table.horizontalHeader().setDefaultAlignment(left)
        self.table.itemChanged.connect(self._edited)
        self.table.itemSelectionChanged.connect(self._show)
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(Hint(tr(EMPTY)))
        self._stack.addWidget(self.table)
        self.rename_button = button(tr("Rename"), self._rename)
        self.merge_button = button(tr("Merge into …"), self._merge)
        self.remove_button = button(tr("Remove"), self._ask_to_remove, danger=True)
        self.export_button = button(tr("Export …"), self._export)
        import_button = button(tr("Import …"), self._import)
        first, second = (self.rename_button, self.merge_button), (self.remove_button, import_button)
        layout.addWidget(label(tr("Enrolled people"), "heading"))
        layout.addWidget(holder, 1)
        for widgets in (first, (*second, self.export_button)):
            layout.addLayout(row_of(*widgets))
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Whoever looks at the people may want to open them."""
        QTimer.singleShot(0, self._unlock)

    def _unlock(self) -> None:
        self._studio.unlock()
        self.refresh(self.chosen)

    def refresh(self, chosen: str = "") -> None:
        """Read the profiles anew."""
        store = self._studio.passphrase.store()
        self.table.blockSignals(True)
        try:
            names = store.names()
            self.table.setRowCount(len(names))
            for row, name in enumerate(names):
                for column, text in enumerate(_cells(store, name)):
                    item = QTableWidgetItem(text)
                    item.setData(Qt.ItemDataRole.UserRole, name)
                    if column:
                        item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
                    self.table.setItem(row, column, item)
                if name == chosen:
                    self.table.selectRow(row)
        except StoreError as problem:
            self._studio.noticed.emit(words_for(problem))
        self.table.blockSignals(False)
        self._stack.setCurrentIndex(1 if self.table.rowCount() else 0)
        self._show()

    @property
    def chosen(self) -> str:
        """Name of the selected profile, or nothing."""
        items = self.table.selectedItems()
        return str(items[0].data(Qt.ItemDataRole.UserRole)) if items else ""

    def remove(self, name: str) -> None:
        """Delete a profile for good."""
        self._try(lambda: self._studio.passphrase.store().remove(name))

    def merge(self, name: str, into: str) -> None:
        """Make one of two profiles."""
        self._try(lambda: self._studio.passphrase.store().merge(name, into), into)

    def _edited(self, item: QTableWidgetItem) -> None:
        old, new = str(item.data(Qt.ItemDataRole.UserRole)), item.text().strip()
        if item.column() == 0 and new != old:
            self._try(lambda: self._studio.passphrase.store().rename(old, new), new)

    def _try(self, act: object, chosen: str = "") -> None:
        try:
            act()  # type: ignore[operator]
        except (VoicelaneError, OSError) as problem:
            self._studio.noticed.emit(words_for(problem))
        self.refresh(chosen)

    def _show(self) -> None:
        chosen = bool(self.chosen)
        for widget in (self.rename_button, self.remove_button, self.export_button):
            widget.setEnabled(chosen)
        self.merge_button.setEnabled(chosen and self.table.rowCount() > 1)

    def _rename(self) -> None:
        self.table.editItem(self.table.selectedItems()[0])

    def _merge(self) -> None:
        name = self.chosen
        others = [n for n in self._studio.passphrase.store().names() if n != name]
        into, sure = QInputDialog.getItem(
            self, tr("Merge"), tr("{name} is the same as", name=name), others, 0, False
        )
        if sure:
            self.merge(name, into)

    def _ask_to_remove(self) -> None:
        name = self.chosen
        question = tr("Remove the profile of {name}? Its numbers and sound are deleted for good.", name=name)
        if confirmed(self, tr("Remove"), question):
            self.remove(name)

    def _export(self) -> None:
        path = self._studio.files.to_save(self, tr("Export"), f"{self.chosen}.zip", tr("Profiles (*.zip)"))
        if path:
            self._try(lambda: _export(self._studio.passphrase.store(), self.chosen, Path(path)), self.chosen)

    def _import(self) -> None:
        path = self._studio.files.to_open(self, tr("Import"), tr("Profiles (*.zip)"))
        if path:
            self._try(lambda: import_profiles(self._studio.passphrase.store(), Path(path), replace=False))


def _export(store: ProfileStore, name: str, path: Path) -> None:
    export_profiles(store, [store.profile(name)], path)


def _cells(store: ProfileStore, name: str) -> tuple[str, ...]:
    """A row of the table; a damaged profile says so."""
    try:
        profile = store.profile(name)
    except StoreError as problem:
        return name, tr("encrypted") if isinstance(problem, LockedError) else tr("damaged"), "", "", ""
    return (
        name,
        tr("{s} s", s=number(profile.speech_s)),
        str(len(profile.recordings)),
        profile.space.encoder,
        day(profile.updated),
    )
