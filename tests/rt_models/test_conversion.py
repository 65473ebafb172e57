"""Training of the network that says in one voice what was said in another."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from voicelane.dsp import RunningMean
from voicelane.inference import find_model, read_manifest
from voicelane.stages import load_encoder

torch = pytest.importorskip("torch")
pytest.importorskip("pyworld")

from voicelane.config import EncoderConfig  # noqa: E402
from voicelane.rt_models.export.conversion import export_conversion  # noqa: E402
from voicelane.rt_models.nets.conversion import ConversionConfig, ConversionNet  # noqa: E402
from voicelane.rt_models.training import conversion  # noqa: E402
from voicelane.rt_models.training.listener import Listener  # noqa: E402
from voicelane.rt_models.training.shards import build_shard, log_mel  # noqa: E402
from voicelane.voices.bands import bands_of, envelope_of, middles_hz, spoken, told, usual  # noqa: E402
from voicelane.voices.network import ConversionNetwork  # noqa: E402
from voicelane.voices.world import envelope, pitch  # noqa: E402

pytestmark = pytest.mark.torch

SMALL = ConversionConfig(width=16, content=8, condition=8, listening=(1,), speaking=(1, 2))
ENCODER = "conv_transformer"


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener(ENCODER)


@pytest.fixture
def config() -> conversion.ConversionTrainConfig:
    speech = conversion.SpeechConfig(0.01, (0.5, 2.0), 2, 0.0, -90.0)
    return conversion.ConversionTrainConfig(SMALL, speech, frames=60, steps=4, batch=4)


@pytest.fixture
def draw(cache, config, tmp_path) -> conversion.Drawing:
    """Of toy recordings, each with a voice drawn by chance."""
    said = conversion.heard(cache, config.speech, tmp_path)
    voices = np.random.default_rng(0).standard_normal((len(said.rows), 192)).astype(np.float32)
    voices /= np.linalg.norm(voices, axis=1, keepdims=True)
    shard = build_shard(cache, None, np.ones(len(cache)), 0, tmp_path / "clean_0.f16")
    return conversion.Drawing(said, voices, shard, config)


def test_a_frame_is_given_by_the_frames_around_it():
    torch.manual_seed(0)
    net, around = ConversionNet(SMALL).eval(), SMALL.around_frames
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    bands = torch.randn(1, 60 + 2 * around, 64, requires_grad=True)
    found = net(bands, torch.zeros(1, 60 + 2 * around, 2), torch.randn(1, 192))
    assert found.shape == (1, 60, 64)
    found[0, 30:32].square().sum().backward()
    heard = (bands.grad[0].square().sum(1) > 0).nonzero().flatten()
    assert (int(heard[0]), int(heard[-1])) == (30, 31 + 2 * around)


def test_formants_are_moved_as_far_as_drawn():
    peak = bands_of(np.exp(-(((np.arange(513.0) - 200.0) / 20.0) ** 2))[None])
    at = [float(middles_hz()[(peak @ conversion.moving(w, 0.0)).argmax()]) for w in (-0.2, 0.0, 0.2)]
    assert at[0] / at[1] == pytest.approx(np.exp(-0.2), rel=0.05)
    assert at[2] / at[1] == pytest.approx(np.exp(0.2), rel=0.05)
    assert np.allclose(conversion.moving(0.0, 0.0), np.eye(64), atol=1e-4)


def test_content_is_told_without_level_and_long_term_spectrum(speech, rng):
    bands, _ = conversion.analysed(speech[:32_000])
    coloured = bands.astype(np.float32) + rng.normal(0, 2, 64).astype(np.float32)
    spread = told(coloured, usual(coloured))
    assert np.abs(spread[spoken(coloured)].mean(axis=0)).max() < 0.1 and np.abs(spread).max() <= 4.0


def test_the_listener_hears_as_the_engine_does(listener, speech):
    columns, encoder = log_mel(speech[:40_000]), load_encoder(EncoderConfig(model=ENCODER))
    mean = np.array(read_manifest(find_model(ENCODER, "encoder")).settings["mean"])
    normal = listener.normalised(torch.from_numpy(columns)[None])[0].numpy()
    assert np.abs(normal - RunningMean(mean, n_mels=80).process(columns)).max() < 1e-3
    wanted = encoder.embed(encoder.tokens(encoder.stream().normalise(columns)))
    assert float(listener(torch.from_numpy(columns)[None])[0] @ torch.from_numpy(wanted)) > 0.999


def test_an_altered_spectrum_is_that_of_the_altered_sound(listener, speech):
    """Bands tilted by 3 nepers: what the listener is told of it, against the sound filtered as much."""
    x = speech[:32_000].astype(np.float64)
    bands = bands_of(envelope(x, *pitch(x)))[::2][:200]
    tilt = np.linspace(1.5, -1.5, 64, dtype=np.float32)
    gains = np.exp(envelope_of(tilt[None])[0, ::2] / 2)
    spectrum = np.fft.rfft(x)
    filtered = np.fft.irfft(spectrum * np.interp(np.linspace(0, 256, len(spectrum)), range(257), gains))
    before, after = (log_mel(s.astype(np.float32))[:200] for s in (x, filtered))
    parts = (torch.from_numpy(a)[None] for a in (before, bands, bands + tilt))
    off = listener.altered(*parts)[0].numpy() - after
    loud = spoken(bands)
    left, whole = (x - x.mean(axis=1, keepdims=True) for x in (off, after - before))
    assert left[loud].std() < 0.4 * whole[loud].std()


def test_batches_hold_what_was_said_and_by_whom(draw, config):
    batch = draw.batch(np.random.default_rng(0))
    outer = config.frames + 2 * SMALL.around_frames
    assert batch.bands.shape == (4, outer, 64) and batch.shape.shape == (4, 60, 64)
    assert batch.columns.shape == (4, 30, 80) and batch.pitch.shape == (4, outer, 2)
    assert batch.shape.mean(dim=2).abs().max() < 1e-4


@pytest.mark.slow
def test_a_toy_learns_and_goes_on_exactly_after_a_kill(draw, config, listener, tmp_path):
    config = dataclasses.replace(config, steps=260)
    whole = conversion.train(config, draw, listener, tmp_path / "whole.pt")
    conversion.train(config, draw, listener, tmp_path / "parts.pt", stop_after=250)
    resumed = conversion.train(config, draw, listener, tmp_path / "parts.pt")
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    fresh, batch = ConversionNet(SMALL).eval(), draw.batch(np.random.default_rng(99))
    conversion.usual_shape(fresh, draw)
    with torch.inference_mode():
        before, after = (conversion.tried(net, listener, batch)[0] for net in (fresh, whole))
    assert after < 0.9 * before


def test_the_exported_network_runs_in_the_engine(tmp_path, rng):
    net = ConversionNet(SMALL).eval()
    assert export_conversion(net, ENCODER, "x", tmp_path / "conversion", "1") < 1e-4
    found = ConversionNetwork(tmp_path / "conversion")
    assert (found.encoder_id, found.around_frames) == ("x", SMALL.around_frames)
    bands = rng.standard_normal((20 + 2 * SMALL.around_frames, 64)).astype(np.float32)
    shapes = found.shapes(bands, np.full(len(bands), 120.0), np.ones(192, np.float32) / 192**0.5)
    assert shapes.shape == (20, 64) and np.isfinite(shapes).all()
