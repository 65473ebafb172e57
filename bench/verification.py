"""Equal error rate and detection cost of an encoder on a trial list, clean, in noise or in babble."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from bench import comparison
from bench.results import machine, save, table
from bench.sound import read_mono
from bench.trials import error_rates, read_beds, read_trials, with_babble, with_noise
from engine import (
    SAMPLE_RATE,
    ArraySource,
    FileEmbedder,
    PipelineConfig,
    read_config,
)


def scores(args: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of the target and of the non-target pairs."""
    labels, pairs = read_trials(args.trials)
    names = sorted({name for pair in pairs for name in pair})
    config = read_config(args.config) if args.config else PipelineConfig()
    if args.encoder:
        config = replace(config, encoder=replace(config.encoder, model=args.encoder[-1]))
    embedder, distort = FileEmbedder(config), _distortion(args)
    vectors = {}
    for name in tqdm(names, unit="file", disable=None):
        samples = read_mono(args.root / name)
        if distort:
            samples = distort(name, samples)
        if args.first_s:
            samples = samples[: int(args.first_s * SAMPLE_RATE)]
        vectors[name] = embedder.embed(ArraySource(samples))
    found = np.array([vectors[a] @ vectors[b] for a, b in pairs])
    return found[labels], found[~labels]


def _distortion(args: argparse.Namespace) -> Callable[[str, np.ndarray], np.ndarray] | None:
    if args.snr is None and args.babble is None:
        return None
    beds = read_beds(args.noise or args.trials.with_name(args.trials.stem + ".noise.tsv"))
    if args.babble is not None:
        return with_babble(args.root, beds, args.babble)
    return with_noise(args.root, beds, args.snr)


def measure(args: argparse.Namespace) -> None:
    """The `verification` command."""
    single = {"--config": args.config, "--snr": args.snr, "--babble": args.babble, "--first-s": args.first_s}
    several = {"--campplus": args.campplus, "--resemblyzer": args.resemblyzer, "--plot": args.plot}
    unfit = [name for name, value in (single if args.compare else several).items() if value]
    if unfit:
        raise SystemExit(f"{', '.join(unfit)}: not {'with' if args.compare else 'without'} --compare")
    if args.compare:
        comparison.measure(args)
        return
    targets, nontargets = scores(args)
    result = error_rates(targets, nontargets)
    condition = (
        "clean"
        if args.snr is None and args.babble is None
        else (f"babble {args.babble:g} dB" if args.babble is not None else f"noise {args.snr:g} dB")
    )
    if args.first_s:
        condition += f", first {args.first_s:g} s"
    print(
        table(
            ["trials", "condition", "EER %", "minDCF 0.05", "minDCF 0.01"],
            [[args.trials.stem, condition, *result.values()]],
        )
    )
    save(
        args.json,
        {
            "machine": machine(),
            "trials": args.trials.stem,
            "condition": condition,
            "first_s": args.first_s,
            "n_target": len(targets),
            "n_nontarget": len(nontargets),
            **result,
        },
    )
