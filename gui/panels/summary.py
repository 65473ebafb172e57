"""The summary of what is on the screen: talk time, shares, longest turns; to be exported and printed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QTextDocument
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QApplication, QDialog, QHBoxLayout, QTextBrowser, QVBoxLayout, QWidget

from voicelane.gui.look.theme import GAP
from voicelane.gui.look.widgets import button
from voicelane.gui.model.language import tr
from voicelane.gui.panels.formats import ask_where
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.paper import document_of
from voicelane.gui.work.studio import Studio

WIDTH, HEIGHT = 760, 640


class SummaryWindow(QDialog):
    """A page, and what can be made of it; it is laid out away from the window."""

    def __init__(self, studio: Studio, parent: QWidget, then: Callable[[], object] = lambda: None) -> None:
        """`then` is done once the page is there."""
        super().__init__(parent)
        self._studio, self._conversation, self._then = studio, studio.conversation, then
        self.setWindowTitle(tr("Summary of {title}", title=self._conversation.title))
        self.resize(WIDTH, HEIGHT)
        self.paper: QTextDocument | None = None
        self.page = QTextBrowser()
        self.page.setAccessibleName(tr("Summary"))
        self.page.setStyleSheet("QTextBrowser { background: white; color: #171b21; }")
        self.page.setPlainText("…")
        row = QHBoxLayout()
        row.addStretch(1)
        for words, act in (
            (tr("Export as a page …"), lambda: self._export("html")),
            (tr("Export as PDF …"), lambda: self._export("pdf")),
            (tr("Print …"), self.print),
        ):
            row.addWidget(button(words, act))
        row.addWidget(button(tr("Close"), self.close, primary=True))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, GAP, GAP, GAP)
        layout.addWidget(self.page, 1)
        layout.addLayout(row)
        Job(self._work(), self._show, studio.noticed.emit)

    def print(self) -> None:
        """Ask for a printer, and print."""
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        dialog = QPrintDialog(printer, self)
        if self.paper is not None and dialog.exec() == QDialog.DialogCode.Accepted:
            self.paper.print_(printer)

    def _work(self) -> Callable[[], QTextDocument]:
        """What lays the page out, of what there is now."""
        conversation, app = self._conversation, QApplication.instance()
        title, session, length = conversation.title, conversation.session, conversation.n_samples
        lanes = [(conversation.shown(lane.speaker), list(lane.turns)) for lane in conversation.lanes.all]
        started = session.about.started if session is not None else ""

        def work() -> QTextDocument:
            turns = [(name, t.start, t.end) for name, own in lanes for t in own]
            found = document_of(title, started, sorted(turns, key=lambda turn: turn[1:]), length)
            if app is not None:
                found.moveToThread(app.thread())
            return found

        return work

    def _show(self, paper: QTextDocument) -> None:
        self.paper = paper
        self.page.setDocument(paper)
        self._then()

    def _export(self, kind: str) -> None:
        if path := ask_where(self._studio, self, kind, self._conversation.title):
            self._studio.export_document(kind, path)
