"""From the engine's events to what a client of the live protocol is told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from voicelane.base.timebase import seconds
from voicelane.events import (
    Caption,
    Event,
    SpeakerIdentified,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerTurn,
    SpeechEnded,
    SpeechStarted,
    StageTiming,
    TurnRevised,
    VoiceMeasured,
)
from voicelane.labels.corrections import Relabelling

Message = dict[str, Any]
UNTOLD = (SpeechStarted, SpeechEnded, StageTiming, VoiceMeasured)
"""Not for clients: the turns say it, or nobody asked."""


class Floor:
    """Who has the floor: events of one push in, messages out, in an order that a reader can rely on.

    A speaker starts, then ends with the final turn; one who was taken for another is `withdrawn`.
    """

    def __init__(self) -> None:
        self.labels = Relabelling()
        self._open: dict[str, int] = {}
        """Where the running turn of each speaker started."""
        self._confirmed: dict[str, int] = {}
        """Up to where that of each speaker was told for good."""

    def tell(self, events: Sequence[Event]) -> list[Message]:
        """Messages of what one push brought about, in its order."""
        found: list[Message] = []
        for picture, group in groupby(events, key=_picture):
            rows = list(group)
            for event in rows:
                self.labels = self.labels.after(event)
            if picture is None:
                found += [message for event in rows for message in self._one(event)]
            else:
                found += self._pictured(rows)
        return found

    def _one(self, event: Event) -> list[Message]:
        if isinstance(event, SpeakerTurn):
            return self._ended(event)
        return [] if isinstance(event, UNTOLD) else [self._other(event)]

    def _ended(self, turn: SpeakerTurn) -> list[Message]:
        """A turn is final."""
        started = [] if turn.speaker in self._open else [self._start(turn)]
        confirmed = self._confirm(turn, turn.end)
        self._open.pop(turn.speaker, None)
        self._confirmed.pop(turn.speaker, None)
        ended = self._span("speaker_end", turn, turn.start, turn.end)
        return [*started, *confirmed, {**ended, "confidence": round(turn.confidence, 3)}]

    def _pictured(self, picture: Sequence[Event]) -> list[Message]:
        """The provisional turns are these now."""
        turns = {(e.speaker, e.start): e for e in picture if isinstance(e, SpeakerTurn) and e.end > e.start}
        there = sorted(turns.values(), key=lambda turn: turn.start)
        found = [self._withdraw(s) for s in sorted(self._open.keys() - {turn.speaker for turn in there})]
        found += [self._start(turn) for turn in there if turn.speaker not in self._open]
        found += [m for turn in there for m in self._confirm(turn, turn.confirmed_end)]
        rows = [self._row(turn.speaker, turn.start, turn.end) for turn in there]
        return [*found, {"type": "tentative", "turns": rows}]

    def _start(self, turn: SpeakerTurn) -> Message:
        self._open[turn.speaker] = turn.start
        return {"type": "speaker_start", **self._row(turn.speaker, turn.start)}

    def _withdraw(self, speaker: str) -> Message:
        start = self._open.pop(speaker)
        end = self._confirmed.pop(speaker, start)
        return {"type": "speaker_end", **self._row(speaker, start, end), "withdrawn": True}

    def _confirm(self, turn: SpeakerTurn, until: int) -> list[Message]:
        """What of a turn is sure now and was not before."""
        since = max(self._confirmed.get(turn.speaker, turn.start), turn.start)
        if until <= since:
            return []
        self._confirmed[turn.speaker] = until
        return [self._span("confirmed", turn, since, until)]

    def _span(self, kind: str, turn: SpeakerTurn, start: int, end: int) -> Message:
        return {"type": kind, **self._row(turn.speaker, start, end)}

    def _row(self, speaker: str, start: int, end: int | None = None) -> Message:
        row: Message = {"speaker": speaker, "start_s": round(seconds(start), 3)}
        if end is not None:
            row["end_s"] = round(seconds(end), 3)
        shown = self.labels.shown(speaker)
        return row if shown == speaker else {**row, "name": shown}

    def _other(self, event: Event) -> Message:
        if isinstance(event, SpeakerIdentified | SpeakerRenamed):
            by_hand = isinstance(event, SpeakerRenamed)
            return {"type": "name", "speaker": event.speaker, "name": event.name, "by_hand": by_hand}
        if isinstance(event, TurnRevised):
            row = self._row(event.speaker, event.start, event.end)
            return {"type": "revision", **row, "into": event.into}
        if isinstance(event, SpeakersMerged):
            return {"type": "merged", "speaker": event.speaker, "into": event.into}
        return self._caption(event) if isinstance(event, Caption) else _remark(event)

    def _caption(self, event: Caption) -> Message:
        words = [
            {"start_s": round(seconds(w.start), 3), "end_s": round(seconds(w.end), 3), "text": w.text}
            for w in event.words
        ]
        text = "".join(word.text for word in event.words).strip()
        row = self._row(event.speaker, event.start, event.end)
        return {"type": "caption", **row, "text": text, "words": words, "final": event.final}


def _picture(event: Event) -> int | None:
    """What the provisional turns of one picture have in common; None for all other events."""
    return event.sample if isinstance(event, SpeakerTurn) and not event.final else None


def _remark(event: Event) -> Message:
    """An event without a message of its own kind, as it is."""
    content = event.as_dict()
    return {"type": "remark", "event": content.pop("event"), **content}


def named_turns(turns: Iterable[SpeakerTurn], labels: Relabelling) -> list[Message]:
    """Final turns after all revisions, as rows."""
    return [
        {
            "speaker": turn.speaker,
            "name": labels.shown(turn.speaker),
            "start_s": round(seconds(turn.start), 3),
            "end_s": round(seconds(turn.end), 3),
            "confidence": round(turn.confidence, 3),
        }
        for turn in labels.turns(turns)
    ]
