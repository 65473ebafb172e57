"""What the embedding enhancers are worth: EER before and after in every condition, their cost, and DER."""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from voicelane import ArraySource, Pipeline, PipelineConfig
from voicelane.bench import diarisation
from voicelane.bench.comparison import Condition, heard
from voicelane.bench.options import CORPUS, add_command
from voicelane.bench.results import Cell, Result, Table, percentiles, table
from voicelane.bench.sound import audio_files, read_reference
from voicelane.bench.trials import read_trials
from voicelane.config import EncoderConfig, EnhancerConfig
from voicelane.dsp import ddim
from voicelane.inference import Model
from voicelane.labels import equal_error_rate
from voicelane.profiles import FileEmbedder
from voicelane.stages import find_enhancer, load_encoder, load_enhancer

LISTS, METHODS = ("english", "multilingual"), ("seed", "mlp")
NOISY = (
    {"noise_db": 0.0},
    {"noise_db": 5.0},
    {"noise_db": 10.0},
    {"babble_db": 5.0},
    {"babble_db": 10.0},
    {"room": True},
)
SHORT = ({"first_s": 1.0}, {"first_s": 2.0})
STARTS, STEPS, N_SEEDS = (10, 50, 100, 200, 400), (1, 2, 4, 6, 50), 5
Change = Callable[[np.ndarray], np.ndarray]
"""Unit vectors (n, D) → unit vectors."""


def add(commands: Any) -> None:
    """The `enhancer` command."""
    text = "EER, cost and DER with and without the embedding enhancers"
    command = add_command(commands, "enhancer", measure, text)
    add, conversations = command.add_argument, CORPUS / "conversations/dev"
    add("--root", type=Path, default=CORPUS, help="folder of trials and their files")
    add("--encoder", default="conv_transformer", help="name or folder of an encoder")
    add("--conversations", type=Path, default=conversations, help="sound and RTTM files")
    add("--vectors", type=Path, help="folder that keeps the raw embeddings for another run")
    add("--trainings", type=Path, help="folder of WHAT/SEED/METHOD_ENCODER, more networks")
    add("--jobs", type=int, default=1, help="processes that embed")


class TrialVectors:
    """The raw vectors of one trial list in one condition, ready to score."""

    def __init__(self, root: Path, condition: Condition, vectors: np.ndarray, names: list[str]) -> None:
        self.condition, self.vectors = condition, vectors
        labels, pairs = read_trials(root / f"trials/{condition.trials}.trials")
        place = {name: i for i, name in enumerate(names)}
        self._labels = labels
        self._a, self._b = (np.array([place[pair[side]] for pair in pairs]) for side in (0, 1))

    def eer(self, change: Change) -> float:
        """EER in percent after `change`."""
        found = change(self.vectors)
        scores = np.sum(found[self._a] * found[self._b], axis=1)
        return 100 * equal_error_rate(scores[self._labels], scores[~self._labels])


def conditions(name: str) -> list[Condition]:
    """Clean, noisy and short, of one trial list."""
    return [Condition(name, **kind) for kind in ({}, *NOISY, *SHORT)]


_embedders: dict[str, FileEmbedder] = {}


def _begin(encoder: str) -> None:
    _embedders["raw"] = FileEmbedder(_config(encoder, "off"))


def _embed(root: Path, condition: Condition, name: str) -> np.ndarray:
    return _embedders["raw"].embed(ArraySource(heard(root, condition, name)))


def _config(encoder: str, enhancer: str) -> PipelineConfig:
    return PipelineConfig(encoder=EncoderConfig(model=encoder), enhancer=EnhancerConfig(model=enhancer))


