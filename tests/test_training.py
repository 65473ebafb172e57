"""The offline module: networks, augmentation, a toy run from sound to a model that the engine loads."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from engine import (
    ArraySource,
    ConfigError,
    EncoderConfig,
    FileEmbedder,
    Model,
    PipelineConfig,
    VadEvidence,
    read_settings,
)
from tests.conftest import DEMO

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")
pytest.importorskip("kaldi_native_fbank")

from rt_models.export import onnx as export  # noqa: E402
from rt_models.export.encoder import export_encoder  # noqa: E402
from rt_models.nets.registry import NETS, NetConfig, build  # noqa: E402
from rt_models.training import augment, conversations, corpus, data, encoder, losses, shards  # noqa: E402
from rt_models.training.batches import Batch, Copy, CropConfig, CropSampler, speech_mask  # noqa: E402
from rt_models.training.objective import LossConfig  # noqa: E402
from rt_models.training.teacher import Teacher, principal  # noqa: E402
from rt_models.training.vad import VadTrainConfig, evidence, train  # noqa: E402
from rt_models.training.whitening import whiten  # noqa: E402

SMALL = {"conv_channels": (4, 8), "width": 32, "n_blocks": 2, "n_heads": 2, "feed_forward": 64}
SMALL_NETS = [
    NetConfig("conv_transformer", SMALL),
    NetConfig("conv_transformer", SMALL | {"pooling": "mean"}),
    NetConfig("conv_transformer", SMALL | {"in_channels": 3}),
    NetConfig("conv_transformer", SMALL | {"kernel": 0}),
    NetConfig("conv_transformer", SMALL | {"positions": "learned"}),
    NetConfig("lstm", {"hidden": 16, "dim": 24}),
    NetConfig("ecapa", {"channels": 32, "squeezed": 8, "aggregated": 48, "hidden": 16, "dim": 24}),
    NetConfig("resnet", {"channels": (8, 8, 16, 16), "blocks": (1, 1, 1, 1), "dim": 24}),
]
CONFIGS = Path(encoder.__file__).parent / "configs"


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


@pytest.mark.parametrize(
    ("kind", "parameters", "dim"),
    [
        ("conv_transformer", 2_949_408, 192),
        ("lstm", 1_423_616, 256),  # and GE2E's w and b
        ("ecapa", 14_855_296, 256),
        ("resnet", 8_028_492, 512),
    ],
)
def test_every_network_has_the_published_size(kind, parameters, dim):
    net = build(NetConfig(kind)).eval()
    assert sum(p.numel() for p in net.parameters()) == parameters
    found = net(torch.randn(2, 160, net.config.n_mels))
    assert found.shape == (2, dim)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(2))


@pytest.mark.parametrize("positions", ["sinusoidal", "learned"])
def test_the_encoder_hears_the_order_of_frames(positions):
    """Networks that add no position per frame are blind to it."""
    torch.manual_seed(0)
    net = build(NetConfig("conv_transformer", SMALL | {"positions": positions, "kernel": 0})).eval()
    tokens = torch.randn(1, 40, 32)
    with torch.inference_mode():
        assert (net.embed(tokens) - net.embed(tokens[:, torch.randperm(40)])).abs().max() > 1e-4


@pytest.mark.parametrize("config", SMALL_NETS, ids=str)
def test_every_network_exports_and_runs_in_the_engine(tmp_path, speech, config):
    torch.manual_seed(1)
    net = build(config).eval()
    n_bands = net.config.n_mels * net.config.in_channels
    assert export_encoder(net, np.full(n_bands, -9.0), tmp_path / "toy", "0") <= 1e-4
    embedder = FileEmbedder(PipelineConfig(encoder=EncoderConfig(model=str(tmp_path / "toy"))))
    found = embedder.embed(ArraySource(speech[:64_000]))
    assert found.shape == (net.config.dim,) and abs(np.linalg.norm(found) - 1) < 1e-5


def test_an_export_that_differs_from_torch_raises(tmp_path):
    net = build(NetConfig("lstm", {"hidden": 16})).eval()
    export_encoder(net, np.full(40, -9.0), tmp_path / "toy", "0")
    with torch.no_grad():
        net.out.bias.add_(0.5)
    with pytest.raises(export.ParityError, match="differs from torch"):
        export.check_parity(
            net,
            tmp_path / "toy/model.onnx",
            lambda rng: {"columns": rng.standard_normal((1, 99, 40)).astype("f4")},
        )


@pytest.fixture(scope="module")
def sampler(cache, tmp_path_factory) -> CropSampler:
    """A clean copy of the toy corpus with random targets, two crops of each speaker in a batch."""
    shard = shards.build_shard(cache, None, np.ones(12), 0, tmp_path_factory.mktemp("s") / "shard.f16")
    speech = [np.flatnonzero(speech_mask(shard.columns(i))) for i in range(12)]
    targets = losses.centre(torch.randn(12, 192, generator=torch.Generator().manual_seed(0))).numpy()
    copy = Copy(shard, speech, targets, np.arange(12) // 3)
    config = CropConfig(
        columns=(80,), chances=(1.0,), band_masks=0, time_masks=0, noise=0.0, babble=0.0, equaliser=0.0
    )
    return CropSampler([copy], ["demo"] * 12, [], np.full(80, -9.0), config)


def test_a_toy_run_learns_and_resumes_exactly(tmp_path, sampler):
    config = encoder.TrainConfig(
        net=NetConfig("conv_transformer", SMALL),
        losses=LossConfig(contrastive=0.0),
        steps=90,
        batch=12,
        warm_up=5,
        learning_rate=1e-2,
        save_every=30,
    )
    first = distillation_of(build(config.net), sampler)
    whole = encoder.train(config, sampler, tmp_path / "whole.pt", evaluate=lambda net: 50.0)
    assert distillation_of(whole, sampler) < 0.9 * first
    assert (tmp_path / "whole.png").stat().st_size > 5_000

    encoder.train(config, sampler, tmp_path / "parts.pt", stop_after=60)
    resumed = encoder.train(config, sampler, tmp_path / "parts.pt")
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    kept = encoder.load_checkpoint(tmp_path / "whole.pt")
    torch.testing.assert_close(kept.out.weight, whole.out.weight)
    curve = torch.load(tmp_path / "parts.pt", weights_only=True)["curve"]
    assert [p["step"] for p in curve] == [30, 60, 90] and curve[2]["hours"] > curve[0]["hours"]


def distillation_of(net: torch.nn.Module, sampler: CropSampler) -> float:
    batch = sampler.batch(48, np.random.default_rng(99))
    with torch.inference_mode():
        found = net.eval()(torch.from_numpy(batch.columns))
        return float(losses.distillation(found, torch.from_numpy(batch.targets)))


def test_batches_are_seeded_and_say_what_they_hold(sampler):
    config = dataclasses.replace(sampler.config, noise=1.0, babble=1.0, equaliser=1.0, band_masks=2)
    noise = [np.full((60, 80), 1e-3, np.float32)]
    noisy = CropSampler(sampler.copies, ["demo"] * 12, noise, sampler.prior, config)
    a, b = (noisy.batch(16, np.random.default_rng(3)) for _ in range(2))
    for x, y, name in zip(a, b, Batch._fields, strict=True):
        np.testing.assert_array_equal(x, y, err_msg=name)
    assert a.columns.shape == (16, 80, 80) and np.isfinite(a.columns).all()
    assert a.frames.shape == (16, 19, 0)
    copy = sampler.copies[0]
    for target, speaker in zip(a.targets, a.speakers, strict=True):
        assert copy.speakers[np.flatnonzero((copy.targets == target).all(axis=1))] == speaker


def test_grouped_batches_hold_as_many_crops_of_each_speaker(sampler):
    config = dataclasses.replace(sampler.config, utterances_per_speaker=3)
    grouped = CropSampler(sampler.copies, ["demo"] * 12, [], sampler.prior, config)
    found = grouped.batch(12, np.random.default_rng(0)).speakers.reshape(4, 3)
    assert (found == found[:, :1]).all() and len(set(found[:, 0])) == 4


@pytest.mark.parametrize("kind", ["softmax", "contrast", "angular prototypical", "additive angular margin"])
def test_losses_on_labels_part_the_speakers(kind):
    torch.manual_seed(0)
    free = torch.nn.Parameter(torch.randn(5, 4, 8))
    loss = {
        "softmax": losses.GE2E("softmax"),
        "contrast": losses.GE2E("contrast"),
        "angular prototypical": losses.AngularPrototypical(),
        "additive angular margin": losses.AdditiveAngularMargin(8, 5),
    }[kind]
    optimiser = torch.optim.Adam([free, *loss.parameters()], 0.05)
    for _ in range(200):
        x = torch.nn.functional.normalize(free, dim=2)
        flat = kind == "additive angular margin"
        value = loss(x.flatten(0, 1), torch.arange(5).repeat_interleave(4)) if flat else loss(x)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
    found = losses.centroid_cosines(torch.nn.functional.normalize(free.detach(), dim=2))[:, -1]
    assert (found.argmax(dim=1) == torch.arange(5)).all()


def test_a_student_of_another_length_is_mapped_to_the_teacher(tmp_path, sampler):
    config = encoder.TrainConfig(
        net=NetConfig("conv_transformer", SMALL | {"dim": 24}), steps=2, batch=6, save_every=2
    )
    assert encoder.train(config, sampler, tmp_path / "run.pt").config.dim == 24
    assert torch.load(tmp_path / "run.pt", weights_only=True)["curve"][0]["distillation"] < 2


def test_whitening_centres_and_evens_out_the_training_crops(sampler):
    torch.manual_seed(3)
    net = build(NetConfig("conv_transformer", SMALL | {"dim": 8})).eval()
    whiten(net, sampler, 0.5, n_crops=1280, seed=1)
    given: list[torch.Tensor] = []
    net.out.register_forward_hook(lambda layer, taken, out: given.append(out))
    with torch.inference_mode():
        for k in range(20):
            net(torch.from_numpy(sampler.batch(64, np.random.default_rng((1, k))).columns))
    x = torch.cat(given)
    torch.testing.assert_close(x.mean(dim=0), torch.zeros(8), atol=1e-3, rtol=0)
    variance = torch.linalg.eigvalsh(torch.cov(x.T))
    assert variance[-3:].max() / variance[-3:].min() < 1.1  # the strong directions are even now


def test_losses_on_labels_need_grouped_batches(sampler):
    config = encoder.TrainConfig(net=NetConfig("conv_transformer", SMALL), losses=LossConfig(ge2e=1.0))
    with pytest.raises(ValueError, match="utterances_per_speaker"):
        encoder.train(config, sampler, Path("never.pt"))


def test_ge2e_leaves_an_utterance_out_of_its_own_centroid():
    x = torch.nn.functional.normalize(torch.randn(4, 3, 8, generator=torch.Generator().manual_seed(2)), dim=2)
    found = losses.centroid_cosines(x)
    for j in range(4):
        for i in range(3):
            for k in range(4):
                kept = [m for m in range(3) if k != j or m != i]
                wanted = torch.cosine_similarity(x[j, i], x[k, kept].mean(dim=0), dim=0)
                torch.testing.assert_close(found[j, i, k], wanted)


def test_the_scale_of_ge2e_stays_positive_and_learns_slowly(tmp_path, sampler):
    loss = losses.GE2E()
    with torch.no_grad():
        loss.scale.fill_(-5.0)
    loss(torch.nn.functional.normalize(torch.randn(4, 3, 8), dim=2)).backward()
    assert loss.scale.grad != 0

    grouped = CropSampler(
        sampler.copies,
        ["demo"] * 12,
        [],
        sampler.prior,
        dataclasses.replace(sampler.config, utterances_per_speaker=3),
    )
    config = encoder.TrainConfig(
        net=NetConfig("conv_transformer", SMALL),
        losses=LossConfig(ge2e=1.0),
        steps=5,
        batch=12,
        warm_up=1,
        learning_rate=0.01,
        save_every=5,
    )
    encoder.train(config, grouped, tmp_path / "run.pt")
    scale = torch.load(tmp_path / "run.pt", weights_only=True)["objective"]["ge2e.scale"]
    assert 0 < abs(scale.item() - 10.0) < 5 * 0.01 * 0.01 * 1.5


def test_a_checkpoint_of_other_settings_is_refused(tmp_path, sampler):
    config = encoder.TrainConfig(net=NetConfig("conv_transformer", SMALL), steps=1, batch=4, save_every=1)
    encoder.train(config, sampler, tmp_path / "run.pt")
    with pytest.raises(ConfigError, match=r"run\.pt: belongs to a run with other settings \(net, batch\)"):
        encoder.train(
            dataclasses.replace(config, net=NetConfig("lstm"), batch=5), sampler, tmp_path / "run.pt"
        )


def test_a_work_folder_of_another_corpus_is_refused(cache, tmp_path):
    for change, message in (
        (cache.utterances[:3], "another corpus"),
        ([data.Utterance("e.wav", "x")], "no sound"),
    ):
        folder = tmp_path / "audio" if message == "no sound" else cache.folder
        sf.write(tmp_path / "e.wav", np.zeros(0), 16_000)
        with pytest.raises(ValueError, match=message):
            data.AudioCache.build(change, tmp_path, folder)


def test_losses_on_a_teacher_need_one(cache, tmp_path):
    choice = corpus.CopyConfig(speeds=(0,), perturbed=())
    made = corpus.sampler(corpus.Prepared(cache, [], [], tmp_path), None, choice, CropConfig())
    config = encoder.TrainConfig(net=NetConfig("conv_transformer", SMALL))
    with pytest.raises(ValueError, match="teacher"):
        encoder.train(config, made, tmp_path / "run.pt")


@pytest.mark.parametrize("n_columns", [0, 1, 5, 20, 21, 300])
def test_the_speech_mask_is_as_long_as_the_sound(rng, n_columns):
    assert len(speech_mask(rng.standard_normal((n_columns, 80)))) == n_columns


def test_the_losses_are_zero_for_a_perfect_student_only():
    teacher = torch.nn.functional.normalize(torch.randn(8, 16), dim=1)
    people = torch.arange(8)
    assert losses.distillation(teacher, teacher).item() == pytest.approx(0, abs=1e-6)
    assert losses.relational(-teacher, teacher).item() == pytest.approx(0, abs=1e-6)
    assert losses.distillation(-teacher, teacher).item() == pytest.approx(2, abs=1e-6)
    right = losses.contrastive(teacher, teacher, people, teacher, people)
    assert right < losses.contrastive(teacher.roll(1, 0), teacher, people, teacher, people)


def test_neither_the_same_speaker_nor_a_twin_is_a_negative():
    teacher = torch.eye(4)
    people = torch.arange(4)
    alone = losses.contrastive(teacher, teacher, people, teacher, people)
    twins = torch.cat((teacher, teacher + 0.01))
    torch.testing.assert_close(
        losses.contrastive(teacher, teacher, people, twins, torch.cat((people, people + 4))), alone
    )


class FrameNet(torch.nn.Module):
    """A teacher of the real one's shape: an embedding of 192 and 512 features every second column."""

    def __init__(self) -> None:
        super().__init__()
        self.frames, self.out = torch.nn.Linear(80, 512), torch.nn.Linear(512, 192)

    def forward(self, columns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        frames = self.frames(columns)[:, ::2].relu()
        return self.out(frames.mean(dim=1)), frames


def test_a_teacher_is_asked_once_and_its_frames_lie_where_the_columns_are(tmp_path, cache):
    folder, net = tmp_path / "teacher", FrameNet().eval()
    shapes = {"columns": {0: "batch", 1: "time"}}
    export.export(net, {"columns": torch.randn(1, 100, 80)}, ["embedding", "frames"], shapes, folder)
    export.write_manifest(
        folder,
        {
            "name": "teacher",
            "kind": "encoder",
            "version": "0",
            "inputs": {"columns": ["batch", "time", 80]},
            "outputs": {"embedding": ["batch", 192], "frames": ["batch", "frames", 512]},
            "settings": {"dim": 192, "features": "kaldi_fbank", "n_mels": 80, "mean": "window"},
        },
    )
    work = tmp_path / "work"
    prepared = corpus.Prepared(cache, [], [], work)
    work.mkdir()
    choice = corpus.CopyConfig(speeds=(0,), perturbed=())
    made = corpus.sampler(prepared, folder, choice, CropConfig(columns=(80,), chances=(1.0,)))
    batch = made.batch(6, np.random.default_rng(0))
    assert batch.targets.shape == (6, 192) and batch.frames.shape == (6, 19, 96)
    before = (work / "teacher_0.npy").stat().st_mtime_ns
    corpus.sampler(prepared, folder, choice, CropConfig())
    assert (work / "teacher_0.npy").stat().st_mtime_ns == before

    teacher = Teacher(folder, cache)
    parts = teacher.components(work / "components.npz")
    frames = (teacher.heard(3, 1.0)[1] - parts.mean) @ parts.weights
    found = made.copies[0].frames.at(3, np.array([2, 41, 100]))  # centred at 280, 6,520 and 15,960
    np.testing.assert_allclose(found, frames[[0, 20, 49]], atol=0.02)


def test_components_are_whitened_half_way(rng):
    frames = rng.standard_normal((4_000, 512)) * np.geomspace(10, 0.1, 512)
    found = principal(frames)
    variance = ((frames - found.mean) @ found.weights).var(axis=0)
    np.testing.assert_allclose(variance[:5], np.geomspace(10, 0.1, 512)[:5], rtol=0.1)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("config", SMALL_NETS[2:3] + SMALL_NETS[5:], ids=str)
def test_every_network_trains_on_its_own_features(tmp_path, cache, config, precision):
    sizes = build(config).config
    made = corpus.sampler(
        corpus.Prepared(cache, [], [], tmp_path),
        None,
        corpus.CopyConfig(speeds=(0,), perturbed=()),
        CropConfig(columns=(80,), chances=(1.0,), utterances_per_speaker=3),
        sizes.n_mels,
        sizes.in_channels == 3,
    )
    wanted = LossConfig(0.0, 0.0, 0.0, frames=0.0, ge2e=1.0)
    run = encoder.TrainConfig(config, losses=wanted, steps=2, batch=12, precision=precision, save_every=2)
    before = [p.detach().clone() for p in build(config).parameters()]
    net = encoder.train(run, made, tmp_path / "run.pt")
    assert all(torch.isfinite(p).all() for p in net.parameters())
    assert any((p != q).any() for p, q in zip(net.parameters(), before, strict=True))


@pytest.fixture
def toy(tmp_path, cache) -> list[str]:
    """A LibriSpeech-like folder, noise, trials, and the command line that trains the toy on them."""
    root, noise = tmp_path / "root", tmp_path / "noise"
    noise.mkdir()
    sf.write(noise / "hiss.wav", np.random.default_rng(0).standard_normal(32_000) * 0.1, 16_000)
    for i in range(12):
        path = root / f"{i // 3 + 10}" / "1" / f"{i // 3 + 10}-1-{i:04}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, cache.audio(i), 16_000)
    files = sorted(str(p.relative_to(root)) for p in root.glob("*/*/*"))
    pairs = [(a, b) for a in files for b in files if a < b]
    trials = tmp_path / "trials.txt"
    trials.write_text("\n".join(f"{int(a[:2] == b[:2])} {a} {b}" for a, b in pairs))
    arguments = {
        "--config": CONFIGS / "toy.toml",
        "--corpus": root,
        "--manifest": root,
        "--noise": noise,
        "--trials": trials,
        "--rooms": 2,
        "--work": tmp_path / "work",
        "--out": tmp_path / "toy",
    }
    return ["encoder", *(str(x) for pair in arguments.items() for x in pair)]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_configured_run_trains_exports_and_verifies(tmp_path, toy, speech, processes):
    """The command line, alone and under torchrun."""
    started = ["torch.distributed.run", "--nproc-per-node", "2", "-m"] if processes == 2 else []
    found = subprocess.run(
        [sys.executable, "-m", *started, "rt_models.training", *toy],
        cwd=DEMO.parents[2],
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    out = tmp_path / "toy"
    facts = json.loads((out / "training.json").read_text())
    assert facts["parity"] <= 1e-4 and len(facts["curve"]) == 3 and (out / "curves.png").exists()
    assert all(0 <= point["eer"] <= 100 for point in facts["curve"])
    crops_h = 60 * 12 * 0.8 / 3600
    assert facts["curve"][-1]["hours"] == pytest.approx(processes * crops_h)
    embedder = FileEmbedder(PipelineConfig(encoder=EncoderConfig(model=str(out))))
    assert embedder.embed(ArraySource(speech[:48_000])).shape == (32,)


@pytest.mark.parametrize("name", [p.name for p in CONFIGS.glob("*.toml")])
def test_every_shipped_configuration_can_be_read(name):
    config = read_settings(CONFIGS / name, encoder.TrainConfig)
    assert config.net.kind in NETS


def test_wrong_settings_are_all_named_at_once(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text('stepz = 3\nbatch = "many"\n[losses]\nge2e_kind = "hinge"\n')
    with pytest.raises(ConfigError, match=r"stepz.*batch: expected int.*'softmax' or 'contrast'"):
        read_settings(path, encoder.TrainConfig)
    path.write_text('[net]\nkind = "lstm"\nsizes = { hiden = 3 }')
    with pytest.raises(ConfigError, match=r"net\.sizes\.hiden"):
        read_settings(path, encoder.TrainConfig)


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
    with pytest.raises(ValueError, match="no such"):
        data.read_manifest(tmp_path / "nothing")
    lines.write_text("alone\n")
    with pytest.raises(ValueError, match="alone"):
        data.read_manifest(lines)


@pytest.mark.parametrize(
    "files",
    [
        ["84/121123/84-121123-0000.flac", "84/121550/84-121550-0001.flac", "174/50561/174-50561-0.flac"],
        ["wav/id10001/video/00001.wav", "wav/id10001/other/00001.wav", "wav/id10002/video/00001.wav"],
    ],
)
def test_librispeech_and_voxceleb_folders(tmp_path, files):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        sf.write(tmp_path / file, np.zeros(160), 16_000)
    (tmp_path / "README.TXT").write_text("not a sound")
    found = data.read_manifest(tmp_path)
    assert sorted(u.path for u in found) == sorted(files)
    speakers = {u.path: u.speaker for u in found}
    assert speakers[files[0]] == speakers[files[1]] != speakers[files[2]]


def test_the_exported_vad_keeps_its_state(tmp_path):
    from rt_models.export.vad import export_vad
    from rt_models.nets.vad import VadNet, VadNetConfig

    assert export_vad(VadNet(VadNetConfig()), tmp_path / "vad", "0") <= 1e-4
    assert Model(tmp_path / "vad").manifest.latency_samples == 8 * 320
