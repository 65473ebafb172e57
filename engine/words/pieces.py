"""Which stretches of a recording are recognised one by one: as many of its turns as fit, from pause to pause.

Whisper understands better what it hears together: with a piece for each turn, more words are wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from voicelane.base.timebase import samples
from voicelane.events import SpeakerTurn
from voicelane.words.recogniser import LONGEST_S

Span = tuple[int, int]
"""First sample and the one behind the last."""
MARGIN_SAMPLES = samples(0.2)
"""Of sound around a turn, if nobody else speaks there."""
PAUSE_SAMPLES = samples(2.0)
"""A longer silence is in no piece."""
QUIET_SAMPLES, LOOK_SAMPLES = samples(0.1), samples(4.0)
"""A piece that is too long is cut where so much is quietest, this far before its end at most."""
LONGEST_SAMPLES = samples(LONGEST_S) - 2 * MARGIN_SAMPLES


def pieces_of(turns: Iterable[SpeakerTurn], n_samples: int) -> list[Span]:
    """As much as fits into a piece, from one silence to another, whoever speaks.

    Only speech without any silence may be longer; `short_enough` cuts it.
    """
    spans: list[Span] = []
    for start, end in speech(turns):
        if spans and start - spans[-1][1] <= PAUSE_SAMPLES and end - spans[-1][0] <= LONGEST_SAMPLES:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return with_margins(spans, n_samples)


def speaker_pieces(turns: Iterable[SpeakerTurn], n_samples: int) -> list[Span]:
    """As much of one speaker as fits into a piece, until somebody else speaks: what is translated at once."""
    spans, last = list[Span](), ""
    for turn in sorted(turns, key=lambda turn: turn.start):
        near = spans and turn.speaker == last and turn.start - spans[-1][1] <= PAUSE_SAMPLES
        if near and turn.end - spans[-1][0] <= LONGEST_SAMPLES:
            spans[-1] = (spans[-1][0], max(turn.end, spans[-1][1]))
        elif turn.end > turn.start:
            start = max(turn.start, spans[-1][1]) if spans else turn.start
            if start < turn.end:
                spans.append((start, turn.end))
        last = turn.speaker
    return with_margins(spans, n_samples)


def speech(turns: Iterable[SpeakerTurn]) -> list[Span]:
    """Where anybody speaks, in order of time."""
    spans: list[Span] = []
    for turn in sorted(turns, key=lambda turn: turn.start):
        if spans and turn.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(turn.end, spans[-1][1]))
        elif turn.end > turn.start:
            spans.append((turn.start, turn.end))
    return spans


def with_margins(spans: list[Span], n_samples: int) -> list[Span]:
    """Each span and a little around it, up to half way to the next one."""
    middles = [(a[1] + b[0]) // 2 for a, b in pairwise(spans)]
    return [
        (max(start - MARGIN_SAMPLES, before), max(min(end + MARGIN_SAMPLES, behind), end))
        for (start, end), before, behind in zip(spans, [0, *middles], [*middles, n_samples], strict=False)
    ]


def short_enough(span: Span, sound: np.ndarray) -> Iterator[Span]:
    """The span in parts that can be recognised at once, cut where its `sound` (n,) is quietest."""
    start, end = span
    longest = samples(LONGEST_S)
    while end - start > longest:
        cut = start + longest - LOOK_SAMPLES
        cut += quietest(sound[cut - span[0] : start + longest - span[0]])
        yield start, cut
        start = cut
    yield start, end


def quietest(sound: np.ndarray) -> int:
    """The middle of the quietest tenth of a second of (n,)."""
    energy = np.cumsum(np.concatenate(([0.0], sound.astype(np.float64) ** 2)))
    return int(np.argmin(energy[QUIET_SAMPLES:] - energy[:-QUIET_SAMPLES])) + QUIET_SAMPLES // 2
