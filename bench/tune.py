"""Search of the diariser's settings on a folder of sound and RTTM files, with an honest estimate of the gain.

All files are cut and embedded once; only the last stage runs per trial. The trials are drawn evenly
(quasi-Monte Carlo), not where earlier ones did well, so that one table of trials × files serves every fold of
the cross-validation: the best settings on the other folds are judged on the files that they have not seen.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from voicelane import Pipeline, PipelineConfig, diarisation_error, read_config
from voicelane.bench.diarisation import turns_of
from voicelane.bench.options import add_command, add_config, add_conversations
from voicelane.bench.results import Result, Table, table
from voicelane.bench.sound import audio_files, read_mono, read_reference

RANGES = {
    "new_speaker_llr": (-2.0, 2.0),
    "update_llr": (0.0, 3.0),
    "agreement_llr": (-1.0, 2.0),
    "enough_s": (0.8, 2.0),
    "continuity_llr": (0.0, 2.0),
    "speech_people": (0.2, 0.6),
    "overlap_people": (0.3, 0.8),
    "ahc_llr": (0.5, 4.0),
    "fa": (0.1, 0.6),
    "fb": (1.0, 12.0),
    "little_s": (2.0, 8.0),
    "same_llr": (-2.0, 3.0),
}
BEFORE, BEST = "before", "best, on the files it was chosen by"


def add(commands: Any) -> None:
    """The `tune` command."""
    text = "search the diariser's settings, with cross-validation"
    command = add_command(commands, "tune", measure, text)
    add_conversations(command)
    add_config(command, "TOML settings to begin with")
    command.add_argument("--reference", type=Path, help="folder of RTTM files (default: that of the sound)")
    command.add_argument("--also", type=Path, nargs="*", default=[], help="further folders of both")
    command.add_argument("--only", nargs="*", default=list(RANGES), metavar="NAME", help="settings to vary")
    text = "judge settings by other files, or by another corpus (what stands before the dash of a name)"
    command.add_argument("--leave-out", choices=("files", "corpus"), default="files", help=text)
    command.add_argument("--trials", type=int, default=64)
    command.add_argument("--folds", type=int, default=4)
    command.add_argument("--out", type=Path, help="TOML to write, for --config")


def settings(config: PipelineConfig, values: dict[str, float]) -> PipelineConfig:
    """`config` with new values of the diariser and of the re-clustering."""

    def changed(part: Any) -> Any:
        names = {f.name for f in fields(part)}
        return replace(part, **{k: v for k, v in values.items() if k in names})

    return replace(config, diariser=changed(config.diariser), reclustering=changed(config.reclustering))


class Files:
    """Recordings cut once, with their references."""

    def __init__(self, pipeline: Pipeline, folders: Sequence[tuple[Path, Path]]) -> None:
        """Pairs of folders, of sound and of RTTM files."""
        self._pipeline = pipeline
        pairs = [(p, references) for folder, references in folders for p in audio_files(folder)]
        paths = [p for p, _ in pairs]
        self.corpora = [corpus(p) for p in paths]
        self._references = [read_reference(references / f"{p.stem}.rttm") for p, references in pairs]
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
                    100 * diarisation_error(reference, turns_of(events, revised)).rate
                    for revised in (False, True)
                ]
            )
        return np.array(found)


def corpus(path: Path) -> str:
    """What stands before the first dash of a file's name, else its folders' names."""
    head, dash, _ = path.stem.partition("-")
    return head if dash else "/".join(path.parent.parts[-2:])


def draw(n_trials: int, seed: int, names: Sequence[str]) -> list[dict[str, float]]:
    """Settings spread evenly over `RANGES` (Sobol sequence)."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.QMCSampler(scramble=True, seed=seed))
    found = []
    for _ in range(n_trials):
        trial = study.ask({k: optuna.distributions.FloatDistribution(*RANGES[k]) for k in names})
        found.append({k: round(v, 4) for k, v in trial.params.items()})
        study.tell(trial, 0.0)
    return found


def cross_validated(cost: np.ndarray, weight: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Cost (n_files,) of each file, from (n_trials, n_files), with the trial that is best by `weight`
    (n_files,) on the files of the other folds (n_files,)."""
    held_out = np.zeros(cost.shape[1])
    for k in np.unique(fold):
        others = fold != k
        held_out[~others] = cost[int(np.argmin(cost[:, others] @ weight[others])), ~others]
    return held_out


def left_out(cost: np.ndarray, weight: np.ndarray, corpora: Sequence[str]) -> list[dict[str, Any]]:
    """Of each corpus its mean cost with the first trial, with the one that is best on the others, and with
    the one that is best on it."""
    names, fold = np.unique(corpora, return_inverse=True)
    chosen, found = cross_validated(cost, weight, fold), []
    for k, name in enumerate(names.tolist()):
        mine = fold == k
        share = weight[mine] / weight[mine].sum()
        means = (cost[0, mine] @ share, chosen[mine] @ share, (cost[:, mine] @ share).min())
        found.append(
            {"corpus": name} | dict(zip(("before", "others", "own"), map(float, means), strict=True))
        )
    return found


def measure(args: argparse.Namespace) -> Result:
    """DER in percent, as emitted and final, before and at best, and the mean to be expected."""
    config = read_config(args.config) if args.config else PipelineConfig()
    folders = [(args.audio, args.reference or args.audio), *((folder, folder) for folder in args.also)]
    files = Files(Pipeline(config), folders)
    trials = draw(args.trials, args.seed, args.only)
    before = files.errors(config)
    trying = tqdm(trials, desc="trying", unit="setting", disable=None)
    tried = np.stack([before, *(files.errors(settings(config, values)) for values in trying)])
    cost, weight = tried.mean(axis=2), files.speech_s / files.speech_s.sum()
    best, n_files = int(np.argmin(cost @ weight)), len(files.corpora)
    by_corpus = np.unique(files.corpora, return_inverse=True)[1]
    fold = by_corpus if args.leave_out == "corpus" else np.arange(n_files) % min(args.folds, n_files)
    chosen = trials[best - 1] if best else {}
    if args.out:
        args.out.write_text(settings(config, chosen).to_toml(), encoding="utf-8")
    content = {
        "audio": [sound.name for sound, _ in folders],
        "trials": args.trials,
        "varied": args.only,
        "folds": len(np.unique(fold)),
        "chosen": chosen,
        BEFORE: (before.T @ weight).round(3).tolist(),
        BEST: (tried[best].T @ weight).round(3).tolist(),
        "cross_validated": float(cross_validated(cost, weight, fold) @ weight),
        "corpora": left_out(cost, weight, files.corpora) if args.leave_out == "corpus" else [],
    }
    written = (f"{args.out}: written; use it with --config",) if args.out else ()
    return Result(content, tables(content), written)


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """The two settings, and what is to be expected of files that are not there yet."""
    rows = [[name, *found[name], float(np.mean(found[name]))] for name in (BEFORE, BEST)]
    honest = f"{found['cross_validated']:.2f}"
    note = f"mean on files that the settings were not chosen by ({found['folds']} folds): {honest}"
    both = table(["settings", "DER as emitted", "DER final", "mean"], rows, "", note)
    if not found["corpora"]:
        return (both,)
    header = ["corpus left out", BEFORE, "chosen on the others", "chosen on it"]
    note = f"mean of as emitted and final; {found['trials']} settings of {', '.join(found['varied'])} tried"
    return both, table(header, [list(c.values()) for c in found["corpora"]], "", note)
