"""How wrong recognised words are: word error rate, alone, per speaker (cpWER), and with times (tcpWER)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

NEVER = 1 << 30


@dataclass(frozen=True)
class Spoken:
    """A word, normalised, and when it was said, in seconds."""

    text: str
    start_s: float = 0.0
    end_s: float = 0.0


def normalised(text: str) -> list[str]:
    """Words of a text without case and punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("-", " ")
    kept = "".join(c for c in folded if c.isalnum() or c.isspace() or unicodedata.category(c) == "Mn")
    return kept.split()


def word_errors(
    reference: Sequence[Spoken], hypothesis: Sequence[Spoken], collar_s: float | None = None
) -> int:
    """Substitutions, deletions and insertions from one to the other (Levenshtein).

    With `collar_s` words so far apart cannot stand for each other (von Neumann et al. 2023, MeetEval).
    """
    texts = np.array([word.text for word in hypothesis], object)
    starts, ends = (np.array([getattr(w, n) for w in hypothesis]) for n in ("start_s", "end_s"))
    place = np.arange(len(hypothesis) + 1)
    costs = place.copy()
    for word in reference:
        other = (texts != word.text).astype(np.int64)
        if collar_s is not None:
            other[(starts > word.end_s + collar_s) | (ends < word.start_s - collar_s)] = NEVER
        costs = np.concatenate(([costs[0] + 1], np.minimum(costs[:-1] + other, costs[1:] + 1)))
        costs = np.minimum.accumulate(costs - place) + place
    return int(costs[-1])


def speaker_word_errors(
    reference: Mapping[str, Sequence[Spoken]],
    hypothesis: Mapping[str, Sequence[Spoken]],
    collar_s: float | None = None,
) -> int:
    """Errors when each speaker's words are compared with those of the speaker who fits best (cpWER).

    Who has no counterpart counts as all deleted, or inserted (Watanabe et al. 2020, CHiME-6).
    """
    ours, theirs = [*reference.values()], [*hypothesis.values()]
    n = max(len(ours), len(theirs))
    ours, theirs = ([*said, *[[]] * (n - len(said))] for said in (ours, theirs))
    errors = np.array([[word_errors(a, b, collar_s) for b in theirs] for a in ours]).reshape(n, n)
    rows, columns = linear_sum_assignment(errors)
    return int(errors[rows, columns].sum())
