"""Whose a word is: laws for any words and turns, then the cases that people meet."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis")
from hypothesis import given
from hypothesis import strategies as st

from voicelane import SpeakerTurn
from voicelane.base import samples
from voicelane.events import Word
from voicelane.words import assign

PLACES = st.integers(0, 200_000)


def turn(speaker: str, start_s: float, end_s: float) -> SpeakerTurn:
    start, end = samples(start_s), samples(end_s)
    return SpeakerTurn(end, speaker, start, end, end, 0.9, True)


def said(text: str, start_s: float, each_s: float = 0.3) -> list[Word]:
    """The words of a text, one after another."""
    places = [samples(start_s + i * each_s) for i in range(len(text.split()) + 1)]
    return [Word(a, b, f" {w}", 0.9) for w, a, b in zip(text.split(), places, places[1:], strict=False)]


def spans(n: int, longest: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    pairs = st.tuples(PLACES, st.integers(0, longest)).map(lambda p: (p[0], p[0] + p[1]))
    return st.lists(pairs, max_size=n).map(sorted)


TURNS = st.lists(st.sampled_from(["S1", "S2", "S3"]), min_size=6, max_size=6).flatmap(
    lambda names: spans(6, 60_000).map(
        lambda found: [SpeakerTurn(e, n, s, e, e, 0.9, True) for n, (s, e) in zip(names, found, strict=False)]
    )
)
WORDS = spans(12, 20_000).map(lambda found: [Word(s, e, " word", 0.5) for s, e in found])


def gap(word: Word, turn: SpeakerTurn) -> int:
    """Samples between a word and a turn, at least one below 0 where they share something."""
    return max(word.start, turn.start) - min(max(word.end, word.start + 1), turn.end)


@given(WORDS, TURNS)
def test_a_word_is_never_given_to_somebody_who_is_silent(words, turns):
    for word, speaker in zip(words, assign(words, turns), strict=True):
        speaking = {t.speaker for t in turns if gap(word, t) < 0}
        near = {t.speaker for t in turns if gap(word, t) < samples(0.5)}
        assert speaker in speaking if speaking else speaker in near if near else speaker == ""


@given(WORDS, TURNS, st.integers(0, 1_000_000))
def test_the_same_conversation_later_is_given_to_the_same_people(words, turns, by):
    later = [Word(w.start + by, w.end + by, w.text, w.confidence) for w in words]
    moved = [SpeakerTurn(0, t.speaker, t.start + by, t.end + by, 0, 0.9, True) for t in turns]
    assert assign(later, moved) == assign(words, turns)


@given(WORDS, TURNS)
def test_names_do_not_matter(words, turns):
    other = {"S1": "Zoë", "S2": "Ann", "S3": "Bob", "": ""}
    renamed = [SpeakerTurn(0, other[t.speaker], t.start, t.end, 0, 0.9, True) for t in turns]
    counts = {who: assign(words, turns).count(who) for who in other}
    assert {other[k]: v for k, v in counts.items()} == {
        v: assign(words, renamed).count(v) for v in other.values()
    }


def test_a_word_across_a_change_of_speakers_goes_with_its_sentence():
    words = [*said("what do you think?", 0.0, 0.3), *said("I like it", 1.15, 0.3)]
    assert assign(words, [turn("S1", 0, 1.3), turn("S2", 1.3, 3)]) == ["S1"] * 4 + ["S2"] * 3


def test_two_at_once_each_keep_their_sentence():
    """The interjection is in both turns; only the first speaker's goes on behind it."""
    words = said("and then we all went home together", 0.0)
    assert assign(words, [turn("S1", 0, 3), turn("S2", 0.9, 1.2)]) == ["S1"] * 7


def test_words_outside_of_every_turn_go_to_the_nearest_one_or_to_nobody():
    near, far = said("near", 1.2), said("far", 2.0)
    assert assign([*near, *far], [turn("S1", 0, 1), turn("S2", 4, 5)]) == ["S1", ""]
    assert assign([*near, *far], [turn("S1", 0, 1), turn("S2", 4, 5)], samples(2.0)) == ["S1", "S1"]
    assert assign(near, []) == [""]
    assert assign([], [turn("S1", 0, 1)]) == []
