"""Windows of local voices, with the shipped networks and with a made-up one."""

from __future__ import annotations

import itertools
import math
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tomli_w

from voicelane import Event, Pipeline, PipelineConfig, SpeakerTurn
from voicelane.base import ModelError
from voicelane.base.timebase import FRAME_SAMPLES
from voicelane.config import EncoderConfig, SegmentationConfig
from voicelane.inference import find_model
from voicelane.stages import load_encoder
from voicelane.stages.encoder import SegmentEnd, SegmentStart, SpeechFrames
from voicelane.stages.segmenter import Segmentation, Segmenter, Window, load_segmentation

RATE = 16_000


@pytest.fixture(scope="module")
def network() -> Segmentation:
    return load_segmentation(SegmentationConfig())


@pytest.fixture
def stage(network) -> Segmenter:
    return Segmenter(SegmentationConfig(), network, load_encoder(EncoderConfig()))


def frames(rng: np.random.Generator, speech: np.ndarray) -> SpeechFrames:
    columns = rng.standard_normal((2 * len(speech), 80)).astype(np.float32) - 8
    return SpeechFrames(columns, speech, columns, np.zeros((len(speech), 320), np.float32))


@pytest.fixture
def told(tmp_path):
    """The shipped network, whose manifest says something more."""

    def load(**settings: object) -> Segmentation:
        folder = Path(shutil.copytree(find_model("segmentation", "segmentation"), tmp_path / "told"))
        manifest = tomllib.loads((folder / "manifest.toml").read_text())
        manifest["settings"] |= settings
        (folder / "manifest.toml").write_text(tomli_w.dumps(manifest))
        return load_segmentation(SegmentationConfig(model=str(folder)))

    return load


def test_the_prior_of_silence_moves_the_odds_of_nobody_alone(network, told, rng):
    sound = rng.standard_normal((400, 80)).astype(np.float32)
    odds = []
    for n in (network, told(silence_logit=-0.7)):
        activity, alone = n(sound)
        overlap = (activity - alone).sum(axis=1) / 2
        somebody = alone.sum(axis=1) + overlap
        odds.append(np.log(somebody / (1 - somebody)))
    np.testing.assert_allclose(odds[1] - odds[0], 0.7, atol=1e-2)


@pytest.mark.parametrize(
    ("tells", "certain"), [({}, math.inf), ({"tells_speech": 0.75}, 0.75), ({"tells_speech": True}, 0.5)]
)
def test_a_network_overrules_the_detector_where_its_manifest_says_so(told, rng, tells, certain):
    network = told(**tells)
    assert network.certain == certain
    stage = Segmenter(SegmentationConfig(linger_s=5.0), Sure(network.certain), load_encoder(EncoderConfig()))
    heard = frames(rng, np.arange(240) < 48)
    late = [
        p
        for w in stage.process(heard)
        if isinstance(w, Window)
        for p in w.pieces
        if p.start >= 60 * FRAME_SAMPLES
    ]
    assert bool(late) == (certain < 1.0)


def test_the_network_gives_probabilities_per_frame(network, rng):
    activity, alone = network(rng.standard_normal((400, 80)).astype(np.float32))
    assert activity.shape == alone.shape == (200, 3)
    assert (alone <= activity + 1e-6).all() and activity.min() >= 0 and activity.max() <= 1 + 1e-6
    assert activity.sum(axis=1).max() <= 2 + 1e-5


