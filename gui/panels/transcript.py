"""What was said, beside the timeline: a click plays a word, a double click writes it otherwise."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QKeyEvent,
    QMouseEvent,
    QSyntaxHighlighter,
    QTextCharFormat,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QStackedLayout,
    QTextEdit,
    QVBoxLayout,
)

from voicelane.base import samples
from voicelane.events import Word
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.widgets import Hint, button, label
from voicelane.gui.model.language import later, percent, tr
from voicelane.gui.model.words import CHIP, Page, laid_out, lines_of
from voicelane.gui.panels.timeline.name_editor import NameEditor
from voicelane.gui.work.jobs import Job
from voicelane.gui.work.studio import Studio

REFRESH_MS, FOLLOW_MS = 500, 100
AROUND = samples(0.12)
"""Of a word, that is played with it."""
EMPTY = later(
    "No words are written down.\nRecorded conversations can have theirs looked for; while somebody speaks "
    "they appear here if captions are switched on in Settings."
)
EMPTY_HEIGHT, QWIDGETSIZE_MAX = 124, (1 << 24) - 1
"""Pixels; the latter is Qt's own for no limit, which Python does not have."""
MOST_MARKS = 500
"""Of places that were searched for."""


class Transcript(QFrame):
    """Search and buttons on top, the text below."""

    filled = Signal(bool)
    """Whether there are words; it was otherwise before."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._conversation = studio, studio.conversation
        self.setProperty("card", True)
        self.setAccessibleName(tr("Transcript"))
        self.text = TranscriptText(studio)
        head = self._head()
        self._stack = QStackedLayout()
        self._stack.addWidget(Hint(tr(EMPTY)))
        self._stack.addWidget(self.text)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, SMALL, SMALL, SMALL)
        layout.addLayout(head)
        layout.addLayout(self._stack, 1)
        self._made: tuple[object, ...] = ()
        self._working = False
        self._timer = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._conversation.changed.connect(self._soon)
        self._conversation.replaced.connect(self._begin)
        self._begin()

    def _head(self) -> QHBoxLayout:
        """Title and progress, search, and what can be done."""
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search in what was said"))
        self.search.setAccessibleName(tr("Search in what was said"))
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(60)
        self.search.textChanged.connect(self._search)
        self.search.returnPressed.connect(self._next)
        self.words = label("", "quiet")
        self.words.setAccessibleName(tr("How far the words are"))
        self.copy = button(tr("Copy"), self.text.copy_all)
        self.recognise = button(tr("Write down what was said"), self._studio.recognise_words)
        head = QHBoxLayout()
        head.addWidget(label(tr("Transcript"), "heading"))
        head.addWidget(self.words)
        head.addStretch(1)
        for widget in (self.recognise, self.search, self.copy):
            head.addWidget(widget)
        return head

    def _begin(self) -> None:
        """Another conversation."""
        self.text.lines = []
        self.refresh()

    def _soon(self) -> None:
        """Live words come often; twice a second is enough."""
        if not self._timer.isActive():
            self._timer.start(REFRESH_MS if self._conversation.live is not None else 0)

    def refresh(self) -> None:
        """Lay out the latest words, away from the window."""
        conversation, writing = self._conversation, self._studio.writing
        words = conversation.words()
        self.words.setText(self._progress(bool(words)))
        can = conversation.session is not None and not words and writing is None
        self.recognise.setVisible(can)
        self.search.setVisible(bool(words))
        self.copy.setVisible(bool(words))
        self._stack.setCurrentIndex(1 if words else 0)
        self._take_room(bool(words))
        made = (words, conversation.state.labels, len(conversation.state.finals), id(conversation.lanes))
        if made != self._made and not self._working:
            self._made = made
            self._lay_out(words)
        if writing is not None:
            self._timer.start(REFRESH_MS)

    def _take_room(self, some: bool) -> None:
        """All that there is for words, little where there are none."""
        most = QWIDGETSIZE_MAX if some else EMPTY_HEIGHT
        if self.maximumHeight() != most:
            self.setMaximumHeight(most)
            self.filled.emit(some)

    def _lay_out(self, words: tuple[Word, ...]) -> None:
        conversation, before = self._conversation, self.text.lines
        owned = [
            turn if turn.speaker == lane.speaker else replace(turn, speaker=lane.speaker)
            for lane in conversation.lanes.all
            for turn in (*lane.turns, *lane.tentative)
        ]
        labels, lanes = conversation.state.labels, conversation.lanes
        shown = {lane.speaker: conversation.shown(lane.speaker) for lane in lanes.all}
        known = before if self.text.labels is labels else []
        self._working = True

        def work() -> Page:
            return laid_out(lines_of(words, owned, known), lambda who: shown.get(who, who))

        def done(page: Page) -> None:
            self._working = False
            if conversation.lanes is lanes:
                self.text.show_page(page, labels)
                self._search(self.search.text())
            self._soon()

        Job(work, done, self._failed)

    def _failed(self, sentence: str) -> None:
        self._working = False
        self._studio.noticed.emit(sentence)

    def _progress(self, some: bool) -> str:
        writing, problem = self._studio.writing, self._conversation.state.captions_problem
        if writing is not None and self._conversation.is_session(writing.folder):
            return tr("being written down: {percent}", percent=percent(writing.share))
        return problem if self._conversation.live is not None or not some else ""

    def _search(self, text: str) -> None:
        """Mark every place where it stands."""
        n_found = self.text.mark(text.strip())
        if text.strip():
            self.words.setText(tr("%n found", n_found))

    def _next(self) -> None:
        self.text.find_next(self.search.text().strip())


class Headings(QSyntaxHighlighter):
    """Names in bold with a mark in the speaker's colour; doubtful words are quiet."""

    def __init__(self, text: TranscriptText, studio: Studio) -> None:
        super().__init__(text.document())
        self._text, self._studio = text, studio

    def highlightBlock(self, text: str) -> None:
        number = self.currentBlock().blockNumber()
        if number % 2 or number // 2 >= len(self._text.page.said):
            return
        who = self._text.page.speaker_at(number // 2)
        lane = self._studio.conversation.lane(who) if who else None
        bold, mark = QTextCharFormat(), QTextCharFormat()
        bold.setFontWeight(QFont.Weight.Bold)
        theme = self._studio.theme
        mark.setForeground(theme.speaker(lane.colour) if lane else QColor(theme.quiet))
        self.setFormat(0, len(text), bold)
        self.setFormat(0, len(CHIP), mark)


class TranscriptText(QPlainTextEdit):
    """The text itself; it can be read, selected and copied, and word by word be heard and changed."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._conversation = studio, studio.conversation
        self.page, self.lines, self.labels = Page(), [], object()  # type: ignore[var-annotated]
        self._found: list[QTextEdit.ExtraSelection] = []
        self._heard: int | None = None
        self._editor: NameEditor | None = None
        self._pressed = False
        self.setReadOnly(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName(tr("What was said"))
        self.setAccessibleDescription(
            tr(
                "Space plays, Enter plays the word at the cursor and goes on from there, F2 writes it "
                "otherwise"
            )
        )
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._headings = Headings(self, studio)
        self._click = QTimer(self, singleShot=True, interval=QApplication.doubleClickInterval())
        self._click.timeout.connect(self._hear_clicked)
        self._follow = QTimer(self, interval=FOLLOW_MS)
        self._follow.timeout.connect(self._show_heard)
        studio.player.changed.connect(self._player_changed)
        studio.themed.connect(self._headings.rehighlight)

    def show_page(self, page: Page, labels: object) -> None:
        """Show other words, without moving what is looked at."""
        bar = self.verticalScrollBar()
        at, newest = bar.value(), bar.value() >= bar.maximum() - 1
        old, self.page, self.lines, self.labels = self.page, page, [s.line for s in page.said], labels
        if old.text != page.text:
            self._replace(old.text, page.text)
            bar.setValue(bar.maximum() if newest and self._conversation.live is not None else at)
        self._headings.rehighlight() if old.labels != page.labels else None

    def word_under(self, cursor: QTextCursor) -> int | None:
        """Number of the word at a place of the text."""
        return self.page.word_at(cursor.position())

    def hear(self, number: int, on: bool = False) -> None:
        """Play a word, or everything from it on."""
        word, sound = self.page.words[number], self._conversation.sound
        self._studio.seek(word.start)
        if on:
            self._studio.play()
        else:
            self._studio.player.play(sound, max(0, word.start - AROUND), word.end + AROUND)

    def edit(self, number: int) -> None:
        """Write a word otherwise, where it stands."""
        if self._conversation.live is not None:
            self._studio.told.emit(tr("words can be changed when the conversation is over"))
            return
        word = self.page.words[number]
        first, last = self.page.span(number)

        def keep(text: str) -> None:
            if text != word.text.strip():
                self._conversation.rewrite(word, text)

        left, right = (self.cursorRect(self._at(letter)) for letter in (first, last))
        self._editor = NameEditor(word.text.strip(), self.viewport(), keep)
        self._editor.setAccessibleName(tr("The word"))
        width = max(90, right.right() - left.left() + 40)
        self._editor.setGeometry(QRect(left.left() - 8, left.top() - 6, width, 30))
        self._editor.show()
        self._editor.setFocus()

    def remove(self, number: int) -> None:
        """Leave a word out."""
        self._conversation.rewrite(self.page.words[number], "")

    def copy_all(self) -> None:
        """What is selected, or all of it with names, to the clipboard."""
        selected = self.textCursor().selectedText().replace("\u2029", "\n")
        QApplication.clipboard().setText(selected or self.page.copied(self._conversation.shown))
        self._studio.told.emit(tr("copied"))

    def mark(self, text: str) -> int:
        """Mark every place of a text; gives how many there are."""
        whole, wanted, at = self.page.text.casefold(), text.casefold(), 0
        places = []
        while wanted and (at := whole.find(wanted, at)) >= 0:
            places.append(at)
            at += len(wanted)
        theme = self._studio.theme
        shown = places[:MOST_MARKS]
        self._found = [self._marked(p, p + len(wanted), theme.selected, theme.text) for p in shown]
        self._show_marks()
        return len(places)

    def find_next(self, text: str) -> None:
        """Go to the next place, and from the last to the first."""
        if text and not self.find(text):
            self.moveCursor(QTextCursor.MoveOperation.Start)
            self.find(text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        self._pressed = event.button() == Qt.MouseButton.LeftButton

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if self._pressed and not self.textCursor().hasSelection():
            self._click.start()
        self._pressed = False

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._click.stop()
        self._pressed = False
        number = self.word_under(self.cursorForPosition(event.position().toPoint()))
        if number is not None:
            self.edit(number)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = self.word_under(self.textCursor())
        if event.key() == Qt.Key.Key_Space:
            event.ignore()  # the window plays
        elif number is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.hear(number, on=True)
        elif number is not None and event.key() == Qt.Key.Key_F2:
            self.edit(number)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        cursor = self.textCursor() if keyboard else self.cursorForPosition(event.pos())
        self.menu_of(self.word_under(cursor)).popup(event.globalPos())

    def menu_of(self, number: int | None) -> QMenu:
        """What can be done with a word."""
        menu = QMenu(self)
        if number is not None:
            text = self.page.words[number].text.strip()
            menu.addAction(tr("Hear “{text}”", text=text), lambda: self.hear(number))
            menu.addAction(tr("Play from here"), lambda: self.hear(number, on=True))
            menu.addAction(tr("Write it otherwise …"), lambda: self.edit(number))
            if self._conversation.live is None:
                menu.addAction(tr("Leave it out"), lambda: self.remove(number))
            menu.addSeparator()
        menu.addAction(tr("Copy"), self.copy_all)
        return menu

    def event(self, event: QEvent) -> bool:
        """Space reaches the window, which plays; Qt would keep it for editing."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            event.ignore()
            return False
        return super().event(event)

    def _hear_clicked(self) -> None:
        number = self.word_under(self.textCursor())
        if number is not None:
            self.hear(number)

    def _player_changed(self) -> None:
        playing = self._studio.player.playing
        self._follow.start() if playing else self._follow.stop()
        self._show_heard()

    def _show_heard(self) -> None:
        """Mark the word that is played, and keep it in sight."""
        player = self._studio.player
        number = self.page.word_of(player.place) if player.playing else None
        if number == self._heard:
            return
        self._heard = number
        self._show_marks()
        if number is not None and not self.viewport().rect().contains(
            self.cursorRect(self._at(self.page.starts[number]))
        ):
            place = self._at(self.page.starts[number]).block().blockNumber()
            self.verticalScrollBar().setValue(max(0, place - 1))

    def _show_marks(self) -> None:
        theme, marks = self._studio.theme, list(self._found)
        if self._heard is not None and self._heard < len(self.page.words):
            marks.append(self._marked(*self.page.span(self._heard), theme.accent, theme.on_accent))
        self.setExtraSelections(marks)

    def _marked(self, first: int, last: int, behind: str, colour: str) -> QTextEdit.ExtraSelection:
        found = QTextEdit.ExtraSelection()
        cursor = self._at(first)
        cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)
        found.cursor = cursor
        found.format.setBackground(QColor(behind))
        found.format.setForeground(QColor(colour))
        return found

    def _at(self, letter: int) -> QTextCursor:
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(letter, max(0, self.document().characterCount() - 1)))
        return cursor

    def _replace(self, old: str, new: str) -> None:
        """Only what is different behind the first difference; a selection before it stays."""
        same = next((i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), None)
        same = min(len(old), len(new)) if same is None else same
        if not same:
            self.setPlainText(new)
            return
        cursor = self._at(same)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(new[same:])
