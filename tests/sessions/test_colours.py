"""A person keeps one colour over all sessions; no two of one session share theirs while some are free."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.sessions.test_session import hand_made
from voicelane.sessions import SPEAKER_COLOURS, colour_numbers, open_session, page_of, relabel_session
from voicelane.sessions.page import colours

N = len(SPEAKER_COLOURS)
NAMES = st.text("abcdefghij", min_size=1, max_size=6)
LABELS = st.integers(1, 40).map("S{}".format)
PEOPLE = st.lists(NAMES | LABELS, max_size=30, unique=True)


@given(PEOPLE)
def test_no_two_share_a_colour_while_there_are_free_ones(people):
    numbers = colour_numbers(people)
    assert len(set(numbers)) == len(people) and min(numbers, default=0) >= 0
    assert len({number % N for number in numbers}) == min(N, len(people))


@given(st.lists(NAMES, max_size=N, unique=True), st.lists(LABELS, max_size=20, unique=True), st.randoms())
def test_the_same_people_have_the_same_colours_whoever_else_speaks_or_is_first(known, others, random):
    alone = dict(zip(known, colour_numbers(known), strict=True))
    people = [*known, *others]
    random.shuffle(people)
    found = dict(zip(people, colour_numbers(people), strict=True))
    assert {name: found[name] for name in known} == alone


@given(NAMES, st.lists(NAMES, max_size=N - 1, unique=True))
def test_a_person_has_another_colour_only_where_somebody_else_has_theirs(name, others):
    people = [name, *(other for other in others if other != name)]
    (own,) = colour_numbers([name])
    first, *rest = colour_numbers(people)
    assert first == own or own in rest


@given(st.lists(LABELS, max_size=N, unique=True), NAMES)
def test_who_comes_later_without_a_name_changes_nobody_s_colour(labels, name):
    before = [name, *labels[: N - 2]]
    assert colour_numbers([*before, "S99"])[:-1] == colour_numbers(before)


def test_nobody_is_known_by_the_case_of_a_letter_and_nobody_s_place_is_left_free():
    assert colour_numbers(["ZOË"]) == colour_numbers(["zoë"])
    assert colour_numbers(["S1", "", "S3"]) == [0, -1, 2]
    many = colour_numbers([f"S{k}" if k % 2 else "" for k in range(2 * N)])
    assert sorted(number for number in many if number >= 0) == list(range(N))


def test_the_rule_stays():
    """Another one would give everybody a new colour."""
    assert [colour_numbers([name])[0] for name in ("Anna", "Bert", "Zoë")] == [11, 7, 9]


def test_the_page_of_every_session_gives_a_person_one_colour(home):
    pages = []
    for name, people in (("one", ["S1", "S2"]), ("two", ["S3", "S2", "S1"])):
        hand_made(name, people)
        session = relabel_session(open_session(name), people[-1], "Anna")
        turns = [(session.labels.shown(t.speaker), t.start, t.end) for t in session.turns()]
        pages.append((page_of(name, "", turns, 16_000), colours(turns)["Anna"]))
    assert pages[0][1] == pages[1][1] == SPEAKER_COLOURS[colour_numbers(["Anna"])[0]]
    for page, colour in pages:
        assert f'<i style="background:{colour}"></i>Anna' in page
        assert set(re.findall(r'rect [^>]*fill="(#\w+)"', page)) >= {colour}
