"""Speech in another voice: the laws of a stream, and what is moved."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pyworld")
from tests import laws
from voicelane.events import SpeakerTurn
from voicelane.voices import Change, Converter, Marker, Schedule, converted, overlaps, stretches
from voicelane.voices.bands import bands_of, usual
from voicelane.voices.conversion import BLOCK_SAMPLES
from voicelane.voices.fitting import Fitter, Reach, framed, mean_pitch_hz, sample_of
from voicelane.voices.network import Clone, load_conversion
from voicelane.voices.schedule import Stretch, solos
from voicelane.voices.world import analysed, warped

UNIT = 80
LENGTH = 400


def turn(speaker: str, start: int, end: int) -> SpeakerTurn:
    return SpeakerTurn(end, speaker, start, end, end, 1.0, True)


@pytest.fixture(scope="module", params=["conversion", "network", "mark"])
def case(request, speech) -> laws.StageCase:
    """Two seconds of speech in units of 5 ms; with the network one speaker is said anew by it."""
    changes = dict(CHANGES)
    if request.param == "network":
        sample = bands_of(framed(speech[:48_000]).envelope)
        clone = Clone(load_conversion(Fitter().encoder_id), usual(sample), np.eye(192, dtype=np.float32)[0])
        changes["S2"] = Change(0.8, clone=clone)
    plan = Schedule(stretches([turn("S1", 4_000, 12_000), turn("S2", 15_000, 30_000)]), changes, False)
    return laws.StageCase(
        request.param,
        Marker if request.param == "mark" else (lambda: Converter(plan)),
        lambda a, b: speech[32_000 + UNIT * a : 32_000 + UNIT * b],
        LENGTH,
        lambda parts: np.concatenate([np.zeros(0, np.float32), *parts]),
        lambda n: UNIT * n,
        samples=(1, 1),
    )


CHANGES = {"S1": Change(1.3, 1.1), "S2": Change(0.8, 0.9)}


def test_any_chunking_gives_the_same(case, rng):
    laws.chunked_equals_offline(case, rng)


def test_later_sound_changes_nothing(case, rng):
    laws.later_input_never_changes_output(case, rng)


def test_reset_equals_new(case, rng):
    laws.reset_equals_new(case, rng)


def test_as_much_comes_out_as_goes_in(case):
    laws.stated_count(case)


def test_latency_is_exact_and_below_half_a_second(case, speech):
    stage, worst, told = case.make(), 0, 0
    for n in range(9_000):
        told += len(stage.process(speech[n : n + 1]))
        worst = max(worst, n + 1 - told)
    assert worst == stage.latency_samples < 8_000


def test_memory_stays_flat(speech):
    converter = Converter(Change(1.1, 1.1))
    for _ in range(4):
        for start in range(0, 32_000, 1_600):
            converter.process(speech[start : start + 1_600])
    assert len(converter._sound) < 3 * BLOCK_SAMPLES


def test_pitch_is_moved_by_the_ratio(speech):
    before = mean_pitch_hz(sample_of(speech))
    after = mean_pitch_hz(sample_of(converted(speech[:64_000], Change(pitch=1.4))))
    assert abs(after / before - 1.4) < 0.1


def test_formants_are_moved_by_the_ratio():
    envelope = np.exp(-(((np.arange(513.0) - 200.0) / 20.0) ** 2))[None]
    assert int(warped(envelope, 1.2).argmax()) == 240 and int(warped(envelope, 0.8).argmax()) == 160


def test_an_unchanged_voice_stays_itself_and_a_changed_one_does_not(speech):
    fitter, sound = Fitter(), speech[:80_000]
    own = fitter.embed(sound)
    assert float(own @ fitter.embed(converted(sound, Change()))) > 0.6
    assert float(own @ fitter.embed(converted(sound, Change(1.2, 0.84)))) < 0.4


def test_the_change_is_the_one_whose_result_is_like_the_target(tmp_path):
    voices = np.eye(3, 8, dtype=np.float32)
    reach = Reach(100.0, np.eye(8, dtype=np.float32)[7], np.array([0.9, 1.0, 1.1]), voices, np.ones(3))
    target = turn_target(voices[2], 150.0)
    assert (reach.change(target).warp, reach.change(target).pitch) == (1.1, 1.5)
    assert reach.change(turn_target(voices[0], 900.0)).pitch == 2.0
    reach.keep(tmp_path / "new" / "reach.npz")
    kept = Reach.kept(tmp_path / "new" / "reach.npz")
    assert kept is not None and np.array_equal(kept.voices, voices) and kept.pitch_hz == 100.0
    (tmp_path / "new" / "reach.npz").write_bytes(b"PK")
    assert Reach.kept(tmp_path / "new" / "reach.npz") is None


def turn_target(embedding: np.ndarray, pitch_hz: float):
    from voicelane.voices import Voice

    return Voice("target", embedding, min(pitch_hz, 500.0), "pseudo", "x")


def test_every_moment_has_one_change_and_muted_overlap_is_silent():
    parts = stretches([turn("S1", 100, 500), turn("S2", 400, 900), turn("S3", 1_200, 1_300)])
    assert parts == [
        Stretch(100, 400, ("S1",)),
        Stretch(400, 500, ("S1", "S2")),
        Stretch(500, 900, ("S2",)),
        Stretch(1_200, 1_300, ("S3",)),
    ]
    assert overlaps(parts) == [Stretch(400, 500, ("S1", "S2"))]
    changes = {name: Change() for name in ("S1", "S2", "S3")}
    for mute in (False, True):
        spans = list(Schedule(parts, changes, mute).spans(0, 2_000))
        assert [a for a, *_ in spans] == [0, *(b for _, b, _ in spans)][:-1] and spans[-1][1] == 2_000
        assert [c for a, b, c in spans if a <= 450 < b] == [None if mute else changes["S1"]]
        assert next(c for a, b, c in spans if a <= 1_049 < b) is changes["S2"]
        assert next(c for a, b, c in spans if a <= 1_051 < b) is changes["S3"]


def test_what_nobody_can_be_given_is_silent(speech):
    plan = Schedule(stretches([turn("S1", 0, 16_000), turn("S2", 16_000, 32_000)]), {"S1": Change()}, False)
    sound = converted(speech[:32_000], plan)
    assert np.abs(sound[:15_000]).max() > 0.01 > 1e-4 > np.abs(sound[19_000:]).max()


def test_speech_alone_is_taken_from_the_longest_stretches():
    parts = [
        Stretch(0, 100, ("a",)),
        Stretch(100, 150, ("a", "b")),
        Stretch(200, 900, ("a",)),
        Stretch(950, 960, ("a",)),
    ]
    assert solos(parts, "a", 750, 50) == [(0, 100), (200, 900)]
    assert solos(parts, "a", 5_000, 50) == [(0, 100), (200, 900)]
    assert solos(parts, "b", 100, 50) == []


def test_frames_are_what_was_asked_for(speech):
    frames = analysed(speech[:16_000], 20, 60)
    assert frames.n() == 40 and frames.envelope.shape == frames.aperiodicity.shape == (40, 513)
