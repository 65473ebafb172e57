"""Training of embedding enhancers: pairs, losses, and that they take a nuisance away."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import ROOT
from tests.stages.test_encoder import foreign
from voicelane import ArraySource, PipelineConfig
from voicelane.base import ConfigError, read_settings
from voicelane.config import EncoderConfig, EnhancerConfig
from voicelane.dsp import ddim
from voicelane.inference import Model, installed, verify
from voicelane.labels import equal_error_rate
from voicelane.profiles import FileEmbedder
from voicelane.stages import load_encoder

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")
F = torch.nn.functional

from tests.rt_models.toys import CONFIGS  # noqa: E402
from voicelane.rt_models.export.seed import export_seed  # noqa: E402
from voicelane.rt_models.nets.seed import ResidualDiffusionMlp, ResidualMlp, SeedConfig  # noqa: E402
from voicelane.rt_models.training import corpus, seed  # noqa: E402
from voicelane.rt_models.training.pairs import PairConfig, Pairs, make_pairs  # noqa: E402

pytestmark = pytest.mark.torch

METHODS = ["seed", "mlp"]
BOTH = seed.LossWeights(regression=0.1, contrast=1.0, toward_clean=1.0)
QUICK = seed.EnhancerTrainConfig(batches=250, batch=96, learning_rate=3e-3, warm_up=20)


def unit(x: np.ndarray) -> np.ndarray:
    return (x / np.linalg.norm(x, axis=-1, keepdims=True)).astype(np.float32)


def world(rng: np.random.Generator, n: int) -> Pairs:
    """Clean voices of 32 numbers, and five versions of each with a strong nuisance in four directions."""
    directions = np.linalg.qr(np.random.default_rng(1).standard_normal((32, 4)))[0]
    clean = unit(rng.standard_normal((n, 32)))
    noisy = unit(clean + 0.9 * rng.standard_normal((5, n, 4)) @ directions.T)
    return Pairs(noisy, clean, np.arange(n) % 2, clean)


def error_rate(a: np.ndarray, b: np.ndarray) -> float:
    """EER of telling rows of unit vectors apart, row i of both being one voice."""
    scores = a @ b.T
    same = np.eye(len(a), dtype=bool)
    return equal_error_rate(scores[same], scores[~same])


def through(net: torch.nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return seed.enhance(net, np.sqrt(x.shape[1]) * torch.from_numpy(x), QUICK.t0).numpy()


@pytest.mark.parametrize(("dim", "count"), [(512, 9_725_440), (256, 2_437_888)])
def test_the_diffusion_network_has_the_published_size(dim, count):
    assert sum(p.numel() for p in ResidualDiffusionMlp(SeedConfig(dim)).parameters()) == count


def test_the_plain_network_is_about_as_large():
    sizes = [
        sum(p.numel() for p in seed.build(method, seed.EnhancerTrainConfig(), 192).parameters())
        for method in METHODS
    ]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)


def test_networks_begin_at_zero_and_at_the_identity(rng):
    x = torch.from_numpy(rng.standard_normal((3, 32))).float()
    assert not ResidualDiffusionMlp(SeedConfig(32))(x, torch.ones(3), x).any()
    torch.testing.assert_close(ResidualMlp(SeedConfig(32))(x), x)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "more",
    [{}, {"seed_loss": BOTH, "mlp_loss": BOTH}, {"self_conditioning": True}],
    ids=["own loss", "contrast", "self-conditioning"],
)
@pytest.mark.slow
def test_a_trained_network_takes_the_nuisance_away_from_voices_it_never_heard(method, more):
    config = dataclasses.replace(QUICK, **more)
    net = seed.train(method, config, world(np.random.default_rng(0), 1500))
    unheard = world(np.random.default_rng(9), 300)
    before = error_rate(unheard.noisy[0], unheard.noisy[1])
    after = error_rate(through(net, unheard.noisy[0]), through(net, unheard.noisy[1]))
    assert before > 0.03
    assert after < 0.5 * before


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.slow
def test_training_repeats_exactly(method):
    config = dataclasses.replace(QUICK, batches=5, dropout=0.1, seed_loss=BOTH, mlp_loss=BOTH, one_corpus=0.5)
    pairs = world(np.random.default_rng(0), 200)
    x = pairs.noisy[0]
    a, b = (through(seed.train(method, config, pairs), x) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    other = through(seed.train(method, dataclasses.replace(config, seed=1), pairs), x)
    assert np.abs(a - other).max() > 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_a_run_that_was_killed_goes_on_exactly(method, tmp_path):
    config = dataclasses.replace(QUICK, batches=253, batch=16, dropout=0.1, seed_loss=BOTH, mlp_loss=BOTH)
    pairs = world(np.random.default_rng(0), 200)
    whole = seed.train(method, config, pairs, tmp_path / "whole.pt")
    seed.train(method, config, pairs, tmp_path / "parts.pt", stop_after=250)
    resumed = seed.train(method, config, pairs, tmp_path / "parts.pt")
    np.testing.assert_array_equal(through(whole, pairs.noisy[0]), through(resumed, pairs.noisy[0]))


def blurred(rng: np.random.Generator, n: int) -> Pairs:
    """Voices in an eight-dimensional space, and versions of each with more or less noise everywhere."""
    space = np.linalg.qr(np.random.default_rng(1).standard_normal((32, 8)))[0]
    clean = unit(rng.standard_normal((n, 8)) @ space.T)
    noisy = unit(clean + rng.uniform(0, 0.3, (5, n, 1)) * rng.standard_normal((5, n, 32)))
    return Pairs(noisy, clean, np.arange(n) % 2, clean)


@pytest.mark.slow
def test_the_confidence_foretells_how_near_to_clean_the_result_is():
    pairs, unheard = blurred(np.random.default_rng(0), 2000), blurred(np.random.default_rng(9), 500)
    net = seed.train("seed", QUICK, pairs)
    weights = seed.confidence(net, QUICK, pairs)
    x = np.concatenate((unheard.clean, unheard.noisy[0]))
    found = through(net, x)
    noise = torch.from_numpy(np.random.default_rng(2).standard_normal(x.shape)).float()
    with torch.inference_mode():
        drawn = seed.enhance(net, np.sqrt(32) * torch.from_numpy(x), QUICK.t0, noise).numpy()
    said = np.stack([np.ones(len(x)), 1 - (found * x).sum(1), 1 - (drawn * found).sum(1)], 1) @ weights
    true = (found * np.tile(unheard.clean, (2, 1))).sum(axis=1)
    assert np.mean(said) == pytest.approx(np.mean(true), abs=0.05)
    assert np.corrcoef(said, true)[0, 1] > 0.5


def test_partners_are_of_one_voice_and_doubtful_ones_are_not_told_apart(rng):
    voices = np.repeat(unit(rng.standard_normal((50, 64))), 2, axis=0)
    number = np.arange(100)
    marked = np.stack([number, number], axis=1).astype(np.float32)  # says which recording it is
    pairs = Pairs(marked[None].repeat(3, axis=0), marked, number % 2, voices)
    config = seed.EnhancerTrainConfig(batch=40, mlp_loss=BOTH, clean=0.0)
    batch = seed.PairSampler(pairs, config).batch(rng)
    chosen, partner = (
        np.rint(x[:, 0].numpy() / np.sqrt(2)).astype(int) for x in (batch.noisy, batch.partner)
    )
    assert (partner == chosen ^ 1).all()
    alike = (chosen[:, None] // 2) == (partner[None] // 2)
    unsure = batch.unsure.numpy()
    assert not unsure.diagonal().any()
    off = ~np.eye(len(chosen), dtype=bool)
    np.testing.assert_array_equal(unsure[off], alike[off])


def test_a_batch_of_one_corpus_holds_no_other(rng):
    pairs = world(rng, 100)
    config = seed.EnhancerTrainConfig(batch=20, one_corpus=1.0)
    sampler = seed.PairSampler(pairs, config)
    for _ in range(5):
        clean = sampler.batch(rng).clean.numpy() / np.sqrt(32)
        where = (clean @ pairs.clean.T).argmax(axis=1)
        assert len(set(pairs.corpora[where])) == 1


def test_the_diffused_variable_begins_at_the_noisy_embedding():
    """At t = 0 the network sees the noisy embedding itself, and its target is the clean one."""
    seen = []

    class Spy(torch.nn.Module):
        config = SeedConfig(32)

        def forward(self, x_t, t, before):
            seen.append((x_t, t))
            return torch.zeros_like(x_t)

    noisy, clean = torch.randn(4000, 32), torch.randn(4000, 32)
    batch = seed.Batch(noisy, clean, noisy, torch.zeros(4000, 4000, dtype=torch.bool))
    value = seed.diffusion_loss(Spy(), batch, torch.Generator().manual_seed(0))
    assert float(value) == pytest.approx(float(clean.abs().mean()))
    x_t, t = seen[0]
    assert t.min() < 5 and t.max() > 994 and float(t.mean()) == pytest.approx(499.5, abs=15)
    alpha_bar = torch.from_numpy(ddim.ALPHA_BARS)[t.long(), None]
    noise = (x_t - alpha_bar.sqrt() * noisy) / (1 - alpha_bar).sqrt()
    assert float(noise.std()) == pytest.approx(1.0, abs=0.02)


@pytest.fixture
def prepared(cache, tmp_path) -> corpus.Prepared:
    rng = np.random.default_rng(0)
    room = np.concatenate(([1.0], 0.1 * rng.standard_normal(800))).astype(np.float32)
    noise = 0.1 * rng.standard_normal(32_000).astype(np.float32)
    return corpus.Prepared(cache, [room], [noise], tmp_path)


def test_pairs_are_kept_and_repeat_and_clean_is_nearest_to_its_own_noisy_one(prepared):
    config = PairConfig(versions=2, seconds=(2.0,), chances=(1.0,), noise_snr_db=(20.0, 20.0), babble=0.0)
    pairs = make_pairs("conv_transformer", prepared, config)
    assert pairs.noisy.shape == (2, 12, 192) and pairs.clean.shape == (12, 192)
    np.testing.assert_allclose(np.linalg.norm(pairs.noisy, axis=2), 1.0, atol=1e-5)
    own = np.einsum("vnd,nd->vn", pairs.noisy, pairs.clean).mean()
    assert own > 0.15 + (pairs.noisy[0] @ pairs.clean.T)[~np.eye(12, dtype=bool)].mean()
    kept = {p.name: p.stat().st_mtime_ns for p in prepared.work.glob("pairs_*/*.npy")}
    assert set(kept) == {"clean_0.npy", "noisy_0_0.npy", "noisy_1_0.npy"}
    again = make_pairs("conv_transformer", prepared, dataclasses.replace(config, versions=1))
    np.testing.assert_array_equal(again.noisy[0], pairs.noisy[0])
    assert {p.name: p.stat().st_mtime_ns for p in prepared.work.glob("pairs_*/*.npy")} == kept
    with pytest.raises(ConfigError, match=r"clean_0.npy: was made with other settings \(augment, pieces\)"):
        make_pairs("conv_transformer", prepared, dataclasses.replace(config, noise=0.1))


@pytest.mark.parametrize("name", ["foreign", "lstm"])
@pytest.mark.slow
def test_the_command_trains_both_networks_for_any_encoder(tmp_path, cache, speech, name):
    """Of someone else, or shipped; with a manifest of dummy labels."""
    encoder = foreign(tmp_path / name) if name == "foreign" else name
    noise = tmp_path / "noise"
    noise.mkdir()
    sf.write(noise / "hiss.wav", np.random.default_rng(0).standard_normal(32_000) * 0.1, 16_000)
    for i in range(6):
        sf.write(tmp_path / f"{i}.wav", cache.audio(i), 16_000)
    (tmp_path / "manifest.txt").write_text("\n".join(f"nobody {i}.wav" for i in range(6)))
    arguments = {
        "--encoder": encoder,
        "--config": CONFIGS / "seed_toy.toml",
        "--corpus": tmp_path,
        "--manifest": tmp_path / "manifest.txt",
        "--noise": noise,
        "--rooms": 2,
        "--work": tmp_path / "work",
        "--out": tmp_path,
    }
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "voicelane.rt_models.training",
            "seed",
            *(str(x) for p in arguments.items() for x in p),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    for method in METHODS:
        folder = tmp_path / f"{method}_{name}"
        assert json.loads((folder / "training.json").read_text())["parity"] <= 1e-4
        enhancer = EnhancerConfig(model=str(folder))
        embedder = FileEmbedder(PipelineConfig(encoder=EncoderConfig(model=str(encoder)), enhancer=enhancer))
        assert np.linalg.norm(embedder.embed(ArraySource(speech[:48_000]))) == pytest.approx(1.0, abs=1e-5)
    assert (tmp_path / f"seed_{name}/steps_2/model.onnx").exists()


def test_a_network_told_its_last_estimate_unrolls_to_the_same_steps(tmp_path, rng):
    torch.manual_seed(0)
    net = ResidualDiffusionMlp(SeedConfig(16, self_conditioning=True)).eval()
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    assert export_seed(net, 60, (6, 2), 0.0, {}, tmp_path / "seed", "1") <= 1e-4
    assert [p.parent.name for p in tmp_path.rglob("weights.npz")] == ["seed"]  # of all three graphs
    assert all(verify(tmp_path / "seed" / part).shared for part in ("steps_2", "denoiser"))
    x, noise = unit(rng.standard_normal((4, 16))), rng.standard_normal((4, 16)).astype(np.float32)

    def denoise(x_t, t, before):
        with torch.inference_mode():
            return net(
                torch.from_numpy(x_t).float(), torch.tensor([float(t)]), torch.from_numpy(before).float()
            )

    wanted = ddim.sample(lambda *args: denoise(*args).numpy(), 4 * x, noise, ddim.times(60, 6))
    found = Model(tmp_path / "seed").run(embedding=x, noise=noise)[0]
    np.testing.assert_allclose(found, unit(wanted), atol=1e-4)


def test_shipped_enhancers_belong_to_a_shipped_encoder_and_say_how_they_were_trained():
    shipped = [folder for folder in installed() if folder.name.split("_")[0] in METHODS]
    assert len(shipped) >= 2
    for folder in shipped:
        _, name = folder.name.split("_", 1)
        kept = json.loads((folder / "training.json").read_text())
        assert kept["config"] == json.loads(
            json.dumps(dataclasses.asdict(read_settings(CONFIGS / "seed.toml", seed.EnhancerTrainConfig)))
        )
        assert load_encoder(EncoderConfig(model=name)).dim == 192
