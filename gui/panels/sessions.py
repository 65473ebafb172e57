"""Recorded sessions: search, open, export; what was interrupted is offered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QStackedLayout,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from gui.archive import Summary, export, summaries
from gui.jobs import Job
from gui.panels.banner import Banner
from gui.panels.widgets import Hint, button, card, page
from gui.studio import Studio
from gui.theme import SMALL
from gui.viewport import clock

COLUMNS = ("Started", "Length", "Who speaks", "Source", "Session", "State")
FORMATS = {
    "rttm": "RTTM, for diarisation tools",
    "json": "JSON, everything",
    "csv": "CSV, for spreadsheets",
    "srt": "SRT subtitles",
    "vtt": "WebVTT subtitles",
    "wav": "WAV, one file per speaker",
}
EMPTY = "Nothing is recorded yet.\nSwitch recording on (the red dot) and listen to something."
NO_MATCH = "No session matches this search."


class SessionsPage(QWidget):
    """A table that can be searched by person, source and name."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._all = studio, list[Summary]()
        inner, layout = page(
            "Sessions", "What was recorded: double-click one to see and hear it again, with the same views."
        )
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search by person, source or name")
        self.search.setAccessibleName("Search sessions")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._fill)
        self.table = SessionTable(self.open_chosen)
        self.table.itemSelectionChanged.connect(self._show)
        self.table.cellDoubleClicked.connect(lambda *_: self.open_chosen())
        self.open_button = button("Open", self.open_chosen, primary=True)
        self.export_button = button("Export …", self._choose_format)
        frame, inside = card("Recorded sessions")
        row = QHBoxLayout()
        row.setSpacing(SMALL)
        row.addWidget(self.search, 1)
        row.addWidget(self.export_button)
        row.addWidget(self.open_button)
        holder = QWidget()
        self._hint = Hint(EMPTY)
        self._stack = QStackedLayout(holder)
        self._stack.addWidget(self._hint)
        self._stack.addWidget(self.table)
        inside.addLayout(row)
        inside.addWidget(holder, 1)
        layout.addWidget(frame, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(inner)
        studio.listening.finished.connect(self.refresh)
        studio.listening.recorded.connect(self.refresh)
        self._fill()

    def showEvent(self, event: object) -> None:
        self.refresh()

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
                    f"the session {lost[0].name} was interrupted; {clock(lost[0].duration_s)} of it are kept",
                    "Open it",
                    lambda: self._studio.open(lost[0].name),
                )

        Job(summaries, offer, self._studio.noticed.emit)

    @property
    def chosen(self) -> str:
        """Name of the selected session, or nothing."""
        items = self.table.selectedItems()
        return str(items[0].data(Qt.ItemDataRole.UserRole)) if items else ""

    def open_chosen(self) -> None:
        """Show the selected session."""
        if self.chosen:
            self._studio.open(self.chosen)

    def export(self, kind: str, path: Path) -> None:
        """Write the selected session, and say where."""
        name = self.chosen
        Job(
            lambda: export(name, kind, path),
            lambda where: self._studio.noticed.emit(f"{name} is exported: {where}"),
            self._studio.noticed.emit,
        )

    def _choose_format(self) -> None:
        menu = QMenu(self)
        for kind, words in FORMATS.items():
            menu.addAction(words, partial(self._ask_where, kind))
        menu.popup(self.export_button.mapToGlobal(self.export_button.rect().bottomLeft()))

    def _ask_where(self, kind: str) -> None:
        if kind == "wav":
            path = QFileDialog.getExistingDirectory(self, "Folder for one file per speaker")
        else:
            suggestion = f"{self.chosen}.{kind}"
            path, _ = QFileDialog.getSaveFileName(self, "Export", suggestion, f"{FORMATS[kind]} (*.{kind})")
        if path:
            self.export(kind, Path(path))

    def _take(self, found: list[Summary]) -> None:
        self._all = found
        self._fill()

    def _fill(self) -> None:
        """The table of all that match the search."""
        chosen, shown = self.chosen, [s for s in self._all if s.matches(self.search.text())]
        self.table.setRowCount(len(shown))
        for row, summary in enumerate(shown):
            for column, text in enumerate(_cells(summary)):
                item = QTableWidgetItem(text)
                item.setData(Qt.ItemDataRole.UserRole, summary.name)
                item.setToolTip(summary.problem or text)
                self.table.setItem(row, column, item)
        names = [s.name for s in shown]
        if names:
            self.table.selectRow(names.index(chosen) if chosen in names else 0)
        self._hint.setText(NO_MATCH if self._all else EMPTY)
        self._stack.setCurrentIndex(1 if shown else 0)
        self._show()

    def _show(self) -> None:
        whole = any(s.name == self.chosen and s.state != "damaged" for s in self._all)
        self.open_button.setEnabled(whole)
        self.export_button.setEnabled(whole)


class SessionTable(QTableWidget):
    """Rows only; Return opens."""

    def __init__(self, open_chosen: Callable[[], None]) -> None:
        super().__init__(0, len(COLUMNS))
        self._open = open_chosen
        self.setAccessibleName("Recorded sessions")
        self.setHorizontalHeaderLabels(COLUMNS)
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
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open()
        else:
            super().keyPressEvent(event)


def _cells(summary: Summary) -> tuple[str, ...]:
    """A row of the table."""
    started = summary.started
    if started:
        started = datetime.fromisoformat(started).astimezone().strftime("%d %b %Y, %H:%M")
    source = summary.source if summary.source.startswith("mic:") else Path(summary.source).name
    people = ", ".join(summary.people) or "nobody"
    return started, clock(summary.duration_s), people, source, summary.name, summary.state
