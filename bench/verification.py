"""Equal error rate, detection and calibration cost of an encoder on a trial list, clean or disturbed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from voicelane import SAMPLE_RATE, ArraySource, Enroller, PipelineConfig, read_config
from voicelane.base import AudioError, ModelError
from voicelane.bench import comparison
from voicelane.bench.options import CORPUS, add_command, add_config
from voicelane.bench.results import Result, Table, table
from voicelane.bench.sound import read_mono
from voicelane.bench.trials import (
    error_rates,
    evidence_costs,
    read_beds,
    read_trials,
    with_babble,
    with_noise,
)
from voicelane.profiles import FileEmbedder, Recording
from voicelane.stages import Calibration, find_calibration

NO_EVIDENCE = {"cllr": None, "min_cllr": None, "false_accepts": None, "false_rejects": None}


def add(commands: Any) -> None:
    """The `verification` command."""
    text = "EER, minDCF and Cllr of the encoder on a trial list"
    command = add_command(commands, "verification", measure, text)
    add_config(command)
    add = command.add_argument
    add("--trials", type=Path, default=CORPUS / "trials/english.trials", help="lines of `1|0 file file`")
    add("--root", type=Path, default=CORPUS, help="folder that the files are below")
    add("--noise", type=Path, help="TSV that fixes the noise (default: <trials>.noise.tsv)")
    add("--snr", type=float, help="dB of the noise clip")
    add("--babble", type=float, help="dB of the babble, instead of noise")
    add("--first-s", type=float, help="only the first seconds of each file")
    add("--every", type=int, default=1, help="only the trials between every n-th file, for quick runs")
    add("--encoder", action="append", help="name or folder of an encoder (with --compare: once for each)")
    comparison.add_options(command)


class Trials:
    """The trials of the command line: pairs of files, and each file as it is heard."""

    def __init__(self, args: argparse.Namespace) -> None:
        labels, pairs = read_trials(args.trials)
        kept = set(sorted({name for pair in pairs for name in pair})[:: args.every])
        chosen = np.array([a in kept and b in kept for a, b in pairs])
        self.labels, self.pairs = labels[chosen], [p for p, c in zip(pairs, chosen, strict=True) if c]
        self._args, self._distort = args, _distortion(args)

    def sounds(self, what: str) -> Iterator[tuple[str, ArraySource]]:
        """Every file once, by name."""
        names = sorted({name for pair in self.pairs for name in pair})
        for name in tqdm(names, desc=what, unit="file", disable=None):
            samples = read_mono(self._args.root / name)
            if self._distort:
                samples = self._distort(name, samples)
            if self._args.first_s:
                samples = samples[: int(self._args.first_s * SAMPLE_RATE)]
            yield name, ArraySource(samples)

    def split(self, values: list[float]) -> tuple[np.ndarray, np.ndarray]:
        """Those of target and of non-target pairs."""
        found = np.array(values)
        return found[self.labels], found[~self.labels]


def scores(trials: Trials, config: PipelineConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of the target and of the non-target pairs."""
    embedder = FileEmbedder(config)
    vectors = {name: embedder.embed(sound) for name, sound in trials.sounds("cosines")}
    return trials.split([float(vectors[a] @ vectors[b]) for a, b in trials.pairs])


def evidence(
    trials: Trials, enroller: Enroller, calibration: Calibration
) -> tuple[np.ndarray, np.ndarray, int]:
    """Log-likelihood ratios of the target and of the non-target pairs, the first file enrolled and the second
    heard, as `voicelane verify` gives them; and the number of files without speech, which say nothing (0)."""
    heard: dict[str, Recording | None] = {}
    for name, sound in trials.sounds("evidence"):
        try:
            heard[name] = enroller.listen(sound).recording
        except AudioError:
            heard[name] = None
    ratios = [_ratio(heard[a], heard[b], calibration) for a, b in trials.pairs]
    return *trials.split(ratios), sum(r is None for r in heard.values())


def _ratio(enrolled: Recording | None, heard: Recording | None, calibration: Calibration) -> float:
    if enrolled is None or heard is None:
        return 0.0
    return calibration.compare(enrolled.embedding, heard.embedding, heard.speech_s).llr


def _evidence_costs(trials: Trials, config: PipelineConfig) -> dict[str, Any]:
    """The `evidence_costs`, all None where the encoder is not calibrated for the settings."""
    try:
        enroller = Enroller(config)
        calibration = find_calibration(config.encoder.model, enroller.space)
    except ModelError as problem:
        print(f"no calibration cost: {problem}", file=sys.stderr)
        return {**NO_EVIDENCE, "n_unheard": None}
    targets, nontargets, n_unheard = evidence(trials, enroller, calibration)
    return {**evidence_costs(targets, nontargets, calibration.thresholds), "n_unheard": n_unheard}


def _distortion(args: argparse.Namespace) -> Callable[[str, np.ndarray], np.ndarray] | None:
    if args.snr is None and args.babble is None:
        return None
    beds = read_beds(args.noise or args.trials.with_name(args.trials.stem + ".noise.tsv"))
    if args.babble is not None:
        return with_babble(args.root, beds, args.babble)
    return with_noise(args.root, beds, args.snr)


def _config(args: argparse.Namespace) -> PipelineConfig:
    config = read_config(args.config) if args.config else PipelineConfig()
    if args.encoder:
        config = replace(config, encoder=replace(config.encoder, model=args.encoder[-1]))
    return config


def _condition(args: argparse.Namespace) -> str:
    if args.babble is not None:
        condition = f"babble {args.babble:g} dB"
    else:
        condition = "clean" if args.snr is None else f"noise {args.snr:g} dB"
    return condition + (f", first {args.first_s:g} s" if args.first_s else "")


def _check_options(args: argparse.Namespace) -> None:
    single = {
        "--config": args.config,
        "--snr": args.snr,
        "--babble": args.babble,
        "--first-s": args.first_s,
        "--every": args.every > 1,
    }
    several = {"--campplus": args.campplus, "--resemblyzer": args.resemblyzer, "--plot": args.plot}
    unfit = [name for name, value in (single if args.compare else several).items() if value]
    if unfit:
        raise SystemExit(f"{', '.join(unfit)}: not {'with' if args.compare else 'without'} --compare")


def measure(args: argparse.Namespace) -> Result:
    """Error rates on the trial list, and what the evidence costs where the encoder is calibrated."""
    _check_options(args)
    if args.compare:
        return comparison.measure(args)
    trials, config = Trials(args), _config(args)
    targets, nontargets = scores(trials, config)
    about = {"trials": args.trials.stem, "condition": _condition(args)}
    about |= {"first_s": args.first_s, "every": args.every}
    counts = {"n_target": len(targets), "n_nontarget": len(nontargets)}
    rates, costs = error_rates(targets, nontargets), _evidence_costs(trials, config)
    content = {**about, **counts, **rates, **costs}
    return Result(content, tables(content))


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """One row, and what happens at each threshold."""
    columns = {"trials": "trials", "condition": "condition", "eer": "EER %", "min_dcf_p05": "minDCF 0.05"}
    columns |= {"min_dcf_p01": "minDCF 0.01", "cllr": "Cllr", "min_cllr": "minCllr"}
    notes = [
        f"at the threshold for {rate} % false accepts: {measured} % {what.replace('_', ' ')}"
        for what in ("false_accepts", "false_rejects")
        for rate, measured in (found[what] or {}).items()
    ]
    return (table(list(columns.values()), [[found[k] for k in columns]], "", *notes),)
