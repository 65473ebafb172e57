"""Recorded sessions: search, open, export; what was interrupted is offered."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from voicelane import open_session
from voicelane.gui.look.theme import SMALL
from voicelane.gui.look.widgets import Hint, IconButton, button, card, page
from voicelane.gui.model.language import later, moment, tr
from voicelane.gui.model.session_list import Summary, summaries
from voicelane.gui.model.viewport import clock
from voicelane.gui.panels.anonymise import AnonymiseDialog
from voicelane.gui.panels.banner import Banner
from voicelane.gui.panels.formats import ask_where, format_menu
from voicelane.gui.panels.hits import Hits
from voicelane.gui.panels.notes import Notes
from voicelane.gui.work.exporting import write
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.leaving import confirmed
from voicelane.gui.work.studio import Studio

COLUMNS = later(("Started", "Length", "State", "Who speaks", "Source", "Session", "Tags"))
ORDERS: tuple[Callable[[Summary], Any], ...] = (
    lambda s: s.started,
    lambda s: s.duration_s,
    lambda s: s.state,
    lambda s: tuple(name.casefold() for name in s.people),
    lambda s: s.source.casefold(),
    lambda s: s.name.casefold(),
    lambda s: tuple(tag.casefold() for tag in s.tags),
)
"""What each column is sorted by."""
WIDE = 3
"""The column of who speaks."""
LEAST_COLUMN = 64
"""Pixels."""
EMPTY = later("Nothing is recorded yet.\nPress the red button and listen to something.")
STATES = later(
    {"finished": "finished", "recording": "recording", "interrupted": "interrupted", "damaged": "damaged"}
)
NO_MATCH = later("No session matches this search.")


class SessionsPage(QWidget):
    """A table, a search over all that is in it and what was said, tags and notes."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._all = studio, list[Summary]()
        self._order = (0, True)
        inner, layout = page(
            tr("Sessions"),
            tr("What was recorded: double-click one to see and hear it again, with the same views."),
        )
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search names, people, tags, notes and what was said"))
        self.search.setAccessibleName(tr("Search sessions"))
        self.search.setClearButtonEnabled(True)
        self.hits, self.notes = Hits(studio, self._fill), Notes(studio)
        self.search.textChanged.connect(self.hits.look_for)
        self.search.textChanged.connect(self._fill)
        self.table = SessionTable(
            {
                Qt.Key.Key_Return: self.open_chosen,
                Qt.Key.Key_Enter: self.open_chosen,
                Qt.Key.Key_F2: self.rename_chosen,
                Qt.Key.Key_Delete: self.delete_chosen,
            }
        )
        self.table.itemSelectionChanged.connect(self._show)
        self.table.horizontalHeader().setSectionsClickable(True)
        self.table.horizontalHeader().setSortIndicatorShown(True)
        self.table.horizontalHeader().sectionClicked.connect(self.sort)
        self.table.cellDoubleClicked.connect(lambda *_: self.open_chosen())
        self.open_button = button(tr("Open"), self.open_chosen, primary=True)
        self.export_button = button(tr("Export …"), self._choose_format)
        self.anonymise_button = button(tr("Export anonymised …"), self.anonymise_chosen)
        self.rename_button = IconButton(studio, "rename", tr("Rename …"), self.rename_chosen)
        self.delete_button = IconButton(studio, "remove", tr("Delete …"), self.delete_chosen)
        frame, inside = card(tr("Recorded sessions"))
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        row.addStretch(1)
        for widget in (
            self.delete_button,
            self.rename_button,
            self.anonymise_button,
            self.export_button,
            self.open_button,
        ):
            row.addWidget(widget)
        holder = QWidget()
        self._hint = Hint(tr(EMPTY))
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(self._hint)
        self._stack.addWidget(self.table)
        inside.addWidget(self.search)
        inside.addWidget(holder, 1)
        inside.addWidget(self.hits)
        inside.addWidget(self.notes)
        inside.addLayout(row)
        layout.addWidget(frame, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(inner)
        studio.listening.finished.connect(self.refresh)
        studio.listening.recorded.connect(self.refresh)
        studio.kept.connect(self.refresh)
        self._fill()

    def showEvent(self, event: object) -> None:
        self.refresh()

    @property
    def home(self) -> QWidget:
        """Where the keyboard focus may rest."""
        return self.table if self.table.isVisible() else self.search

    def refresh(self) -> None:
        """Read what is recorded, away from the window."""
        Job(summaries, self._take, self._studio.noticed.emit)

    def offer_interrupted(self, banner: Banner) -> None:
        """At the start: a session that a crash interrupted, once."""

        def offer(found: list[Summary]) -> None:
            self._take(found)
            dismissed = self._studio.preferences.now.dismissed
            lost = [s for s in found if s.state == "interrupted" and s.name not in dismissed]
            if lost:
                self._studio.preferences.change(dismissed=(*dismissed, *(s.name for s in lost)))
                banner.say(
                    tr(
                        "the session {name} was interrupted; {time} of it are kept",
                        name=lost[0].name,
                        time=clock(lost[0].duration_s),
                    ),
                    tr("Open it"),
                    lambda: self._studio.open(lost[0].name),
                )

        Job(summaries, offer, self._studio.noticed.emit)

    def sort(self, column: int) -> None:
        """By a column; once more, the other way round."""
        self._order = (column, not self._order[1] if self._order[0] == column else column == 0)
        self._fill()

    @property
    def chosen(self) -> str:
        """Name of the selected session, or nothing."""
        items = self.table.selectedItems()
        return str(items[0].data(Qt.ItemDataRole.UserRole)) if items else ""

    def open_chosen(self) -> None:
        """Show the selected session."""
        if self.chosen:
            self._studio.open(self.chosen)

    def rename_chosen(self) -> None:
        """Ask for another name of the selected session."""
        name = self.chosen
        if not self.rename_button.isEnabled():
            return
        new, sure = QInputDialog.getText(
            self, tr("Rename"), tr("Name of the session {name}:", name=name), text=name
        )
        if sure and new.strip() not in ("", name):
            self._studio.rename_session(name, new.strip())

    def delete_chosen(self) -> None:
        """Delete the selected session, if somebody says so twice."""
        name = self.chosen
        question = tr("Delete the session {name}? Its sound and its turns are gone for good.", name=name)
        if self.delete_button.isEnabled() and confirmed(self, tr("Delete"), question):
            self._studio.delete_session(name)

    def anonymise_chosen(self) -> AnonymiseDialog:
        """Ask how the selected session is to be anonymised, and where to."""
        dialog = AnonymiseDialog(self._studio, self, self.chosen)
        dialog.open()
        return dialog

    def export(self, kind: str, path: Path) -> None:
        """Write the selected session, and say where."""
        name = self.chosen
        Job(
            lambda: write(open_session(name), kind, path),
            lambda where: self._studio.told.emit(tr("{name} is exported: {where}", name=name, where=where)),
            self._studio.noticed.emit,
        )

    def _choose_format(self) -> None:
        format_menu(self, self.export_button, self._ask_where)

    def _ask_where(self, kind: str) -> None:
        if path := ask_where(self._studio, self, kind, self.chosen):
            self.export(kind, path)

    def _take(self, found: list[Summary]) -> None:
        self._all = found
        self._fill()

    def _fill(self) -> None:
        """The table of all that match the search."""
        column, down = self._order
        ordered = sorted(self._all, key=ORDERS[column], reverse=down)
        order = Qt.SortOrder.DescendingOrder if down else Qt.SortOrder.AscendingOrder
        self.table.horizontalHeader().setSortIndicator(column, order)
        chosen, shown = self.chosen, [s for s in ordered if self._matches(s)]
        self.table.setRowCount(len(shown))
        for row, summary in enumerate(shown):
            for column, text in enumerate(_cells(summary)):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, summary.name)
                item.setToolTip(_hint(summary) or text)
                self.table.setItem(row, column, item)
        names = [s.name for s in shown]
        if names:
            self.table.selectRow(names.index(chosen) if chosen in names else 0)
        self._hint.setText(tr(NO_MATCH if self._all else EMPTY))
        self._stack.setCurrentIndex(1 if shown else 0)
        self._show()

    def _matches(self, summary: Summary) -> bool:
        return summary.matches(self.search.text()) or summary.name in self.hits.sessions

    def _show(self) -> None:
        self.notes.show_of(next((s for s in self._all if s.name == self.chosen), None))
        whole = any(s.name == self.chosen and s.state != "damaged" for s in self._all)
        idle = any(s.name == self.chosen and s.state != "recording" for s in self._all)
        for widget, on in (
            (self.open_button, whole),
            (self.export_button, whole),
            (self.anonymise_button, whole and idle),
            (self.rename_button, whole and idle),
            (self.delete_button, idle),
        ):
            widget.setEnabled(on)


