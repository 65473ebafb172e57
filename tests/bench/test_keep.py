"""What `bench keep` says of sound of which it is known."""

from __future__ import annotations

import numpy as np
import pytest

from voicelane import ArraySource, Person
from voicelane.bench import keep
from voicelane.profiles import FileEmbedder

pytest.importorskip("pystoi")


@pytest.fixture(scope="module")
def scene(enrolment_sound: dict[str, np.ndarray], later: dict[str, np.ndarray]) -> keep.Scene:
    own, other = list(later)[:2]
    embedding = FileEmbedder().embed(ArraySource(enrolment_sound[own]))
    noise = np.random.default_rng(0).standard_normal(3 * keep.PART)
    said = (keep.talk([later[who]]) for who in (own, other))
    return keep._scene(*said, noise, Person(own, embedding[None]))


def test_a_scene_has_the_other_alone_then_both_then_the_person(scene):
    rest = scene.heard - scene.wanted
    (before, both, after), (none, *own) = np.split(rest, 3), np.split(scene.wanted, 3)
    assert not none.any() and all(part.any() for part in own)
    assert min(np.var(before), np.var(both)) > 10 * np.var(after) > 0


def test_what_is_left_as_it_was_gains_nothing(scene):
    found = keep.judged(scene.heard, scene, FileEmbedder())
    assert (found["gain_db"], found["others_db"]) == pytest.approx((0.0, 0.0), abs=1e-3)
    assert abs(found["alone_db"]) < 0.5


def test_the_person_alone_is_the_best_that_could_be_left(scene):
    embedder = FileEmbedder()
    best, worse = (keep.judged(x, scene, embedder) for x in (scene.wanted, scene.heard))
    assert best["gain_db"] > 20 and best["others_db"] < -50 and abs(best["alone_db"]) < 1e-3
    assert best["estoi"] > 0.99 > worse["estoi"]
    half = keep.judged(0.5 * scene.wanted, scene, embedder)
    assert half["alone_db"] == pytest.approx(-6.02, abs=0.01)
