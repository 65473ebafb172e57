"""Whose a turn is and which name is shown: what the engine said, and what somebody said on top of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from voicelane.events import (
    Event,
    Redone,
    SpeakerIdentified,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerSplit,
    SpeakerTurn,
    TurnAssigned,
    TurnInserted,
    TurnRemoved,
    TurnRevised,
    Undone,
)

Move = TurnRevised | TurnAssigned | SpeakerSplit | TurnInserted | TurnRemoved
"""What gives a stretch of one speaker to another, to nobody, or anew to the same."""

BY_HAND = (
    SpeakerRenamed,
    SpeakersMerged,
    TurnAssigned,
    SpeakerSplit,
    TurnInserted,
    TurnRemoved,
    Undone,
    Redone,
)
"""What somebody says."""

NEVER = 1 << 62
NOBODY = ""
FIRST_PART = ord("b")
N_PARTS = 25


@dataclass(frozen=True)
class Corrections:
    """What somebody said: names of speakers, speakers that are one, and moves by hand."""

    names: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    moved: frozenset[int] = frozenset()
    """Which of `Relabelling.moves` hold, of those by hand."""

    def root(self, speaker: str) -> str:
        """The speaker that stands for `speaker` after all mergers."""
        while speaker in self.merged:
            speaker = self.merged[speaker]
        return speaker


@dataclass(frozen=True)
class Relabelling:
    """Labels of the engine to shown names. It is never changed: `after` gives the next one."""

    recognised: dict[str, str] = field(default_factory=dict)
    states: tuple[Corrections, ...] = (Corrections(),)
    """Every state so far, the latest last; taking the latest away undoes it."""
    undone: tuple[Corrections, ...] = ()
    """States that were taken away, the one to bring back first last."""
    moves: tuple[tuple[Move, frozenset[str]], ...] = ()
    """Every move so far, those that were taken back too, and the labels it takes from: all that were one
    speaker when somebody said so."""

    @property
    def now(self) -> Corrections:
        return self.states[-1]

    def shown(self, speaker: str) -> str:
        """A given name, else a recognised one, else the label."""
        root = self.now.root(speaker)
        return self.now.names.get(root) or self.recognised.get(root) or root

    def speakers_shown_as(self, name: str, speakers: Iterable[str]) -> list[str]:
        """Those of `speakers` whose shown name is `name`; a label means its speaker, whatever it shows."""
        speakers = list(speakers)
        return [name] if name in speakers else [s for s in speakers if self.shown(s) == name]

    def holding(self) -> list[tuple[Move, frozenset[str]]]:
        """The moves that hold, in the order in which they were made."""
        by_hand = self.now.moved
        return [m for i, m in enumerate(self.moves) if isinstance(m[0], TurnRevised) or i in by_hand]

    def whole(self, finals: Iterable[SpeakerTurn]) -> list[SpeakerTurn]:
        """As `turns` of all final turns of a conversation, with those that somebody inserted."""
        found = [*self.turns(finals), *self.inserted()]
        return sorted(found, key=lambda turn: (turn.start, turn.end))

    def inserted(self) -> list[SpeakerTurn]:
        """The turns that were inserted by hand, after all moves that came later; they are sure."""
        moves, found = self.holding(), list[SpeakerTurn]()
        for number, (move, _) in enumerate(moves):
            if isinstance(move, TurnInserted):
                place = (move.start, move.end)
                turn = SpeakerTurn(move.sample, move.speaker, *place, move.end, 1.0, True)
                found += _moved(turn, [m for m in moves[number + 1 :] if not isinstance(m[0], TurnRevised)])
        return found

    def turns(self, turns: Iterable[SpeakerTurn]) -> list[SpeakerTurn]:
        """The turns with the speakers they have after all moves, divided where that changes, in order of
        time; what was inserted by hand takes the place of the turns of its speaker, and is not among them.
        """
        moves = self.holding()
        starts = np.array([m.start for m, _ in moves], np.int64)
        ends = np.array([getattr(m, "end", NEVER) for m, _ in moves], np.int64)
        found: list[SpeakerTurn] = []
        for turn in turns:
            near = np.flatnonzero((starts < turn.end) & (ends > turn.start)) if moves else ()
            found += _moved(turn, [moves[i] for i in near]) if len(near) else [turn]
        return sorted(found, key=lambda turn: (turn.start, turn.end))

    def after(self, event: Event) -> Relabelling:
        """What holds once `event` has happened: this very object where that changes nothing."""
        if isinstance(event, SpeakerIdentified):
            return replace(self, recognised=self.recognised | {event.speaker: event.name})
        if isinstance(event, SpeakerRenamed):
            return self._with(self._renamed(event))
        if isinstance(event, SpeakersMerged):
            return self._with(self._merged(event))
        if isinstance(event, Move):
            return self._moved(event)
        if isinstance(event, Undone):
            return self._undone()
        return self._redone() if isinstance(event, Redone) else self

    def after_all(self, events: Iterable[Event]) -> Relabelling:
        """What holds after all `events`."""
        now = self
        for event in events:
            now = now.after(event)
        return now

    def _renamed(self, event: SpeakerRenamed) -> Corrections:
        return replace(self.now, names=self.now.names | {self.now.root(event.speaker): event.name})

    def _merged(self, event: SpeakersMerged) -> Corrections:
        now = self.now
        root, into = now.root(event.speaker), now.root(event.into)
        return now if root == into else replace(now, merged=now.merged | {root: into})

    def _moved(self, move: Move) -> Relabelling:
        """With one more move; that of the engine cannot be undone, one by hand can."""
        if isinstance(move, TurnRevised):
            return replace(self, moves=(*self.moves, (move, frozenset((move.speaker,)))))
        root = self.now.root(move.speaker)
        if isinstance(move, TurnAssigned | SpeakerSplit) and root == self.now.root(move.into):
            return self
        labels = frozenset(s for s in (root, *self.now.merged) if self.now.root(s) == root)
        longer = replace(self, moves=(*self.moves, (move, labels)))
        return longer._with(replace(self.now, moved=self.now.moved | {len(self.moves)}))

    def _undone(self) -> Relabelling:
        if len(self.states) < 2:
            return self
        return replace(self, states=self.states[:-1], undone=(*self.undone, self.now))

    def _redone(self) -> Relabelling:
        if not self.undone:
            return self
        return replace(self, states=(*self.states, self.undone[-1]), undone=self.undone[:-1])

    def _with(self, state: Corrections) -> Relabelling:
        return self if state is self.now else replace(self, states=(*self.states, state), undone=())


def _moved(turn: SpeakerTurn, moves: Sequence[tuple[Move, frozenset[str]]]) -> list[SpeakerTurn]:
    """A turn after the moves that touch it, divided where its speaker changes.

    What was moved by hand stays there: the engine's later thoughts pass it by.
    """
    places = {place for m, _ in moves for place in (m.start, getattr(m, "end", turn.end))}
    cuts = [turn.start, *sorted(p for p in places if turn.start < p < turn.end), turn.end]
    parts: list[SpeakerTurn] = []
    for start, end in pairwise(cuts):
        speaker = _speaker(turn.speaker, start, moves)
        if parts and parts[-1].speaker == speaker:
            parts[-1] = replace(parts[-1], end=end)
        else:
            parts.append(replace(turn, speaker=speaker, start=start, end=end))
    parts = [part for part in parts if part.speaker != NOBODY]
    return [replace(p, confirmed_end=min(max(turn.confirmed_end, p.start), p.end)) for p in parts]


def _speaker(speaker: str, at: int, moves: Sequence[tuple[Move, frozenset[str]]]) -> str:
    """Whose sample `at` is after the moves, if it was of `speaker`: nobody's where that was removed, or
    another turn was inserted in its place."""
    by_hand = False
    for move, labels in moves:
        held = speaker in labels and move.start <= at < getattr(move, "end", at + 1)
        if held and not (by_hand and isinstance(move, TurnRevised)):
            if isinstance(move, TurnInserted | TurnRemoved):
                return NOBODY
            speaker, by_hand = move.into, by_hand or not isinstance(move, TurnRevised)
    return speaker


def new_label(speaker: str, taken: Iterable[str]) -> str:
    """A label for a part of `speaker` that the engine gives nobody: S2b, S2c, … and S2bb where all are
    taken."""
    stem, there = speaker.rstrip("".join(map(chr, range(FIRST_PART, FIRST_PART + N_PARTS)))), set(taken)
    while True:
        for letter in range(FIRST_PART, FIRST_PART + N_PARTS):
            if (label := f"{stem}{chr(letter)}") not in there:
                return label
        stem += chr(FIRST_PART)