def raw_vectors(args: argparse.Namespace) -> Iterator[TrialVectors]:
    """Every list in every condition; kept in `--vectors` where that is given."""
    space = load_encoder(EncoderConfig(model=args.encoder)).id[:12]
    with multiprocessing.get_context("spawn").Pool(args.jobs, _begin, (args.encoder,)) as pool:
        for condition in [c for name in LISTS for c in conditions(name)]:
            _, pairs = read_trials(args.root / f"trials/{condition.trials}.trials")
            names = sorted({name for pair in pairs for name in pair})
            kept = args.vectors and args.vectors / f"{space} {condition}.npy"
            if kept and kept.exists():
                vectors = np.load(kept)
            else:
                each = pool.imap(partial(_embed, args.root, condition), names, chunksize=8)
                vectors = np.stack(list(tqdm(each, desc=str(condition), total=len(names), disable=None)))
                if kept:
                    kept.parent.mkdir(parents=True, exist_ok=True)
                    np.save(kept, vectors)
            yield TrialVectors(args.root, condition, vectors, names)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def as_shipped(encoder: str, method: str) -> Change:
    """The enhancer's graph as the live engine runs it, without noise; all vectors at once."""
    model = Model(find_enhancer(method, load_encoder(EncoderConfig(model=encoder))))

    def change(vectors: np.ndarray) -> np.ndarray:
        noise = {"noise": np.zeros_like(vectors)} if "noise" in model.manifest.inputs else {}
        return model.run(embedding=vectors, **noise)[0]

    return change


def sampled(encoder: str, t0: int, n_steps: int, draws: int = 0, seed: int = 0) -> Change:
    """SEED's network in a free schedule, by the sampler of the engine."""
    folder = find_enhancer("seed", load_encoder(EncoderConfig(model=encoder)))
    model = Model(folder / "denoiser")

    def denoise(x_t: np.ndarray, t: int, before: np.ndarray) -> np.ndarray:
        return model.run(x_t=x_t, t=np.full(len(x_t), t, np.float32), before=before)[0]

    def change(vectors: np.ndarray) -> np.ndarray:
        x = (np.sqrt(vectors.shape[1]) * vectors).astype(np.float32)
        return unit(ddim.average(denoise, x, ddim.times(t0, n_steps), draws, seed))

    return change


def with_raw(change: Change) -> Change:
    """Scores averaged with those of the raw vectors: both side by side in one vector."""
    return lambda vectors: np.concatenate((vectors, change(vectors)), axis=1) / np.sqrt(2)


def summary(eers: dict[str, float]) -> list[float]:
    """Clean, mean over the noisy conditions, 1 s and 2 s, of each list."""
    return [
        float(np.mean([eers[str(Condition(name, **kind))] for kind in kinds]))
        for name in LISTS
        for kinds in (({},), NOISY, SHORT[:1], SHORT[1:])
    ]


def cost_us(encoder: str, method: str, repeats: int = 500) -> dict[str, float]:
    """Microseconds per embedding on one core, after warm-up."""
    speaker_encoder = load_encoder(EncoderConfig(model=encoder))
    enhancer = load_enhancer(EnhancerConfig(model=method), speaker_encoder)
    assert enhancer is not None
    vectors = unit(np.random.default_rng(0).standard_normal((repeats + 20, enhancer.dim)))
    taken = []
    for vector in vectors:
        began = time.perf_counter()
        enhancer.enhance(vector)
        taken.append(1e6 * (time.perf_counter() - began))
    return percentiles(taken[20:])


def error_rate(folder: Path, config: PipelineConfig) -> dict[str, float]:
    """DER and its parts over a folder of conversations."""
    pipeline = Pipeline(config)
    files = {}
    for path in tqdm(audio_files(folder), desc=f"DER, {config.enhancer.model}", disable=None):
        events, length_s, _ = diarisation.diarise(pipeline, path)
        turns = diarisation.turns_of(events, revised=True)
        files[path.stem] = diarisation.score(read_reference(path.with_suffix(".rttm")), turns, length_s)
    return diarisation.weighted(files)


def variants(encoder: str) -> dict[str, Change]:
    """Everything that is compared, by name."""
    found: dict[str, Change] = {"raw": lambda vectors: vectors}
    for method in METHODS:
        change = as_shipped(encoder, method)
        found |= {f"{method}, as shipped": change, f"raw + {method}": with_raw(change)}
    for t0 in STARTS:
        for n_steps in STEPS:
            if n_steps <= t0:
                found[f"seed, t0 {t0}, steps {n_steps}"] = sampled(encoder, t0, n_steps)
    return found


