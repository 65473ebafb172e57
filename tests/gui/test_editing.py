"""Turns by hand: dragged, divided, joined, deleted, inserted, reviewed; undone, kept and exported."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.gui.talk import TALK, names, place_of, turn
from tests.gui.test_pages import recorded
from tests.gui.test_timeline import chosen
from voicelane import open_session, read_rttm
from voicelane.gui.panels.timeline.menu import lane_menu, turn_menu
from voicelane.gui.panels.timeline.rows import HEADER
from voicelane.gui.work.editing import LEAST

pytestmark = pytest.mark.qt

LEFT = Qt.MouseButton.LeftButton
SLOW_MS = 30_000


def spans(window) -> list[tuple[str, int, int]]:
    lanes = window.studio.conversation.lanes.all
    return [(lane.speaker, t.start, t.end) for lane in lanes for t in lane.turns]


BEFORE = [("S1", 0, 30_000), ("S1", 100_000, 128_000), ("S2", 30_000, 60_000), ("S3", 50_000, 90_000)]


def drag(window, number: int, at: int, to: int) -> None:
    """From a sample of a lane to another, with the mouse."""
    timeline = window.listen.timeline
    first, last = place_of(window, number, at), place_of(window, number, to)
    QTest.mousePress(timeline, LEFT, pos=first)
    QTest.mouseMove(timeline, (first + last) / 2)
    QTest.mouseMove(timeline, last)
    QTest.mouseRelease(timeline, LEFT, pos=last)


def test_an_edge_is_dragged_with_the_mouse_and_one_undo_takes_it_back(talk, loudspeakers):
    slack = 3 * talk.listen.timeline.view.per_pixel
    assert spans(talk) == BEFORE
    for number, at, to, which, speaker in (
        (1, 30_000, 40_000, 1, "S2"),
        (1, 60_000, 70_000, 2, "S2"),
        (2, 90_000, 98_000, 2, "S3"),
        (2, 50_000, 44_000, 1, "S3"),
    ):
        drag(talk, number, at, to)
        (found,) = [span for span in spans(talk) if span[0] == speaker]
        assert found[which] == pytest.approx(to, abs=slack), (number, at, to)
        assert not talk.studio.player.playing, "a drag is no click"
        talk.studio.undo()
        assert spans(talk) == BEFORE
    drag(talk, 1, 60_000, 20_000)
    assert ("S2", 30_000, 30_000 + LEAST) in spans(talk), "never less than nothing"
    talk.studio.undo()
    talk.studio.redo()
    assert ("S2", 30_000, 30_000 + LEAST) in spans(talk)


def test_turns_are_divided_joined_deleted_and_inserted_from_menus_and_by_keys(talk, loudspeakers):
    timeline, studio, conversation = talk.listen.timeline, talk.studio, talk.studio.conversation
    chosen(turn_menu(timeline, studio, TALK[1], 45_000), "Divide this turn")
    assert [s for s in spans(talk) if s[0] == "S2"] == [("S2", 30_000, 45_000), ("S2", 45_000, 60_000)]
    assert conversation.turn.start == 45_000, "the second is chosen"
    first = conversation.lanes.all[1].turns[0]
    chosen(turn_menu(timeline, studio, first, first.start), "Join it with the next")
    assert [s for s in spans(talk) if s[0] == "S2"] == [("S2", 30_000, 60_000)]
    chosen(turn_menu(timeline, studio, conversation.lanes.all[1].turns[0], 0), "Delete this turn")
    assert names(talk) == ["S1", "S3"] and conversation.turn is None
    chosen(lane_menu(timeline, studio, conversation.lanes.all[0], str, 40_000), "Insert", "Of S1")
    assert ("S1", 40_000, 56_000) in spans(talk)
    chosen(lane_menu(timeline, studio, conversation.lanes.all[0], str, 95_000), "Insert", "somebody new")
    assert ("P1", 95_000, 111_000) in spans(talk)
    for _ in range(5):
        studio.undo()
    assert spans(talk) == BEFORE
    timeline.setFocus()
    conversation.select(TALK[1])
    conversation.cursor = 40_000
    for key, wanted in (
        (Qt.Key.Key_D, {("S2", 30_000, 40_000), ("S2", 40_000, 60_000)}),
        (Qt.Key.Key_Delete, {("S2", 30_000, 40_000)}),
    ):
        QTest.keyClick(timeline, key)
        assert {s for s in spans(talk) if s[0] == "S2"} == wanted, key
    conversation.select(conversation.lanes.all[1].turns[0])
    conversation.cursor = 36_000
    QTest.keyClick(timeline, Qt.Key.Key_BracketRight)
    assert ("S2", 30_000, 36_000) in spans(talk)
    conversation.cursor = 33_000
    QTest.keyClick(timeline, Qt.Key.Key_BracketLeft)
    assert ("S2", 33_000, 36_000) in spans(talk)
    conversation.select(conversation.lanes.all[1].turns[0])
    conversation.cursor = 62_000
    QTest.keyClick(timeline, Qt.Key.Key_I)
    assert ("S2", 62_000, 78_000) in spans(talk)
    conversation.select(conversation.lanes.all[1].turns[0])
    QTest.keyClick(timeline, Qt.Key.Key_J)
    assert [s for s in spans(talk) if s[0] == "S2"] == [("S2", 33_000, 78_000)]


@pytest.mark.parametrize("act", ["split", "assign", "divide", "remove", "merge"])
def test_no_correction_leaves_a_stale_outline(talk, act):
    """What is chosen is always a turn that is there."""
    studio, conversation = talk.studio, talk.studio.conversation
    conversation.select(TALK[1])
    acts = {
        "split": lambda desk: desk.split("S2", 40_000),
        "assign": lambda desk: desk.assign("S2", "S1", 30_000, 60_000),
        "divide": lambda desk: desk.insert("S2", 45_000, 60_000),
        "remove": lambda desk: desk.remove("S2", 20_000, 70_000),
        "merge": lambda desk: desk.merge("S2", "S3"),
    }
    for correct in (acts[act], lambda desk: desk.undo()):
        conversation.correct(correct)
        there = [t for lane in conversation.lanes.all for t in lane.turns]
        assert conversation.turn is None or conversation.turn in there
    assert studio.conversation.turn is None or studio.conversation.turn == TALK[1]


def test_edits_are_kept_in_the_session_and_in_what_is_exported(window, qtbot, tmp_path):
    recorded("one", {})
    studio = window.studio
    studio.open("one")
    qtbot.waitUntil(lambda: studio.conversation.title == "one", timeout=SLOW_MS)
    studio.editing.remove(studio.conversation.lanes.all[2].turns[0])
    studio.editing.insert("S2", 70_000)
    studio.editing.move_edge(studio.conversation.lanes.all[0].turns[0], False, 20_000)
    wanted = [("S1", 0, 20_000), ("S1", 100_000, 128_000), ("S2", 30_000, 60_000), ("S2", 70_000, 86_000)]
    assert spans(window) == wanted
    kept = sorted((t.speaker, t.start, t.end) for t in open_session("one").turns())
    assert kept == wanted
    studio.export_document("rttm", tmp_path / "out.rttm")
    qtbot.waitUntil(lambda: (tmp_path / "out.rttm").exists(), timeout=SLOW_MS)
    read = sorted(
        (t.speaker, round(16_000 * t.start), round(16_000 * t.end)) for t in read_rttm(tmp_path / "out.rttm")
    )
    assert read == wanted


def doubtful(talk) -> None:
    """Two of the turns are not sure."""
    conversation = talk.studio.conversation
    unsure = [replace(turn("S2", 30_000, 60_000), confidence=0.43)]
    unsure += [replace(turn("S3", 62_000, 90_000), confidence=0.5)]
    conversation.begin("doubtful", conversation.sound)
    conversation.take([TALK[0], *unsure, TALK[3]])
    conversation.end(None)
    talk.listen.timeline.whole()


def test_an_uncertain_turn_looks_it(talk):
    """Paler, and with a texture: more colours than a sure one has, which has one in its middle."""
    doubtful(talk)
    timeline = talk.listen.timeline

    def looks(number: int, sample: int) -> set[int]:
        place = place_of(talk, number, sample)
        image = timeline.grab().toImage()
        return {image.pixel(place.x() + dx, place.y() + dy) for dx in range(-6, 7) for dy in range(-4, 5)}

    assert len(looks(0, 10_000)) == 1 and len(looks(1, 40_000)) > 1
    colour = talk.studio.theme.speaker(1).rgb()
    assert colour not in looks(1, 40_000), "nowhere as strong as a sure one"


def test_review_steps_through_the_uncertain_turns(talk, loudspeakers):
    doubtful(talk)
    listen, studio, conversation = talk.listen, talk.studio, talk.studio.conversation
    assert listen.uncertain.isVisible() and "2 uncertain" in listen.uncertain.text()
    listen.uncertain.click()
    review = listen.review
    assert review.isVisible() and conversation.turn.start == 30_000 and studio.player.playing
    assert "S2? That is 43 % sure" in review.words.text() and review.right.text() == "It is S2"
    review.right.click()
    assert [t.start for t in studio.uncertain()] == [62_000] and conversation.turn.start == 62_000
    next(a for a in review.menu().actions() if a.text() == "S1").trigger()
    assert studio.uncertain() == [] and not review.isVisible() and not listen.uncertain.isVisible()
    assert ("S1", 62_000, 90_000) in spans(talk)
    assert "no turn is uncertain" in talk.toasts.words[-1].lower()
    while conversation.state.n_undo:
        studio.undo()
    assert len(studio.uncertain()) == 2
    listen.uncertain.click()
    review.nobody.click()
    assert ("S2", 30_000, 60_000) not in spans(talk) and len(studio.uncertain()) == 1


def test_the_mouse_says_where_an_edge_can_be_dragged(talk):
    timeline = talk.listen.timeline
    QTest.mouseMove(timeline, place_of(talk, 1, 45_000))
    assert timeline.cursor().shape() == Qt.CursorShape.ArrowCursor
    QTest.mouseMove(timeline, place_of(talk, 1, 60_000) + QPoint(1, 0))
    assert timeline.cursor().shape() == Qt.CursorShape.SizeHorCursor
    QTest.mouseMove(timeline, QPoint(HEADER // 2, place_of(talk, 1, 0).y()))
    assert timeline.cursor().shape() == Qt.CursorShape.ArrowCursor
