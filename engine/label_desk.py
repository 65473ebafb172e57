"""Renaming and merging speakers while the stream runs, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace

from engine.errors import VoicelaneError
from engine.events import Event, SpeakerRenamed, SpeakersMerged, SpeakerTurn, Undone
from engine.names import check_name
from engine.relabelling import Relabelling

NOTHING = "there is nothing to undo"


class LabelDesk:
    """Takes requests, refuses senseless ones at once, and hands the rest to the engine's thread as events."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state, self._waiting = Relabelling(), list[Event]()
        self._speakers: frozenset[str] = frozenset()
        self._open = True

    def rename(self, speaker: str, name: str) -> None:
        self._ask(SpeakerRenamed(0, speaker, check_name(name)), speaker)

    def merge(self, speaker: str, into: str) -> None:
        self._ask(SpeakersMerged(0, speaker, into), speaker, into)

    def undo(self) -> None:
        self._ask(Undone(0))

    def see(self, events: Iterable[Event]) -> None:
        """Learn which speakers there are."""
        self._speakers |= {e.speaker for e in events if isinstance(e, SpeakerTurn)}

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
                raise VoicelaneError("the session has ended; nobody can be renamed or merged in it any more")
            known = sorted(self._speakers)
            for speaker in speakers:
                if speaker not in known:
                    there = ", ".join(known) or "nobody yet"
                    raise VoicelaneError(f"there is no speaker {speaker}; there are: {there}")
            after = self._state.after(event)
            if after is self._state:
                raise VoicelaneError(
                    f"{' and '.join(speakers)} are one speaker already" if speakers else NOTHING
                )
            self._state = after
            self._waiting.append(event)