def repeated(args: argparse.Namespace) -> dict[str, list[Change]]:
    """What is measured over several seeds: one step with one noise drawn, and networks of several trainings
    (`--trainings` holds WHAT/SEED/METHOD_ENCODER)."""
    found = {
        f"seed, t0 {t0}, noise drawn": [
            sampled(args.encoder, t0, 1, draws=1, seed=seed) for seed in range(N_SEEDS)
        ]
        for t0 in STARTS
    }
    for folder in sorted(args.trainings.glob("*/*/*_*")) if args.trainings else []:
        name = f"{folder.parents[1].name} {folder.name.split('_')[0]}, trained again"
        found.setdefault(name, []).append(as_shipped(args.encoder, str(folder)))
    return found


def condition_rows(result: dict[str, dict[str, float]], shown: list[str]) -> list[list[Cell]]:
    return [[condition, *(result[name][condition] for name in shown)] for condition in result["raw"]]


def variant_rows(
    result: dict[str, dict[str, float]], drawn: dict[str, dict[str, list[float]]]
) -> list[list[Cell]]:
    """Summaries of every variant; those with drawn noise as mean and spread over the seeds."""
    base = summary(result["raw"])
    rows: list[list[Cell]] = [
        [name, *summary(eers), *(_change(base, summary(eers), i) for i in (1, 5))]
        for name, eers in result.items()
    ]
    for name, seeds in drawn.items():
        n_seeds = len(next(iter(seeds.values())))
        each = np.array([summary({c: e[k] for c, e in seeds.items()}) for k in range(n_seeds)])
        cells = [f"{m:.2f} ± {d:.2f}" for m, d in zip(each.mean(axis=0), each.std(axis=0), strict=True)]
        rows.append(
            [f"{name} ({n_seeds} seeds)", *cells, *(_change(base, each.mean(axis=0), i) for i in (1, 5))]
        )
    return rows


def _change(before: Sequence[float], after: Sequence[float], i: int) -> str:
    """The relative change in percent, where there was an error to begin with."""
    return f"{100 * (after[i] / before[i] - 1):+.1f} %" if before[i] else "–"


def measure(args: argparse.Namespace) -> Result:
    """EER of every variant in every condition, µs of an embedding, and DER of the conversations."""
    trials = list(raw_vectors(args))
    rates = {
        name: {str(t.condition): t.eer(change) for t in trials}
        for name, change in tqdm(variants(args.encoder).items(), desc="variants", disable=None)
    }
    drawn = {
        name: {str(t.condition): [t.eer(change) for change in changes] for t in trials}
        for name, changes in tqdm(repeated(args).items(), desc="seeds", disable=None)
    }
    cost = {m: cost_us(args.encoder, m) for m in METHODS}
    der = {m: error_rate(args.conversations, _config(args.encoder, m)) for m in ("off", *METHODS)}
    content = {"eer": rates, "repeated": drawn, "cost_us": cost, "der": der}
    return Result(content, tables(content))


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """EER by condition, EER by variant, and cost with DER."""
    rates, cost, der, parts = found["eer"], found["cost_us"], found["der"], list(diarisation.PARTS)
    shown = [name for name in rates if "t0" not in name]
    header = [f"{name[:2]} {kind}" for name in LISTS for kind in ("clean", "noisy", "1 s", "2 s")]
    rows = [[m, *(der[m][p] for p in parts), cost[m]["p50"] if m in cost else 0.0] for m in der]
    return (
        table(["EER %", *shown], condition_rows(rates, shown)),
        table(["EER %", *header, "en noisy", "mu noisy"], variant_rows(rates, found["repeated"])),
        table(["enhancer", "DER %", *parts[1:], "µs per embedding, p50"], rows),
    )
