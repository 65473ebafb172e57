"""The offline module: networks, augmentation, a toy run from sound to a model that the engine loads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from engine import ArraySource, EncoderConfig, FileEmbedder, Model, PipelineConfig, VadEvidence
from tests.conftest import DEMO

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")
pytest.importorskip("kaldi_native_fbank")

from rt_models.export import onnx as export  # noqa: E402
from rt_models.export.encoder import export_encoder  # noqa: E402
from rt_models.nets.conv_transformer import ConvTransformer, ConvTransformerConfig  # noqa: E402
from rt_models.training import augment, conversations, data, encoder, shards  # noqa: E402
from rt_models.training.batches import CropConfig, CropSampler, speech_mask  # noqa: E402
from rt_models.training.losses import centre, contrastive, distillation, relational  # noqa: E402
from rt_models.training.vad import VadTrainConfig, evidence, train  # noqa: E402

SMALL = ConvTransformerConfig(conv_channels=(4, 8), width=32, n_blocks=2, n_heads=2, feed_forward=64)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> data.AudioCache:
    """Twelve pieces of the demo conversation, as if they were twelve utterances."""
    folder = tmp_path_factory.mktemp("corpus")
    samples = sf.read(DEMO, dtype="float32")[0]
    lines = []
    for i, piece in enumerate(np.array_split(samples[: 60 * 16_000], 12)):
        sf.write(folder / f"{i}.wav", piece, 16_000)
        lines.append(f"speaker{i // 3} {i}.wav")
    (folder / "manifest.txt").write_text("\n".join(lines))
    return data.AudioCache.build(data.read_manifest(folder / "manifest.txt"), folder, folder / "cache")


def test_the_shipped_encoder_has_the_stated_size():
    net = ConvTransformer(ConvTransformerConfig()).eval()
    assert 2_000_000 <= sum(p.numel() for p in net.parameters()) <= 4_000_000
    found = net(torch.randn(2, 160, 80))
    assert found.shape == (2, 192)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_the_encoder_hears_the_order_of_frames(positions):
    """Networks that add no position per frame are blind to it."""
    torch.manual_seed(0)
    config = dataclasses.replace(SMALL, positions=positions, kernel=0)
    net = ConvTransformer(config).eval()
    x = torch.randn(1, 160, 80)
    shuffled = x.unflatten(1, (40, 4))[:, torch.randperm(40)].flatten(1, 2)
    with torch.inference_mode():
        assert (net(x) - net(shuffled)).abs().max() > 1e-3


@pytest.mark.parametrize(
    "change", [{}, {"pooling": "mean"}, {"in_channels": 3}, {"kernel": 0}, {"positions": "learned"}]
)
def test_every_kind_of_encoder_exports_and_runs_in_the_engine(tmp_path, speech, change):
    torch.manual_seed(1)
    net = ConvTransformer(dataclasses.replace(SMALL, **change)).eval()
    n_bands = 80 * net.config.in_channels
    assert export_encoder(net, np.full(n_bands, -9.0), tmp_path / "toy", "0") <= 1e-4
    embedder = FileEmbedder(PipelineConfig(encoder=EncoderConfig(model=str(tmp_path / "toy"))))
    found = embedder.embed(ArraySource(speech[:64_000]))
    assert found.shape == (192,) and abs(np.linalg.norm(found) - 1) < 1e-5


def test_an_export_that_differs_from_torch_raises(tmp_path):
    net = ConvTransformer(SMALL).eval()
    export_encoder(net, np.full(80, -9.0), tmp_path / "toy", "0")
    with torch.no_grad():
        net.out.bias.add_(0.5)
    with pytest.raises(export.ParityError, match="differs from torch"):
        export.check_parity(
            net,
            tmp_path / "toy/model.onnx",
            lambda rng: {"columns": rng.standard_normal((1, 99, 80)).astype("f4")},
        )


def test_a_toy_run_learns_resumes_exactly_and_its_model_runs(tmp_path, cache, speech):
    shard = shards.build_shard(cache, None, np.ones(len(cache)), 0, tmp_path / "shard.f16")
    masks = [speech_mask(shard.columns(i)) for i in range(len(cache))]
    targets = centre(torch.randn(len(cache), 192, generator=torch.Generator().manual_seed(0))).numpy()
    sampler = CropSampler(
        [shard],
        [masks],
        [targets],
        np.full(80, -9.0),
        cache.utterances,
        CropConfig(columns=(80,), chances=(1.0,), band_masks=0, time_masks=0),
    )
    config = encoder.TrainConfig(
        net=dataclasses.replace(SMALL, dropout=0.0),
        steps=90,
        batch=12,
        warm_up=5,
        learning_rate=1e-2,
        contrastive_weight=0.0,
        save_every=30,
    )
    first = distillation_of(ConvTransformer(config.net), sampler)
    whole = encoder.train(config, sampler, tmp_path / "whole.pt")
    assert distillation_of(whole, sampler) < 0.9 * first

    encoder.train(
        dataclasses.replace(config, steps=90, save_every=30), sampler, tmp_path / "parts.pt", stop_after=60
    )
    resumed = encoder.train(config, sampler, tmp_path / "parts.pt")
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)

    export_encoder(encoder.load_checkpoint(tmp_path / "whole.pt"), sampler.prior, tmp_path / "toy", "0")
    embedder = FileEmbedder(PipelineConfig(encoder=EncoderConfig(model=str(tmp_path / "toy"))))
    assert embedder.embed(ArraySource(speech[:48_000])).shape == (192,)


def distillation_of(net: ConvTransformer, sampler: CropSampler) -> float:
    crops, targets, _ = sampler.batch(48, np.random.default_rng(99))
    with torch.inference_mode():
        return float(distillation(net.eval()(torch.from_numpy(crops)), torch.from_numpy(targets)))


def test_the_losses_are_zero_for_a_perfect_student_only():
    teacher = torch.nn.functional.normalize(torch.randn(8, 16), dim=1)
    assert distillation(teacher, teacher).item() == pytest.approx(0, abs=1e-6)
    assert relational(-teacher, teacher).item() == pytest.approx(0, abs=1e-6)
    assert distillation(-teacher, teacher).item() == pytest.approx(2, abs=1e-6)
    people = torch.arange(8)
    assert contrastive(teacher, teacher, people) < contrastive(teacher.roll(1, 0), teacher, people)


def test_other_recordings_of_a_speaker_are_no_negatives():
    teacher = torch.nn.functional.normalize(torch.randn(4, 16), dim=1)
    twice = torch.cat((teacher, teacher))
    people = torch.arange(4).repeat(2)
    torch.testing.assert_close(contrastive(twice, twice, people), contrastive(teacher, teacher, people[:4]))


def test_augmentation_is_seeded_and_keeps_the_length(cache, tmp_path):
    rooms = augment.simulate_rooms(3, 0, tmp_path / "rooms.npz")
    noises = [np.random.default_rng(1).standard_normal(16_000).astype(np.float32)]
    perturb = augment.Augmenter(augment.AugmentConfig(), rooms, noises, cache)
    for seed in range(12):
        samples = cache.audio(seed)
        first = perturb(samples, np.random.default_rng(seed))
        assert len(first) == len(samples) and np.isfinite(first).all() and np.abs(first).max() < 1.5
        np.testing.assert_array_equal(first, perturb(samples, np.random.default_rng(seed)))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_noise_is_mixed_at_the_wanted_ratio(rng, snr_db):
    speech, noise = rng.standard_normal(16_000), rng.standard_normal(5_000) * 7
    added = augment.mix(speech.astype(np.float32), noise, snr_db) - speech
    found = 10 * np.log10(augment.power(speech) / augment.power(added))
    assert found == pytest.approx(snr_db, abs=0.05)


def test_speed_changes_length_and_pitch():
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    faster = data.change_speed(tone, 1.25)
    assert len(faster) == pytest.approx(12_800, abs=2)
    peak = np.argmax(np.abs(np.fft.rfft(faster[:8000] * np.hanning(8000)))) * 2
    assert peak == pytest.approx(1250, abs=4)


def test_a_simulated_conversation_is_where_its_reference_says(cache):
    rng = np.random.default_rng(5)
    voices = {f"s{k}": [cache.audio(i) for i in range(4 * k, 4 * k + 4)] for k in range(3)}
    said = conversations.converse(voices, 30.0, conversations.ConversationConfig(), rng)
    spoken = np.any(list(said.active.values()), axis=0)
    frames = said.samples[: len(spoken) * 320].reshape(-1, 320)
    level = np.mean(frames**2, axis=1)
    assert 0.2 < spoken.mean() < 1.0
    assert level[spoken].mean() > 30 * level[~spoken].mean()


def test_vad_training_sees_what_the_live_detector_sees(speech):
    found = evidence(speech[:32_000])
    assert found.shape == (100, 46)
    evidence_again = VadEvidence()
    assert evidence_again.latency_samples == 0


def test_a_toy_vad_learns(rng):
    speech = np.repeat(rng.random((6, 30)) < 0.5, 20, axis=1)
    features = rng.standard_normal((6, 600, 46)).astype(np.float32) + 2.0 * speech[..., None].astype(
        np.float32
    )
    net = train(VadTrainConfig(steps=80, batch=6, frames=300), features, speech)
    with torch.inference_mode():
        logits = net(torch.from_numpy(features), net.silence(6))[0].numpy()[:, 8:]
    assert np.mean((logits > 0) == speech[:, :-8]) > 0.9


def test_manifests_in_both_shapes(tmp_path: Path):
    lines = tmp_path / "list.txt"
    lines.write_text("alice a/1.wav\nunknown b/2.wav\nunknown b/3.wav\n")
    found = data.read_manifest(lines)
    assert [u.path for u in found] == ["a/1.wav", "b/2.wav", "b/3.wav"]
    assert len({u.speaker for u in found}) == 3
    table = tmp_path / "list.tsv"
    table.write_text("file\tsplit\tcorpus\tspeaker\nx.wav\ttrain\tc\ts1\ny.wav\tdev\tc\ts2\n")
    assert [u.path for u in data.read_manifest(table)] == ["x.wav"]
    with pytest.raises(ValueError, match="test"):
        data.read_manifest(table, "test")


def test_the_exported_vad_keeps_its_state(tmp_path):
    from rt_models.export.vad import export_vad
    from rt_models.nets.vad import VadNet, VadNetConfig

    assert export_vad(VadNet(VadNetConfig()), tmp_path / "vad", "0") <= 1e-4
    assert Model(tmp_path / "vad").manifest.latency_samples == 8 * 320
