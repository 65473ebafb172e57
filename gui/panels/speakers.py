"""Who takes part: names, colours, talk time; drag one onto another to make them one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from PySide6.QtCore import (
    QAbstractListModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QFont, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QStackedLayout,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from voicelane.base import samples
from voicelane.gui.look.theme import GAP, SMALL
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.look.widgets import Hint, label
from voicelane.gui.model.lanes import Lane, talk_seconds
from voicelane.gui.model.language import later, number, percent, tr
from voicelane.gui.model.viewport import clock
from voicelane.gui.panels.timeline.menu import lane_menu
from voicelane.gui.work.listening import PAUSED
from voicelane.gui.work.studio import Studio

REFRESH_MS = 250
ROW = 62
MIME = "application/x-voicelane-speaker"
RECENT = samples(1.0)
ALIKE = later(((0.6, "very alike"), (0.4, "alike"), (0.2, "a little alike"), (-1.0, "hardly alike")))
"""Least cosine between voices, and what is said of it."""
EMPTY = later("Nobody has spoken yet.\nEverybody who speaks gets a lane and a line here.")
Index = QModelIndex | QPersistentModelIndex


class SpeakerModel(QAbstractListModel):
    """A row for each lane; editing renames, dropping merges."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._conversation = studio, studio.conversation
        self.lanes: list[Lane] = []

    def refresh(self) -> None:
        """Follow the conversation."""
        lanes = self._conversation.lanes.all
        if [lane.speaker for lane in lanes] != [lane.speaker for lane in self.lanes]:
            self.beginResetModel()
            self.lanes = list(lanes)
            self.endResetModel()
        else:
            self.lanes = list(lanes)
            self.dataChanged.emit(self.index(0), self.index(max(0, len(lanes) - 1)))

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.lanes)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.lanes):
            return None
        lane = self.lanes[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return self._conversation.shown(lane.speaker)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return tr(
                "{name}, spoke {time}",
                name=self._conversation.shown(lane.speaker),
                time=clock(talk_seconds(lane)),
            )
        return lane if role == Qt.ItemDataRole.UserRole else None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        name, lane = str(value).strip(), self.lanes[index.row()]
        if not name or name == self._conversation.shown(lane.speaker):
            return False
        return self._studio.rename_speaker(lane.speaker, name)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flag = Qt.ItemFlag
        found = flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable
        return (
            found | flag.ItemIsDragEnabled | flag.ItemIsDropEnabled if index.isValid() else flag.NoItemFlags
        )

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        found = QMimeData()
        found.setData(MIME, self.lanes[indexes[0].row()].speaker.encode())
        return found

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.CopyAction

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """A speaker dropped onto another one is the same."""
        if not parent.isValid() or not data.hasFormat(MIME):
            return False
        speaker = bytes(data.data(MIME).data()).decode()
        into = self.lanes[parent.row()].speaker
        if speaker == into:
            return False
        return self._conversation.correct(lambda desk: desk.merge(speaker, into))


class SpeakerDelegate(QStyledItemDelegate):
    """Draws a row: colour, name, known or new, talk time and share, likeness of the latest voice."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, ROW)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setAccessibleName(tr("Name of the speaker"))
        return editor

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: Index) -> None:
        rect = option.rect
        editor.setGeometry(rect.adjusted(26, 2, -8, -ROW + 34))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        lane = index.data(Qt.ItemDataRole.UserRole)
        rect = QRectF(option.rect)
        theme, conversation = self._studio.theme, self._studio.conversation
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        painter.setPen(Qt.PenStyle.NoPen)
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.setBrush(QColor(theme.selected))
            painter.drawRoundedRect(rect.adjusted(2, 2, -2, -2), 6, 6)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(theme.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(2, 2, -2, -2), 6, 6)
        self._write(painter, rect, lane, conversation.shown(lane.speaker))
        self._bar(painter, rect, lane)
        painter.restore()

    def _write(self, painter: QPainter, rect: QRectF, lane: Lane, name: str) -> None:
        theme, state = self._studio.theme, self._studio.conversation.state
        colour = theme.speaker(lane.colour)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        chip = QRectF(rect.left() + 10, rect.top() + 12, 11, 11)
        speaking = self.speaks(lane)
        painter.drawEllipse(chip) if speaking else painter.drawRoundedRect(chip, 3, 3)
        painter.setPen(QColor(theme.text))
        font = QFont(painter.font())
        plain = QFont(font)
        font.setBold(True)
        painter.setFont(font)
        known = state.labels.recognised.get(lane.speaker) == name
        badge = tr("named")
        if speaking or known or name == lane.speaker:
            badge = tr("speaking") if speaking else tr("known") if known else tr("new")
        badge_width = painter.fontMetrics().horizontalAdvance(badge) + 4
        top = QRectF(rect.left() + 30, rect.top() + 6, rect.width() - 42, 22)
        shown = painter.fontMetrics().elidedText(
            name, Qt.TextElideMode.ElideRight, int(top.width() - badge_width - 8)
        )
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.setFont(plain)
        painter.setPen(colour if speaking else QColor(theme.quiet))
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, badge)
        painter.setPen(QColor(theme.quiet))
        spoken_s = talk_seconds(lane)
        total_s = sum(talk_seconds(other) for other in self._studio.conversation.lanes.all)
        bottom = QRectF(rect.left() + 30, rect.top() + 27, rect.width() - 42, 18)
        words = f"{clock(spoken_s)} · {percent(spoken_s / max(total_s, 1e-9))}"
        painter.drawText(bottom, Qt.AlignmentFlag.AlignVCenter, words)
        likeness = self.likeness(lane)
        if likeness is not None:
            painter.drawText(
                bottom,
                Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                how_alike(likeness, self._studio.preferences.now.lab),
            )

    def _bar(self, painter: QPainter, rect: QRectF, lane: Lane) -> None:
        """Share of the talk time."""
        theme = self._studio.theme
        total_s = sum(talk_seconds(other) for other in self._studio.conversation.lanes.all)
        place = QRectF(rect.left() + 30, rect.top() + 49, rect.width() - 42, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.line))
        painter.drawRoundedRect(place, 2, 2)
        place.setWidth(place.width() * talk_seconds(lane) / max(total_s, 1e-9))
        painter.setBrush(theme.speaker(lane.colour))
        painter.drawRoundedRect(place, 2, 2)

    def speaks(self, lane: Lane) -> bool:
        """Whether somebody is heard to speak right now; nobody is while nothing is heard."""
        state = self._studio.conversation.state
        recent = any(turn.end > state.heard - RECENT for turn in lane.tentative)
        return recent and self._studio.listening.state != PAUSED and not state.device_lost

    def likeness(self, lane: Lane) -> float | None:
        """Cosine of the latest voice to the speaker, while somebody speaks."""
        conversation = self._studio.conversation
        state = conversation.state
        if conversation.live is None or not state.voices or state.heard - state.voices[-1].sample > RECENT:
            return None
        root, latest = state.labels.now.root, state.voices[-1].sample
        voices = takewhile(lambda voice: voice.sample == latest, reversed(state.voices))
        cosines = (c for v in voices for s, c in v.similarity.items() if root(s) == lane.speaker)
        return max(cosines, default=None)


def how_alike(cosine: float, lab: bool) -> str:
    """A likeness in words, or as the number that it is."""
    if lab:
        return tr("cosine {cosine}", cosine=number(cosine, 2))
    return tr(next(words for least, words in ALIKE if cosine >= least))


class Speakers(QFrame):
    """The list, with its heading."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.setProperty("card", True)
        self.model = SpeakerModel(studio)
        self.list = SpeakerList(studio, self.model)
        self._hint = Hint(tr(EMPTY))
        self._stack = QStackedLayout()
        self._stack.addWidget(self._hint)
        self._stack.addWidget(self.list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP, SMALL, SMALL, SMALL)
        layout.addWidget(label(tr("Speakers"), "heading"))
        layout.addLayout(self._stack, 1)
        tip = label(
            tr("Double-click to rename. Drag one onto another if they are the same."), "quiet", wrap=True
        )
        layout.addWidget(tip)
        self._timer = Ticking(self, studio, REFRESH_MS, self.refresh)
        studio.conversation.replaced.connect(self.refresh)
        studio.themed.connect(self.list.viewport().update)
        self.refresh()

    def refresh(self) -> None:
        """Draw the latest state, unless a name is being edited."""
        if self.list.state() != QAbstractItemView.State.EditingState:
            self.model.refresh()
        self._stack.setCurrentIndex(1 if self.model.lanes else 0)


class SpeakerList(QListView):
    """Rows that can be edited, dragged, and asked for their menu."""

    def __init__(self, studio: Studio, model: SpeakerModel) -> None:
        super().__init__()
        self._studio, self._rows = studio, model
        self.setModel(model)
        self._delegate = SpeakerDelegate(studio)
        self.setItemDelegate(self._delegate)
        self.setAccessibleName(tr("Speakers"))
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragDrop)
        self.setDefaultDropAction(Qt.DropAction.CopyAction)
        self.setDragDropOverwriteMode(True)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._menu)

    def _menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if index.isValid():
            lane = self._rows.lanes[index.row()]
            lane_menu(self, self._studio, lane, lambda _: self.edit(index)).popup(
                self.viewport().mapToGlobal(place)
            )
