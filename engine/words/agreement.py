"""Which words of a running phrase are sure: those that two recognitions in a row begin with (LocalAgreement,
Macháček et al. 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from voicelane.base.timebase import samples
from voicelane.events import Word
from voicelane.words.alignment import ENDS
from voicelane.words.scoring import normalised

LONG_SAMPLES, LONGER_SAMPLES = samples(6.0), samples(11.0)
"""A phrase whose recognised part is longer begins anew behind a sure sentence; a longer one in a pause."""
REPEATED_WORDS, NEAR_SAMPLES = 5, samples(0.5)
"""Where a phrase begins anew it may begin with words that were told: so many at most, so near to them."""


class Agreement:
    """One phrase, recognised again and again as it grows."""

    def __init__(self) -> None:
        self._told: list[Word] = []
        """The last words before the phrase began anew."""
        self._sure: list[Word] = []
        self._rest: list[Word] = []

    def take(self, words: Sequence[Word]) -> list[Word]:
        """The words that are sure from now on, those that were told before left out."""
        rest = behind(self._sure, unrepeated(self._told, words))
        n_same = common(self._rest, rest)
        new, self._rest = list(rest[:n_same]), list(rest[n_same:])
        self._sure += new
        return new

    def rest(self) -> list[Word]:
        """The words behind the sure ones, as they were recognised last."""
        return self._rest

    def cut(self) -> int | None:
        """Where the phrase can begin anew, None while it had better go on."""
        words = [*self._sure, *self._rest]
        length = words[-1].end - words[0].start if self._sure else 0
        n = sentences(self._sure) if length >= LONG_SAMPLES else 0
        if not n and length >= LONGER_SAMPLES and self._sure[-1].end - words[0].start >= length // 2:
            n = place_to_cut(words[: len(self._sure) + 1])
        return self._begin_anew(n) if n else None

    def tear(self) -> tuple[list[Word], int | None]:
        """The phrase was cut by its length: the words that are whole, and where it begins anew."""
        words, n_before = [*self._sure, *self._rest], len(self._sure)
        n = max(place_to_cut(words), n_before)
        self._sure, self._rest = words[:n], []
        return words[n_before:n], self._begin_anew(n) if n else None

    def close(self) -> list[Word]:
        """The phrase is over: all that is left is sure."""
        left = self._rest
        self._told, self._sure, self._rest = [], [], []
        return left

    def _begin_anew(self, n: int) -> int:
        """Forget the first `n` sure words; where they end."""
        self._told, self._sure = self._sure[:n][-REPEATED_WORDS:], self._sure[n:]
        return self._told[-1].end


def behind(sure: Sequence[Word], words: Sequence[Word]) -> Sequence[Word]:
    """The words behind the sure ones, by their number where these come again, else by their time."""
    if common(sure, words) == len(sure):
        return words[len(sure) :]
    later = [word for word in words if word.start + word.end > 2 * sure[-1].end]
    return unrepeated(sure, later)


def common(before: Sequence[Word], now: Sequence[Word]) -> int:
    """How many words both begin with, whatever their case and punctuation."""
    n = 0
    for a, b in zip(before, now, strict=False):
        if normalised(a.text) != normalised(b.text):
            break
        n += 1
    return n


def unrepeated(told: Sequence[Word], words: Sequence[Word]) -> Sequence[Word]:
    """The words without those at their beginning that are the last ones of `told` once more."""
    if told and words and words[0].start - told[-1].end < NEAR_SAMPLES:
        for n in range(min(len(told), len(words)), 0, -1):
            if common(told[-n:], words) == n:
                return words[n:]
    return words


def sentences(words: Sequence[Word]) -> int:
    """How many of the words are whole sentences."""
    ended = [n for n, word in enumerate(words, 1) if word.text.rstrip().endswith(ENDS)]
    return ended[-1] if ended else 0


def place_to_cut(words: Sequence[Word]) -> int:
    """How many words come before the best place to part them: their last end of a sentence, else their
    longest pause, the later the better."""
    pauses = [(b.start - a.end, n) for n, (a, b) in enumerate(pairwise(words), 1)]
    return sentences(words[:-1]) or max(pauses, default=(0, len(words)))[1]
