"""Word error rates, against ones that can be counted by hand."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis")
from hypothesis import given
from hypothesis import strategies as st

from voicelane.words import Spoken, normalised, speaker_word_errors, word_errors

LISTS = st.lists(st.sampled_from("abcd"), max_size=8)


def words(text: str, start_s: float = 0.0) -> list[Spoken]:
    return [Spoken(w, start_s + i, start_s + i + 1) for i, w in enumerate(text)]


def plain(a: str, b: str) -> int:
    """The textbook's recursion."""
    if not a or not b:
        return len(a) + len(b)
    return min(plain(a[1:], b[1:]) + (a[0] != b[0]), plain(a[1:], b) + 1, plain(a, b[1:]) + 1)


@given(LISTS.filter(lambda x: len(x) < 6), LISTS.filter(lambda x: len(x) < 6))
def test_errors_are_those_of_the_textbook(a, b):
    assert word_errors(words("".join(a)), words("".join(b))) == plain("".join(a), "".join(b))


def test_words_far_apart_in_time_cannot_stand_for_each_other():
    assert word_errors(words("abc"), words("abc", 20.0)) == 0
    assert word_errors(words("abc"), words("abc", 20.0), collar_s=5.0) == 6
    assert word_errors(words("abc"), words("abc", 4.0), collar_s=5.0) == 0


def test_speakers_are_matched_for_the_least_errors():
    said = {"Ann": words("abca"), "Bob": words("dd")}
    assert speaker_word_errors(said, {"S2": words("abca"), "S1": words("dd")}) == 0
    assert speaker_word_errors(said, {"S1": words("abcadd")}) == 2 + 2
    assert speaker_word_errors(said, {"S1": words("abca"), "S2": words("d"), "": words("d")}) == 1 + 1
    assert speaker_word_errors(said, {}) == 6
    assert speaker_word_errors({}, said) == 6


def test_case_and_punctuation_do_not_count():
    assert normalised(" Well-known, ISN'T it? Über…") == ["well", "known", "isnt", "it", "über"]
