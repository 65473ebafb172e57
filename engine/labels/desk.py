"""Corrections of labels by hand, from any thread, of a running stream or a recorded one."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from voicelane.base.errors import VoicelaneError
from voicelane.base.text import check_name
from voicelane.events import (
    Event,
    Redone,
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
from voicelane.labels.corrections import Relabelling, new_label

BY_HAND_ONLY = "P"
"""What the label of somebody begins with whom the engine does not know."""
ENDED = "the session has ended; nothing can be corrected in it any more"


class LabelDesk:
    """Takes requests, refuses senseless ones at once, and keeps the rest as events until they are taken."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        """`events` are those of the stream so far."""
        events = tuple(events)
        self._lock = threading.Lock()
        self._state, self._waiting = Relabelling().after_all(events), list[Event]()
        self._speakers: frozenset[str] = frozenset()
        self._open = True
        self.see(events)

    def rename(self, speaker: str, name: str) -> None:
        """Show `name` for a speaker from now on."""
        self._ask(SpeakerRenamed(0, speaker, check_name(name)), speaker)

    def merge(self, speaker: str, into: str) -> None:
        """Take `speaker` for `into` from now on."""
        self._ask(SpeakersMerged(0, speaker, into), speaker, into)

    def assign(self, speaker: str, into: str | None, start: int, end: int) -> str:
        """Give what `speaker` spoke from sample `start` to `end` to `into`, or to a new speaker; the label
        of that one is returned."""
        _check_stretch(start, end)
        found = into or new_label(speaker, self._speakers)
        self._ask(TurnAssigned(0, speaker, found, start, end), speaker, *([found] if into else []))
        return found

    def split(self, speaker: str, start: int) -> str:
        """Give all that `speaker` speaks from sample `start` on to somebody new, whose label it tells."""
        found = new_label(speaker, self._speakers)
        self._ask(SpeakerSplit(0, speaker, found, start), speaker)
        return found

    def insert(self, speaker: str | None, start: int, end: int) -> str:
        """Say that `speaker`, or somebody new, speaks from sample `start` to `end` in one turn; the label.

        It takes the place of what that speaker is said to speak there: so turns are made longer, joined,
        divided, and confirmed.
        """
        _check_stretch(start, end)
        numbered = (f"{BY_HAND_ONLY}{n}" for n in count(1))
        found = speaker or next(label for label in numbered if label not in self._speakers)
        self._ask(TurnInserted(0, found, start, end), *([found] if speaker else []))
        return found

    def remove(self, speaker: str, start: int, end: int) -> None:
        """Say that `speaker` does not speak from sample `start` to `end`."""
        _check_stretch(start, end)
        self._ask(TurnRemoved(0, speaker, start, end), speaker)

    def undo(self) -> None:
        """Take back the latest correction that still holds."""
        self._ask(Undone(0))

    def redo(self) -> None:
        """Make the correction that was taken back last hold again."""
        self._ask(Redone(0))

    def see(self, events: Iterable[Event]) -> None:
        """Learn which speakers there are."""
        self._speakers |= {e.speaker for e in events if isinstance(e, SpeakerTurn)}
        self._speakers |= {e.speaker for e in events if isinstance(e, TurnInserted)}
        self._speakers |= {e.into for e in events if isinstance(e, TurnAssigned | SpeakerSplit | TurnRevised)}

    def take(self, sample: int, last: bool = False) -> list[Event]:
        """What was asked for since the last call, as events of `sample`; after the `last`, nothing can be."""
        if not (self._waiting or last):
            return []
        with self._lock:
            taken, self._waiting = self._waiting, []
            self._open = not last
        return [replace(event, sample=sample) for event in taken]

    def _ask(self, event: Event, *speakers: str) -> None:
        with self._lock:
            if not self._open:
                raise VoicelaneError(ENDED)
            known = sorted(self._speakers)
            for speaker in speakers:
                if speaker not in known:
                    there = ", ".join(known) or "nobody yet"
                    raise VoicelaneError(f"there is no speaker {speaker}; there are: {there}")
            after = self._state.after(event)
            if after is self._state:
                raise VoicelaneError(_why_not(event, speakers))
            self._state = after
            if isinstance(event, TurnAssigned | SpeakerSplit):
                self._speakers |= {event.into}
            elif isinstance(event, TurnInserted):
                self._speakers |= {event.speaker}
            self._waiting.append(event)


def _check_stretch(start: int, end: int) -> None:
    if not 0 <= start < end:
        raise VoicelaneError(f"expected a stretch of sound, got {start} … {end} samples")


def _why_not(event: Event, speakers: tuple[str, ...]) -> str:
    if isinstance(event, Undone | Redone):
        return f"there is nothing to {'undo' if isinstance(event, Undone) else 'redo'}"
    return f"{' and '.join(speakers)} are one speaker already"
