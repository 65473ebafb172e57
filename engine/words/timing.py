"""When a word is spoken: by the decoder's attention, then by the energy of the sound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from voicelane.base.timebase import samples
from voicelane.events import Word

STEP_SAMPLES = 320
"""Between two states of the encoder, and so the precision of times."""
SQUEEZED = 2 * STEP_SAMPLES
"""No word is so short."""
FRAME_SAMPLES = samples(0.01)
QUIET = 0.05
"""A frame of less than this part of the loud ones (amplitude) is no part of a word that has louder ones."""


def token_begins(alignments: Sequence[tuple[int, int]], n_samples: int) -> list[int]:
    """Sample at which each token begins, of (token, step) pairs in order, at most `n_samples`."""
    which, steps = np.array(alignments, np.int64).reshape(-1, 2).T
    first = np.diff(which, prepend=-1) > 0
    return [int(step) for step in np.minimum(steps[first] * STEP_SAMPLES, n_samples)]


def tightened(words: Iterable[Word], sound: np.ndarray) -> Iterator[Word]:
    """The words without the silence before and behind them, which attention gives to the word beside it."""
    whole = sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    level = np.sqrt(np.mean(whole**2, axis=1))
    loud = level > QUIET * np.quantile(level, 0.95) if len(level) else np.zeros(0, bool)
    for word in words:
        first, behind = word.start // FRAME_SAMPLES, -(-word.end // FRAME_SAMPLES)
        heard = first + np.flatnonzero(loud[first:behind])
        if not len(heard):
            yield word
            continue
        start, end = int(heard[0]) * FRAME_SAMPLES, int(heard[-1] + 1) * FRAME_SAMPLES
        yield replace(word, start=max(word.start, start), end=max(min(word.end, end), word.start))


def without_tail(words: Sequence[Word], n_samples: int) -> list[Word]:
    """The words without those at the end that nobody has time to say: heard in the silence behind it."""
    kept = list(words)
    while kept and (kept[-1].start >= n_samples - STEP_SAMPLES or kept[-1].end - kept[-1].start <= SQUEEZED):
        kept.pop()
    return kept


def shifted(words: Iterable[Word], by: int) -> Iterator[Word]:
    """The words `by` samples later."""
    return (replace(word, start=word.start + by, end=word.end + by) for word in words)
