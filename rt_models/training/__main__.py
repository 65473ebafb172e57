"""`python -m voicelane.rt_models.training COMMAND`: makes the models that the engine loads, and the demo."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import soundfile as sf
import torch
import torch.distributed as dist

from voicelane import VoicelaneError
from voicelane.base import read_settings
from voicelane.config import EncoderConfig
from voicelane.inference import find_model, read_manifest
from voicelane.rt_models.export.cleaner import export_cleaner
from voicelane.rt_models.export.conversion import export_conversion
from voicelane.rt_models.export.digits import export_digits, export_reader, export_two_decoders
from voicelane.rt_models.export.encoder import export_encoder
from voicelane.rt_models.export.keeper import export_keeper
from voicelane.rt_models.export.onnx import write_facts
from voicelane.rt_models.export.refiner import export_refiner
from voicelane.rt_models.export.seed import export_mlp, export_seed
from voicelane.rt_models.export.segmentation import export_segmentation
from voicelane.rt_models.export.vad import export_vad
from voicelane.rt_models.export.voices import export_voices
from voicelane.rt_models.nets.registry import build
from voicelane.rt_models.nets.seed import ResidualMlp
from voicelane.rt_models.training import (
    ablation,
    caches,
    cleaning,
    conversion,
    corpus,
    digits,
    keeping,
    people,
    refining,
    seed,
    segmentation,
    two_decoders,
    vad,
    voices,
)
from voicelane.rt_models.training.batches import CropConfig
from voicelane.rt_models.training.calibrate import calibrate_encoder, seeded
from voicelane.rt_models.training.calibration import CalibrationConfig
from voicelane.rt_models.training.checkpoint import curve_of
from voicelane.rt_models.training.curve import draw_curves
from voicelane.rt_models.training.demo import make_demo
from voicelane.rt_models.training.encoder import TrainConfig, train
from voicelane.rt_models.training.evaluate import TrialSet
from voicelane.rt_models.training.listener import Listener
from voicelane.rt_models.training.pairs import make_pairs
from voicelane.rt_models.training.restore import restore, restore_segmentation
from voicelane.rt_models.training.seed import EnhancerTrainConfig
from voicelane.rt_models.training.sessions import SessionConfig
from voicelane.rt_models.training.whitening import whiten
from voicelane.stages import load_encoder
from voicelane.voices import LANGUAGES

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


def join_processes(device: str) -> bool:
    """Under `torchrun` the group of all processes; whether this is the first one."""
    if "WORLD_SIZE" not in os.environ:
        return True
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "nccl" if device == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=timedelta(days=1))  # the others wait for the first one
    return dist.get_rank() == 0


def train_encoder(args: argparse.Namespace) -> None:
    """Train an encoder as `--config` says and export it."""
    config = read_settings(args.config, TrainConfig) if args.config else TrainConfig()
    name, first = args.name or config.net.kind, join_processes(args.device)
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
    record(net, folder, config, worst, checkpoint)


def train_vad(args: argparse.Namespace) -> None:
    """Train the voice activity network on simulated conversations and export it."""
    config = read_settings(args.config, vad.VadTrainConfig) if args.config else vad.VadTrainConfig()
    features, speech = vad.simulated(config, prepare(args), args.work / "vad.npz")
    checkpoint = args.work / "vad.pt"
    net = vad.train(config, features, speech, checkpoint, args.from_checkpoint)
    folder = args.out or ARTIFACTS / "vad"
    record(net, folder, config, export_vad(net, folder, args.version), checkpoint)


def train_segmentation(args: argparse.Namespace) -> None:
    """Train the network that tells who speaks when within a window, and export it."""
    kind = segmentation.SegmentationTrainConfig
    config = read_settings(args.config, kind) if args.config else kind()
    sampler = corpus.mixtures(prepare(args), config.mixtures, config.net.n_mels)
    checkpoint = args.work / "segmentation.pt"
    net = segmentation.train(config, sampler, checkpoint, args.from_checkpoint)
    folder = args.out or ARTIFACTS / "segmentation"
    record(net, folder, config, export_segmentation(net, folder, args.version), checkpoint)


def train_cleaner(args: argparse.Namespace) -> None:
    """Train the network that takes noise off sound, and export it."""
    kind = cleaning.CleanerTrainConfig
    config = read_settings(args.config, kind) if args.config else kind()
    checkpoint = args.work / "clean.pt"
    net = cleaning.train(config, prepare(args), checkpoint, args.from_checkpoint)
    folder = args.out or ARTIFACTS / "clean"
    record(net, folder, config, export_cleaner(net, folder, args.version), checkpoint)


def train_refiner(args: argparse.Namespace) -> None:
    """Train the network that refines what the cleaner made, by diffusion, and export it."""
    kind = refining.RefinerTrainConfig
    config = read_settings(args.config, kind) if args.config else kind()
    cleaner, checkpoint = find_model("clean", "cleaner"), args.work / "refine.pt"
    net = refining.train(config, refining.mixed(config, prepare(args), cleaner), checkpoint)
    folder = args.out or ARTIFACTS / "refine"
    worst = export_refiner(net, read_manifest(cleaner).sha256, folder, args.version)
    record(net, folder, config, worst, checkpoint)


def train_keeper(args: argparse.Namespace) -> None:
    """Train the network that keeps the voice of one person, known to an encoder, and export it."""
    kind = keeping.KeeperTrainConfig
    config = read_settings(args.config, kind) if args.config else kind()
    data, cleaner = prepare(args), find_model("clean", "cleaner")
    encoder = load_encoder(EncoderConfig(model=args.encoder))
    mixed = keeping.mixed(config, data, cleaner)
    lessons = keeping.Lessons(config, mixed, keeping.embedded(data, encoder, mixed.references))
    checkpoint = args.work / f"keep_{encoder.id[:12]}.pt"
    net = keeping.train(config, lessons, checkpoint, args.from_checkpoint)
    folder = args.out or ARTIFACTS / "keep"
    about = {"cleaner": read_manifest(cleaner).sha256, "encoder": encoder.name, "encoder_id": encoder.id}
    record(net, folder, config, export_keeper(net, about, folder, args.version), checkpoint)


def train_enhancers(args: argparse.Namespace) -> None:
    """Train SEED and the plain network for an encoder and export both."""
    config = read_settings(args.config, EnhancerTrainConfig) if args.config else EnhancerTrainConfig()
    config = replace(config, seed=args.seed)
    encoder = load_encoder(EncoderConfig(model=args.encoder))
    pairs = make_pairs(args.encoder, prepare(args), config.pairs, args.jobs, args.teacher)
    about = {"dim": encoder.dim, "encoder": encoder.name, "encoder_id": encoder.id}
    for method in seed.METHODS:
        checkpoint = args.work / f"{method}_{encoder.id[:12]}_{config.seed}.pt"
        net = seed.train(method, config, pairs, checkpoint)
        settings = about | {"confidence": seed.confidence(net, config, pairs)}
        folder = (args.out or ARTIFACTS) / f"{method}_{encoder.name}"
        record(net, folder, config, export_enhancer(net, config, settings, folder, args.version), checkpoint)


def train_voices(args: argparse.Namespace) -> None:
    """Train the network that draws voices in the space of an encoder and export it; the voices of the corpus
    stay in the work folder, for `python -m voicelane.bench voices`."""
    kind = voices.VoiceTrainConfig
    config = read_settings(args.config, kind) if args.config else kind()
    encoder = load_encoder(EncoderConfig(model=args.encoder))
    everybody = people.parted(people.gather(prepare(args), encoder))
    people.save(everybody, args.work / f"people_{encoder.id[:12]}.npz")
    vectors, pitch_hz = voices.voices_to_train(everybody, config)
    at, name = voices.directions(vectors, config.net.dim), args.name or f"voices_{encoder.name}"
    checkpoint = args.work / f"{name}.pt"
    net = voices.train(config, at.numbers(vectors), pitch_hz, checkpoint)
    settings = {"dim": vectors.shape[1], "encoder": encoder.name, "encoder_id": encoder.id}
    settings |= {"target": config.target, "schedule": config.schedule, "times": config.times}
    folder, space = args.out or ARTIFACTS / name, voices.space_of(at, vectors, pitch_hz)
    record(net, folder, config, export_voices(net, space, settings, folder, args.version), checkpoint)


def train_conversion(args: argparse.Namespace) -> None:
    """Train the network that says in one voice, of an encoder, what was said in another, and export it."""
    kind = conversion.ConversionTrainConfig
    config = read_settings(args.config, kind) if args.config else kind()
    encoder = load_encoder(EncoderConfig(model=args.encoder))
    drawing, name = conversion.drawing(config, prepare(args), encoder.name), args.name or "conversion"
    checkpoint = args.work / f"{name}_{encoder.id[:12]}.pt"
    net = conversion.train(config, drawing, Listener(args.encoder), checkpoint, args.from_checkpoint)
    folder = args.out or ARTIFACTS / name
    worst = export_conversion(net, encoder.name, encoder.id, folder, args.version)
    record(net, folder, config, worst, checkpoint)


def train_digits(args: argparse.Namespace) -> None:
    """Train the network that draws spoken digits, as `--config` says, and the one that reads them."""
    kind = digits.DigitsTrainConfig
    config = read_settings(args.config, kind) if args.config else kind()
    args.work.mkdir(parents=True, exist_ok=True)
    data, reading = digits.spoken(args.corpus, args.work), digits.ReaderTrainConfig()
    folders = [(args.out or ARTIFACTS) / name for name in ("digits", "digit_reader")]
    checkpoints = [args.work / f"{folder.name}.pt" for folder in folders]
    reader = digits.train_reader(reading, data, checkpoints[1])
    record(
        reader,
        folders[1],
        reading,
        export_reader(reader, LANGUAGES, folders[1], args.version),
        checkpoints[1],
    )
    net = digits.train_digits(config, data, checkpoints[0])
    worst = export_digits(net, digits.diffusion(config), LANGUAGES, folders[0], args.version)
    record(net, folders[0], config, worst, checkpoints[0])


def train_two_decoders(args: argparse.Namespace) -> None:
    """Train the network of two decoders on sequences of spoken digits, as `--config` says; it is not
    shipped."""
    kind = two_decoders.TwoDecodersTrainConfig
    config = read_settings(args.config, kind) if args.config else kind()
    args.work.mkdir(parents=True, exist_ok=True)
    folder = args.out or args.work / "two_decoders"
    checkpoint = args.work / f"{folder.name}.pt"
    net = two_decoders.train_two_decoders(config, digits.spoken(args.corpus, args.work), checkpoint)
    worst = export_two_decoders(net, LANGUAGES, folder, args.version)
    record(net, folder, config, worst, checkpoint)


def export_enhancer(
    net: seed.Enhancer, config: EnhancerTrainConfig, settings: dict[str, object], folder: Path, version: str
) -> float:
    """The model folder of either network; returns the largest difference to torch."""
    if isinstance(net, ResidualMlp):
        return export_mlp(net, config.raw_share, settings, folder, version)
    return export_seed(net, config.t0, config.steps, config.raw_share, settings, folder, version)


def record(net: torch.nn.Module, folder: Path, config: Any, worst: float, checkpoint: Path) -> None:
    """`training.json` and the curves beside an exported network; says what came out."""
    curve, parameters = curve_of(checkpoint), sum(p.numel() for p in net.parameters())
    facts = {"config": asdict(config), "parity": worst, "parameters": parameters, "curve": curve}
    write_facts(folder, facts)
    draw_curves(curve, folder / "curves.png")
    print(f"{folder}: {parameters / 1e6:.2f} M parameters, differs from torch by {worst:.1e}")


def calibrate_command(args: argparse.Namespace) -> None:
    """Fit what decisions are taken by to an encoder: its scale, and the calibration of verification."""
    sessions, trials = seeded(SessionConfig(), CalibrationConfig(), args.seed)
    if args.config:
        trials = replace(read_settings(args.config, CalibrationConfig), seed=args.seed)
    folder = args.out or find_model(args.encoder, "encoder")
    calibrate_encoder(args.encoder, prepare(args), folder, sessions, trials)
    print(f"{folder}: calibrated")


def run_ablations(args: argparse.Namespace) -> None:
    """Train the variations of the shipped encoder, all with the same small budget."""
    base = read_settings(args.config, TrainConfig) if args.config else TrainConfig()
    trials = args.trials or args.corpus / "trials/english.trials"
    ablation.measure(base, prepare(args), args.teacher, trials, args.corpus, args.name)


def restore_checkpoint(args: argparse.Namespace) -> None:
    """Make the checkpoint of an exported conv-transformer or segmentation network, to go on training it."""
    if args.segmentation:
        args.work.mkdir(parents=True, exist_ok=True)
        checkpoint = args.work / "segmentation_start.pt"
        worst = restore_segmentation(find_model(args.segmentation, "segmentation"), checkpoint)
        print(f"{checkpoint}: differs by {worst:.1e}; go on from it with --from-checkpoint")
        return
    drawn = corpus.sampler(prepare(args), None, corpus.CopyConfig((0,), ()), CropConfig())
    checkpoint = args.work / f"{Path(args.encoder).name}_start.pt"
    worst = restore(find_model(args.encoder, "encoder"), drawn, checkpoint)
    print(f"{checkpoint}: differs by {worst:.1e}; go on from it with --from-checkpoint")


def train_demo(args: argparse.Namespace) -> None:
    """Make the conversation that the engine bundles."""
    make_demo(args.corpus, Path(__file__).parents[2] / "engine/demo/conversation")


def adopt_caches(args: argparse.Namespace) -> None:
    """Take caches of an earlier version, which do not say how they were made, for the wanted ones."""
    for path in caches.adopt(args.work):
        print(f"{path}: taken for what the next command wants")


OPTIONS: dict[str, dict[str, Any]] = {
    "--corpus": {"type": Path, "required": True, "help": "folder that the manifest's paths start at"},
    "--manifest": {
        "type": Path,
        "help": "TSV, `<speaker> <path>` lines, or a LibriSpeech or VoxCeleb folder (default: manifest.tsv)",
    },
    "--noise": {"type": Path, "help": "folder of noise recordings (default: noise/train)"},
    "--rooms": {"type": int, "default": corpus.N_ROOMS, "help": "rooms to simulate"},
    "--every": {"type": int, "default": 1, "help": "take every n-th speaker, for quick runs"},
    "--work": {"type": Path, "default": Path("work"), "help": "folder for caches and checkpoints"},
    "--trials": {"type": Path, "help": "dev trials for the EER (default: english.trials)"},
    "--teacher": {
        "type": Path,
        "help": "CAM++ as a model folder, made by `python -m voicelane.rt_models.export campplus`, or an "
        "encoder of ours by name",
    },
    "--encoder": {"default": "conv_transformer", "help": "the encoder, by name or model folder"},
    "--segmentation": {"help": "a segmentation network instead of an encoder, by name or model folder"},
    "--seed": {"type": int, "default": 0, "help": "of all that is drawn"},
    "--jobs": {"type": int, "default": 1, "help": "processes that embed the pairs"},
    "--config": {"type": Path, "help": "TOML, as those of rt_models/training/configs"},
    "--name": {"help": "of the model (default: the kind of network), or of one ablation"},
    "--from-checkpoint": {"type": Path, "help": "of another run, whose weights a new run begins with"},
    "--out": {"type": Path, "help": "model folder (default: among rt_models/artifacts)"},
    "--device": {"choices": ["cpu", "cuda"], "default": "cpu"},
    "--threads": {"type": int, "default": 1},
    "--version": {"default": "1", "help": "written into the manifest"},
}
MATERIAL = ("--corpus", "--manifest", "--noise", "--rooms", "--every", "--work", "--config", "--threads")
MODEL = ("--out", "--version")


class Command(NamedTuple):
    """What is run, and the options that it takes; every other one is refused."""

    run: Callable[[argparse.Namespace], None]
    options: tuple[str, ...]


COMMANDS = {
    "encoder": Command(
        train_encoder,
        (*MATERIAL, *MODEL, "--trials", "--teacher", "--name", "--from-checkpoint", "--device"),
    ),
    "segmentation": Command(train_segmentation, (*MATERIAL, *MODEL, "--from-checkpoint")),
    "seed": Command(train_enhancers, (*MATERIAL, *MODEL, "--teacher", "--encoder", "--seed", "--jobs")),
    "vad": Command(train_vad, (*MATERIAL, *MODEL, "--from-checkpoint")),
    "voices": Command(train_voices, (*MATERIAL, *MODEL, "--encoder", "--name")),
    "conversion": Command(train_conversion, (*MATERIAL, *MODEL, "--encoder", "--name", "--from-checkpoint")),
    "clean": Command(train_cleaner, (*MATERIAL, *MODEL, "--from-checkpoint")),
    "refine": Command(train_refiner, (*MATERIAL, *MODEL)),
    "keep": Command(train_keeper, (*MATERIAL, *MODEL, "--encoder", "--from-checkpoint")),
    "digits": Command(train_digits, ("--corpus", "--work", "--config", "--threads", *MODEL)),
    "two-decoders": Command(train_two_decoders, ("--corpus", "--work", "--config", "--threads", *MODEL)),
    "calibrate": Command(calibrate_command, (*MATERIAL, "--out", "--encoder", "--seed")),
    "ablation": Command(run_ablations, (*MATERIAL, "--trials", "--teacher", "--name")),
    "restore": Command(restore_checkpoint, (*MATERIAL, "--encoder", "--segmentation")),
    "demo": Command(train_demo, ("--corpus",)),
    "adopt": Command(adopt_caches, ("--work",)),
}


def parser() -> argparse.ArgumentParser:
    """One for each command."""
    top = argparse.ArgumentParser(prog="python -m voicelane.rt_models.training", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        text = command.run.__doc__
        own = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        for option in command.options:
            own.add_argument(option, **OPTIONS[option])
        own.set_defaults(run=command.run)
    return top


def main(argv: list[str] | None = None) -> None:
    args = parser().parse_args(argv)
    torch.set_num_threads(vars(args).get("threads", 1))
    try:
        args.run(args)
    except (VoicelaneError, OSError, ValueError, sf.LibsndfileError) as problem:
        raise SystemExit(f"error: {problem}") from None


if __name__ == "__main__":
    main()
