"""The menu of a speaker says who that may be, from the people of other sessions."""

from __future__ import annotations

import pytest

pytest.importorskip("PySide6")

from tests.voices.test_kin import EDGES_S, LABELS, part_of_the_demo
from voicelane import open_session
from voicelane.gui.panels.timeline.menu import lane_menu
from voicelane.sessions import relabel_session

pytestmark = pytest.mark.qt


def chosen(window, speaker: str, action: str) -> bool:
    """Whether the menu of a speaker has an action; it is taken."""
    studio = window.studio
    menu = lane_menu(window, studio, studio.conversation.lane(speaker), lambda _: None)
    found = [a for a in menu.actions() if a.text() == action]
    for act in found:
        act.trigger()
    return bool(found)


@pytest.fixture
def opened(window, qtbot, home):
    part_of_the_demo("monday", *EDGES_S[:2], LABELS)
    part_of_the_demo("tuesday", *EDGES_S[1:], ("S3", "S1", "S2"))
    relabel_session(open_session("monday"), "S1", "Zoë")
    window.studio.open("tuesday")
    qtbot.waitUntil(lambda: window.studio.conversation.session is not None, timeout=20_000)
    return window.studio


@pytest.mark.parametrize("right", [True, False])
def test_somebody_of_another_session_gets_that_name_if_it_is_right(window, qtbot, opened, right):
    asked: list[str] = []
    opened.suggesting.ask = lambda sentence, name: asked.append(sentence) or right
    assert chosen(window, "S3", "Who may S3 be?")
    qtbot.waitUntil(lambda: bool(asked), timeout=30_000)
    assert asked == ["S3 sounds like Zoë in monday"]
    assert opened.conversation.shown("S3") == ("Zoë" if right else "S3")
    assert chosen(window, "S3", "Who may S3 be?") is not right


def test_somebody_without_a_name_is_only_told(window, qtbot, opened):
    opened.suggesting.ask = lambda *_: pytest.fail("there is no name to give")
    with qtbot.waitSignal(opened.told, timeout=30_000, check_params_cb=lambda s: "sounds like" in s) as told:
        chosen(window, "S1", "Who may S1 be?")
    assert told.args == ["S1 sounds like S2 in monday"]


def test_what_is_not_saved_cannot_be_compared(window, qtbot):
    with qtbot.waitSignal(window.studio.noticed) as told:
        window.studio.suggesting.suggest("S1")
    assert "save the conversation first" in told.args[0]