def test_windows_end_every_step_while_somebody_speaks_and_a_little_longer(stage, rng):
    speech = np.zeros(1_500, bool)
    speech[300:700] = True
    found = stage.process(frames(rng, speech)) + stage.flush()
    windows = [i for i in found if isinstance(i, Window)]
    ends = [w.end // FRAME_SAMPLES for w in windows if not w.glance]
    assert all(e % 24 == 0 for e in ends) and all(b - a == 24 for a, b in itertools.pairwise(ends))
    assert 300 < ends[0] <= 324 and 700 + 120 - 24 <= ends[-1] <= 700 + 120
    glances = [w.end // FRAME_SAMPLES for w in windows if w.glance]
    assert glances == [e for e in range(12, 1_500, 24) if 300 < e <= 700]
    assert [type(i).__name__ for i in found if not isinstance(i, Window)] == ["SegmentStart", "SegmentEnd"]
    assert found[0] == SegmentStart(300 * FRAME_SAMPLES) and SegmentEnd(700 * FRAME_SAMPLES) in found


@pytest.mark.parametrize("seed", range(3))
def test_the_clearest_voices_final_pieces_are_all_speech_once_and_nothing_else(stage, seed):
    rng = np.random.default_rng(seed)
    speech = np.repeat(rng.random(60) < 0.6, rng.integers(3, 120, 60))
    found = stage.process(frames(rng, speech)) + stage.flush()
    covered = np.zeros(len(speech), int)
    for window in (w for w in found if isinstance(w, Window)):
        for piece in window.pieces:
            if piece.first and piece.end <= window.settled:
                covered[piece.start // FRAME_SAMPLES : piece.end // FRAME_SAMPLES] += 1
    begun = int(np.flatnonzero(speech)[0]) if speech.any() else 0
    assert (covered <= 1).all() and (covered[begun + 40 :] == speech[begun + 40 :]).all()
    assert not covered[~speech].any()


def test_what_is_not_final_is_told_at_once_and_told_again(stage, rng):
    windows = [w for w in stage.process(frames(rng, np.ones(600, bool))) if isinstance(w, Window)]
    for window in (w for w in windows[5:] if not w.glance):
        fresh = [p for p in window.pieces if p.end > window.settled]
        assert fresh and max(p.end for p in fresh) == window.end
        assert min(p.start for p in fresh) == window.end - 24 * FRAME_SAMPLES
        assert window.end - window.settled == 63 * FRAME_SAMPLES
    for window in (w for w in windows[5:] if w.glance):
        assert {(p.start, p.end) for p in window.pieces} == {(window.end - 12 * FRAME_SAMPLES, window.end)}


def test_glances_make_labels_early_and_change_nothing_else(speech):
    told: dict[float, list[Event]] = {}
    for glance_s in (0.24, 0.48):
        pipeline = Pipeline(PipelineConfig(segmentation=SegmentationConfig(glance_s=glance_s)))
        told[glance_s] = pipeline.push(speech) + pipeline.flush()
    final = [[e for e in told[g] if not isinstance(e, SpeakerTurn) or e.final] for g in told]
    assert final[0] == final[1] != []
    early, late = (delays(told[g]) for g in told)
    assert np.mean(early) < np.mean(late) - 0.1 * RATE and np.percentile(early, 95) < 0.5 * RATE


def delays(events: list[Event]) -> list[int]:
    """Samples from each 20 ms of speech to the first label that it had."""
    found, told = [], 0
    for turn in (e for e in events if isinstance(e, SpeakerTurn)):
        found += [turn.sample - place for place in range(max(told, turn.start), turn.end, FRAME_SAMPLES)]
        told = max(told, turn.end)
    return found


class OneVoice(Segmentation):
    """Hears the second of its voices all the time."""

    def __init__(self) -> None:
        self.window_columns, self.width = 500, 160
        self._by_samples, self.certain = False, math.inf

    def __call__(self, sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sure = np.zeros((len(sound), 3), np.float32)
        sure[:, 1] = 1.0
        return sure, sure


class Sure(OneVoice):
    """The same, whatever the detector says from a probability of `certain`."""

    def __init__(self, certain: float) -> None:
        super().__init__()
        self.certain = certain


def test_a_piece_is_embedded_as_the_tokens_around_it_are(rng):
    encoder, twin = load_encoder(EncoderConfig()), load_encoder(EncoderConfig())
    heard = frames(rng, np.ones(240, bool))
    last = Segmenter(SegmentationConfig(), OneVoice(), encoder).process(heard)[-1]
    assert len(last.pieces) == 2
    tokens = twin.tokens(twin.stream().normalise(heard.columns))
    for piece in last.pieces:
        middle = (piece.start + piece.end) // 2 // FRAME_SAMPLES
        where = (twin.stride * np.arange(len(tokens)) + twin.span // 2) // 2
        near = np.abs(where - middle) <= 60
        assert float(piece.heard.vector @ twin.embed(tokens[near])) > 0.999
        assert piece.n_frames == 2 * near.sum() and piece.first


def test_a_foreign_encoder_gets_its_own_columns_and_the_network_log_mel(speech):
    pipeline = Pipeline(PipelineConfig(encoder=EncoderConfig(model="lstm")), voices=True)
    assert any(type(e).__name__ == "VoiceMeasured" for e in pipeline.push(speech[: 16_000 * 8]))


def test_a_model_of_another_kind_is_refused():
    with pytest.raises(ModelError, match="expected a model of kind segmentation"):
        load_segmentation(SegmentationConfig(model="vad"))
