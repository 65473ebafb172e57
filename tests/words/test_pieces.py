"""Which stretches of a recording are recognised: all speech, each moment once, in pieces that fit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import given
from hypothesis import strategies as st

from tests.words.test_alignment import TURNS, turn
from voicelane.base import samples
from voicelane.words import pieces_of
from voicelane.words.pieces import short_enough, speech
from voicelane.words.recogniser import LONGEST_S
from voicelane.words.recording import Reel


@given(TURNS)
def test_every_turn_is_in_the_pieces_and_no_moment_twice(turns):
    end = max((t.end for t in turns), default=0)
    pieces = pieces_of(turns, end)
    assert all(a[1] <= b[0] for a, b in pairwise(pieces))
    for t in turns:
        if t.end > t.start:
            assert any(start <= t.start and t.end <= stop for start, stop in pieces)


def test_turns_share_a_piece_until_it_is_full_or_there_is_a_long_silence():
    together = [turn("S1", 1, 3), turn("S2", 3.5, 6), turn("S1", 5.5, 9)]
    assert len(pieces_of(together, samples(10.0))) == 1
    assert len(pieces_of([*together, turn("S1", 12, 13)], samples(20.0))) == 2
    full = pieces_of([turn("S1", i, i + 0.9) for i in range(60)], samples(60.0))
    assert len(full) == 3 and all(end - start <= samples(LONGEST_S) for start, end in full)
    assert pieces_of([], samples(10.0)) == [] == speech([])


def test_speech_without_a_silence_is_cut_where_it_is_quietest(rng):
    sound = rng.standard_normal(samples(70.0)).astype(np.float32)
    sound[samples(26.0) : samples(26.2)] = 0.0
    parts = list(short_enough((1_000, 1_000 + len(sound)), sound))
    assert parts[0][0] == 1_000 and parts[-1][1] == 1_000 + len(sound)
    assert all(a[1] == b[0] for a, b in pairwise(parts))
    assert all(end - start <= samples(LONGEST_S) for start, end in parts)
    assert samples(26.0) <= parts[0][1] - 1_000 <= samples(26.2)


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=10),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30)), max_size=5),
)
def test_a_reel_gives_any_spans_in_order(blocks, spans):
    sound = np.arange(sum(blocks), dtype=np.float32)
    reel = Reel(np.split(sound, np.cumsum(blocks)[:-1]))
    for start, length in sorted(spans):
        np.testing.assert_array_equal(reel.cut(start, start + length), sound[start : start + length])
