"""When somebody speaks, as stretches of time that are apart."""

from __future__ import annotations

from collections.abc import Sequence

from voicelane.labels.scoring import Turn

Span = tuple[float, float]


def others(turns: Sequence[Turn], name: str) -> list[Span]:
    """When somebody else speaks and a person does not; never, where the person was not recognised."""
    own = merged([turn for turn in turns if turn.speaker == name])
    left = merged([turn for turn in turns if turn.speaker != name]) if own else []
    for start, end in own:
        parts = (part for a, b in left for part in ((a, min(b, start)), (max(a, end), b)))
        left = [(a, b) for a, b in parts if a < b]
    return left


def merged(turns: Sequence[Turn]) -> list[Span]:
    """Their times in order, those as one that touch."""
    found: list[Span] = []
    for turn in sorted(turns, key=lambda t: t.start):
        if found and turn.start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], turn.end)
        else:
            found.append((turn.start, turn.end))
    return found
