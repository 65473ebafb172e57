"""A scale is fitted to what made the sessions, and tells people apart through any of their channels."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from voicelane.rt_models.training.plda import two_covariances
from voicelane.rt_models.training.scale import as_scale, fit_scale, regression
from voicelane.rt_models.training.sessions import SessionVoices
from voicelane.stages import centred

DIM = 12


def session(rng: np.random.Generator, n_people: int = 6, shift: float = 1.0) -> SessionVoices:
    """Voices in eight directions, a channel in four others; more speech means less noise."""
    people = rng.standard_normal((n_people, DIM)) * (np.arange(DIM) < 8)
    offset = shift * rng.standard_normal(DIM) * (np.arange(DIM) >= 8)
    person = np.repeat(np.arange(n_people), 6)
    heard_s = rng.choice([0.4, 1.0, 2.4], len(person))
    noise = rng.standard_normal((len(person), DIM)) * 0.6 / np.sqrt(heard_s)[:, None]
    vectors = people[person] + offset + noise
    return SessionVoices(vectors.astype(np.float32), heard_s, person, np.arange(len(person)) // 2)


@pytest.fixture(scope="module")
def scale():
    rng = np.random.default_rng(0)
    return as_scale(fit_scale([session(rng) for _ in range(60)]))


def test_the_channel_is_found_and_taken_off(scale):
    rng = np.random.default_rng(5)
    power = np.diag(scale.channel)
    assert power[8:].min() > 3 * power[:8].max()
    for _ in range(10):
        voices = rng.standard_normal((8, DIM)) * (np.arange(DIM) < 8)
        offset = 2.0 * rng.standard_normal(DIM) * (np.arange(DIM) >= 8)
        left = scale.offset(voices + offset) - offset - scale.plda.mean
        assert np.linalg.norm(left[8:]) < 0.5 * np.linalg.norm(offset)


def test_little_is_taken_off_while_one_person_has_spoken(scale):
    voice = np.where(np.arange(DIM) < 8, 1.0, 0.0)
    one = scale.offset(voice[None]) - scale.plda.mean
    assert np.linalg.norm(one) < 0.4 * np.linalg.norm(voice)
    np.testing.assert_array_equal(scale.offset(np.zeros((0, DIM))), scale.plda.mean)


def test_ratios_are_calibrated_on_new_sessions_whatever_the_channel(scale):
    """Of all comparisons at about a ratio, people and strangers are as many as it says."""
    rng = np.random.default_rng(9)
    for shift in (0.0, 2.0):
        found, same = [], []
        for _ in range(40):
            s = session(rng, shift=shift)
            means = np.stack([s.vectors[s.person == k].mean(axis=0) for k in range(6)])
            offset = scale.offset(means)
            ratios = scale.ratios(
                centred(s.vectors, offset), s.heard_s, centred(means, offset), np.full(6, 6.0)
            )
            found.append(ratios)
            same.append(s.person[:, None] == np.arange(6))
        ratio, one = np.concatenate(found).ravel(), np.concatenate(same).ravel()
        weight = np.where(one, 0.5 / one.sum(), 0.5 / (~one).sum())
        cost = float(weight @ np.logaddexp(0, np.where(one, -ratio, ratio))) / np.log(2)
        assert cost < 0.35
        assert ratio[one].mean() > 2 and ratio[~one].mean() < -2


def test_more_speech_is_more_evidence(scale):
    voice, other = np.eye(DIM)[:1], np.eye(DIM)[1:2]
    short, long = (
        scale.ratios(voice, np.array([s]), np.concatenate((voice, other)), np.full(2, 6.0))[0]
        for s in (0.4, 2.4)
    )
    assert long[0] > short[0] and long[1] < short[1]


def test_the_directions_in_which_people_differ_are_found():
    rng = np.random.default_rng(3)
    people = 3.0 * rng.standard_normal((200, 16)) * (np.arange(16) < 4)
    owner = np.repeat(np.arange(200), 4)
    vectors = people[owner] + rng.standard_normal((800, 16))
    fitted = two_covariances(vectors, owner, dim=6)
    assert (fitted["plda_between"][:4] > 3).all() and (fitted["plda_between"][4:] < 0.5).all()
    within = (vectors @ fitted["transform"]).reshape(200, 4, 6).var(axis=1, ddof=1).mean()
    assert 0.6 < within < 1.0  # live pieces are taken to differ a little more
    with pytest.raises(ValueError, match="needs more of each"):
        two_covariances(vectors, np.arange(800))


def test_the_regression_wants_both_kinds():
    with pytest.raises(ValueError, match="more people"):
        regression(np.ones((5, 6)), np.ones(5, bool))
