"""Training runs from settings to a model that the engine loads: learning, resuming, refusing."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile as sf

from tests.conftest import ROOT
from voicelane import ArraySource, PipelineConfig
from voicelane.base import ConfigError, read_settings
from voicelane.config import EncoderConfig
from voicelane.profiles import FileEmbedder

torch = pytest.importorskip("torch")
pytest.importorskip("pyroomacoustics")

from tests.rt_models.toys import CONFIGS, SMALL  # noqa: E402
from voicelane.rt_models.nets.registry import NETS, NetConfig, build  # noqa: E402
from voicelane.rt_models.training import encoder, losses  # noqa: E402
from voicelane.rt_models.training.__main__ import main  # noqa: E402
from voicelane.rt_models.training.batches import CropSampler  # noqa: E402
from voicelane.rt_models.training.objective import LossConfig  # noqa: E402
from voicelane.rt_models.training.whitening import whiten  # noqa: E402

pytestmark = pytest.mark.torch


@pytest.mark.slow
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
    content = torch.load(tmp_path / "parts.pt", weights_only=True)
    assert set(content) == {"net", "objective", "optimiser", "config", "step", "curve"}
    assert content["config"] == dataclasses.asdict(config) and content["step"] == 90
    curve = content["curve"]
    assert [p["step"] for p in curve] == [30, 60, 90] and curve[2]["hours"] > curve[0]["hours"]


def distillation_of(net: torch.nn.Module, sampler: CropSampler) -> float:
    batch = sampler.batch(48, np.random.default_rng(99))
    with torch.inference_mode():
        found = net.eval()(torch.from_numpy(batch.columns))
        return float(losses.distillation(found, torch.from_numpy(batch.targets)))


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


def test_a_checkpoint_of_other_settings_is_refused(tmp_path, sampler):
    config = encoder.TrainConfig(net=NetConfig("conv_transformer", SMALL), steps=1, batch=4, save_every=1)
    encoder.train(config, sampler, tmp_path / "run.pt")
    with pytest.raises(ConfigError, match=r"run\.pt: belongs to a run with other settings \(net, batch\)"):
        encoder.train(
            dataclasses.replace(config, net=NetConfig("lstm"), batch=5), sampler, tmp_path / "run.pt"
        )


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, sampler):
    config = encoder.TrainConfig(net=NetConfig("conv_transformer", SMALL), steps=1, batch=4)
    torch.save(build(config.net).state_dict(), tmp_path / "run.pt")
    with pytest.raises(ConfigError, match=r"run\.pt: lacks config, curve, net, objective, optimiser, step"):
        encoder.train(config, sampler, tmp_path / "run.pt")


def test_a_new_run_begins_with_the_weights_of_another(tmp_path, sampler):
    config = encoder.TrainConfig(net=NetConfig("conv_transformer", SMALL), steps=0, batch=4)
    first = build(config.net)
    torch.save({"net": first.state_dict()}, tmp_path / "start.pt")
    net = encoder.train(config, sampler, tmp_path / "run.pt", start=tmp_path / "start.pt")
    torch.testing.assert_close(net.out.weight, first.out.weight)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("vad", "--teacher"),
        ("vad", "--device"),
        ("encoder", "--jobs"),
        ("encoder", "--seed"),
        ("calibrate", "--version"),
        ("demo", "--work"),
    ],
)
def test_an_option_that_a_command_does_not_use_is_refused(command, option, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--corpus", str(tmp_path), option, "1"])
    assert ended.value.code == 2 and f"unrecognized arguments: {option}" in capsys.readouterr().err


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
@pytest.mark.slow
def test_a_configured_run_trains_exports_and_verifies(tmp_path, toy, speech, processes):
    """The command line, alone and under torchrun."""
    started = ["torch.distributed.run", "--nproc-per-node", "2", "-m"] if processes == 2 else []
    found = subprocess.run(
        [sys.executable, "-m", *started, "voicelane.rt_models.training", *toy],
        cwd=ROOT,
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


def test_the_vad_is_trained_as_its_settings_say(tmp_path, toy):
    """The command line; what was simulated with other settings is refused."""
    settings = tmp_path / "vad.toml"
    settings.write_text("conversations = 2\nseconds = 6.0\nsteps = 3\nbatch = 2\nframes = 50\n")
    kept = {"--corpus", "--manifest", "--noise", "--rooms", "--work", "--out"}
    pairs = [(a, b) for a, b in zip(toy[1::2], toy[2::2], strict=True) if a in kept]
    options = ["vad", *(x for pair in pairs for x in pair), "--config", str(settings)]
    main(options)
    assert json.loads((tmp_path / "toy/training.json").read_text())["config"]["conversations"] == 2
    assert np.load(tmp_path / "work/vad.npz")["speech"].shape == (2, 300)
    settings.write_text(settings.read_text().replace("seconds = 6.0", "seconds = 7.0"))
    with pytest.raises(SystemExit, match=r"vad\.npz: was made with other settings \(seconds\)"):
        main(options)


OF_OTHERS = ("seed", "speakerdiff")
"""Beginnings of the names of settings that are not an encoder's."""


@pytest.mark.parametrize("name", [p.name for p in CONFIGS.glob("*.toml") if not p.name.startswith(OF_OTHERS)])
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
