"""Global re-clustering: what is put right afterwards, and that ids stay stable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.stages.conversation import SCALE, VOICES, conversation, embedding
from tests.stages.test_diariser import turns_of
from voicelane import Event, SpeakerTurn, TurnRevised
from voicelane.config import DiariserConfig, ReclusteringConfig
from voicelane.live import final_turns
from voicelane.stages.clustering import Clustering, Past, Voiced
from voicelane.stages.diariser import Diariser
from voicelane.stages.reclustering import Reclustering, match, thinned
from voicelane.stages.segmenter import Piece

RATE = 16_000
CONFIG = ReclusteringConfig()
RNG = np.random.default_rng(5)


def piece(voice: int, start_s: float, seconds: float = 1.0, clear: bool = True) -> Piece:
    vector = VOICES[voice] + 0.04 * RNG.standard_normal(192)
    heard = embedding(vector / np.linalg.norm(vector), start_s, start_s + seconds) if clear else None
    return Piece(int(RATE * start_s), int(RATE * (start_s + seconds)), True, heard, int(50 * seconds))


def filled(*said: tuple[str, int], config: ReclusteringConfig = CONFIG) -> Reclustering:
    """Three seconds each, with the name that was given and the voice that it truly is."""
    memory = Reclustering(config, SCALE, 20)
    for k, (name, voice) in enumerate(said):
        for second in range(3):
            memory.hear(piece(voice, 4.0 * k + second), name)
    return memory


def revised(memory: Reclustering, open_from: int = 10**9) -> list[tuple[str, str, float, float]]:
    changes = memory.revise(10**9, open_from, lambda _: "S9").changes
    return [(c.speaker, c.into, c.start / RATE, c.end / RATE) for c in changes]


def test_what_was_right_stays_as_it_is():
    assert revised(filled(("S1", 0), ("S2", 1), ("S1", 0), ("S3", 2), ("S2", 1), ("S3", 2))) == []


def test_a_turn_of_the_wrong_name_gets_the_right_one():
    memory = filled(("S1", 0), ("S2", 1), ("S1", 0), ("S2", 0), ("S2", 1))
    assert revised(memory) == [("S2", "S1", 12.0, 16.0)]
    assert revised(memory) == []


def test_twins_become_one_and_the_name_with_more_speech_stays():
    said = filled(("S1", 0), ("S2", 1), ("S3", 0), ("S1", 0), ("S2", 1))
    assert revised(said) == [("S3", "S1", 8.0, 11.0)]


def test_two_voices_under_one_name_are_parted_and_the_other_is_new():
    said = filled(("S1", 0), ("S1", 0), ("S1", 1), ("S1", 1), ("S1", 0))
    assert revised(said) == [("S1", "S9", 8.0, 16.0)]


def test_what_nothing_is_known_of_follows_its_speaker():
    memory = filled(("S1", 0), ("S2", 1), ("S3", 0), ("S1", 0))
    memory.hear(piece(0, 20.0, 0.4, clear=False), "S3")
    assert revised(memory) == [("S3", "S1", 8.0, 11.0), ("S3", "S1", 20.0, 20.4)]


def test_turns_that_still_run_wait_for_the_next_time():
    memory = filled(("S1", 0), ("S2", 1), ("S1", 0), ("S2", 0), ("S2", 1))
    assert revised(memory, open_from=12 * RATE) == []
    assert revised(memory) == [("S2", "S1", 12.0, 16.0)]


def cluster(vectors: np.ndarray, weights: np.ndarray, firm: np.ndarray) -> np.ndarray:
    heard = Voiced(vectors, weights, np.full(len(vectors), -1))
    return Clustering(Past(192, 100), SCALE, CONFIG, 20)(heard, firm)


def test_a_cluster_of_little_speech_is_nobody():
    vectors = np.stack([VOICES[0]] * 5 + [VOICES[1]] * 5)
    weights, firm = np.full(10, 0.2 * RATE), np.ones(10, bool)
    assert len(set(cluster(vectors, weights, firm))) == 1
    assert len(set(cluster(vectors, 3 * weights, firm))) == 2


@pytest.mark.parametrize(
    ("seconds", "same_llr", "people"),
    [(4, 1.0, 2), (4, 3.0, 3), (8, 1.0, 3)],
    ids=["little and alike", "little and not that much alike", "alike, and not little"],
)
def test_a_cluster_of_little_speech_that_is_clearly_another_one_is_that_one(seconds, same_llr, people):
    near = 0.4 * VOICES[0] + np.sqrt(1 - 0.4**2) * VOICES[2]
    vectors = np.stack([VOICES[0]] * 16 + [VOICES[1]] * 16 + [near] * seconds)
    config = replace(CONFIG, same_llr=same_llr)
    firm, weights = np.ones(len(vectors), bool), np.full(len(vectors), 1.0 * RATE)
    heard = Voiced(vectors, weights, np.full(len(vectors), -1))
    found = Clustering(Past(192, 100), SCALE, config, 20)(heard, firm)
    assert len(set(found)) == people
    assert (found[-1] == found[0]) == (people == 2)


def test_what_forms_no_cluster_joins_the_nearest():
    vectors = np.stack([VOICES[0]] * 4 + [VOICES[1]] * 4 + [VOICES[1] * 0.8 + VOICES[2] * 0.6])
    firm = np.array([True] * 8 + [False])
    found = cluster(vectors, np.full(9, float(RATE)), firm)
    assert found[8] == found[7] != found[0]


def test_matching_shares_the_most_speech():
    assert match(np.array([[5.0, 4.0], [4.0, 0.0]])) == {0: 1, 1: 0}
    assert match(np.array([[5.0], [4.0]])) == {0: 0}


def test_memory_is_bounded_and_old_speakers_are_not_forgotten():
    memory = Reclustering(ReclusteringConfig(max_stretches=60), SCALE, 20)
    for k in range(600):
        memory.hear(piece(k % 5, 2.0 * k), f"S{k % 5 + 1}")
        if k % 20 == 19:
            changes, voices, past, _ = memory.revise(int(RATE * 2.0 * k), 10**9, lambda _: "S6")
            assert not changes and len(voices) == 5
    assert len(memory._stretches) <= 80 and sorted(past) == [f"S{k + 1}" for k in range(5)]
    for second in range(3):
        memory.hear(piece(0, 1_600.0 + second), "S3")
    assert revised(memory) == [("S3", "S1", 1_600.0, 1_603.0)]


def events_of(items: Sequence, config: ReclusteringConfig) -> list[Event]:
    diariser = Diariser(DiariserConfig(), config, SCALE)
    return diariser.process(list(items)) + diariser.flush()


@pytest.mark.parametrize("seed", range(3))
def test_revisions_only_ever_rename_what_is_final(seed):
    rng = np.random.default_rng(seed)
    items = conversation(turns_of(rng.integers(4, size=30).tolist(), 2.5, 0.4), noise=0.09, seed=seed)
    events = events_of(items, ReclusteringConfig(every_s=10.0))
    so_far: list[Event] = []
    for event in events:
        if isinstance(event, TurnRevised):
            final = max(t.end for t in final_turns(so_far))
            assert event.into != event.speaker and event.start < event.end <= final + RATE // 2
        so_far.append(event)
    before, after = final_turns(events, revised=False), final_turns(events)
    assert sum(t.end - t.start for t in before) == sum(t.end - t.start for t in after)


@pytest.mark.parametrize("seed", range(3))
def test_the_final_labels_are_at_least_as_right_as_the_live_ones(seed):
    rng = np.random.default_rng(seed)
    order = rng.integers(4, size=40).tolist()
    events = events_of(conversation(turns_of(order, 2.0, 0.5), noise=0.1, seed=seed), CONFIG)

    def n_right(turns: list[SpeakerTurn]) -> int:
        shared = np.zeros((8, 40), int)
        for t in turns:
            voice = order[min(39, int((t.start / RATE - 0.8) / 2.5))]
            shared[voice, int(t.speaker[1:])] += 1
        return sum(shared[v, k] for v, k in match(shared).items())

    live, final = final_turns(events, revised=False), final_turns(events)
    assert n_right(final) >= n_right(live) and n_right(final) >= 0.95 * len(final)


@pytest.mark.parametrize("each", [1, 5, 30, 1_000])
def test_of_those_who_said_much_some_stretches_stand_for_all(each):
    """At most so many of a name, from its beginning to its end; all of those who said little."""
    rng = np.random.default_rng(each)
    names = rng.choice(["S1", "S2", "S3"], 200, p=[0.8, 0.18, 0.02])
    firm = rng.random(200) < 0.7
    kept = thinned(firm, list(names), each)
    assert not (kept & ~firm).any()
    for name in set(names):
        there, left = (np.flatnonzero(mask & (names == name)) for mask in (firm, kept))
        assert len(left) == min(each, len(there))
        if len(left) > 1:
            assert (left[0], left[-1]) == (there[0], there[-1])


def test_every_s_zero_leaves_it_out():
    items = conversation(turns_of([0, 1, 2, 0, 1, 2], 2.0, 0.5), noise=0.12)
    assert not any(isinstance(e, TurnRevised) for e in events_of(items, ReclusteringConfig(every_s=0.0)))
