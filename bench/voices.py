"""Generated voices beside real ones that nobody trained on: whether they are as many, as varied, and new."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import sqrtm

from voicelane.bench.options import add_command
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.voices import PseudoVoices

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEIGHBOURS = 5
QUANTILES = (0.01, 0.05, 0.5, 0.95)
PLOTTED = 400


def add(commands: Any) -> None:
    """The `voices` command."""
    text = "generated voices: distance to real ones, precision, recall, and whether anybody is copied"
    add = add_command(commands, "voices", measure, text).add_argument
    add("--people", type=Path, required=True, help="people_….npz of `training voices`, with who was held out")
    add("--models", type=Path, nargs="+", required=True, help="model folders of `training voices`")
    add("--steps", type=int, nargs="+", default=[50, 15, 8, 4], help="numbers of steps of the first model")
    add("--guidance", type=float, nargs="+", default=[0.5, 2.0], help="weights for the first model")
    add("--plot", type=Path, help="PNG with PCA and t-SNE of real and generated voices together")


def measure(args: argparse.Namespace) -> Result:
    """Every way to make as many voices as were held out, against those."""
    with np.load(args.people, allow_pickle=False) as kept:
        held, pitch, x = kept["held_out"], kept["pitch_hz"], kept["embedding"]
        stacked = kept["stacked"]
    rng = np.random.default_rng(args.seed)
    train, real, told = x[~held], x[held], pitch[~held]
    told = rng.choice(told[np.isfinite(told)], len(real))
    sets: dict[str, np.ndarray] = {
        "real, other half": real,
        "resampled training set": train[rng.integers(len(train), size=len(real))],
        "Gaussian": gaussian(train, len(real), rng),
    }
    for number, folder in enumerate(args.models):
        sets |= drawn(folder, told, rng, args if number == 0 else None)
    found = {
        name: figures(name, made, train, real) for name, made in sets.items() if made.shape[1] == x.shape[1]
    }
    wide = {name: made for name, made in sets.items() if made.shape[1] == stacked.shape[1] != x.shape[1]}
    found |= {n: figures(n, made, unit(stacked[~held]), unit(stacked[held])) for n, made in wide.items()}
    first = PseudoVoices(args.models[0])
    about = {
        "real": len(real),
        "trained on": len(train),
        "pitch": pitch_fit(first, x[held], pitch[held], rng),
    }
    if args.plot:
        shown = ["Gaussian", *(n for n in sets if n.endswith("DDIM 50") or "speakerdiff" in n)]
        plot(args.plot, {"real, held out": real} | {n: sets[n] for n in shown})
    return Result({"voices": found, "about": about}, tables(found, about))


def drawn(
    folder: Path, told: np.ndarray, rng: np.random.Generator, args: argparse.Namespace | None
) -> dict[str, np.ndarray]:
    """Sets of vectors of a model: by ancestral sampling, and, with `args`, in few steps and with guidance."""
    model, name = PseudoVoices(folder), folder.name
    last = len(model.alpha_bar) - 1
    found = {f"{name}, ancestral {last}": model.draw(told, rng, 0.0, last, 1.0)}
    if args is None:
        return found
    for steps in args.steps:
        found[f"{name}, DDIM {steps}"] = model.draw(told, rng, 0.0, steps)
    for weight in args.guidance:
        found[f"{name}, DDIM 50, w = {weight:g}"] = model.draw(told, rng, weight, 50)
    return found


def gaussian(x: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors (count, D) drawn with the mean and covariance of others (n, D)."""
    return unit(rng.multivariate_normal(x.mean(axis=0), np.cov(x.T), count).astype(np.float32))


def unit(x: np.ndarray) -> np.ndarray:
    """Vectors (n, D) at length 1."""
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def figures(name: str, made: np.ndarray, train: np.ndarray, real: np.ndarray) -> dict[str, Any]:
    """All measures of one set of vectors (n, D)."""
    halves = (real[::2], real[1::2]) if name.startswith("real") else (made, real)
    nearest = 1 - (made @ train.T).max(axis=1)
    return {
        "frechet": round(1e3 * frechet(*halves), 2),
        "mmd": round(1e3 * mmd(*halves), 3),
        **{k: round(100 * v, 1) for k, v in neighbourhoods(*halves).items()},
        "nearest": {str(q): round(float(np.quantile(nearest, q)), 3) for q in QUANTILES},
    }


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance of the Gaussians of two sets (Heusel et al. 2017)."""
    one, other = np.cov(a.T), np.cov(b.T)
    mixed = np.real(sqrtm(one @ other))
    return float(((a.mean(axis=0) - b.mean(axis=0)) ** 2).sum() + np.trace(one + other - 2 * mixed))


def mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Squared maximum mean discrepancy, unbiased, by the cubic kernel of Bińkowski et al. 2018."""
    aa, bb, ab = (((x @ y.T).astype(np.float64) + 1) ** 3 for x, y in ((a, a), (b, b), (a, b)))
    same = (
        (aa.sum() - np.trace(aa)) / (len(a) * (len(a) - 1)),
        (bb.sum() - np.trace(bb)) / (len(b) * (len(b) - 1)),
    )
    return float(sum(same) - 2 * ab.mean())


