"""`verification --compare`: our encoder beside its peers on the same sound, in one table and one DET plot."""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from voicelane import SAMPLE_RATE
from voicelane.bench import encoders
from voicelane.bench.results import Result, Table, percentiles, table
from voicelane.bench.sound import read_mono
from voicelane.bench.trials import error_rates, in_room, read_beds, read_trials, with_babble, with_noise
from voicelane.labels import error_curve


@dataclass(frozen=True)
class Condition:
    """One row of the table: a trial list and what is done to its files."""

    trials: str
    noise_db: float | None = None
    babble_db: float | None = None
    room: bool = False
    first_s: float | None = None

    def __str__(self) -> str:
        noise = "" if self.noise_db is None else f", noise {self.noise_db:g} dB"
        babble = "" if self.babble_db is None else f", babble {self.babble_db:g} dB"
        room = ", room" if self.room else ""
        first = "" if self.first_s is None else f", first {self.first_s:g} s"
        return self.trials + (noise + babble + room + first or ", clean")


CONDITIONS = (
    Condition("english"),
    Condition("english", noise_db=10.0),
    Condition("english", babble_db=5.0),
    Condition("english", first_s=2.0),
    Condition("english", first_s=1.0),
    Condition("multilingual"),
)

_systems: dict[str, encoders.System] = {}


def add_options(command: argparse.ArgumentParser) -> None:
    """What `verification` takes only with `--compare`."""
    add = command.add_argument
    add("--compare", action="store_true", help="all conditions of --root's trials, beside the peers")
    add("--campplus", type=Path, help="`python -m voicelane.rt_models.export campplus` made it")
    add("--resemblyzer", action="store_true", help="needs the `peers` extra")
    add("--plot", type=Path, help="DET plot to write with --compare, PNG")
    add("--jobs", type=int, default=1, help="processes of --compare")


def load(names: list[str], campplus: Path | None, resemblyzer: bool) -> dict[str, encoders.System]:
    """The systems to compare, by name."""
    found = {name: encoders.ours(name) for name in names}
    if campplus:
        found["CAM++"] = encoders.campplus(campplus)
    if resemblyzer:
        found["Resemblyzer"] = encoders.resemblyzer()
    return found


def heard(root: Path, condition: Condition, name: str) -> np.ndarray:
    """A file as the condition has it."""
    samples = read_mono(root / name)
    beds = root / f"trials/{condition.trials}.noise.tsv"
    if condition.noise_db is not None:
        samples = with_noise(root, read_beds(beds), condition.noise_db)(name, samples)
    if condition.babble_db is not None:
        samples = with_babble(root, read_beds(beds), condition.babble_db)(name, samples)
    if condition.room:
        samples = in_room(name, samples)
    return samples if condition.first_s is None else samples[: int(condition.first_s * SAMPLE_RATE)]


def _begin(*systems: object) -> None:
    _systems.update(load(*systems))  # type: ignore[arg-type]


def _embed(root: Path, condition: Condition, name: str) -> dict[str, np.ndarray]:
    samples = heard(root, condition, name)
    return {name: system.embed(samples) for name, system in _systems.items()}


def scores(args: argparse.Namespace) -> Iterator[tuple[Condition, str, np.ndarray, np.ndarray]]:
    """Condition, system, scores of the target and of the non-target pairs."""
    systems = (args.encoder or ["conv_transformer"], args.campplus, args.resemblyzer)
    with multiprocessing.get_context("spawn").Pool(args.jobs, _begin, systems) as pool:
        for condition in CONDITIONS:
            labels, pairs = read_trials(args.root / f"trials/{condition.trials}.trials")
            names = sorted({name for pair in pairs for name in pair})
            each = pool.imap(partial(_embed, args.root, condition), names, chunksize=8)
            vectors = dict(
                zip(names, tqdm(each, desc=str(condition), total=len(names), disable=None), strict=True)
            )
            for system in vectors[names[0]]:
                found = np.array([vectors[a][system] @ vectors[b][system] for a, b in pairs])
                yield condition, system, found[labels], found[~labels]


def cost_ms(systems: dict[str, encoders.System], repeats: int = 200) -> dict[str, dict[str, float]]:
    """Milliseconds of every network for a window of 1.6 s on one core, the systems taking turns."""
    taken: dict[str, list[float]] = {name: [] for name in systems}
    for repeat in range(repeats + 10):
        for name, system in systems.items():
            began = time.perf_counter()
            system.window()
            if repeat >= 10:
                taken[name].append(1e3 * (time.perf_counter() - began))
    return {name: percentiles(times) for name, times in taken.items()}


def measure(args: argparse.Namespace) -> Result:
    """EER of every system in every condition, and what its network costs."""
    cost = cost_ms(load(args.encoder or ["conv_transformer"], args.campplus, args.resemblyzer))
    rates: dict[str, dict[str, dict[str, float]]] = {}
    curves: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    for condition, system, targets, nontargets in scores(args):
        rates.setdefault(str(condition), {})[system] = error_rates(targets, nontargets)
        curves.setdefault(str(condition), {})[system] = error_curve(targets, nontargets)
    if args.plot:
        draw(curves, args.plot)
    content = {"conditions": rates, "cost_ms": cost}
    return Result(content, tables(content))


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """One row for each condition, and one for the cost."""
    cost = found["cost_ms"]
    rows = [[name, *(rates[s]["eer"] for s in cost)] for name, rates in found["conditions"].items()]
    rows.append(["ms for 1.6 s, p50", *(c["p50"] for c in cost.values())])
    return (table(["EER %", *cost], rows),)


def draw(curves: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]], path: Path) -> None:
    """Detection error trade-off, one panel per condition, as PNG."""
    from matplotlib.figure import Figure
    from scipy.special import ndtri

    ticks = np.array([0.001, 0.01, 0.05, 0.1, 0.2, 0.4])
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    panels = figure.subplots(2, 3, sharex=True, sharey=True).flat
    for panel, (condition, systems) in zip(panels, curves.items(), strict=True):
        for name, (false_accepts, misses) in systems.items():
            panel.plot(
                ndtri(np.clip(false_accepts, 1e-4, 0.6)), ndtri(np.clip(misses, 1e-4, 0.6)), label=name
            )
        panel.plot(ndtri([1e-4, 0.6]), ndtri([1e-4, 0.6]), "0.8", lw=0.8)
        panel.set_title(condition, fontsize=10)
        panel.set_xticks(ndtri(ticks), [f"{100 * t:g}" for t in ticks])
        panel.set_yticks(ndtri(ticks), [f"{100 * t:g}" for t in ticks])
        panel.set(xlim=ndtri([5e-4, 0.5]), ylim=ndtri([5e-4, 0.5]))
        panel.grid(alpha=0.3)
    figure.axes[2].legend(loc="lower left", fontsize=8)
    figure.supxlabel("false accepts / %")
    figure.supylabel("misses / %")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
