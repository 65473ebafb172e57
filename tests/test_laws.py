"""Every stage and the whole pipeline against the laws of tests/laws.py."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests import laws
from tests.conftest import ROOT
from tests.stages.conversation import SCALE, conversation
from voicelane import Person, Pipeline, SpeakerTurn, Verifier
from voicelane.audio import Framer, Resampler
from voicelane.base import FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE, Space, samples
from voicelane.config import (
    DenoiserConfig,
    DiariserConfig,
    EncoderConfig,
    EnhancerConfig,
    ReclusteringConfig,
    SegmentationConfig,
    VadConfig,
)
from voicelane.dsp import FeatureExtractor, Istft, KaldiFbank, RunningMean, Stft
from voicelane.inference import Model, find_model
from voicelane.stages import (
    Calibration,
    Denoiser,
    FullBandDenoiser,
    Leveller,
    Vad,
    VadEvidence,
    VadInput,
    load_denoiser,
    load_enhancer,
    load_refiner,
)
from voicelane.stages.diariser import Diariser
from voicelane.stages.encoder import (
    Embedding,
    EncoderStage,
    SegmentEnd,
    SegmentStart,
    SpeechFrames,
    load_encoder,
)
from voicelane.stages.enhancer import EnhancerStage
from voicelane.stages.frontend import FrontEnd
from voicelane.stages.gate import VoiceGate
from voicelane.stages.segmenter import Segmenter, Window, load_segmentation

N_FRAMES = 300
HOP, WHOLE, WHOLE_FRAME = (HOP_SAMPLES,) * 2, (FRAME_SAMPLES, HOP_SAMPLES), (FRAME_SAMPLES,) * 2
"""Samples of a unit of input, and of a result."""
NO_SOUND = np.zeros((N_FRAMES, 320), np.float32)
"""The shipped segmentation network hears log-mel bands alone."""
CALIBRATION = Calibration(
    Space("a" * 64, "off", "toy"), np.zeros(4), (1.0, 9.0), np.eye(192, dtype="f4"), 0, {"1": 0.0}, 2, 2
)
PERSON = Person("Anna", np.eye(192, dtype="f4")[:1])


class PushedPipeline:
    """The pipeline under the stage protocol's word for its `push`."""

    def __init__(self) -> None:
        self.pipeline = Pipeline()
        self.process, self.flush, self.reset = self.pipeline.push, self.pipeline.flush, self.pipeline.reset
        self.longest_delay_samples = self.pipeline.final_latency_samples


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


def judged(outputs: Sequence[SpeechFrames]) -> tuple[np.ndarray, ...]:
    """Per frame: its columns, whether it is speech, its bands, its samples."""
    columns, speech, log_mel, frames = arrays(outputs)
    columns, log_mel = (x.reshape(len(speech), 2 * x.shape[1]) for x in (columns, log_mel))
    return columns, speech, log_mel, frames


