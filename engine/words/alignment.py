"""Whose a word is: the speaker in whose turn it is spoken, by the words around it where several speak.

The cheapest sequence of speakers over all words (Viterbi): a word costs the part of it that lies outside of
the speaker's turns, a change of speakers costs `CHANGE`, less behind the end of a sentence or a pause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from voicelane.base.timebase import samples
from voicelane.events import SpeakerTurn, Word

LIMIT_SAMPLES = samples(0.5)
"""A word outside of every turn goes to the nearest one so near, else to nobody."""
PAUSE_SAMPLES = samples(0.3)
CHANGE, CHANGE_AT_PAUSE = 0.4, 0.1
ENDS = (".", "?", "!", "…", "。", "？", "！", "؟", "।")
"""How a sentence ends."""
NOBODY = ""


def assign(
    words: Sequence[Word], turns: Iterable[SpeakerTurn], limit_samples: int = LIMIT_SAMPLES
) -> list[str]:
    """The speaker of each word, in order of time; `NOBODY` where no turn is near.

    A word that any turn touches is never given to somebody who is silent then.
    """
    known = list(turns)
    starts, ends = (np.array([getattr(t, edge) for t in known], np.int64) for edge in ("start", "end"))
    names = [turn.speaker for turn in known]
    costs = [_costs(word, starts, ends, names, limit_samples) for word in words]
    changes = [_change(a, b) for a, b in pairwise(words)]
    return _cheapest(costs, changes)


def _costs(
    word: Word, starts: np.ndarray, ends: np.ndarray, names: Sequence[str], limit_samples: int
) -> dict[str, float]:
    """Speaker → what it costs to give them the word; those who cannot have said it are left out."""
    end = max(word.end, word.start + 1)
    near = np.flatnonzero((starts < end + limit_samples) & (ends > word.start - limit_samples))
    shared = np.minimum(ends[near], end) - np.maximum(starts[near], word.start)  # below 0: the gap
    within, gaps = dict[str, int](), dict[str, float]()
    for i, n in zip(near.tolist(), shared.tolist(), strict=True):
        who = names[i]
        if n > 0:
            within[who] = within.get(who, 0) + n
        gaps[who] = min(gaps.get(who, 1.0), -n / max(1, limit_samples))
    if within:
        return {who: max(0.0, 1.0 - n / (end - word.start)) for who, n in within.items()}
    return gaps or {NOBODY: 0.0}


def _change(word: Word, then: Word) -> float:
    """What it costs that another speaker says the next word."""
    pauses = then.start - word.end >= PAUSE_SAMPLES or word.text.rstrip().endswith(ENDS)
    return CHANGE_AT_PAUSE if pauses else CHANGE


def _cheapest(costs: Sequence[dict[str, float]], changes: Sequence[float]) -> list[str]:
    """The sequence of speakers that costs least altogether."""
    if not costs:
        return []
    totals, ways = dict(costs[0]), list[dict[str, str]]()
    for cost, change in zip(costs[1:], changes, strict=True):
        best = min(totals, key=lambda who: totals[who])
        stays = {who for who in cost if who in totals and totals[who] <= totals[best] + change}
        ways.append({who: who if who in stays else best for who in cost})
        totals = {who: own + totals[ways[-1][who]] + change * (who not in stays) for who, own in cost.items()}
    found = [min(totals, key=lambda who: totals[who])]
    for way in reversed(ways):
        found.append(way[found[-1]])
    return found[::-1]
