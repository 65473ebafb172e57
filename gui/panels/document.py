"""The conversation on the screen as a document: its name, and what can be done with it, live or opened."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QInputDialog, QSizePolicy

from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.widgets import IconButton, button, label
from voicelane.gui.model.language import tr
from voicelane.gui.panels.formats import ask_where, format_menu
from voicelane.gui.panels.summary import SummaryWindow
from voicelane.gui.work.leaving import confirmed
from voicelane.gui.work.listening import IDLE
from voicelane.gui.work.studio import Studio


class DocumentBar(QFrame):
    """Name and state on the left; save, export, rename, delete, undo and redo on the right."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._conversation = studio, studio.conversation
        self.setAccessibleName(tr("Document"))
        self.title, self.state = label("", "heading"), label("", "quiet")
        self.title.setAccessibleName(tr("Name of the conversation"))
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.state.setAccessibleName(tr("Whether it is saved"))
        self.save = button(tr("Save"), studio.keep, primary=True)
        self.save.setAccessibleName(tr("Save as session"))
        self.summary = button(tr("Summary"), self.show_summary)
        self.export = button(tr("Export …"), self.choose_format)
        self.rename = IconButton(studio, "rename", tr("Rename …"), self.ask_for_name)
        self.delete = IconButton(studio, "remove", tr("Delete …"), self.ask_to_delete)
        self.undo = IconButton(studio, "undo", tr("Undo the latest correction (Ctrl+Z)"), studio.undo)
        self.redo = IconButton(studio, "redo", tr("Redo (Ctrl+Shift+Z)"), studio.redo)
        row = QHBoxLayout(self)
        row.setContentsMargins(GAP, 0, 0, 0)
        row.setSpacing(SMALL)
        row.addWidget(self.title, 1)
        for widget in (
            self.state,
            self.save,
            self.undo,
            self.redo,
            self.summary,
            self.export,
            self.rename,
            self.delete,
        ):
            row.addWidget(widget)
        self._late = QTimer(self, singleShot=True, interval=0)
        self._late.timeout.connect(self.refresh)
        for signal in (self._conversation.changed, self._conversation.replaced, studio.listening.changed):
            signal.connect(self._late.start)
        studio.kept.connect(self._late.start)
        self.refresh()

    def refresh(self) -> None:
        """Follow the conversation."""
        conversation, state = self._conversation, self._conversation.state
        over = self._studio.listening.state == IDLE and not conversation.saving
        self.title.setText(conversation.title)
        self.title.setToolTip(conversation.title)
        self.state.setText(self._words(over))
        self.save.setVisible(conversation.unsaved and over)
        self.delete.setEnabled(over)
        self.undo.setEnabled(conversation.n_undo > 0)
        self.redo.setEnabled(state.n_redo > 0)

    def choose_format(self) -> None:
        """Ask for the format, then where the file goes."""
        format_menu(self, self.export, self._ask_where)

    def show_summary(self) -> None:
        """Numbers and picture of the conversation, in a window of its own."""
        if not self._conversation.empty:
            SummaryWindow(self._studio, self).open()

    def print_summary(self) -> None:
        """The same on paper."""
        summary = SummaryWindow(self._studio, self, lambda: summary.print())

    def ask_for_name(self) -> None:
        """Ask for another name."""
        conversation = self._conversation
        if conversation.empty:
            return
        old = conversation.title
        new, sure = QInputDialog.getText(self, tr("Rename"), tr("Name of {name}:", name=old), text=old)
        if sure and new.strip() not in ("", old):
            self._studio.rename_document(new)

    def ask_to_delete(self) -> None:
        """Delete it, if somebody says so twice."""
        conversation = self._conversation
        if conversation.empty:
            return
        question = tr("Delete {title}? Its sound and its turns are gone for good.", title=conversation.title)
        if not self.delete.isEnabled() or confirmed(self, tr("Delete"), question):
            self._studio.delete_document()

    def _words(self, over: bool) -> str:
        conversation = self._conversation
        if conversation.saving:
            return tr("being saved …")
        if not over:
            return tr("being recorded") if conversation.kept else tr("not recorded")
        return tr("saved") if conversation.session is not None else tr("not saved")

    def _ask_where(self, kind: str) -> None:
        if path := ask_where(self._studio, self, kind, self._conversation.title):
            self._studio.export_document(kind, path)
