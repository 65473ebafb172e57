"""A conversation in numbers, on a page, and for tools in which speech is annotated."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.sessions.test_session import HOSTILE, hand_made
from voicelane.base import seconds
from voicelane.sessions import TEXT_FORMATS, overview_of, page_of, relabel_session, spoken
from voicelane.sessions.overview import united
from voicelane.sessions.page import MOST_LABELS, ticks
from voicelane.sessions.tiers import filled


@pytest.mark.parametrize("seed", range(10))
def test_numbers_agree_with_a_flag_for_every_sample(seed):
    rng = np.random.default_rng(seed)
    turns = []
    speaks = np.zeros((3, 2_000), bool)
    for who in range(3):
        cuts = np.sort(rng.choice(2_000, 12, replace=False)).reshape(-1, 2)
        for start, end in cuts.tolist():
            turns.append(("ABC"[who], start, end))
            speaks[who, start:end] = True
    told = overview_of(turns, 2_000)
    count = speaks.sum(axis=0)
    assert (told.speech, told.overlap) == ((count >= 1).sum(), (count >= 2).sum())
    assert told.silence == (count == 0).sum()
    assert {s.name: s.samples for s in told.shares} == {"ABC"[i]: speaks[i].sum() for i in range(3)}
    assert sum(s.share for s in told.shares) == pytest.approx(1.0)
    lengths = sorted((end - start for _, start, end in turns), reverse=True)
    assert [end - start for _, start, end in told.longest] == lengths[: len(told.longest)]
    assert all(who != whom for who, whom, _ in told.follows)


def test_nobody_is_no_problem():
    told = overview_of([], 1_000)
    assert (told.speech, told.overlap, told.silence, told.shares) == (0, 0, 1_000, ())
    assert "<svg" in page_of("silence", "", [], 1_000)


def test_who_speaks_after_whom():
    turns = [
        ("A", 0, 10),
        ("B", 12, 20),
        ("A", 18, 30),
        ("A", 40, 50),
        ("B", 60, 70),
        ("C", 200_000, 200_010),
    ]
    assert overview_of(turns, 300_000).follows == (("B", "A", 2), ("A", "B", 1))


def test_spans_unite_and_gaps_between_them_are_filled():
    assert united([(5, 9), (0, 5), (20, 30), (22, 25)]) == [(0, 9), (20, 30)]
    assert filled([(2, 4), (4, 6)], 9) == [(0, 2, False), (2, 4, True), (4, 6, True), (6, 9, False)]
    assert filled([], 9) == [(0, 9, False)] and filled([(0, 9)], 9) == [(0, 9, True)]


@pytest.mark.parametrize("length_s", [1, 59, 4_380, 86_400])
def test_a_picture_has_few_marks(length_s):
    assert 1 <= len(ticks(16_000 * length_s)) <= MOST_LABELS + 1


@pytest.fixture
def hostile(home):
    return relabel_session(hand_made("talk", ["S1", "S2", "S1", "S3"]), "S1", HOSTILE)


def turns_of(session) -> list[tuple[str, float, float]]:
    return [(name, round(seconds(a), 3), round(seconds(b), 3)) for name, a, b in spoken(session)]


def test_audacity_s_labels_parse_back(hostile):
    rows = [line.split("\t") for line in TEXT_FORMATS["audacity"](hostile).splitlines()]
    wanted = [(" ".join(name.split()), a, b) for name, a, b in turns_of(hostile)]
    assert [(name, round(float(a), 3), round(float(b), 3)) for a, b, name in rows] == wanted


def test_elan_s_document_parses_back(hostile):
    root = ElementTree.fromstring(TEXT_FORMATS["elan"](hostile))
    at = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE")) / 1000 for slot in root.iter("TIME_SLOT")}
    found = [
        (tier.get("TIER_ID"), at[a.get("TIME_SLOT_REF1")], at[a.get("TIME_SLOT_REF2")])
        for tier in root.iter("TIER")
        for a in tier.iter("ALIGNABLE_ANNOTATION")
    ]
    wanted = turns_of(hostile)
    assert len(found) == len(wanted) and {f[0] for f in found} == {w[0] for w in wanted}
    np.testing.assert_allclose(sorted(f[1:] for f in found), sorted(w[1:] for w in wanted), atol=2e-3)


def test_praat_s_grid_has_whole_tiers(hostile):
    lines = TEXT_FORMATS["textgrid"](hostile).splitlines()
    assert lines[:2] == ['File type = "ooTextFile"', 'Object class = "TextGrid"']
    at, speech = 7, []
    assert int(lines[6]) == 3
    for _ in range(3):
        kind, name, start, end, n = lines[at : at + 5]
        assert kind == '"IntervalTier"' and float(start) == 0
        cells = [lines[at + 5 + 3 * i : at + 8 + 3 * i] for i in range(int(n))]
        assert [a for a, _, _ in cells[1:]] == [b for _, b, _ in cells[:-1]] and cells[-1][1] == end
        speech += [(float(a), float(b)) for a, b, text in cells if text == name]
        at += 5 + 3 * int(n)
    assert at == len(lines)
    wanted = sorted((a, b) for _, a, b in turns_of(hostile))
    np.testing.assert_allclose(sorted(speech), wanted, atol=1e-3)


def test_the_page_needs_nothing_else_and_believes_no_name(hostile):
    page = TEXT_FORMATS["html"](hostile)
    assert not re.search(r"(src|href)=|@import|url\(|<script", page), "self-contained"
    assert page.count("<rect") == 4 and HOSTILE not in page and "<h2>Who spoke</h2>" in page
    said = page_of("t", "", spoken(hostile), 1, [("A <b>", 0, "1 < 2")])
    assert "A &lt;b&gt;" in said and "1 &lt; 2" in said
