"""Equal error rate and detection cost of an encoder on a trial list, clean, in noise or in babble."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from bench.results import machine, save, table
from bench.sound import add_noise, read_mono
from engine import (
    SAMPLE_RATE,
    ArraySource,
    FileEmbedder,
    PipelineConfig,
    equal_error_rate,
    minimum_detection_cost,
    read_config,
)


@dataclass(frozen=True)
class Bed:
    """What lies under one file: a noise clip from an offset on, or other voices."""

    noise: str
    offset_s: float
    babble: list[str]


def read_trials(path: Path) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Labels (n,) and pairs of files of a `1|0 file file` list."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return np.array([r[0] == "1" for r in rows]), [(r[1], r[2]) for r in rows]


def read_beds(path: Path) -> dict[str, Bed]:
    """The fixed noise of every file, from a TSV of file, noise, offset_s, babble."""
    rows = [line.split("\t") for line in path.read_text().splitlines()[1:]]
    return {r[0]: Bed(r[1], float(r[2]), r[3].split(",")) for r in rows}


def with_noise(root: Path, beds: dict[str, Bed], snr_db: float) -> Callable[[str, np.ndarray], np.ndarray]:
    """Each file over its own noise clip."""

    def heard(name: str, samples: np.ndarray) -> np.ndarray:
        noise = read_mono(root / beds[name].noise)
        return add_noise(samples, np.roll(noise, -round(beds[name].offset_s * SAMPLE_RATE)), snr_db)

    return heard


def with_babble(root: Path, beds: dict[str, Bed], snr_db: float) -> Callable[[str, np.ndarray], np.ndarray]:
    """Each file over the sum of its babble files, each looped."""

    def heard(name: str, samples: np.ndarray) -> np.ndarray:
        voices = [np.resize(read_mono(root / b), len(samples)) for b in beds[name].babble]
        return add_noise(samples, np.sum(voices, axis=0), snr_db)

    return heard


def scores(args: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of the target and of the non-target pairs."""
    labels, pairs = read_trials(args.trials)
    names = sorted({name for pair in pairs for name in pair})
    config = read_config(args.config) if args.config else PipelineConfig()
    if args.encoder:
        config = replace(config, encoder=replace(config.encoder, model=args.encoder))
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
    targets, nontargets = scores(args)
    result = {
        "eer": round(100 * equal_error_rate(targets, nontargets), 3),
        "min_dcf_p05": round(minimum_detection_cost(targets, nontargets, 0.05), 4),
        "min_dcf_p01": round(minimum_detection_cost(targets, nontargets, 0.01), 4),
    }
    condition = (
        "clean"
        if args.snr is None and args.babble is None
        else (f"babble {args.babble:g} dB" if args.babble is not None else f"noise {args.snr:g} dB")
    )
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
