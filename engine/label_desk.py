"""Corrections of labels by hand, from any thread, of a running stream or a recorded one."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

from engine.errors import VoicelaneError
from engine.events import (
    Event,
    Redone,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerSplit,
    SpeakerTurn,
    TurnAssigned,
    TurnRevised,
    Undone,
)
from engine.names import check_name
from engine.relabelling import Relabelling, new_label

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
        if not 0 <= start < end:
            raise VoicelaneError(f"expected a stretch of sound, got {start} … {end} samples")
        found = into or new_label(speaker, self._speakers)
        self._ask(TurnAssigned(0, speaker, found, start, end), speaker, *([found] if into else []))
        return found

    def split(self, speaker: str, start: int) -> str:
        """Give all that `speaker` speaks from sample `start` on to somebody new, whose label it tells."""
        found = new_label(speaker, self._speakers)
        self._ask(SpeakerSplit(0, speaker, found, start), speaker)
        return found

    def undo(self) -> None:
        """Take back the latest correction that still holds."""
        self._ask(Undone(0))

    def redo(self) -> None:
        """Make the correction that was taken back last hold again."""
        self._ask(Redone(0))

    def see(self, events: Iterable[Event]) -> None:
        """Learn which speakers there are."""
        self._speakers |= {e.speaker for e in events if isinstance(e, SpeakerTurn)}
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
            self._waiting.append(event)


def _why_not(event: Event, speakers: tuple[str, ...]) -> str:
    if isinstance(event, Undone | Redone):
        return f"there is nothing to {'undo' if isinstance(event, Undone) else 'redo'}"
    return f"{' and '.join(speakers)} are one speaker already"
