"""The main window: assembly only."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence
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

from engine import VoicelaneError
from gui.icons import icon
from gui.listening import IDLE
from gui.panels.banner import Banner
from gui.panels.health import HealthPage, StatusLine
from gui.panels.listen import Listen
from gui.panels.people import PeoplePage
from gui.panels.sessions import SessionsPage
from gui.panels.settings import SettingsPage
from gui.panels.transport import Transport
from gui.panels.verification import VerificationPage
from gui.studio import Studio
from gui.theme import GAP, SMALL

PAGES = {
    "listen": ("Listen", "microphone"),
    "sessions": ("Sessions", "sessions"),
    "people": ("People", "people"),
    "verify": ("Verify", "verify"),
    "health": ("Health", "health"),
    "settings": ("Settings", "settings"),
}


class Window(QMainWindow):
    """Rail of pages on the left, transport on top, health at the bottom."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.studio = studio
        self.setWindowTitle("voicelane")
        self.setAcceptDrops(True)
        self.transport, self.banner = Transport(studio), Banner(studio)
        self.listen, self.sessions = Listen(studio), SessionsPage(studio)
        self.people, self.verification = PeoplePage(studio), VerificationPage(studio)
        self.health, self.settings = HealthPage(studio), SettingsPage(studio)
        self.pages = QStackedWidget()
        for page in (
            self.listen,
            self.sessions,
            self.people,
            self.verification,
            self.health,
            self.settings,
        ):
            self.pages.addWidget(page)
        self._assemble()
        self._menus()
        self.status = StatusLine(studio)
        self.setStatusBar(self.status)
        studio.page_wanted.connect(self.show_page)
        studio.conversation.replaced.connect(self._entitle)
        studio.conversation.changed.connect(self._watch_device)
        studio.themed.connect(self._dress)
        self._device_lost = ""
        self._dress()
        self.resize(1280, 800)
        self.transport.start.setFocus()
        if studio.preferences.now.geometry:
            self.restoreGeometry(QByteArray.fromHex(studio.preferences.now.geometry.encode()))
        if studio.preferences.problem:
            self.banner.say(studio.preferences.problem)

    def show_page(self, name: str) -> None:
        """One of `PAGES`."""
        self.pages.setCurrentIndex(list(PAGES).index(name))
        self._rail.buttons()[list(PAGES).index(name)].setChecked(True)

    def _assemble(self) -> None:
        rail = QFrame()
        rail.setObjectName("rail")
        rail.setAccessibleName("Pages")
        buttons = QVBoxLayout(rail)
        buttons.setContentsMargins(SMALL, GAP, SMALL, GAP)
        buttons.setSpacing(SMALL)
        self._rail = QButtonGroup(self)
        for number, (name, (title, _)) in enumerate(PAGES.items()):
            found = QToolButton()
            found.setText(title)
            found.setAccessibleName(f"Page: {title}")
            found.setToolTip(f"{title} (Ctrl+{number + 1})")
            found.setShortcut(f"Ctrl+{number + 1}")
            found.setCheckable(True)
            found.setChecked(number == 0)
            found.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            found.setIconSize(QSize(22, 22))
            found.setFixedSize(76, 60)
            found.clicked.connect(lambda _checked=False, name=name: self.show_page(name))
            self._rail.addButton(found, number)
            buttons.addWidget(found)
        buttons.addStretch(1)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(GAP, GAP, GAP, SMALL)
        column.setSpacing(SMALL + 2)
        column.addWidget(self.transport)
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
        studio, timeline = self.studio, self.listen.timeline
        keys = QKeySequence.StandardKey
        file, edit, view = (self.menuBar().addMenu(name) for name in ("&File", "&Edit", "&View"))
        self._action(file, "Open a sound file …", self.transport.ask_for_file, keys.Open)
        self._action(file, "Recorded sessions", lambda: self.show_page("sessions"))
        file.addSeparator()
        self._action(file, "Quit", self.close, keys.Quit)
        self._action(edit, "Undo", studio.undo, keys.Undo)
        self._action(edit, "Redo", studio.redo, keys.Redo)
        self._action(view, "Follow the newest sound", lambda: timeline.follow(True))
        self._action(view, "Zoom in", lambda: timeline.zoom(1.25), keys.ZoomIn)
        self._action(view, "Zoom out", lambda: timeline.zoom(0.8), keys.ZoomOut)
        self._action(view, "Show everything", timeline.whole, "Ctrl+0")

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

    def _watch_device(self) -> None:
        """The banner while the microphone is gone."""
        reason = self.studio.conversation.state.device_lost
        if reason == self._device_lost:
            return
        self._device_lost = reason
        if reason:
            self.banner.say(
                f"the microphone is gone ({reason.removeprefix('mic:')}). Everything heard so far is kept; "
                "listening goes on as soon as it is back."
            )
        else:
            self.banner.hide()

    def _dress(self) -> None:
        theme = self.studio.theme
        for found, (_, drawing) in zip(self._rail.buttons(), PAGES.values(), strict=True):
            found.setIcon(icon(drawing, theme.quiet, theme.accent))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """A dropped file is what to listen to next; it starts where nothing runs."""
        path = next(u.toLocalFile() for u in event.mimeData().urls() if u.isLocalFile())
        self.open_file(Path(path))

    def open_file(self, path: Path) -> None:
        """Choose a file, and listen to it."""
        if self.studio.listening.state != IDLE:
            self.banner.say("a conversation is being heard; stop it before another file is opened")
            return
        self.transport.choose_file(str(path))
        self.show_page("listen")
        self.studio.listen()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Everything heard is written before the window goes."""
        self.studio.preferences.change(geometry=bytes(self.saveGeometry().toHex().data()).decode())
        self.studio.player.stop()
        self.people.enrolling.cancel()
        session = self.studio.listening.session
        if session is not None:
            with suppress(VoicelaneError):
                session.stop()
        event.accept()
