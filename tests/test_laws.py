"""Every stage and the whole pipeline against the laws of tests/laws.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from engine import (
    FRAME_SAMPLES,
    DiariserConfig,
    EncoderConfig,
    EnhancerConfig,
    FeatureExtractor,
    Framer,
    Istft,
    KaldiFbank,
    Model,
    Pipeline,
    ReclusteringConfig,
    Resampler,
    RunningMean,
    SegmentationConfig,
    SpeakerTurn,
    Stft,
    Vad,
    VadConfig,
    VadEvidence,
    VadInput,
    find_model,
    load_enhancer,
)
from engine.stages.diariser import Diariser
from engine.stages.encoder import (
    Embedding,
    EncoderStage,
    SegmentEnd,
    SegmentStart,
    SpeechFrames,
    load_encoder,
)
from engine.stages.enhancer import EnhancerStage
from engine.stages.segmenter import Segmenter, load_segmentation
from tests import laws
from tests.conftest import DEMO
from tests.conversation import PLDA, conversation

N_FRAMES = 300
ROOT = DEMO.parents[2]


class PushedPipeline:
    """The pipeline under the stage protocol's word for its `push`."""

    def __init__(self) -> None:
        self.pipeline = Pipeline()
        self.process, self.flush, self.reset = self.pipeline.push, self.pipeline.flush, self.pipeline.reset
        self.latency_samples = self.pipeline.latency_samples


def arrays(outputs: Sequence[Any]) -> Any:
    if isinstance(outputs[0], tuple):
        return tuple(np.concatenate(parts) for parts in zip(*outputs, strict=True))
    return np.concatenate(outputs)


def items(outputs: Sequence[list[Any]]) -> list[Any]:
    return [item for output in outputs for item in output]


def embeddings(rng: np.random.Generator, n: int) -> list[Any]:
    """One segment with `n` embeddings of nobody in particular."""
    vectors = rng.standard_normal((n, 192)).astype("f4")
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    heard = [Embedding(4_000 * k, 4_000 * k + 25_600, vector) for k, vector in enumerate(unit)]
    return [SegmentStart(0), *heard, SegmentEnd(4_000 * n + 21_600)]


