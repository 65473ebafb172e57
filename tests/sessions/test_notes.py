"""Notes and tags of a session: kept with it, and nothing else of it changes."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from tests.cli.test_main import voicelane
from tests.sessions.test_event_log import as_format_1
from tests.sessions.test_session import SPACE, hand_made
from voicelane import Recorder, VoicelaneError, open_session
from voicelane.base import StoreError
from voicelane.sessions import (
    TEXT_FORMATS,
    correct_session,
    note_session,
    rename_session,
    session_folder,
    summarise,
    tag_session,
)

NOTE = "Budget, <b>again</b>\nZoë asks"


@pytest.fixture
def noted(home):
    before = hand_made("talk", ["S1", "S2"])
    note_session("talk", f"  {NOTE}\n")
    tag_session("talk", ["plan", "Überblick", "PLAN"])
    return before


def test_notes_and_tags_are_kept_and_nothing_else_changes(noted):
    after = open_session("talk")
    assert (after.about.note, after.about.tags) == (NOTE, ("plan", "Überblick"))
    assert replace(after.about, note="", tags=()) == noted.about and after.events == noted.events
    note_session("talk", "")
    tag_session("talk", [])
    assert open_session("talk").about == noted.about


def test_a_session_from_before_has_none_and_takes_some(home):
    hand_made("old", ["S1", "S2"])
    about = session_folder("old") / "session.json"
    content = json.loads(about.read_text())
    for name in ("tags", "note"):
        del content[name]
    about.write_text(json.dumps(content))
    assert (summarise("old").about.note, summarise("old").about.tags) == ("", ())
    as_format_1(session_folder("old"))
    tag_session("old", ["plan"])
    found = summarise("old").about
    assert (found.format, found.tags, found.turns) == (1, ("plan",), 2)


def test_a_correction_in_a_session_that_was_opened_before_loses_no_note(home):
    opened = hand_made("talk", ["S1", "S2"])
    note_session("talk", NOTE)
    tag_session("talk", ["plan"])
    after = correct_session(opened, lambda desk: desk.rename("S1", "Zoë"))
    assert after.about == summarise("talk").about
    assert (after.about.note, after.about.tags) == (NOTE, ("plan",)) and "Zoë" in after.about.people


def test_notes_move_with_their_session(noted):
    rename_session("talk", "other")
    assert summarise("other").about.note == NOTE


def test_an_interrupted_session_takes_notes_and_one_that_is_recorded_does_not(home):
    recorder = Recorder(session_folder("now"), "array", SPACE)
    for act in (lambda: note_session("now", "x"), lambda: tag_session("now", ["x"])):
        with pytest.raises(StoreError, match="being recorded"):
            act()
    recorder._whole = False
    recorder.close()
    note_session("now", "x")
    assert (summarise("now").state, summarise("now").about.note) == ("interrupted", "x")


@pytest.mark.parametrize("tag", ["", "two words", "a,b", "a\nb", "\x1b[31m", "x" * 51, "\ud800"])
def test_a_tag_is_one_printable_word(noted, tag):
    with pytest.raises(VoicelaneError, match="is no tag"):
        tag_session("talk", ["good", tag])
    assert summarise("talk").about.tags == ("plan", "Überblick")


def test_what_is_too_much_is_refused_and_what_a_terminal_would_obey_is_not_kept(noted):
    with pytest.raises(StoreError, match="too long"):
        note_session("talk", "x" * 10_001)
    with pytest.raises(StoreError, match="too many"):
        tag_session("talk", [f"t{k}" for k in range(51)])
    assert "\x1b" not in note_session("talk", "a\x1b[31mb\ud800").note
    assert summarise("talk").about.note.startswith("a")


def test_exports_hold_them(noted):
    session = open_session("talk")
    content = json.loads(TEXT_FORMATS["json"](session))
    assert (content["note"], content["tags"]) == (NOTE, ["plan", "Überblick"])
    page = TEXT_FORMATS["html"](session)
    assert "Budget, &lt;b&gt;again&lt;/b&gt;" in page and "plan · Überblick" in page


def test_the_commands_note_tag_and_untag(home, capsys):
    hand_made("talk", ["S1"])
    before = asdict(summarise("talk").about)
    assert voicelane("sessions", "note", "talk", NOTE) == 0
    assert voicelane("sessions", "tag", "talk", "plan", "team") == 0
    assert voicelane("sessions", "tag", "talk", "new", "PLAN") == 0
    assert voicelane("sessions", "untag", "talk", "TEAM") == 0
    capsys.readouterr()
    assert voicelane("sessions", "show", "talk") == 0
    shown = capsys.readouterr().out
    assert "tags: plan, new\n" in shown and "note: Zoë asks\n" in shown
    assert voicelane("sessions", "untag", "talk", "plan", "lunch") == 2
    assert "no tag 'lunch'" in capsys.readouterr().err
    assert summarise("talk").about.tags == ("plan", "new")
    assert voicelane("sessions", "untag", "talk", "plan", "new") == 0
    assert voicelane("sessions", "note", "talk", "") == 0
    assert asdict(summarise("talk").about) == before
