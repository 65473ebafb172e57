"""`python -m rt_models.training COMMAND`: makes the models that the engine loads, and the demo."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np
import soundfile as sf
import torch
import torch.distributed as dist

from engine import EncoderConfig, PipelineConfig, VoicelaneError, find_model, load_encoder, read_settings
from rt_models.export.encoder import export_encoder
from rt_models.export.onnx import record_files, write_facts
from rt_models.export.seed import export_mlp, export_seed
from rt_models.export.segmentation import export_segmentation
from rt_models.export.vad import export_vad
from rt_models.nets.registry import build
from rt_models.training import ablation, corpus, seed, segmentation, vad
from rt_models.training.calibration import CalibrationConfig, calibrate, write_calibration
from rt_models.training.demo import make_demo
from rt_models.training.encoder import TrainConfig, draw_curves, train
from rt_models.training.evaluate import TrialSet
from rt_models.training.pairs import PairConfig, make_pairs
from rt_models.training.plda import fit_plda
from rt_models.training.seed import EnhancerTrainConfig
from rt_models.training.whitening import whiten

ARTIFACTS = Path(__file__).parents[1] / "artifacts"


def prepare(args: argparse.Namespace) -> corpus.Prepared:
    """The corpus of the command line, decoded once; under `torchrun` the first process does it."""
    return corpus.prepare(
        args.manifest or args.corpus / "manifest.tsv",
        args.corpus,
        args.noise or args.corpus / "noise/train",
        args.work,
        args.rooms,
        args.every,
    )


def train_encoder(args: argparse.Namespace) -> None:
    """Train an encoder as `--config` says and export it."""
    config = read_settings(args.config, TrainConfig) if args.config else TrainConfig()
    name = args.name or config.net.kind
    first = not dist.is_initialized() or dist.get_rank() == 0
    if not first:
        dist.barrier()  # the first process fills the work folder
    sizes = build(config.net).config
    sampler = corpus.sampler(
        prepare(args), args.teacher, config.copies, config.crops, sizes.n_mels, sizes.in_channels == 3
    )
    checkpoint = args.work / f"{name}.pt"
    run = partial(train, config, sampler, checkpoint, start=args.from_checkpoint, device=args.device)
    if not first:
        run()
        return
    if dist.is_initialized():
        dist.barrier()
    trials = args.trials or args.corpus / "trials/english.trials"
    dev = TrialSet(trials, args.corpus, sampler.prior, sizes.n_mels) if trials.exists() else None
    net = run(evaluate=dev.error_rate if dev else None)
    if config.whitening:
        whiten(net, sampler, config.whitening)
    folder = args.out or ARTIFACTS / name
    worst = export_encoder(net.cpu(), sampler.prior, folder, args.version)
    curve = torch.load(checkpoint, map_location="cpu", weights_only=True)["curve"]
    parameters = sum(p.numel() for p in net.parameters())
    facts = {"config": asdict(config), "parity": worst, "parameters": parameters, "curve": curve}
    write_facts(folder, facts)
    draw_curves(curve, folder / "curves.png")
    print(f"{folder}: {parameters / 1e6:.2f} M parameters, differs from torch by {worst:.1e}")


def train_vad(args: argparse.Namespace) -> None:
    """Train the voice activity network on simulated conversations and export it."""
    config = vad.VadTrainConfig()
    data = prepare(args)
    net = vad.train(config, *vad.simulated(config, data, args.work / "vad.npz"), args.work / "vad.pt")
    export_vad(net, args.out or ARTIFACTS / "vad", args.version)


def train_segmentation(args: argparse.Namespace) -> None:
    """Train the network that tells who speaks when within a window, and export it."""
    config = segmentation.SegmentationTrainConfig()
    config = read_settings(args.config, type(config)) if args.config else config
    sampler = corpus.mixtures(prepare(args), config.mixtures, config.net.n_mels)
    checkpoint = args.work / "segmentation.pt"
    net = segmentation.train(config, sampler, checkpoint, args.from_checkpoint)
    folder = args.out or ARTIFACTS / "segmentation"
    worst = export_segmentation(net, folder, args.version)
    curve = torch.load(checkpoint, weights_only=True)["curve"]
    parameters = sum(p.numel() for p in net.parameters())
    facts = {"config": asdict(config), "parity": worst, "parameters": parameters}
    write_facts(folder, facts | {"curve": [round(x, 4) for x in curve[:: config.keep_every]]})
    print(f"{folder}: {parameters / 1e6:.2f} M parameters, differs from torch by {worst:.1e}")


def train_enhancers(args: argparse.Namespace) -> None:
    """Train SEED and the plain network for an encoder and export both."""
    config = read_settings(args.config, EnhancerTrainConfig) if args.config else EnhancerTrainConfig()
    config = replace(config, seed=args.seed)
    encoder = load_encoder(EncoderConfig(model=args.encoder))
    pairs = make_pairs(args.encoder, prepare(args), config.pairs, args.jobs, args.teacher)
    for method in ("seed", "mlp"):
        net = seed.train(method, config, pairs)
        settings = {
            "dim": encoder.dim,
            "encoder": encoder.name,
            "encoder_id": encoder.id,
            "confidence": seed.confidence(net, config, pairs),
        }
        folder = (args.out or ARTIFACTS) / f"{method}_{encoder.name}"
        if method == "seed":
            worst = export_seed(
                net, config.t0, config.steps, config.raw_share, settings, folder, args.version
            )
        else:
            worst = export_mlp(net, config.raw_share, settings, folder, args.version)
        parameters = sum(p.numel() for p in net.parameters())
        write_facts(folder, {"config": asdict(config), "parity": worst, "parameters": parameters})
        print(f"{folder}: {parameters / 1e6:.2f} M parameters, differs from torch by {worst:.1e}")


def train_plda(args: argparse.Namespace) -> None:
    """Fit the model of voices that the diariser clusters by."""
    config = read_settings(args.config, PairConfig) if args.config else PairConfig()
    encoder, data = load_encoder(EncoderConfig(model=args.encoder)), prepare(args)
    speakers = [u.speaker for u in data.cache.utterances]
    fitted = fit_plda(make_pairs(args.encoder, data, config, args.jobs), speakers)
    path = (args.out or find_model(args.encoder, "encoder")) / "plda.npz"
    np.savez_compressed(path, encoder_id=encoder.id, **fitted)
    record_files(path.parent, path.name)
    print(f"{path}: between people {fitted['between'][:3].round(2).tolist()} … times within one")


def calibrate_encoder(args: argparse.Namespace) -> None:
    """Fit the scores of an encoder, without an enhancer, to log-likelihood ratios."""
    options = read_settings(args.config, CalibrationConfig) if args.config else CalibrationConfig()
    folder = args.out or find_model(args.encoder, "encoder")
    config = PipelineConfig(encoder=EncoderConfig(model=args.encoder))
    content, cohort = calibrate(config, prepare(args), replace(options, seed=args.seed))
    write_calibration(content, cohort, folder)
    print(f"{folder}: {content}, {len(cohort)} voices in the cohort")


def run_ablations(args: argparse.Namespace) -> None:
    """Train the variations of the shipped encoder, all with the same small budget."""
    base = read_settings(args.config, TrainConfig) if args.config else TrainConfig()
    trials = args.trials or args.corpus / "trials/english.trials"
    ablation.measure(base, prepare(args), args.teacher, trials, args.corpus, args.name)


def train_demo(args: argparse.Namespace) -> None:
    """Make the conversation that the engine bundles."""
    make_demo(args.corpus, Path(__file__).parents[2] / "engine/demo/conversation")


def main(argv: list[str] | None = None) -> None:
    top = argparse.ArgumentParser(prog="python -m rt_models.training", description=__doc__)
    top.add_argument(
        "command",
        choices=["encoder", "segmentation", "seed", "vad", "plda", "calibration", "ablation", "demo"],
    )
    top.add_argument("--corpus", type=Path, required=True, help="folder that the manifest's paths start at")
    top.add_argument(
        "--manifest",
        type=Path,
        help="TSV, `<speaker> <path>` lines, or a LibriSpeech or VoxCeleb folder (default: manifest.tsv)",
    )
    top.add_argument("--noise", type=Path, help="folder of noise recordings (default: noise/train)")
    top.add_argument("--rooms", type=int, default=corpus.N_ROOMS, help="rooms to simulate")
    top.add_argument("--every", type=int, default=1, help="take every n-th speaker, for quick runs")
    top.add_argument("--trials", type=Path, help="dev trials for the EER curve (default: english.trials)")
    top.add_argument("--work", type=Path, default=Path("work"), help="folder for caches and checkpoints")
    top.add_argument(
        "--teacher", type=Path, help="CAM++ as a model folder, made by `python -m rt_models.export campplus`"
    )
    top.add_argument(
        "--encoder",
        default="conv_transformer",
        help="for `seed`, `plda`, `calibration`: the encoder, by name or model folder",
    )
    top.add_argument("--seed", type=int, default=0, help="for `seed`, `calibration`: of all that is drawn")
    top.add_argument("--jobs", type=int, default=1, help="for `seed`, `plda`: processes that embed the pairs")
    top.add_argument("--config", type=Path, help="TOML of rt_models/training/configs")
    top.add_argument("--name", help="of the model (default: the kind of network), or of one ablation")
    top.add_argument(
        "--from-checkpoint", type=Path, help="checkpoint of another run, whose weights a new run begins with"
    )
    top.add_argument("--out", type=Path, help="model folder (default: rt_models/artifacts/NAME)")
    top.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    top.add_argument("--threads", type=int, default=1)
    top.add_argument("--version", default="1", help="written into the manifest")
    args = top.parse_args(argv)
    torch.set_num_threads(args.threads)
    if "WORLD_SIZE" in os.environ:  # started by torchrun
        if args.device == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        backend = "nccl" if args.device == "cuda" else "gloo"
        dist.init_process_group(backend, timeout=timedelta(days=1))  # the others wait for the first one
    command = {
        "encoder": train_encoder,
        "segmentation": train_segmentation,
        "seed": train_enhancers,
        "vad": train_vad,
        "plda": train_plda,
        "calibration": calibrate_encoder,
        "ablation": run_ablations,
        "demo": train_demo,
    }
    try:
        command[args.command](args)
    except (VoicelaneError, OSError, ValueError, sf.LibsndfileError) as problem:
        raise SystemExit(f"error: {problem}") from None


if __name__ == "__main__":
    main()
