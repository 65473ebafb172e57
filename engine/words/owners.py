"""Words on their way to a caption: whose they are, once that is settled."""

from __future__ import annotations

from collections.abc import Sequence

from voicelane.base.timebase import samples
from voicelane.events import SpeakerTurn, Word
from voicelane.words.alignment import assign
from voicelane.words.lines import Line, joined_lines

PATIENCE_SAMPLES = samples(3.0)
"""A word that no turn has confirmed by then is told all the same."""
REMEMBERED_SAMPLES = samples(60.0)
CONTEXT_WORDS = 8
"""Words before a new one that say whose sentence it goes on with."""


class Owners:
    """The latest turns, and words that are sure but not told yet."""

    def __init__(self) -> None:
        self._final: list[SpeakerTurn] = []
        self._provisional: list[SpeakerTurn] = []
        self._confirmed = 0
        self._waiting: list[Word] = []
        self._told: list[Word] = []

    def see(self, turn: SpeakerTurn) -> None:
        """A turn, as the engine tells it."""
        self._confirmed = max(self._confirmed, turn.end if turn.final else turn.confirmed_end)
        if turn.final:
            oldest = turn.end - REMEMBERED_SAMPLES
            self._final = [t for t in self._final if t.end > oldest] + [turn]
            self._provisional = [
                p for p in self._provisional if (p.speaker, p.start) != (turn.speaker, turn.start)
            ]
            return
        self._provisional = [p for p in self._provisional if p.sample == turn.sample]
        if turn.end > turn.start:
            self._provisional.append(turn)

    def add(self, words: Sequence[Word]) -> None:
        """Words that will not change."""
        self._waiting += words

    def settled(self, now: int, ended: bool) -> list[Line]:
        """The words whose speaker is final, in lines; they are told once."""
        n = 0
        for word in self._waiting:
            if not (ended or word.end <= self._confirmed or now - word.end >= PATIENCE_SAMPLES):
                break
            n += 1
        new, self._waiting = self._waiting[:n], self._waiting[n:]
        lines = self._lines(new)
        self._told = [*self._told, *new][-CONTEXT_WORDS:]
        return lines

    def likely(self, tentative: Sequence[Word]) -> list[Line]:
        """The words that wait, and those behind them that may still change, in lines."""
        return self._lines([*self._waiting, *tentative])

    def _lines(self, words: Sequence[Word]) -> list[Line]:
        if not words:
            return []
        speakers = assign([*self._told, *words], [*self._final, *self._provisional])
        return joined_lines(words, speakers[len(self._told) :])