def make_cases(speech: np.ndarray) -> dict[str, laws.StageCase]:
    rng = np.random.default_rng(3)
    frames = speech[: N_FRAMES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    spectra = Stft().process(frames)
    log_mel = FeatureExtractor().process(spectra).log_mel
    masks = np.repeat(rng.random(N_FRAMES // 20) < 0.7, 20)
    stereo = rng.standard_normal((N_FRAMES * 441, 2)).astype(np.float32) * 0.1
    said = embeddings(rng, 40)
    talk = conversation([(int(rng.integers(3)), 2.5 * k, 2.5 * k + 2.2) for k in range(20)], noise=0.08)
    vad_model, encoder = find_model("vad", "vad"), load_encoder(EncoderConfig())

    def framed(a: int, b: int) -> VadInput:
        return VadInput(frames[a:b], log_mel[2 * a : 2 * b])

    def case(name: str, *rest: Any, **more: Any) -> laws.StageCase:
        return laws.StageCase(name, *rest, **more)

    found = [
        case(
            "framer", Framer, lambda a, b: speech[a:b], 10_000, arrays, count=lambda n: -(-n // FRAME_SAMPLES)
        ),
        case(
            "resampler",
            lambda: Resampler(44_100),
            lambda a, b: stereo[a:b],
            len(stereo),
            arrays,
            count=lambda n: round(n * 16_000 / 44_100),
            tolerance=1e-6,
        ),
        case("stft", Stft, lambda a, b: frames[a:b], N_FRAMES, arrays, count=lambda n: 2 * n, tolerance=1e-6),
        case(
            "istft",
            Istft,
            lambda a, b: spectra[a:b],
            len(spectra),
            arrays,
            count=lambda n: 160 * n + 240,
            tolerance=1e-6,
        ),
        case(
            "features", FeatureExtractor, lambda a, b: spectra[a:b], len(spectra), arrays, count=lambda n: n
        ),
        case(
            "running mean",
            lambda: RunningMean(np.full(80, -9.0)),
            lambda a, b: log_mel[a:b],
            len(log_mel),
            arrays,
            count=lambda n: n,
        ),
        case("kaldi fbank", KaldiFbank, lambda a, b: frames[a:b], N_FRAMES, arrays, count=lambda n: 2 * n),
        case("vad evidence", VadEvidence, framed, N_FRAMES, arrays, count=lambda n: n),
        case(
            "vad",
            lambda: Vad(VadConfig(), Model(vad_model)),
            framed,
            N_FRAMES,
            arrays,
            count=lambda n: n,
            tolerance=1e-5,
        ),
        case(
            "encoder",
            lambda: EncoderStage(EncoderConfig(), load_encoder(EncoderConfig())),
            lambda a, b: SpeechFrames(log_mel[2 * a : 2 * b], masks[a:b], log_mel[2 * a : 2 * b]),
            N_FRAMES,
            items,
            tolerance=1e-5,
        ),
        case(
            "enhancer",
            lambda: EnhancerStage(load_enhancer(EnhancerConfig(model="seed"), encoder)),
            lambda a, b: said[a:b],
            len(said),
            items,
            count=lambda n: n,
            tolerance=1e-5,
        ),
        case(
            "segmenter",
            lambda: Segmenter(SegmentationConfig(), load_segmentation(SegmentationConfig()), encoder),
            lambda a, b: SpeechFrames(log_mel[2 * a : 2 * b], masks[a:b], log_mel[2 * a : 2 * b]),
            N_FRAMES,
            items,
            tolerance=1e-4,
        ),
        case(
            "diariser",
            lambda: Diariser(DiariserConfig(), ReclusteringConfig(every_s=10.0), PLDA),
            lambda a, b: talk[a:b],
            len(talk),
            items,
        ),
        case("pipeline", PushedPipeline, lambda a, b: speech[a:b], len(speech), items, tolerance=1e-4),
    ]
    return {c.name: c for c in found}


NAMES = [
    "framer",
    "resampler",
    "stft",
    "istft",
    "features",
    "running mean",
    "kaldi fbank",
    "vad evidence",
    "vad",
    "encoder",
    "segmenter",
    "enhancer",
    "diariser",
    "pipeline",
]


UNCOUNTED = ("encoder", "segmenter", "diariser", "pipeline")


@pytest.fixture(scope="module")
def cases(speech: np.ndarray) -> dict[str, laws.StageCase]:
    return make_cases(speech)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_any_chunking_plus_flush_equals_one_offline_call(cases, name, seed):
    laws.chunked_equals_offline(cases[name], np.random.default_rng(seed))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_later_input_never_changes_an_output(cases, name, seed):
    laws.later_input_never_changes_output(cases[name], np.random.default_rng(seed))


@pytest.mark.parametrize("name", NAMES)
def test_reset_equals_new(cases, name, rng):
    laws.reset_equals_new(cases[name], rng)


@pytest.mark.parametrize("name", NAMES)
def test_every_stage_has_the_four_words(cases, name):
    stage = cases[name].make()
    assert all(callable(getattr(stage, word)) for word in ("process", "flush", "reset"))
    assert isinstance(stage.latency_samples, int) and stage.latency_samples >= 0


@pytest.mark.parametrize("name", [n for n in NAMES if n not in UNCOUNTED])
def test_a_stated_count_comes_out(cases, name):
    laws.stated_count(cases[name])


def test_an_impulse_leaves_stft_and_istft_after_exactly_their_latency():
    def through(samples: np.ndarray) -> np.ndarray:
        stft, istft = Stft(), Istft()
        out = istft.process(stft.process(samples.reshape(-1, FRAME_SAMPLES)))
        assert stft.latency_samples + istft.latency_samples == 240
        return np.concatenate((out, istft.flush()))

    for at in (0, 1, 239, 240, 1_111, 3_199):
        assert laws.impulse_delay(through, at, 3_200) == 240


def test_an_impulse_leaves_the_resampler_at_its_own_time():
    def through(samples: np.ndarray) -> np.ndarray:
        resampler = Resampler(48_000)
        return np.concatenate((resampler.process(samples[:, None]), resampler.flush()))

    for at in (300, 9_000, 30_000):
        impulse = np.zeros(48_000, np.float32)
        impulse[at] = 1.0
        assert int(np.argmax(through(impulse))) == at // 3


def test_the_vad_judges_a_frame_exactly_its_latency_later(cases):
    vad, case = cases["vad"].make(), cases["vad"]
    n_late = vad.latency_samples // FRAME_SAMPLES
    for n in range(1, 40):
        assert len(vad.process(case.cut(n - 1, n)).speech) == (1 if n > n_late else 0)
    assert len(vad.flush().speech) == n_late


def test_what_the_pipeline_confirmed_is_what_the_final_turns_say(speech):
    pipeline = Pipeline()
    events = pipeline.push(speech) + pipeline.flush()
    turns = [e for e in events if isinstance(e, SpeakerTurn)]
    final = [t for t in turns if t.final]
    assert final
    for turn in turns:
        if turn.confirmed_end > turn.start:
            assert any(
                f.speaker == turn.speaker and f.start == turn.start and f.end >= turn.confirmed_end
                for f in final
            )


@pytest.mark.parametrize("n_frames", range(1, 13))
def test_the_vad_judges_streams_shorter_than_its_latency(cases, n_frames):
    vad = cases["vad"].make()
    judged = len(vad.process(cases["vad"].cut(0, n_frames)).speech) + len(vad.flush().speech)
    assert judged == n_frames


COMPILED = """
import soundfile
from engine import Pipeline
from engine.dsp import kernels
from tests.conftest import DEMO
def compiled():
    return {n: len(k.signatures) for n, k in vars(kernels).items() if hasattr(k, "signatures")}
pipeline = Pipeline()
pipeline.warm_up()
before = compiled()
pipeline.push(soundfile.read(DEMO, dtype="float32")[0])
pipeline.flush()
print(before == compiled() and before["forward_backward"] == 1)
"""


def test_nothing_is_compiled_once_the_pipeline_is_warm():
    command = [sys.executable, "-c", COMPILED]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"


GROWTH = """
import psutil, soundfile
from engine import Pipeline
from tests.conftest import DEMO
from tests.conversation import PLDA, conversation
speech = soundfile.read(DEMO, dtype="float32")[0]
pipeline, memory = Pipeline(), psutil.Process().memory_info
for _ in range(8):
    pipeline.push(speech)
before = memory().rss
for _ in range(15):
    pipeline.push(speech)
print((memory().rss - before) // 1024)
"""


def test_memory_stays_flat_over_a_long_run():
    """Twenty minutes of sound after ten to settle, in a process of its own."""
    command = [sys.executable, "-c", GROWTH]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(found.stdout) < 3_000
