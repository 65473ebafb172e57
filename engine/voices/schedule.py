"""Who is heard when, without gaps: every moment of a recording belongs to a speaker, to several, or is near
one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from voicelane.events import SpeakerTurn
from voicelane.voices.conversion import Change

Span = tuple[int, int]
"""First sample and the one behind the last."""


@dataclass(frozen=True)
class Stretch:
    """A part of a recording in which nobody begins or ends to speak."""

    start: int
    end: int
    speakers: tuple[str, ...]
    """Those who speak, the one who began first before the others."""


def stretches(turns: Iterable[SpeakerTurn]) -> list[Stretch]:
    """Where somebody speaks, in order of time."""
    known = sorted((t for t in turns if t.end > t.start), key=lambda t: t.start)
    edges = sorted({edge for t in known for edge in (t.start, t.end)})
    found, active, behind = list[Stretch](), list[SpeakerTurn](), 0
    for start, end in pairwise(edges):
        while behind < len(known) and known[behind].start <= start:
            active.append(known[behind])
            behind += 1
        active = [t for t in active if t.end > start]
        if speakers := tuple(dict.fromkeys(t.speaker for t in active)):
            found.append(Stretch(start, end, speakers))
    return found


def overlaps(parts: Sequence[Stretch]) -> list[Stretch]:
    """Where several speak, neighbouring stretches joined."""
    found: list[Stretch] = []
    for part in parts:
        if len(part.speakers) < 2:
            continue
        if found and found[-1].end == part.start:
            both = tuple(dict.fromkeys((*found[-1].speakers, *part.speakers)))
            found[-1] = Stretch(found[-1].start, part.end, both)
        else:
            found.append(part)
    return found


class Schedule:
    """A plan of changes by turns: a moment of nobody's belongs to whoever is nearest in time, so that no
    sound is left as it was."""

    def __init__(self, parts: Sequence[Stretch], changes: Mapping[str, Change], mute_overlap: bool) -> None:
        """Where several speak, what holds is silence, or the change of the one who began first."""
        self._changes: list[Change | None] = [
            None if mute_overlap and len(p.speakers) > 1 else changes.get(p.speakers[0]) for p in parts
        ]
        self._edges = [0]
        for a, b in pairwise(parts):
            self._edges += [b.start if a.end == b.start or len(a.speakers) > 1 else (a.end + b.start) // 2]

    def spans(self, start: int, end: int) -> Iterator[tuple[int, int, Change | None]]:
        """All samples from `start` to `end`; what nobody can be given is silence."""
        at = start
        while at < end:
            i = bisect_right(self._edges, at) - 1
            until = min(end, self._edges[i + 1] if i + 1 < len(self._edges) else end)
            yield at, until, self._changes[i] if i < len(self._changes) else None
            at = until


def solos(parts: Sequence[Stretch], speaker: str, wanted: int, least: int) -> list[Span]:
    """The longest stretches in which a speaker is alone, together at least `wanted` samples where there are
    so many, in order of time; those shorter than `least` are taken only where there is nothing longer."""
    alone = sorted((p for p in parts if p.speakers == (speaker,)), key=lambda p: p.start - p.end)
    chosen, total = list[Stretch](), 0
    for part in alone:
        if total >= wanted or (chosen and part.end - part.start < least):
            break
        chosen.append(part)
        total += part.end - part.start
    return sorted((p.start, p.end) for p in chosen)
