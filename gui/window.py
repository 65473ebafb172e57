"""The main window: assembly only."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QMainWindow,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from voicelane import VoicelaneError
from voicelane.gui.look.focus import FocusGuard, turned
from voicelane.gui.look.icons import icon
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.model.language import later, tr
from voicelane.gui.panels.banner import Banner
from voicelane.gui.panels.health import HealthPage, StatusLine
from voicelane.gui.panels.help import KeySheet, about
from voicelane.gui.panels.listen import Listen
from voicelane.gui.panels.people import PeoplePage
from voicelane.gui.panels.sessions import SessionsPage
from voicelane.gui.panels.settings import SettingsPage
from voicelane.gui.panels.toasts import Toasts
from voicelane.gui.panels.tour import Tour
from voicelane.gui.panels.transport import Transport
from voicelane.gui.panels.verification import VerificationPage
from voicelane.gui.panels.voices import VoicesPage
from voicelane.gui.panels.watch import Watch
from voicelane.gui.work.leaving import SAVE, STAY
from voicelane.gui.work.studio import Studio

PAGES = {
    "listen": (later("Listen"), "microphone"),
    "sessions": (later("Sessions"), "sessions"),
    "people": (later("People"), "people"),
    "voices": (later("Voices"), "voices"),
    "verify": (later("Verify"), "verify"),
    "health": (later("Health"), "health"),
    "settings": (later("Settings"), "settings"),
}

WANTED, LEAST = QSize(1280, 800), QSize(760, 520)
"""Pixels that the window has at first where there is room, and at least."""
RAIL = 76
"""Pixels of a button on the left, at least."""
FRAME = QSize(20, 60)
"""What a title bar and borders may take."""


class Window(QMainWindow):
    """Rail of pages on the left, transport on top, health at the bottom."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.studio = studio
        self.setWindowTitle("voicelane")
        self.setAcceptDrops(True)
        self.transport, self.tour, self.banner = Transport(studio), Tour(studio), Banner(studio)
        self.listen, self.sessions = Listen(studio), SessionsPage(studio)
        self.people, self.voices = PeoplePage(studio), VoicesPage(studio)
        self.verification = VerificationPage(studio)
        self.health, self.settings = HealthPage(studio), SettingsPage(studio)
        self.pages = QStackedWidget()
        self._all = (
            self.listen,
            self.sessions,
            self.people,
            self.voices,
            self.verification,
            self.health,
            self.settings,
        )
        for page in self._all:
            self.pages.addWidget(page)
        self._assemble()
        self._menus()
        self.status = StatusLine(studio)
        self.setStatusBar(self.status)
        self.toasts = Toasts(studio, self, self.status)
        studio.page_wanted.connect(self.show_page)
        studio.conversation.replaced.connect(self._entitle)
        studio.kept.connect(self._entitle)
        studio.themed.connect(self._dress)
        self._watch, self._asks = Watch(studio, self.banner), True
        self._guard = FocusGuard(self, self._home)
        self._dress()
        self.setMinimumSize(LEAST)
        room = self.screen().availableGeometry().size() - FRAME
        self.resize(WANTED.boundedTo(room).expandedTo(LEAST))
        self.listen.welcome.start.setFocus()
        if studio.preferences.now.geometry:
            self.restoreGeometry(QByteArray.fromHex(studio.preferences.now.geometry.encode()))
        if studio.preferences.problem:
            self.banner.say(tr("{problem}; the defaults are used", problem=studio.preferences.problem))

    def show_page(self, name: str) -> None:
        """One of `PAGES`."""
        with turned(self.pages, self._home):
            self.pages.setCurrentIndex(list(PAGES).index(name))
        self._rail.buttons()[list(PAGES).index(name)].setChecked(True)

    def _home(self) -> QWidget:
        """Where the keyboard focus may rest on this page."""
        found = self._all[self.pages.currentIndex()].home
        shown = found.isVisible() and found.isEnabled()
        return found if shown else self._rail.buttons()[self.pages.currentIndex()]

    def _assemble(self) -> None:
        rail = QFrame()
        rail.setObjectName("rail")
        rail.setAccessibleName(tr("Pages"))
        buttons = QVBoxLayout(rail)
        buttons.setContentsMargins(SMALL, GAP, SMALL, GAP)
        buttons.setSpacing(SMALL)
        self._rail = QButtonGroup(self)
        for number, (name, (words, _)) in enumerate(PAGES.items()):
            found, title = QToolButton(), tr(words)
            found.setText(title)
            found.setAccessibleName(tr("Page: {title}", title=title))
            found.setToolTip(tr("{title} (Ctrl+{number})", title=title, number=number + 1))
            found.setShortcut(f"Ctrl+{number + 1}")
            found.setCheckable(True)
            found.setChecked(number == 0)
            found.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            found.setIconSize(QSize(22, 22))
            found.clicked.connect(lambda _checked=False, name=name: self.show_page(name))
            self._rail.addButton(found, number)
            buttons.addWidget(found)
        for each in self._rail.buttons():
            each.ensurePolished()  # before, it has other borders
        width = max(RAIL, *(each.sizeHint().width() for each in self._rail.buttons()))
        for each in self._rail.buttons():
            each.setFixedSize(width, 56)
        buttons.addStretch(1)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(GAP, GAP, GAP, SMALL)
        column.setSpacing(SMALL + 2)
        column.addWidget(self.transport)
        column.addWidget(self.tour)
        column.addWidget(self.banner)
        column.addWidget(self.pages, 1)
        centre = QWidget()
        row = QHBoxLayout(centre)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(rail)
        row.addWidget(body, 1)
        self.setCentralWidget(centre)

    def _menus(self) -> None:
        studio, timeline, document = self.studio, self.listen.timeline, self.listen.document
        keys = QKeySequence.StandardKey
        file, edit, view = (self.menuBar().addMenu(name) for name in (tr("&File"), tr("&Edit"), tr("&View")))
        self._action(file, tr("Open a sound file …"), self.ask_for_file, keys.Open)
        self._action(file, tr("Recorded sessions"), lambda: self.show_page("sessions"))
        file.addSeparator()
        self._action(file, tr("Begin a new conversation"), studio.listen)
        self._action(file, tr("Save as session"), studio.keep, keys.Save)
        self._action(file, tr("Export …"), self._on_document(document.choose_format), "Ctrl+E")
        self._action(file, tr("Summary"), self._on_document(document.show_summary), "Ctrl+I")
        self._action(file, tr("Print …"), self._on_document(document.print_summary), keys.Print)
        self._action(file, tr("Rename …"), self._on_document(document.ask_for_name))
        self._action(file, tr("Delete …"), self._on_document(document.ask_to_delete))
        file.addSeparator()
        self._action(file, tr("Quit"), self.close, keys.Quit)
        self._action(edit, tr("Undo"), studio.undo, keys.Undo)
        self._action(edit, tr("Redo"), studio.redo, keys.Redo)
        self.menuBar().insertMenu(view.menuAction(), self.transport.playback)
        lab = self._action(view, tr("Lab view"), lambda: None, "Ctrl+Shift+L")
        lab.setCheckable(True)
        lab.setChecked(studio.preferences.now.lab)
        lab.toggled.connect(studio.preferences.setter("lab"))
        studio.preferences.changed.connect(lambda: lab.setChecked(studio.preferences.now.lab))
        self._action(view, tr("Follow the newest sound"), lambda: timeline.follow(True))
        self._action(view, tr("Zoom in"), lambda: timeline.zoom(1.25), keys.ZoomIn)
        self._action(view, tr("Zoom out"), lambda: timeline.zoom(0.8), keys.ZoomOut)
        self._action(view, tr("Show everything"), timeline.whole, "Ctrl+0")
        helping = self.menuBar().addMenu(tr("&Help"))
        self._action(helping, tr("Keys"), self.show_keys, keys.HelpContents)
        self._action(helping, tr("Tour"), self.tour.begin)
        self._action(helping, tr("About voicelane"), lambda: about(self))

    def show_keys(self) -> None:
        """Every key on one sheet."""
        KeySheet(self).open()

    def _on_document(self, act: Callable[[], object]) -> Callable[[], object]:
        """An act on what is on the screen, in sight of it."""

        def acting() -> None:
            if self.studio.conversation.empty:
                self.studio.told.emit(tr("there is no conversation on the screen"))
                return
            self.show_page("listen")
            act()

        return acting

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space plays what is on the screen, wherever no control takes it for itself."""
        if event.key() == Qt.Key.Key_Space and not event.modifiers():
            self.studio.toggle_playing()
        else:
            super().keyPressEvent(event)

    def _action(self, menu: object, text: str, act: object, key: object = None) -> QAction:
        found = QAction(text, self)
        found.triggered.connect(lambda _checked=False: act())  # type: ignore[operator]
        if key is not None:
            found.setShortcut(key)  # type: ignore[call-overload]
        menu.addAction(found)  # type: ignore[attr-defined]
        return found

    def _entitle(self) -> None:
        title = self.studio.conversation.title
        self.setWindowTitle(f"{title} – voicelane" if title else "voicelane")

    def _dress(self) -> None:
        theme = self.studio.theme
        for found, (_, drawing) in zip(self._rail.buttons(), PAGES.values(), strict=True):
            found.setIcon(icon(drawing, theme.quiet, theme.accent))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Dropped files are what to listen to next, one after the other."""
        urls = event.mimeData().urls()
        self.studio.hear_files([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])

    def ask_for_file(self) -> None:
        """Let somebody choose a file, and listen to it."""
        if path := self.transport.asked_file():
            self.open_file(Path(path))

    def open_file(self, path: Path) -> None:
        """Listen to a file, if what is on the screen may make way for it."""
        self.studio.hear_files([path])

    def leave(self) -> None:
        """Close without a question: whoever ends the program from outside cannot answer."""
        self._asks = False
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Everything heard is written before the window goes, or somebody said that it need not be."""
        studio = self.studio
        answer = (
            studio.ask(studio.conversation, tr("Quit")) if self._asks and studio.conversation.unsaved else ""
        )
        if answer in (STAY, SAVE):
            event.ignore()
            if answer == SAVE:
                studio.end_and_save(self.leave)
            return
        self.studio.preferences.change(geometry=bytes(self.saveGeometry().toHex().data()).decode())
        self.studio.player.stop()
        self.studio.booth.close()
        session = self.studio.listening.session
        if session is not None:
            with suppress(VoicelaneError):
                session.stop()
        event.accept()
