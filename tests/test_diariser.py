"""The diariser on made-up voices: orthogonal unit vectors with a little noise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from engine import DiariserConfig, SpeakerTurn, final_turns
from engine.stages.diariser import Diariser, confidence, covered_samples, piece_scores
from engine.stages.encoder import Embedding, SegmentEnd, SegmentStart

RATE = 16_000
VOICES = np.linalg.qr(np.random.default_rng(0).standard_normal((192, 8)))[0].T
NOISE = np.random.default_rng(1)


def window(voice: np.ndarray, start: int, end: int) -> Embedding:
    vector = voice + 0.04 * NOISE.standard_normal(192)
    return Embedding(start, end, (vector / np.linalg.norm(vector)).astype(np.float32))


def segment(start_s: float, *parts: tuple[int, float]) -> list:
    """One stretch of speech in which voice numbers speak for so many seconds each."""
    start = int(start_s * RATE)
    changes = [start, *(start + int(s * RATE) for s in np.cumsum([s for _, s in parts]))]
    items: list = [SegmentStart(start)]
    for end in range(start + 12_000, changes[-1] + 1, 4_000):
        begin = max(start, end - 25_600)
        shares = [max(0, min(end, b) - max(begin, a)) for a, b in pairwise(changes)]
        mixture = np.sum([s * VOICES[v] for s, (v, _) in zip(shares, parts, strict=True)], axis=0)
        items.append(window(mixture / np.linalg.norm(mixture), begin, end))
    return [*items, SegmentEnd(changes[-1])]


def spoken(*segments: list, config: DiariserConfig | None = None) -> list[SpeakerTurn]:
    diariser = Diariser(config or DiariserConfig(), 25_600)
    return final_turns(diariser.process([item for s in segments for item in s]))


def names(turns: list[SpeakerTurn]) -> list[str]:
    return [t.speaker for t in turns]


def test_voices_that_take_turns_get_a_name_each_and_keep_it():
    turns = spoken(*(segment(6 * i, (v, 4.0)) for i, v in enumerate([0, 1, 2, 0, 2, 1, 0])))
    assert names(turns) == ["S1", "S2", "S3", "S1", "S3", "S2", "S1"]
    assert all(t.end - t.start == 4 * RATE for t in turns)


def test_somebody_who_joins_late_is_found():
    turns = spoken(*(segment(6 * i, (i % 2, 4.0)) for i in range(30)), segment(200, (5, 3.0)))
    assert names(turns)[-1] == "S3"


def test_a_change_without_a_pause_is_found_within_half_a_second():
    known = [segment(0, (0, 4.0)), segment(6, (1, 4.0))]
    turns = spoken(*known, segment(12, (0, 4.0), (1, 4.0)))[2:]
    assert names(turns) == ["S1", "S2"]
    assert turns[0].end == turns[1].start == pytest.approx(16 * RATE, abs=RATE // 2)


def test_a_short_sound_goes_to_the_nearest_voice_and_founds_nobody():
    turns = spoken(segment(0, (0, 4.0)), segment(6, (1, 4.0)), segment(12, (6, 0.8)), segment(14, (0, 3.0)))
    assert set(names(turns)) == {"S1", "S2"}
    assert turns[2].confidence < 0.5 < min(t.confidence for t in turns[:2])


def test_a_short_first_sound_leaves_no_ghost():
    turns = spoken(segment(0, (6, 0.8)), segment(2, (0, 4.0)), segment(8, (1, 4.0)))
    assert names(turns) == ["S1", "S1", "S2"]


def test_short_turns_of_one_new_voice_add_up_to_a_speaker():
    turns = spoken(segment(0, (0, 4.0)), *(segment(6 + 2 * i, (3, 1.3)) for i in range(4)))
    assert names(turns)[-1] == "S2"


def test_never_more_speakers_than_allowed():
    several = [segment(6 * v, (v, 4.0)) for v in range(6)]
    assert set(names(spoken(*several, config=DiariserConfig(max_speakers=2)))) == {"S1", "S2"}


def test_every_turn_is_announced_before_it_is_final():
    diariser, announced = Diariser(DiariserConfig(), 25_600), []
    for item in segment(0, (0, 4.0), (1, 4.0)) + segment(10, (1, 3.0)):
        for event in diariser.process([item]):
            if isinstance(event, SpeakerTurn):
                if event.final:
                    assert any(a.start == event.start and a.speaker == event.speaker for a in announced)
                announced.append(event)
    assert announced


def test_replaying_the_events_gives_the_diarisers_own_view():
    """A later event replaces all that is unconfirmed from its start on (engine.SpeakerTurn)."""
    rng = np.random.default_rng(4)
    for _ in range(20):
        diariser, view = Diariser(DiariserConfig(confirm_s=4.0), 25_600), []
        parts = [(int(rng.integers(3)), float(rng.uniform(0.3, 3.0))) for _ in range(8)]
        known = [item for v in range(3) for item in segment(6 * v, (v, 4.0))]
        diariser.process(known)
        for item in segment(20, *parts):
            for event in diariser.process([item]):
                if isinstance(event, SpeakerTurn) and not event.final:
                    view = [t for t in view if t.start < event.start] + [event]
            mine = [(t.speaker, t.start, t.end) for t in view if t.end > t.confirmed_end]
            wanted = [
                (t.speaker, t.start, t.end) for t in diariser._segment.published if t.end > t.confirmed_end
            ]
            assert not wanted or mine[-len(wanted) :] == wanted


def test_covered_samples_counts_overlap_once():
    windows = [window(VOICES[0], a, b) for a, b in ((0, 100), (50, 150), (300, 400), (320, 330))]
    assert covered_samples(windows) == 250


def test_piece_scores_are_the_triangular_mean_and_fall_back_to_the_latest_window():
    windows, cosines = np.array([(0, 100), (50, 150)]), np.array([[1.0], [0.0]])
    found = piece_scores(np.array([(40, 60), (500, 510)]), windows, cosines)
    assert found[0, 0] == pytest.approx(1.0 / (1.0 + 0.5))
    assert found[1, 0] == 0.0


def test_confidence_grows_with_the_lead():
    assert confidence(np.array([0.7, 0.1]), 0, 0.3) > confidence(np.array([0.7, 0.6]), 0, 0.3) > 0.5
    assert confidence(np.array([0.1]), 0, 0.3) < 0.5
