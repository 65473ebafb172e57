"""Which words of a running phrase are sure, however the recogniser changes its mind."""

from __future__ import annotations

from itertools import pairwise

import pytest

pytest.importorskip("hypothesis")
from hypothesis import given
from hypothesis import strategies as st

from tests.words.test_alignment import said
from voicelane.base import samples
from voicelane.events import Word
from voicelane.words import normalised
from voicelane.words.agreement import Agreement, place_to_cut, sentences, unrepeated

HYPOTHESES = st.lists(
    st.lists(st.sampled_from(["we", "know", "what", "they", "want."]), max_size=8), max_size=6
)


def texts(words: list[Word]) -> list[str]:
    return [word for w in words for word in normalised(w.text)]


@given(HYPOTHESES)
def test_what_is_sure_is_told_once_and_stays(hypotheses):
    agreement, told = Agreement(), []
    for words in hypotheses:
        told += agreement.take(said(" ".join(words), 0.0))
    told += agreement.close()
    assert all(a.end <= b.end for a, b in pairwise(told))
    if hypotheses and all(h == hypotheses[-1] for h in hypotheses):
        assert texts(told) == normalised(" ".join(hypotheses[-1]))


def test_words_are_sure_when_they_come_twice():
    agreement = Agreement()
    assert agreement.take(said("we know wall", 0.0)) == []
    assert texts(agreement.take(said("We know what they", 0.0))) == ["we", "know"]
    assert texts(agreement.rest()) == ["what", "they"]
    assert texts(agreement.take(said("we know what they want", 0.0))) == ["what", "they"]
    assert texts(agreement.close()) == ["want"] and agreement.rest() == []


def test_sure_words_that_are_heard_otherwise_later_are_not_told_again():
    agreement = Agreement()
    agreement.take(said("we can not know", 0.0))
    assert texts(agreement.take(said("we can not know", 0.0))) == ["we", "can", "not", "know"]
    assert agreement.take([*said("we cannot", 0.0, 0.45), *said("know", 0.9)]) == []
    assert agreement.rest() == []


def test_a_long_phrase_begins_anew_behind_a_sentence():
    agreement = Agreement()
    words = said("That was a long story. And it went on and on for hours", 0.0, 0.55)
    agreement.take(words)
    assert agreement.cut() is None
    agreement.take(words)
    assert agreement.cut() == words[4].end
    assert texts(agreement.take(words[4:])) == []  # "story." once more, then all that was sure


def test_a_short_phrase_goes_on():
    agreement = Agreement()
    for _ in range(2):
        agreement.take(said("Yes. That is a good idea", 0.0))
    assert agreement.cut() is None


def test_a_torn_piece_is_parted_in_a_pause():
    agreement = Agreement()
    agreement.take([*said("so we went home", 0.0), *said("and th", 2.0)])
    words, cut = agreement.tear()
    assert texts(words) == ["so", "we", "went", "home"] and cut == samples(1.2)
    assert Agreement().tear() == ([], None)


def test_places_to_cut():
    assert place_to_cut(said("One two. Three four", 0.0)) == 2
    assert place_to_cut(said("one two three", 0.0)) == 2
    assert place_to_cut(said("one", 0.0)) == 1 and place_to_cut([]) == 0
    assert sentences(said("One two. Three", 0.0)) == 2 and sentences([]) == 0


def test_words_that_were_told_are_not_repeated_where_a_phrase_begins_anew():
    told = said("to repair the", 0.0)
    assert texts(unrepeated(told, said("repair the old one", 0.5))) == ["old", "one"]
    assert texts(unrepeated(told, said("the old one", 5.0))) == ["the", "old", "one"]
    assert texts(unrepeated([], said("the", 0.0))) == ["the"]
