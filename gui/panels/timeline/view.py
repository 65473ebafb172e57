"""The timeline: sound, spectrum, speech, and a lane for each speaker."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QWidget
from shiboken6 import isValid

from voicelane import SAMPLE_RATE, SpeakerTurn
from voicelane.gui.look.ticking import Ticking
from voicelane.gui.model.conversation import Conversation
from voicelane.gui.model.lanes import Lane
from voicelane.gui.model.language import percent, tr
from voicelane.gui.model.viewport import Viewport, clock
from voicelane.gui.panels.timeline.images import overview_image, spectrogram_image, waveform_image
from voicelane.gui.panels.timeline.keys import ZOOM_STEP, act, move_cursor
from voicelane.gui.panels.timeline.menu import lane_menu, turn_menu
from voicelane.gui.panels.timeline.name_editor import NameEditor
from voicelane.gui.panels.timeline.paint import Edge, Scene, paint
from voicelane.gui.panels.timeline.rows import HEADER, OVERVIEW, Rows
from voicelane.gui.work.studio import Studio

FRAME_MS = 33
LEAST_WIDTH, LEAST_HEIGHT = 340, 220
"""Pixels."""
EDGE_PX, LEAST_EDGES_PX = 5, 14
"""How near an edge it can be dragged, and how wide a turn must be for that."""
NOTCH = 120
"""What a mouse wheel says for one step."""


class Timeline(QWidget):
    """Click a turn to hear it; wheel to zoom, drag to move; arrows, Home, End and space work too."""

    view_changed = Signal()

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio, self._conversation = studio, studio.conversation
        self.n_pictures = 0
        """How often it was drawn."""
        self.shown = self._conversation.state
        """What the latest picture shows."""
        self._heat = studio.theme.heat_table()
        self._images: tuple[tuple[object, ...], QImage | None, QImage | None] | None = None
        self._overview: tuple[tuple[object, ...], QImage | None] | None = None
        self._pressed: QPointF | None = None
        self._dragged = False
        self._hovered: SpeakerTurn | None = None
        self._edge: Edge | None = None
        self._editor: NameEditor | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # as time runs everywhere
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
        self.setAccessibleName(tr("Timeline of who speaks when"))
        self.setAccessibleDescription(
            tr(
                "Left and right move the cursor, up and down go from turn to turn, space plays, plus and "
                "minus zoom, F follows the newest sound; of the chosen turn, [ and ] put the beginning and "
                "the end at the cursor, D divides it there, J joins it with the next, C confirms it, Delete "
                "deletes it; I inserts a turn"
            )
        )
        self._timer = Ticking(self, studio, FRAME_MS, self._tick)
        self._conversation.changed.connect(self._changed)
        self._conversation.replaced.connect(self._begin)
        self._conversation.selected.connect(self.update)
        self._conversation.moved.connect(self.update)
        studio.themed.connect(self._dress)

    @property
    def rows(self) -> Rows:
        """Where everything is drawn now."""
        return Rows(self.width(), self.height(), len(self._conversation.lanes.all))

    @property
    def view(self) -> Viewport:
        return self._conversation.view

    def show_view(self, view: Viewport) -> None:
        """Another part, or another zoom."""
        self._conversation.view = view
        self.view_changed.emit()
        self.update()

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Closer by a factor, around a pixel or the cursor."""
        if x is None:
            cursor = self.view.x(self._conversation.cursor)
            x = cursor if 0 <= cursor <= self.view.width else self.view.width / 2
        self.show_view(self.view.zoomed(factor, x, self._conversation.n_samples))

    def follow(self, on: bool) -> None:
        """Keep the newest sound in sight, or stay."""
        length = self._conversation.n_samples
        self.show_view(self.view.following(length) if on else self.view.moved_to(self.view.start, length))

    def whole(self) -> None:
        """Show everything."""
        self.show_view(self.view.whole(self._conversation.n_samples))

    def rename(self, speaker: str) -> None:
        """Edit a name where it stands."""
        lane = self._conversation.lane(speaker)
        if lane is None:
            return
        top = self.rows.lane_top(self._conversation.lanes.all.index(lane))
        shown = self._conversation.shown(speaker)

        def keep(name: str) -> None:
            if name != shown:
                self._studio.rename_speaker(speaker, name)

        self._end_editing(True)
        self._editor = NameEditor(shown, self, keep)
        self._editor.setGeometry(QRect(24, top + max(0, (self.rows.lane - 30) // 2), HEADER - 30, 30))
        self._editor.show()
        self._editor.setFocus()

    def _end_editing(self, kept: bool) -> None:
        editor, self._editor = self._editor, None
        if editor is not None and isValid(editor):
            editor.end(kept)

    def _begin(self) -> None:
        self._end_editing(False)
        self._images = self._overview = self._hovered = None
        self.show_view(self.view.resized(max(1, self.width() - HEADER)))

    def _changed(self) -> None:
        """What was under the mouse may be another's now."""
        if self._hovered is not None and self._conversation.state.labels is not self.shown.labels:
            self._hovered = None
        self.update()

    def _dress(self) -> None:
        self._heat = self._studio.theme.heat_table()
        self._images = self._overview = None
        self.update()

    def _tick(self) -> None:
        """Thirty times a second while anything moves."""
        if self._studio.player.playing:
            place = self._studio.player.place
            if not self.view.start <= place <= self.view.end:
                self.show_view(self.view.showing(place, self._conversation.n_samples))
            self.update()
        elif self._conversation.live is not None:
            self._keep_up()
            self.update()
        elif self._studio.opening is not None:
            self.update()

    def _keep_up(self) -> None:
        """Follow the newest sound, if that is wanted."""
        after = self.view.following(self._conversation.n_samples)
        if self.view.follow and after != self.view:
            self.show_view(after)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setLayoutDirection(self.layoutDirection())
        wave, spectrogram = self._pictures()
        player = self._studio.player
        playing_at = player.place if player.playing else None
        paint(
            painter,
            Scene(
                self._conversation,
                self.rows,
                self._studio.theme,
                wave,
                spectrogram,
                self._whole_picture(),
                playing_at,
                self._hovered,
                self._edge if self._dragged else None,
            ),
        )
        painter.end()
        self.n_pictures, self.shown = self.n_pictures + 1, self._conversation.state

    def _pictures(self) -> tuple[QImage | None, QImage | None]:
        """Waveform and spectrogram, drawn anew only where something changed."""
        conversation, rows, ratio = self._conversation, self.rows, self.devicePixelRatioF()
        seen = min(conversation.sound.n_samples, int(self.view.end) + 1)
        key = (self.view, rows, ratio, seen, len(conversation.state.finals), id(conversation.state.labels))
        if self._images is None or self._images[0] != key:
            lanes, sound, theme = conversation.lanes.all, conversation.sound, self._studio.theme
            wave = waveform_image(sound, self.view, lanes, rows.wave[1], ratio, theme)
            self._images = key, wave, spectrogram_image(sound, self.view, ratio, self._heat)
        return self._images[1:]

    def _whole_picture(self) -> QImage | None:
        sound, width, ratio = self._conversation.sound, self.width(), self.devicePixelRatioF()
        key = (width, ratio, sound.n_samples // (SAMPLE_RATE // 2), id(sound))
        if self._overview is None or self._overview[0] != key:
            length, colour = self._conversation.n_samples, self._studio.theme.quiet
            self._overview = key, overview_image(sound, width, OVERVIEW - 6, length, ratio, colour)
        return self._overview[1]

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.show_view(self.view.resized(max(1, self.width() - HEADER)))

    def turn_at(self, place: QPointF) -> SpeakerTurn | None:
        """The turn under a point."""
        lane = self.lane_at(place)
        if lane is None or place.x() < HEADER:
            return None
        return lane.at(self.view.sample(place.x() - HEADER))

    def lane_at(self, place: QPointF) -> Lane | None:
        """The lane under a point, its name included."""
        if place.y() >= self.rows.overview[0]:
            return None
        number = self.rows.lane_at(place.y())
        return None if number is None else self._conversation.lanes.all[number]

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = event.position(), False
            self._edge = self._edge_at(event.position())
            if event.position().y() >= self.rows.overview[0]:
                self._jump(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._pressed is not None and self._edge is not None:
            self._drag_edge(place)
        elif self._pressed is None:
            self._hover(place, event.globalPosition().toPoint())
        elif self._pressed.y() >= self.rows.overview[0]:
            self._jump(place.x())
        elif self._dragged or (place - self._pressed).manhattanLength() > 6:
            self.show_view(self.view.scrolled(self._pressed.x() - place.x(), self._conversation.n_samples))
            self._pressed, self._dragged = place, True

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, self._pressed = self._pressed, None
        edge, self._edge = self._edge, None
        if edge is not None and self._dragged:
            self._studio.editing.move_edge(edge.turn, edge.start, edge.to)
            self.update()
            return
        if pressed is None or self._dragged or pressed.y() >= self.rows.overview[0]:
            return
        turn = self.turn_at(event.position())
        if turn is not None:
            self._studio.play(turn)
        elif event.position().x() >= HEADER:
            self._studio.player.stop()
            self._conversation.select(None)
            move_cursor(self, self._studio, self.view.sample(event.position().x() - HEADER))

    def _edge_at(self, place: QPointF) -> Edge | None:
        """The edge of a confirmed turn under a point: a little inside it, and outside where nothing is."""
        lane = self.lane_at(place)
        if lane is None or place.x() < HEADER:
            return None
        x = place.x() - HEADER
        for dx in (0, -EDGE_PX, EDGE_PX):
            turn = lane.at(self.view.sample(x + dx))
            if turn is None or not turn.final:
                continue
            left, right = self.view.x(turn.start), self.view.x(turn.end)
            if right - left < LEAST_EDGES_PX:
                return None
            if min(abs(x - left), abs(x - right)) <= EDGE_PX:
                start = abs(x - left) <= abs(x - right)
                return Edge(turn, start, turn.start if start else turn.end)
        return None

    def _drag_edge(self, place: QPointF) -> None:
        assert self._edge is not None and self._pressed is not None
        self._dragged = self._dragged or abs(place.x() - self._pressed.x()) > 2
        self._edge = replace(self._edge, to=self.view.sample(place.x() - HEADER))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        lane = self.lane_at(event.position())
        if lane is not None and event.position().x() < HEADER:
            self.rename(lane.speaker)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        place = QPointF(event.pos())
        turn, lane = self.turn_at(place), self.lane_at(place)
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self._conversation.turn is not None:
            turn_menu(self, self._studio, self._conversation.turn, self._conversation.cursor).popup(
                self.mapToGlobal(QPoint(HEADER + 40, self.rows.lanes[0]))
            )
        elif turn is not None:
            at = self.view.sample(place.x() - HEADER)
            turn_menu(self, self._studio, turn, at).popup(event.globalPos())
        elif lane is not None:
            to = self.view.sample(place.x() - HEADER) if place.x() >= HEADER else None
            lane_menu(self, self._studio, lane, self.rename, to).popup(event.globalPos())

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        sideways = delta.x() or (delta.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if sideways:
            self.show_view(self.view.scrolled(-sideways * 60 / NOTCH, self._conversation.n_samples))
        else:
            self.zoom(ZOOM_STEP ** (delta.y() / NOTCH), event.position().x() - HEADER)

    def event(self, event: QEvent) -> bool:
        if (
            isinstance(event, QNativeGestureEvent)
            and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        ):
            self.zoom(1.0 + event.value(), event.position().x() - HEADER)
            event.accept()  # or the widget below gets it as well
            return True
        pinch = event.gesture(Qt.GestureType.PinchGesture) if isinstance(event, QGestureEvent) else None
        if isinstance(pinch, QPinchGesture):
            self._pinch(pinch)
            return True
        return super().event(event)

    def _pinch(self, pinch: QPinchGesture) -> None:
        """Zoom with every step; the end only repeats the last one's factor."""
        self._pressed = None  # the first finger is no mouse any more
        if pinch.state() == Qt.GestureState.GestureUpdated:
            self.zoom(pinch.scaleFactor(), self.mapFromGlobal(pinch.centerPoint()).x() - HEADER)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not act(self, self._studio, event):
            super().keyPressEvent(event)

    def _jump(self, x: float) -> None:
        """To a place of the overview."""
        middle = x / self.width() * self._conversation.n_samples
        start = middle - 0.5 * self.view.width * self.view.per_pixel
        self.show_view(self.view.moved_to(start, self._conversation.n_samples))

    def _hover(self, place: QPointF, screen: QPoint) -> None:
        shape = Qt.CursorShape.SizeHorCursor if self._edge_at(place) else Qt.CursorShape.ArrowCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)
        turn = self.turn_at(place)
        if turn != self._hovered:
            self._hovered = turn
            self.setToolTip(describe(self._conversation, turn) if turn else "")
            self.update()


def describe(conversation: Conversation, turn: SpeakerTurn) -> str:
    """A turn in words."""
    start_s, end_s = turn.start / SAMPLE_RATE, turn.end / SAMPLE_RATE
    sure = tr("{percent} sure", percent=percent(turn.confidence)) if turn.final else tr("tentative")
    return f"{conversation.shown(turn.speaker)}, {clock(start_s, 1)} – {clock(end_s, 1)}, {sure}"
