"""The list of voices: listen to one, see what is near it, remove it, or record a person's consent."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from voicelane.gui.look.theme import SMALL
from voicelane.gui.look.widgets import Hint, Stretch, button, card, label
from voicelane.gui.model.gallery import PERSON, PSEUDO, Entry
from voicelane.gui.model.language import day, later, number, tr
from voicelane.gui.work.leaving import confirmed
from voicelane.gui.work.studio import Studio
from voicelane.gui.work.voicing import IDLE

COLUMNS = later(("Name", "Whose", "Pitch"))
LEAST_HEIGHT = 130
EMPTY = later("There is no voice yet.\nMake one on the right, or enrol somebody on the page People.")
CONSENT = later(
    "Does {name} allow that a computer speaks in their voice? Only they can say so. It is recorded with the "
    "profile, goes along when the profile is exported, and can be withdrawn."
)
OTHER_MODELS = later("{name} was made with other models, and cannot be used with those that are chosen.")


class GalleryCard(QFrame):
    """A table of voices with buttons under it."""

    listened = Signal(str, str)
    """Kind and name of a voice to be heard."""
    chose = Signal(str, str)
    """Kind and name of the selected voice."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._voicing = studio, studio.voicing
        frame, layout = card(tr("Voices"))
        self.table = VoiceTable()
        self.table.itemSelectionChanged.connect(self._chosen)
        self.table.cellDoubleClicked.connect(lambda *_: self._listen())
        holder = QWidget()
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(Hint(tr(EMPTY)))
        self._stack.addWidget(self.table)
        self.near = label("", "quiet", wrap=True)
        self.near.setAccessibleName(tr("About the voice"))
        self.listen_button = button(tr("Hear it"), self._listen)
        self.consent_button = button(tr("Consent …"), self._consent)
        self.remove_button = button(tr("Remove"), self._remove, danger=True)
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        for widget in (self.listen_button, self.consent_button, self.remove_button):
            row.addWidget(widget)
        row.addStretch(1)
        layout.addWidget(label(tr("Voices"), "heading"))
        layout.addWidget(Stretch(holder, LEAST_HEIGHT), 1)
        layout.addWidget(self.near)
        layout.addLayout(row)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)
        self._voicing.listed.connect(self._fill)
        self._voicing.changed.connect(self._show)
        studio.preferences.changed.connect(self._show)
        self._fill()

    @property
    def entry(self) -> Entry | None:
        """The selected voice."""
        items = self.table.selectedItems()
        return self._voicing.gallery.entry(*items[0].data(Qt.ItemDataRole.UserRole)) if items else None

    def choose(self, kind: str, name: str) -> None:
        """Select a voice."""
        for row in range(self.table.rowCount()):
            item = self.table.item(row, 0)
            if item is not None and tuple(item.data(Qt.ItemDataRole.UserRole)) == (kind, name):
                self.table.selectRow(row)

    def _fill(self) -> None:
        before, entries = self.entry, self._voicing.gallery.entries
        self.table.show_entries(entries)
        self._stack.setCurrentIndex(1 if entries else 0)
        if before is not None:
            self.choose(before.kind, before.name)
        for sentence in self._voicing.gallery.problems:
            self._studio.noticed.emit(sentence)
        self._show()

    def _chosen(self) -> None:
        if entry := self.entry:
            self.chose.emit(entry.kind, entry.name)
        self._show()

    def _show(self) -> None:
        """What can be done with the selected one."""
        entry, idle = self.entry, self._voicing.state == IDLE
        person = entry is not None and entry.kind == PERSON
        self.listen_button.setEnabled(idle and entry is not None and not self._voicing.missing)
        self.remove_button.setEnabled(idle and entry is not None and entry.kind == PSEUDO)
        self.consent_button.setEnabled(person)
        given = entry is not None and bool(entry.consent)
        self.consent_button.setText(tr("Withdraw") if given else tr("Consent …"))
        self.consent_button.setAccessibleName(tr("Withdraw consent") if given else tr("Record consent"))
        self.near.setText(self._about(entry) if entry else tr("Choose a voice to hear it."))

    def _about(self, entry: Entry) -> str:
        """What is known of a voice."""
        if entry.vector is None:
            return tr(OTHER_MODELS, name=entry.name)
        near = self._voicing.gallery.nearest(entry)
        lab = self._studio.preferences.now.lab
        names = ", ".join(
            f"{name} ({number(cosine, 2, sign=True)})" if lab else name for name, cosine in near
        )
        parts = [f"{entry.name}, {entry.whose}."]
        parts += [tr("Consents since {day}.", day=day(entry.consent))] if entry.consent else []
        parts += [tr("Nearest: {names}.", names=names)] if names else []
        return " ".join(parts)

    def _listen(self) -> None:
        if (entry := self.entry) and self.listen_button.isEnabled():
            self.listened.emit(entry.kind, entry.name)

    def _consent(self) -> None:
        if entry := self.entry:
            given = not entry.consent
            if not given or confirmed(self, tr("Consent"), tr(CONSENT, name=entry.name)):
                self._voicing.set_consent(entry.name, given)

    def _remove(self) -> None:
        if entry := self.entry:
            question = tr("Remove the voice {name}? It is gone for good.", name=entry.name)
            if confirmed(self, tr("Remove"), question):
                self._voicing.remove(entry.name)


class VoiceTable(QTableWidget):
    """A row for each voice; what it is of lies behind its cells."""

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setAccessibleName(tr("Voices"))
        self.setHorizontalHeaderLabels([tr(column) for column in COLUMNS])
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_entries(self, entries: tuple[Entry, ...]) -> None:
        """Those and no others."""
        self.setRowCount(len(entries))
        for row, entry in enumerate(entries):
            pitch = tr("{hz} Hz", hz=number(entry.pitch_hz)) if entry.pitch_hz else ""
            for column, text in enumerate((entry.name, entry.whose, pitch)):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                item.setData(Qt.ItemDataRole.UserRole, (entry.kind, entry.name))
                self.setItem(row, column, item)
