"""A search over all sessions finds what is in them now, and nothing that is gone."""

from __future__ import annotations

import stat
import time

import pytest

from tests.cli.test_main import voicelane
from tests.sessions.test_session import hand_made
from voicelane.base import home_folder
from voicelane.events import Word
from voicelane.sessions import (
    note_session,
    open_session,
    relabel_session,
    remove_session,
    rename_session,
    session_folder,
    tag_session,
)
from voicelane.sessions.index import Row, open_index
from voicelane.words import Recognised, search_sessions, write_words


def said(session: str, *texts: str) -> None:
    """Half a second for each word, from 0.1 s on."""
    words = [Word(1_600 + 8_000 * k, 8_000 + 8_000 * k, f" {text}", 0.9) for k, text in enumerate(texts)]
    write_words(session_folder(session), Recognised(tuple(words), "en", "base"))


def sessions(text: str) -> list[str]:
    return sorted({hit.session for hit in search_sessions(text).hits})


def index() -> bytes:
    return (home_folder() / "sessions.db").read_bytes()


@pytest.fixture
def two(home):
    hand_made("monday-talk", ["S1", "S2", "S1"])
    hand_made("friday", ["S1", "S2"])
    relabel_session(open_session("monday-talk"), "S2", "Zoë")
    said("monday-talk", "we", "need", "a", "Budget", "soon")
    tag_session("friday", ["plan"])
    note_session("friday", "what was\nleft open")


@pytest.mark.parametrize(
    ("text", "kind", "session"),
    [
        ("friday", "name", "friday"),
        ("talk", "name", "monday-talk"),
        ("zoe", "person", "monday-talk"),
        ("PLAN", "tag", "friday"),
        ("open", "note", "friday"),
        ("budg", "words", "monday-talk"),
    ],
)
def test_everything_is_found_by_how_it_begins(two, text, kind, session):
    assert [(hit.kind, hit.session) for hit in search_sessions(text).hits] == [(kind, session)]


def test_a_word_is_found_with_its_person_and_time(two):
    (hit,) = search_sessions("budget").hits
    assert (hit.who, hit.sample) == ("Zoë", 1_600 + 3 * 8_000) and "Budget" in hit.text
    (hit,) = search_sessions("zoë").hits
    assert hit.sample == open_session("monday-talk").turns()[1].start


def test_a_session_has_all_the_words_wherever_they_are(two):
    assert {hit.kind for hit in search_sessions("zoë budget").hits} == {"person", "words"}
    assert sessions("plan left") == ["friday"] and sessions("plan budget") == []


@pytest.mark.parametrize(
    "text", ['"', "budget OR", "NEAR(", "* ^", "text : budget", "(", "a\x00\x01b", "\ud800", ""]
)
def test_no_text_is_bad_syntax(two, text):
    found = search_sessions(text)
    assert found.left_out == () and not {hit.session for hit in found.hits} - {"monday-talk"}


def test_operators_are_plain_words(two):
    assert sessions("budget OR plan") == [] and sessions("budget NOT soon") == []
    assert sessions('"budget" soon') == ["monday-talk"]


def test_it_follows_every_change(two):
    assert sessions("lunch") == []
    said("friday", "lunch")
    assert sessions("lunch") == ["friday"]
    said("friday", "dinner")
    note_session("friday", "nothing")
    relabel_session(open_session("monday-talk"), "Zoë", "Anna")
    rename_session("monday-talk", "tuesday")
    assert (sessions("lunch"), sessions("open"), sessions("zoe"), sessions("monday")) == ([], [], [], [])
    assert sessions("anna budget") == ["tuesday"] and sessions("dinner nothing") == ["friday"]


def test_only_what_changed_is_read_again(two, monkeypatch):
    search_sessions("plan")
    read: list[str] = []

    def opened(name):
        read.append(name)
        return open_session(name)

    monkeypatch.setattr("voicelane.words.search.open_session", opened)
    tag_session("friday", ["other"])
    assert sessions("plan") == [] and read == ["friday"]


def test_nothing_of_a_removed_session_stays_in_the_file(two):
    search_sessions("budget")
    assert b"budget" in index().lower()
    remove_session("monday-talk")
    assert b"budget" not in index().lower() and b"monday" not in index()
    assert sessions("plan") == ["friday"]


def test_the_index_is_the_owner_s_alone(two):
    search_sessions("x")
    assert stat.S_IMODE((home_folder() / "sessions.db").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"no database" * 400])
def test_a_damaged_index_is_made_anew(two, content):
    search_sessions("plan")
    (home_folder() / "sessions.db").write_bytes(content)
    assert sessions("plan") == ["friday"]


def test_a_damaged_session_is_left_out_and_named(two, capsys):
    assert sessions("plan") == ["friday"]
    (session_folder("friday") / "session.json").write_text("{")
    found = search_sessions("plan")
    assert found.hits == () and len(found.left_out) == 1 and found.left_out[0].startswith("friday: ")
    assert voicelane("sessions", "search", "budget") == 1
    out, err = capsys.readouterr()
    assert "0:02  Zoë: a Budget" in out and "not searched: friday: " in err


def test_the_command_tells_a_place_a_line(two, capsys):
    assert voicelane("sessions", "search", "plan", "left") == 0
    assert sorted(line.split(None, 1)[1] for line in capsys.readouterr().out.splitlines()) == [
        "note: what was left open",
        "tag: plan",
    ]


def test_a_thousand_sessions_are_searched_in_well_under_a_second(home):
    rows = [Row("words", f"the word w{k} of it", "S1", (0, 1, 2, 3, 4)) for k in range(100)]
    with open_index() as index:
        for k in range(1_000):
            index.put(f"s{k}", "", rows)
        begun_s = time.perf_counter()
        hits = index.find(["word", "w7"], 200)
        lasted_s = time.perf_counter() - begun_s
    assert len(hits) == 200 and lasted_s < 1.0
