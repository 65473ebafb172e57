"""Draws the timeline in one pass: only what is visible, nothing smaller than a pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QImage, QPainter, QPen, QPolygonF

from voicelane import SAMPLE_RATE, SpeakerTurn
from voicelane.base import seconds
from voicelane.gui.look.theme import Theme
from voicelane.gui.model.conversation import Conversation
from voicelane.gui.model.lanes import Lane
from voicelane.gui.model.language import later, tr
from voicelane.gui.model.state import DEVICE, LOST, PAUSED
from voicelane.gui.model.viewport import Viewport, clock, tick_step_s
from voicelane.gui.panels.timeline.rows import HEADER, RULER, SPACE, Rows
from voicelane.gui.panels.timeline.spans import overlaps, pixels

SMOOTH_PIXELS = 300_000
"""Size up to which the spectrum is blurred between its bands, which takes the processor long."""
ROUND_BELOW = 60
"""Turns in a lane up to which their corners are round."""
MOST_OVERLAPS = 60
"""Up to this many are marked; more are too small to be seen."""
GAP_WORDS = later({LOST: "sound lost", DEVICE: "microphone gone", PAUSED: "paused"})


@dataclass(frozen=True)
class Edge:
    """The beginning or the end of a turn that is being dragged to another sample."""

    turn: SpeakerTurn
    start: bool
    to: int


@dataclass
class Scene:
    """What one picture is made of."""

    conversation: Conversation
    rows: Rows
    theme: Theme
    wave: QImage | None
    spectrogram: QImage | None
    overview: QImage | None
    playing_at: int | None
    hovered: SpeakerTurn | None = None
    edge: Edge | None = None

    @property
    def view(self) -> Viewport:
        return self.conversation.view


def paint(painter: QPainter, scene: Scene) -> None:
    """Everything, back to front."""
    rows, theme = scene.rows, scene.theme
    painter.fillRect(0, 0, rows.width, rows.height, QColor(theme.canvas))
    painter.save()
    painter.setClipRect(HEADER, 0, rows.width - HEADER, rows.height - rows.overview[1])
    painter.translate(HEADER, 0)
    _stripes(painter, scene)
    _pictures(painter, scene)
    _ruler(painter, scene)
    _speech(painter, scene)
    for number, lane in enumerate(scene.conversation.lanes.all):
        _lane(painter, scene, number, lane)
    _overlaps(painter, scene)
    _gaps(painter, scene)
    _cursors(painter, scene)
    painter.restore()
    _headers(painter, scene)
    _overview(painter, scene)


def _stripes(painter: QPainter, scene: Scene) -> None:
    rows = scene.rows
    for number in range(rows.n_lanes):
        if number % 2 == 0:
            painter.fillRect(
                0, rows.lane_top(number), scene.view.width, rows.lane, QColor(scene.theme.stripe)
            )


def _pictures(painter: QPainter, scene: Scene) -> None:
    """Waveform over spectrogram."""
    top, height = scene.rows.wave
    painter.setPen(QColor(scene.theme.line))
    painter.drawLine(0, top + height // 2, scene.view.width, top + height // 2)
    if scene.wave is not None:
        painter.drawImage(QPointF(0, top), scene.wave)
    if scene.spectrogram is not None and scene.rows.spectrogram_on:
        top, height = scene.rows.spectrogram
        width = scene.spectrogram.width() / painter.device().devicePixelRatio()
        smooth = width * height <= SMOOTH_PIXELS
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(QRectF(0, top, width, height), scene.spectrogram)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)


def _ruler(painter: QPainter, scene: Scene) -> None:
    """Times, with faint lines down through the lanes."""
    view, rows = scene.view, scene.rows
    step = tick_step_s(view.per_pixel)
    digits = 1 if step < 1 else 0
    number = int(seconds(int(view.start)) // step)
    top, height = rows.lanes
    grid = QColor(scene.theme.line)
    while (x := view.x(number * step * SAMPLE_RATE)) < view.width:
        painter.setPen(grid)
        painter.drawLine(QPointF(x, RULER - 7), QPointF(x, RULER - 1))
        painter.drawLine(QPointF(x, top), QPointF(x, top + height))
        painter.setPen(QColor(scene.theme.quiet))
        painter.drawText(QPointF(x + 4, RULER - 8), clock(number * step, digits))
        number += 1
    painter.setPen(grid)
    painter.drawLine(0, RULER - 1, view.width, RULER - 1)


def _speech(painter: QPainter, scene: Scene) -> None:
    """Where the detector hears speech, whoever it is."""
    view, state = scene.view, scene.conversation.state
    top, height = scene.rows.strip
    painter.fillRect(0, top, view.width, height, QColor(scene.theme.stripe))
    colour = QColor(scene.theme.quiet)
    for left, right in pixels(
        scene.conversation.lanes.speech_between(int(view.start), int(view.end)), view
    ).T:
        painter.fillRect(int(left), top + 2, int(right - left), height - 4, colour)
    if state.speaking_since is not None:
        left = view.x(state.speaking_since)
        right = view.x(scene.conversation.n_samples)
        painter.fillRect(QRectF(left, top + 2, right - left, height - 4), colour)


def _lane(painter: QPainter, scene: Scene, number: int, lane: Lane) -> None:
    """Confirmed turns solid, tentative ones hatched."""
    view, rows = scene.view, scene.rows
    inset = 4 if rows.lane > 20 else 2
    top, height = rows.lane_top(number) + inset, rows.lane - 2 * inset
    colour, brush = scene.theme.speaker(lane.colour), scene.theme.brush(lane.colour)
    spans = pixels(lane.between(int(view.start), int(view.end)), view)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    if spans.shape[1] <= ROUND_BELOW:
        for left, right in spans.T:
            painter.drawRoundedRect(QRectF(left, top, max(1, right - left), height), 3, 3)
    else:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.drawRects([QRect(left, top, right - left, height) for left, right in spans.T.tolist()])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _unsure(painter, scene, lane, top, height)
    for turn in lane.tentative:
        _tentative(painter, scene, turn, QRectF(0, top, 0, height), colour)
    if scene.edge is not None and scene.conversation.lane(scene.edge.turn.speaker) is lane:
        turn = scene.edge.turn
        dragged = replace(turn, start=scene.edge.to) if scene.edge.start else replace(turn, end=scene.edge.to)
        _outlined(painter, scene, dragged, top, height)
    for marked in {scene.conversation.turn, scene.hovered}:
        if marked is not None and scene.conversation.lane(marked.speaker) is lane:
            _outlined(painter, scene, marked, top, height)


def _unsure(painter: QPainter, scene: Scene, lane: Lane, top: int, height: int) -> None:
    """What is not sure is paler and hatched with the canvas, the more the less sure it is."""
    view, canvas = scene.view, scene.theme.canvas
    turns = lane.unsure_between(int(view.start), int(view.end))
    for turn in turns if len(turns) <= ROUND_BELOW else ():
        left, right = view.x(turn.start), view.x(turn.end)
        place = QRectF(left, top, max(1.0, right - left), height)
        pale = QColor(canvas)
        pale.setAlphaF(min(0.75, max(0.25, 1.0 - turn.confidence)))
        painter.fillRect(place, pale)
        painter.fillRect(place, QBrush(QColor(canvas), Qt.BrushStyle.FDiagPattern))


def _tentative(painter: QPainter, scene: Scene, turn: SpeakerTurn, place: QRectF, colour: QColor) -> None:
    """Solid up to where it is confirmed, hatched behind."""
    view = scene.view
    left, middle, right = (view.x(at) for at in (turn.start, turn.confirmed_end, turn.end))
    if right < 0 or left > view.width:
        return
    painter.setPen(Qt.PenStyle.NoPen)
    if middle > left:
        painter.fillRect(QRectF(left, place.top(), middle - left, place.height()), colour)
    faint = QColor(colour)
    faint.setAlpha(70)
    rest = QRectF(middle, place.top(), max(1.0, right - middle), place.height())
    painter.fillRect(rest, faint)
    painter.fillRect(rest, QBrush(colour, Qt.BrushStyle.BDiagPattern))
    painter.setPen(QPen(colour, 1.2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rest)


def _outlined(painter: QPainter, scene: Scene, turn: SpeakerTurn, top: int, height: int) -> None:
    """The chosen turn, or the one under the mouse."""
    chosen = turn == scene.conversation.turn
    painter.setPen(QPen(QColor(scene.theme.text if chosen else scene.theme.quiet), 2 if chosen else 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    left, right = scene.view.x(turn.start), scene.view.x(turn.end)
    painter.drawRoundedRect(QRectF(left, top - 1, max(2.0, right - left), height + 2), 4, 4)


def _overlaps(painter: QPainter, scene: Scene) -> None:
    """A bar under each of the turns that are spoken at once."""
    conversation, view, rows = scene.conversation, scene.view, scene.rows
    at_once = overlaps(conversation.lanes.all, view)
    if not 0 < at_once.shape[1] <= MOST_OVERLAPS or rows.lane < 18:
        return
    for number, lane in enumerate(conversation.lanes.all):
        spans = lane.between(int(view.start), int(view.end))
        starts = np.searchsorted(spans[0], at_once[1]) - 1
        inside = (starts >= 0) & (spans[1, np.maximum(starts, 0)] > at_once[0]) if spans.size else []
        y = rows.lane_top(number) + rows.lane - 8
        for left, right in pixels(at_once[:, inside], view).T if len(inside) else ():
            painter.fillRect(int(left), y, max(2, int(right - left)), 3, QColor(scene.theme.canvas))


def _gaps(painter: QPainter, scene: Scene) -> None:
    """Where nothing was heard, and why."""
    view, rows, theme = scene.view, scene.rows, scene.theme
    bottom = rows.lanes[0] + rows.lanes[1]
    for gap in scene.conversation.state.gaps:
        left = view.x(gap.start)
        right = view.x(scene.conversation.n_samples if gap.end is None else gap.end)
        if right < 0 or left > view.width:
            continue
        place = QRectF(left, RULER, max(2.0, right - left), bottom - RULER)
        painter.fillRect(place, QColor(theme.stripe))
        painter.fillRect(place, QBrush(QColor(theme.gap), Qt.BrushStyle.DiagCrossPattern))
        words = tr(GAP_WORDS[gap.kind])
        room = painter.fontMetrics().horizontalAdvance(words) + 16
        if place.width() > room:
            label = QRectF(place.center().x() - room / 2, RULER + 8, room, 20)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(theme.panel))
            painter.drawRoundedRect(label, 4, 4)
            painter.setPen(QColor(theme.bad if gap.kind != PAUSED else theme.quiet))
            painter.drawText(label, Qt.AlignmentFlag.AlignCenter, words)


def _cursors(painter: QPainter, scene: Scene) -> None:
    """Where playing would begin, and where it is."""
    view, rows, theme = scene.view, scene.rows, scene.theme
    bottom = rows.lanes[0] + rows.lanes[1]
    playing = scene.playing_at is not None
    sample = scene.playing_at if scene.playing_at is not None else scene.conversation.cursor
    x = view.x(sample)
    if scene.conversation.empty or not 0 <= x <= view.width:
        return
    colour = QColor(theme.bad if playing else theme.text)
    painter.setPen(QPen(colour, 1.5))
    painter.drawLine(QPointF(x, RULER - 6), QPointF(x, bottom))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(
        QPolygonF([QPointF(x - 5, RULER - 10), QPointF(x + 5, RULER - 10), QPointF(x, RULER - 2)])
    )


def _headers(painter: QPainter, scene: Scene) -> None:
    """Names left of their rows."""
    rows, theme, conversation = scene.rows, scene.theme, scene.conversation
    painter.fillRect(0, 0, HEADER - 1, rows.height - rows.overview[1], QColor(theme.panel))
    painter.setPen(QColor(theme.line))
    painter.drawLine(HEADER - 1, 0, HEADER - 1, rows.height - rows.overview[1])
    painter.setPen(QColor(theme.quiet))
    strip = (rows.strip[0] - SPACE, rows.strip[1] + 2 * SPACE)
    names = [(tr("Sound"), rows.wave), (tr("Speech"), strip)]
    names += [(tr("Spectrum"), rows.spectrogram)] if rows.spectrogram_on else []
    for name, (top, height) in names:
        painter.drawText(QRect(12, top, HEADER - 24, height), Qt.AlignmentFlag.AlignVCenter, name)
    bold = QFont(painter.font())
    bold.setBold(True)
    plain = painter.font()
    for number, lane in enumerate(conversation.lanes.all):
        top = rows.lane_top(number)
        chip = QRectF(12, top + rows.lane / 2 - 5, 10, 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.brush(lane.colour))
        painter.drawRoundedRect(chip, 3, 3)
        painter.setPen(QColor(theme.text))
        painter.setFont(bold)
        room = HEADER - 40
        name = painter.fontMetrics().elidedText(
            conversation.shown(lane.speaker), Qt.TextElideMode.ElideRight, room
        )
        painter.drawText(QRect(30, top, room, rows.lane), Qt.AlignmentFlag.AlignVCenter, name)
    painter.setFont(plain)


def _overview(painter: QPainter, scene: Scene) -> None:
    """All of it in one line; what is shown above is framed."""
    top, height = scene.rows.overview
    view, theme, width = scene.view, scene.theme, scene.rows.width
    painter.fillRect(0, top, width, height, QColor(theme.panel))
    painter.setPen(QColor(theme.line))
    painter.drawLine(0, top, width, top)
    if scene.overview is not None:
        painter.drawImage(QPointF(0, top + 3), scene.overview)
    length = max(1, scene.conversation.n_samples)
    if scene.conversation.empty:
        return
    left = width * min(1.0, view.start / length)
    right = width * min(1.0, view.end / length)
    frame = QRectF(left + 1, top + 2, max(6.0, right - left - 2), height - 4)
    shade = QColor(theme.accent)
    shade.setAlpha(40)
    painter.setBrush(shade)
    painter.setPen(QPen(QColor(theme.accent), 1.5))
    painter.drawRoundedRect(frame, 4, 4)