def neighbourhoods(made: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Precision and recall (Kynkäänniemi et al. 2019) and coverage (Naeem et al. 2020), 5 neighbours."""
    of_real, of_made = reach(real), reach(made)
    between = 1 - made @ real.T
    return {
        "precision": float((between <= of_real[None]).any(axis=1).mean()),
        "recall": float((between <= of_made[:, None]).any(axis=0).mean()),
        "coverage": float((between.min(axis=0) <= of_real).mean()),
    }


def reach(x: np.ndarray) -> np.ndarray:
    """Cosine distance (n,) of each vector to its fifth neighbour."""
    return np.sort(1 - x @ x.T, axis=1)[:, NEIGHBOURS]


def pitch_fit(
    model: PseudoVoices, real: np.ndarray, pitch_hz: np.ndarray, rng: np.random.Generator
) -> dict[str, float]:
    """How far the pitch that an embedding tells lies from the one it has, in semitones (median): of real
    voices, of drawn ones without guidance and with, and of real ones with others' pitches."""
    known = np.isfinite(pitch_hz)
    real, pitch_hz = real[known], pitch_hz[known]
    off: Callable[[np.ndarray, np.ndarray], float] = lambda x, hz: round(  # noqa: E731
        float(np.median(np.abs(12 * np.log2(np.array([model.pitch_of(v) for v in x]) / hz)))), 2
    )
    told = {f"drawn, w = {w:g}": off(model.draw(pitch_hz, rng, w), pitch_hz) for w in (0.0, 0.5, 2.0)}
    return {"real": off(real, pitch_hz), **told, "shuffled": off(real, rng.permutation(pitch_hz))}


def tables(found: dict[str, Any], about: dict[str, Any]) -> tuple[Table, ...]:
    """A row for each way, and the pitches."""
    header = ["voices", "Fréchet ·10³", "MMD² ·10³", "precision %", "recall %", "coverage %"]
    header += [f"nearest, {100 * q:g} %" for q in QUANTILES]
    keys = ("frechet", "mmd", "precision", "recall", "coverage")
    rows: list[list[Cell]] = [
        [name, *(row[k] for k in keys), *(f"{v:.3f}" for v in row["nearest"].values())]
        for name, row in found.items()
    ]
    note = (
        f"Against {about['real']} people who were not among the {about['trained on']} trained on; their own "
        "row is one half of them against the other. Nearest: cosine distance to the nearest voice trained "
        "on, quantiles over the set; in the first row, what strangers have."
    )
    pitches: list[list[Cell]] = [[name, value] for name, value in about["pitch"].items()]
    title = "Distance of the pitch that the embedding tells to the voice's own"
    return table(header, rows, "", note), table(["voices", "semitones, median"], pitches, title)


def plot(path: Path, sets: dict[str, np.ndarray]) -> None:
    """PCA and t-SNE, each fitted once to all sets together."""
    from matplotlib.figure import Figure
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    chosen = {name: x[:PLOTTED] for name, x in sets.items()}
    everything = np.concatenate(list(chosen.values()))
    figure = Figure(figsize=(12, 6), layout="constrained")
    for axes, fitted in zip(figure.subplots(1, 2), (PCA(2), TSNE(2, random_state=0)), strict=True):
        _scatter(axes, fitted.fit_transform(everything), chosen)
        axes.set_title(type(fitted).__name__)
    figure.axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def _scatter(axes: Axes, points: np.ndarray, sets: dict[str, np.ndarray]) -> None:
    at = 0
    for name, x in sets.items():
        axes.plot(*points[at : at + len(x)].T, ".", ms=3, alpha=0.6, label=name)
        at += len(x)
    axes.set_xticks([])
    axes.set_yticks([])