def oldest(mask: np.ndarray, told: Sequence[tuple[int, int]]) -> int:
    """Samples since the first frame of speech, of all frames so far (n,), that no span told of."""
    waits = mask.copy()
    for start, end in told:
        waits[start // FRAME_SAMPLES : end // FRAME_SAMPLES] = False
    return (len(mask) - int(np.argmax(waits))) * FRAME_SAMPLES if waits.any() else 0


def spoken(said: Sequence[Any]) -> int:
    """Samples of speech that the embeddings cover."""
    ends = [e.end for e in said if isinstance(e, Embedding)]
    return max(ends, default=0)


def make_cases(speech: np.ndarray) -> dict[str, laws.StageCase]:
    rng = np.random.default_rng(3)
    frames = speech[: N_FRAMES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    spectra = Stft().process(frames)
    log_mel = FeatureExtractor().process(spectra).log_mel
    masks = np.repeat(rng.random(N_FRAMES // 20) < 0.7, 20)
    stereo = rng.standard_normal((N_FRAMES * 441, 2)).astype(np.float32) * 0.1
    said = embeddings(rng, 40)
    talk = conversation([(int(rng.integers(3)), 2.5 * k, 2.5 * k + 2.2) for k in range(20)], noise=0.08)
    cleaner = Model(find_model("clean", "cleaner"))
    vad_model, encoder = Model(find_model("vad", "vad")), load_encoder(EncoderConfig())
    network = load_segmentation(SegmentationConfig())

    def heard(a: int, b: int) -> SpeechFrames:
        columns = log_mel[2 * a : 2 * b]
        return SpeechFrames(columns, masks[a:b], columns, NO_SOUND[a:b])

    def framed(a: int, b: int, gain: float = 1.0) -> VadInput:
        return VadInput(gain * frames[a:b], log_mel[2 * a : 2 * b] + 2 * np.float32(np.log(gain)))

    def case(name: str, *rest: Any, **more: Any) -> laws.StageCase:
        return laws.StageCase(name, *rest, **more)

    def denoising(name: str, make: Callable[[], Any]) -> laws.StageCase:
        return case(
            name,
            make,
            lambda a, b: speech[a:b],
            12_000,
            arrays,
            count=lambda n: n,
            tolerance=1e-5,
            samples=(1, 1),
        )

    found = [
        case(
            "framer",
            Framer,
            lambda a, b: speech[a:b],
            10_000,
            arrays,
            count=lambda n: -(-n // FRAME_SAMPLES),
            samples=(1, FRAME_SAMPLES),
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
        denoising("denoiser", lambda: Denoiser(cleaner, 0.9)),
        denoising(
            "refined denoiser", lambda: Denoiser(cleaner, 0.9, refiner=load_refiner("refine", 2, cleaner))
        ),
        denoising("keeper", lambda: load_denoiser(DenoiserConfig("clean", 0.9), person=PERSON)),
        case(
            "full-band denoiser",
            lambda: FullBandDenoiser(DenoiserConfig("clean"), 44_100, 2),
            lambda a, b: stereo[a:b],
            60_000,
            arrays,
            count=lambda n: n,
            tolerance=1e-5,
        ),
        case(
            "stft",
            Stft,
            lambda a, b: frames[a:b],
            N_FRAMES,
            arrays,
            count=lambda n: 2 * n,
            tolerance=1e-6,
            samples=WHOLE,
        ),
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
            "features",
            FeatureExtractor,
            lambda a, b: spectra[a:b],
            len(spectra),
            arrays,
            count=lambda n: n,
            samples=HOP,
        ),
        case(
            "running mean",
            lambda: RunningMean(np.full(80, -9.0)),
            lambda a, b: log_mel[a:b],
            len(log_mel),
            arrays,
            count=lambda n: n,
            samples=HOP,
        ),
        case(
            "kaldi fbank",
            KaldiFbank,
            lambda a, b: frames[a:b],
            N_FRAMES,
            arrays,
            count=lambda n: 2 * n,
            samples=WHOLE,
        ),
        case(
            "leveller",
            Leveller,
            lambda a, b: framed(a, b, 0.01),
            N_FRAMES,
            arrays,
            count=lambda n: n,
            samples=WHOLE_FRAME,
        ),
        case("vad evidence", VadEvidence, framed, N_FRAMES, arrays, count=lambda n: n, samples=WHOLE_FRAME),
        case(
            "vad",
            lambda: Vad(VadConfig(), vad_model),
            framed,
            N_FRAMES,
            arrays,
            count=lambda n: n,
            tolerance=1e-5,
            samples=(FRAME_SAMPLES, FRAME_SAMPLES),
        ),
        case(
            "front end",
            lambda: FrontEnd(VadConfig(), encoder),
            lambda a, b: frames[a:b],
            N_FRAMES,
            judged,
            count=lambda n: n,
            tolerance=1e-5,
            samples=(FRAME_SAMPLES, FRAME_SAMPLES),
        ),
        case(
            "encoder",
            lambda: EncoderStage(EncoderConfig(), encoder),
            heard,
            N_FRAMES,
            items,
            tolerance=1e-5,
            behind=lambda found, n: oldest(
                masks[:n], [(e.start, e.end) for e in found if type(e) is Embedding]
            ),
        ),
        case(
            "enhancer",
            lambda: EnhancerStage(load_enhancer(EnhancerConfig(model="seed"), encoder)),
            lambda a, b: said[a:b],
            len(said),
            items,
            count=lambda n: n,
            tolerance=1e-5,
            behind=lambda found, n: n - len(found),
        ),
        case(
            "segmenter",
            lambda: Segmenter(SegmentationConfig(), network, encoder),
            heard,
            N_FRAMES,
            items,
            tolerance=1e-4,
            behind=lambda found, n: oldest(masks[:n], [(0, w.settled) for w in found if type(w) is Window]),
        ),
        case(
            "verifier",
            lambda: Verifier(PERSON, CALIBRATION),
            lambda a, b: said[a:b],
            len(said),
            items,
            behind=lambda found, n: spoken(said[:n]) - max([0, *(samples(v.heard_s) for v in found)]),
        ),
        case(
            "gate",
            lambda: VoiceGate(SCALE, -1.0),
            lambda a, b: talk[a:b],
            len(talk),
            items,
            count=lambda n: n,
            behind=lambda found, n: n - len(found),
        ),
        case(
            "diariser",
            lambda: Diariser(DiariserConfig(), ReclusteringConfig(every_s=10.0, max_stretches=50), SCALE),
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
    "denoiser",
    "refined denoiser",
    "keeper",
    "full-band denoiser",
    "stft",
    "istft",
    "features",
    "running mean",
    "kaldi fbank",
    "leveller",
    "vad evidence",
    "vad",
    "front end",
    "encoder",
    "segmenter",
    "enhancer",
    "verifier",
    "gate",
    "diariser",
    "pipeline",
]
EVENTS = ("encoder", "segmenter", "enhancer", "verifier", "gate", "diariser", "pipeline")
FRAMES = [n for n in NAMES if n not in EVENTS]
RESAMPLED = ("resampler", "istft", "full-band denoiser")
"""Their latency is where an impulse comes out."""
ALONE = ("diariser", "pipeline")
"""Their delay is that of the windows before them; the pipeline's is tested by its turns."""
SHARING = (
    "denoiser",
    "refined denoiser",
    "keeper",
    "full-band denoiser",
    "vad",
    "front end",
    "encoder",
    "segmenter",
    "enhancer",
)


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
    word = "longest_delay_samples" if name in EVENTS else "latency_samples"
    assert isinstance(getattr(stage, word), int) and getattr(stage, word) >= 0


@pytest.mark.parametrize("name", [n for n in FRAMES if n not in RESAMPLED])
def test_frames_come_exactly_their_latency_later(cases, name):
    laws.waits_exactly_its_latency(cases[name])


@pytest.mark.parametrize("name", [n for n in EVENTS if n not in ALONE])
def test_events_come_before_their_longest_delay(cases, name):
    laws.delay_is_bounded(cases[name])


@pytest.mark.parametrize("name", SHARING)
def test_two_streams_on_one_set_of_weights_are_two_alone(cases, name, rng):
    """By turns, the second backwards."""
    case = cases[name]
    other = replace(case, cut=lambda a, b: turned(case.cut(case.length - b, case.length - a)))
    laws.interleaved_equals_alone(case, other, rng)


def turned(x: Any) -> Any:
    """Backwards in time."""
    if isinstance(x, tuple):
        return type(x)(*map(turned, x))
    return np.ascontiguousarray(x[::-1]) if isinstance(x, np.ndarray) else x[::-1]


def test_two_pipelines_share_their_weights_and_mix_nothing(speech):
    """By turns, the second backwards."""
    sounds = [speech[: 8 * SAMPLE_RATE], speech[8 * SAMPLE_RATE :: -1][: 8 * SAMPLE_RATE].copy()]
    alone = [(p := Pipeline()).push(sound) + p.flush() for sound in sounds]
    together, events = [Pipeline(), Pipeline()], [[], []]
    for at in range(0, 8 * SAMPLE_RATE, 1_600):
        for kept, pipeline, sound in zip(events, together, sounds, strict=True):
            kept += pipeline.push(sound[at : at + 1_600])
    for kept, pipeline, wanted in zip(events, together, alone, strict=True):
        laws.same(kept + pipeline.flush(), wanted, 1e-4)


def test_a_turn_is_final_before_the_pipelines_latency(speech):
    """Every moment of a final turn was told of for good, in a turn's `confirmed_end`, by then."""
    pipeline, told = Pipeline(), []
    for at in range(0, len(speech), FRAME_SAMPLES):
        events = pipeline.push(speech[at : at + FRAME_SAMPLES])
        told += [(pipeline.heard_samples, e) for e in events if isinstance(e, SpeakerTurn)]
    flushed = [e for e in pipeline.flush() if isinstance(e, SpeakerTurn)]
    final, worst = [e for _, e in told if e.final] + [e for e in flushed if e.final], 0
    for turn in final:
        for moment in range(turn.start, turn.end, FRAME_SAMPLES):
            said = (
                heard
                for heard, e in told
                if e.speaker == turn.speaker and e.start <= moment < (e.end if e.final else e.confirmed_end)
            )
            worst = max(worst, next(said, pipeline.heard_samples) - moment)
    assert final and pipeline.final_latency_samples / 2 < worst <= pipeline.final_latency_samples


@pytest.mark.parametrize("name", [*FRAMES, "enhancer", "gate"])
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
from voicelane import Pipeline
from voicelane.dsp import kernels
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


@pytest.mark.slow
def test_nothing_is_compiled_once_the_pipeline_is_warm():
    command = [sys.executable, "-c", COMPILED]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "True"


STREAMS = """
import gc, psutil, soundfile
from voicelane import Pipeline
from tests.conftest import DEMO
speech = soundfile.read(DEMO, dtype="float32")[0][: 30 * 16_000]
streams, memory = [], psutil.Process().memory_info
def another():
    streams.append(Pipeline())
    streams[-1].push(speech)
    gc.collect()
another()
another()
before = memory().rss
for _ in range(4):
    another()
print((memory().rss - before) // 4)
"""


@pytest.mark.slow
def test_a_further_stream_takes_20_mb_at_most():
    pytest.importorskip("psutil")
    command = [sys.executable, "-c", STREAMS]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(found.stdout) <= 20_000_000


GROWTH = """
import psutil, soundfile
from voicelane import Pipeline
from tests.conftest import DEMO
from tests.stages.conversation import SCALE, conversation
speech = soundfile.read(DEMO, dtype="float32")[0]
pipeline, memory = Pipeline(), psutil.Process().memory_info
for _ in range(8):
    pipeline.push(speech)
before = memory().rss
for _ in range(15):
    pipeline.push(speech)
print((memory().rss - before) // 1024)
"""


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_memory_stays_flat_over_a_long_run():
    """Twenty minutes of sound after ten to settle, in a process of its own."""
    command = [sys.executable, "-c", GROWTH]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(found.stdout) < 3_000
