"""The README's picture: the bundled conversation, the lanes that the engine gave it, and the truth."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voicelane import SAMPLE_RATE, Pipeline, Turn, diarisation_error, read_rttm
from voicelane.bench.diarisation import diarise, turns_of
from voicelane.bench.options import DEMO, add_command
from voicelane.bench.results import Result
from voicelane.bench.sound import read_mono

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")  # Okabe and Ito 2008


def add(commands: Any) -> None:
    """The `picture` command."""
    text = "draw the bundled conversation as the engine hears it"
    add = add_command(commands, "picture", measure, text).add_argument
    add("--audio", type=Path, default=DEMO, help="sound file with an RTTM beside it")
    add("--out", type=Path, default=Path("docs/demo.png"), help="PNG to write")


def lanes(axes: Axes, turns: list[Turn], title: str) -> None:
    """One lane per speaker, in order of first appearance."""
    names = list(dict.fromkeys(t.speaker for t in sorted(turns, key=lambda t: t.start)))
    for i, name in enumerate(names):
        spans = [(t.start, t.end - t.start) for t in turns if t.speaker == name]
        axes.broken_barh(spans, (len(names) - 1 - i + 0.1, 0.8), color=PALETTE[i % len(PALETTE)])
    axes.set_yticks(np.arange(len(names)) + 0.5, names[::-1])
    axes.set_ylim(0, len(names))
    axes.set_title(title, loc="left", fontsize=10)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def measure(args: argparse.Namespace) -> Result:
    """DER of the conversation, and its picture."""
    reference = read_rttm(args.audio.with_suffix(".rttm"))
    events, length_s, _ = diarise(Pipeline(), args.audio)
    turns = turns_of(events, revised=True)
    der = 100 * diarisation_error(reference, turns).rate
    titles = (f"what voicelane made of it (DER {der:.1f} %)", "what really happened")
    draw(read_mono(args.audio), dict(zip(titles, (turns, reference), strict=True)), length_s, args.out)
    return Result({"der": round(der, 2)}, notes=(f"{args.out}: DER {der:.1f} %",))


def draw(samples: np.ndarray, rows: dict[str, list[Turn]], length_s: float, path: Path) -> None:
    """The waveform and below it the lanes of each title, as PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), layout="constrained")
    wave, *others = figure.subplots(1 + len(rows), 1, sharex=True, height_ratios=(1, *(1.2 for _ in rows)))
    step = SAMPLE_RATE // 50
    peaks = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(axis=1)
    wave.fill_between(np.arange(len(peaks)) / 50, -peaks, peaks, color="#666666", linewidth=0)
    wave.set_axis_off()
    wave.set_title("the bundled conversation", loc="left", fontsize=10)
    for axes, (title, turns) in zip(others, rows.items(), strict=True):
        lanes(axes, turns, title)
    others[-1].set(xlim=(0, length_s), xlabel="seconds")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
