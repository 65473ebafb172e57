"""A conversation in numbers: who spoke how long, who after whom, how much was silent or spoken at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from voicelane.base.timebase import samples

LONGEST_TURNS = 5
AFTER_SAMPLES = samples(3.0)
"""Whoever begins so soon after somebody's end speaks after them."""

Spoken = tuple[str, int, int]
"""Name, first sample, the one behind the last."""


@dataclass(frozen=True)
class Share:
    """One person's part."""

    name: str
    samples: int
    share: float
    """Of all that was spoken, 0 … 1."""
    n_turns: int
    longest: int
    """Samples of the longest turn."""


@dataclass(frozen=True)
class Overview:
    """All of it; lengths are in samples."""

    length: int
    speech: int
    """In which anybody speaks."""
    overlap: int
    """In which two or more speak."""
    shares: tuple[Share, ...]
    """The most talkative first."""
    longest: tuple[Spoken, ...]
    follows: tuple[tuple[str, str, int], ...]
    """Who, after whom, how often; the most frequent first."""

    @property
    def silence(self) -> int:
        return max(0, self.length - self.speech)


def overview_of(spoken: Iterable[Spoken], length: int) -> Overview:
    """The numbers of some turns of a conversation of `length` samples."""
    turns = sorted(spoken, key=lambda turn: turn[1:])
    speech, overlap = at_once(turns)
    longest = sorted(turns, key=lambda turn: turn[1] - turn[2])[:LONGEST_TURNS]
    return Overview(length, speech, overlap, _shares(turns), tuple(longest), _follows(turns))


def at_once(turns: Sequence[Spoken]) -> tuple[int, int]:
    """Samples in which at least one, and at least two of the turns are."""
    spans = np.array([turn[1:] for turn in turns], np.int64).reshape(-1, 2)
    places = np.concatenate((spans[:, 0], spans[:, 1]))
    order = np.argsort(places, kind="stable")
    steps = np.repeat((1, -1), len(spans))[order]
    lasts, speaking = np.diff(places[order], append=places.max(initial=0)), np.cumsum(steps)
    return int(lasts[speaking >= 1].sum()), int(lasts[speaking >= 2].sum())


def united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order of time, those that touch as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def by_name(turns: Iterable[Spoken]) -> dict[str, list[tuple[int, int]]]:
    """Everybody's spans, which touch nowhere, in order of first appearance."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for name, start, end in turns:
        spans.setdefault(name, []).append((start, end))
    return {name: united(own) for name, own in spans.items()}


def _shares(turns: Sequence[Spoken]) -> tuple[Share, ...]:
    spoken: dict[str, list[int]] = {}
    for name, start, end in turns:
        spoken.setdefault(name, []).append(end - start)
    total = sum(map(sum, spoken.values()))
    found = [Share(n, sum(x), sum(x) / max(1, total), len(x), max(x)) for n, x in spoken.items()]
    return tuple(sorted(found, key=lambda share: -share.samples))


def _follows(turns: Sequence[Spoken]) -> tuple[tuple[str, str, int], ...]:
    """Of two turns that begin one after the other, by different people, with no long pause between."""
    count = Counter(
        (later[0], before[0])
        for before, later in pairwise(turns)
        if later[0] != before[0] and later[1] - before[2] < AFTER_SAMPLES
    )
    return tuple((who, whom, n) for (who, whom), n in count.most_common())