class SessionTable(QTableWidget):
    """Rows only; some keys act on the chosen one."""

    def __init__(self, keys: dict[Qt.Key, Callable[[], None]]) -> None:
        super().__init__(0, len(COLUMNS))
        self._keys = keys
        self.setAccessibleName(tr("Recorded sessions"))
        self.setHorizontalHeaderLabels([tr(column) for column in COLUMNS])
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setMinimumSectionSize(LEAST_COLUMN)
        header.setSectionResizeMode(WIDE, QHeaderView.ResizeMode.Stretch)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if act := self._keys.get(Qt.Key(event.key())):
            act()
        else:
            super().keyPressEvent(event)


def _cells(summary: Summary) -> tuple[str, ...]:
    """A row of the table."""
    started = moment(summary.started) if summary.started else ""
    state = tr(STATES.get(summary.state, summary.state))
    source = summary.source if summary.source.startswith("mic:") else Path(summary.source).name
    people = ", ".join(summary.people) or tr("nobody")
    tags = " ".join(summary.tags)
    return started, clock(summary.duration_s), state, people, source, summary.name, tags


def _hint(summary: Summary) -> str:
    """What is wrong with a session, or the note on it; none of it is markup."""
    text = summary.problem or summary.note
    return f"<p>{escape(text).replace(chr(10), '<br>')}</p>" if text else ""
