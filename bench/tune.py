"""Search of the diariser's settings on a folder of sound and RTTM files, with an honest estimate of the gain.

All files are cut and embedded once; only the last stage runs per trial. The trials are drawn evenly
(quasi-Monte Carlo), not where earlier ones did well, so that one table of trials × files serves every fold of
the cross-validation: the best settings on the other folds are judged on the files that they have not seen.
"""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from tqdm import tqdm

from bench.results import machine, save, table
from bench.sound import audio_files, read_mono, read_reference
from engine import (
    Pipeline,
    PipelineConfig,
    Turn,
    diarisation_error,
    final_turns,
    read_config,
    seconds,
)

RANGES = {
    "new_speaker": (0.05, 0.3),
    "update": (0.25, 0.5),
    "agreement": (0.2, 0.45),
    "enough_s": (0.8, 2.0),
    "continuity": (0.0, 0.15),
    "speech": (0.2, 0.6),
    "overlap": (0.3, 0.8),
    "acoustic": (0.2, 0.6),
    "speaker": (4.0, 16.0),
}


def settings(config: PipelineConfig, values: dict[str, float]) -> PipelineConfig:
    """`config` with new values of the diariser and of the re-clustering."""

    def changed(part: Any) -> Any:
        names = {f.name for f in fields(part)}
        return replace(part, **{k: v for k, v in values.items() if k in names})

    return replace(config, diariser=changed(config.diariser), reclustering=changed(config.reclustering))


class Files:
    """Recordings cut once, with their references."""

    def __init__(self, pipeline: Pipeline, folder: Path, references: Path) -> None:
        self._pipeline, paths = pipeline, audio_files(folder)
        self.names = [p.stem for p in paths]
        self._references = [read_reference(references / f"{p.stem}.rttm") for p in paths]
        heard = tqdm(paths, desc="listening", unit="file", disable=None)
        self._items = [pipeline.split(read_mono(p)) for p in heard]
        self.speech_s = np.array([sum(t.end - t.start for t in r) for r in self._references])

    def errors(self, config: PipelineConfig) -> np.ndarray:
        """DER in percent (n_files, 2): as emitted, and final."""
        found = []
        for items, reference in zip(self._items, self._references, strict=True):
            diariser = self._pipeline.diariser(config.diariser, config.reclustering)
            events = diariser.process(items) + diariser.flush()
            found.append(
                [
                    100 * diarisation_error(reference, _turns(events, revised)).rate
                    for revised in (False, True)
                ]
            )
        return np.array(found)


def _turns(events: list[Any], revised: bool) -> list[Turn]:
    return [Turn(t.speaker, seconds(t.start), seconds(t.end)) for t in final_turns(events, revised)]


def draw(n_trials: int, seed: int) -> list[dict[str, float]]:
    """Settings spread evenly over `RANGES` (Sobol sequence)."""
    study = optuna.create_study(sampler=optuna.samplers.QMCSampler(scramble=True, seed=seed))
    found = []
    for _ in range(n_trials):
        trial = study.ask({k: optuna.distributions.FloatDistribution(*r) for k, r in RANGES.items()})
        found.append({k: round(v, 4) for k, v in trial.params.items()})
        study.tell(trial, 0.0)
    return found


def cross_validated(cost: np.ndarray, weight: np.ndarray, n_folds: int) -> float:
    """Mean cost by `weight` (n_files,) of each file, from (n_trials, n_files), with the trial that is best on
    the other folds."""
    fold = np.arange(cost.shape[1]) % n_folds
    held_out = np.zeros(cost.shape[1])
    for k in range(n_folds):
        others = fold != k
        best = int(np.argmin(cost[:, others] @ weight[others]))
        held_out[~others] = cost[best, ~others]
    return float(held_out @ weight)


def measure(args: argparse.Namespace) -> None:
    """The `tune` command."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    config = read_config(args.config) if args.config else PipelineConfig()
    files = Files(Pipeline(config), args.audio, args.reference or args.audio)
    trials = draw(args.trials, args.seed)
    before = files.errors(config)
    trying = tqdm(trials, desc="trying", unit="setting", disable=None)
    tried = np.stack([before, *(files.errors(settings(config, values)) for values in trying)])
    cost, weight = tried.mean(axis=2), files.speech_s / files.speech_s.sum()
    best = int(np.argmin(cost @ weight))
    honest = cross_validated(cost, weight, min(args.folds, len(files.names)))
    rows = {"before": before.T @ weight, "best, on the files it was chosen by": tried[best].T @ weight}
    header = ["settings", "DER as emitted", "DER final", "mean"]
    print(
        table(header, [[name, *r.round(2).tolist(), round(float(r.mean()), 2)] for name, r in rows.items()])
    )
    print(f"\nmean on files that the settings were not chosen by ({args.folds} folds): {honest:.2f}")
    chosen = trials[best - 1] if best else {}
    if args.out:
        args.out.write_text(settings(config, chosen).to_toml(), encoding="utf-8")
        print(f"{args.out}: written; use it with --config")
    content = {"machine": machine(), "audio": args.audio.name, "trials": args.trials, "chosen": chosen}
    save(args.json, content | {k: r.round(3).tolist() for k, r in rows.items()} | {"cross_validated": honest})
