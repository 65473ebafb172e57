"""Global re-clustering: what is put right afterwards, and that ids stay stable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from engine import DiariserConfig, Event, ReclusteringConfig, SpeakerTurn, TurnRevised, final_turns
from engine.stages.diariser import Diariser
from engine.stages.reclustering import Point, Reclustering, cluster, match
from tests.conversation import VOICES, conversation
from tests.test_diariser import turns_of
from tests.test_segmenter import embedding

RATE = 16_000
CONFIG = ReclusteringConfig()


def point(voice: np.ndarray, start_s: float, name: str, seconds: float = 3.0) -> Point:
    return Point(embedding(voice, start_s, start_s + seconds), int(50 * seconds), int(RATE * start_s), name)


def turn(name: str, start_s: float, end_s: float) -> SpeakerTurn:
    start, end = int(RATE * start_s), int(RATE * end_s)
    return SpeakerTurn(end, name, start, end, end, 0.9, True)


def filled(*said: tuple[str, int]) -> Reclustering:
    """Turns of three seconds, each with the name that was given and the voice that it truly is."""
    memory = Reclustering(CONFIG)
    for k, (name, voice) in enumerate(said):
        memory.hear(point(VOICES[voice], 4.0 * k, name))
        memory.take(turn(name, 4.0 * k, 4.0 * k + 3))
    return memory


def revised(memory: Reclustering) -> list[tuple[str, str, float]]:
    return [(c.speaker, c.into, c.start / RATE) for c in memory.revise(10**6, 9)[0]]


def test_what_was_right_stays_as_it_is():
    assert revised(filled(("S1", 0), ("S2", 1), ("S1", 0), ("S3", 2), ("S2", 1))) == []


def test_a_turn_of_the_wrong_name_gets_the_right_one():
    memory = filled(("S1", 0), ("S2", 1), ("S1", 0), ("S2", 0), ("S2", 1))
    assert revised(memory) == [("S2", "S1", 12.0)]
    assert revised(memory) == []


def test_twins_become_one_and_the_name_with_more_speech_stays():
    assert revised(filled(("S1", 0), ("S2", 1), ("S3", 0), ("S1", 0), ("S2", 1))) == [("S3", "S1", 8.0)]


def test_two_voices_under_one_name_are_parted_and_the_other_is_new():
    said = [("S1", 0), ("S1", 0), ("S1", 1), ("S1", 1), ("S1", 0)]
    assert revised(filled(*said)) == [("S1", "S9", 8.0), ("S1", "S9", 12.0)]


def test_a_turn_without_a_voice_of_its_own_follows_its_speaker():
    memory = filled(("S1", 0), ("S2", 1), ("S3", 0), ("S1", 0))
    memory.take(turn("S3", 20.0, 20.4))
    assert revised(memory) == [("S3", "S1", 8.0), ("S3", "S1", 20.0)]


def test_voices_of_one_window_are_two_people_however_alike():
    """Two voices that differ little, always heard together."""
    near = VOICES[0] + 0.3 * VOICES[1]
    vectors = np.stack([VOICES[0], near / np.linalg.norm(near)] * 3)
    weights = np.full(6, 200.0)
    together = cluster(vectors, weights, np.arange(6), CONFIG)
    apart = cluster(vectors, weights, np.array([1, 1, 2, 2, 3, 3]), CONFIG)
    assert len(set(together)) == 1 and apart.tolist() in ([0, 1] * 3, [1, 0] * 3)


def test_a_cluster_of_little_speech_is_nobody():
    vectors = np.stack([VOICES[0], VOICES[0], VOICES[1]])
    found = cluster(vectors, np.array([200.0, 200.0, 70.0]), np.arange(3), CONFIG)
    assert len(set(found)) == 1


def test_matching_shares_the_most_speech():
    assert match(np.array([[5.0, 4.0], [4.0, 0.0]])) == {0: 1, 1: 0}
    assert match(np.array([[5.0], [4.0]])) == {0: 0}


def test_memory_is_bounded_and_old_speakers_are_not_forgotten():
    memory = Reclustering(ReclusteringConfig(most=60, group=8))
    for k in range(400):
        memory.hear(point(VOICES[k % 5], 4.0 * k, f"S{k % 5 + 1}"))
        memory.take(turn(f"S{k % 5 + 1}", 4.0 * k, 4.0 * k + 3))
        if k % 10 == 9:
            changes, speakers = memory.revise(int(RATE * 4.0 * k), 6)
            assert not changes and (k < 20 or len(speakers) == 5)
    assert len(memory._points) <= 80 and len(memory._turns) <= 80
    memory.hear(point(VOICES[0], 1_600.0, "S3"))
    memory.take(turn("S3", 1_600.0, 1_603.0))
    assert revised(memory) == [("S3", "S1", 1_600.0)]


def events_of(items: Sequence, config: ReclusteringConfig) -> list[Event]:
    diariser = Diariser(DiariserConfig(), config)
    return diariser.process(list(items)) + diariser.flush()


@pytest.mark.parametrize("seed", range(3))
def test_revisions_only_ever_rename_what_is_final(seed):
    rng = np.random.default_rng(seed)
    items = conversation(turns_of(rng.integers(4, size=30).tolist(), 2.5, 0.4), noise=0.09, seed=seed)
    events = events_of(items, ReclusteringConfig(every_s=10.0))
    so_far: list[Event] = []
    for event in events:
        if isinstance(event, TurnRevised):
            owner = [
                t
                for t in final_turns(so_far)
                if t.speaker == event.speaker and t.start <= event.start < t.end
            ]
            assert owner and event.end <= owner[0].end and event.into != event.speaker
        so_far.append(event)
    before = sorted((t.start, t.end) for t in final_turns(events, revised=False))
    after = final_turns(events)
    assert sum(b - a for a, b in before) == sum(t.end - t.start for t in after)


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


def test_every_s_zero_leaves_it_out():
    items = conversation(turns_of([0, 1, 2, 0, 1, 2], 2.0, 0.5), noise=0.12)
    assert not any(isinstance(e, TurnRevised) for e in events_of(items, ReclusteringConfig(every_s=0.0)))
