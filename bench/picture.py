"""The README's picture: the bundled conversation, the lanes that the engine gave it, and the truth."""

from __future__ import annotations

import argparse

import matplotlib as mpl
import numpy as np

from bench.diarisation import diarise, turns_of
from bench.sound import read_mono
from engine import SAMPLE_RATE, Pipeline, Turn, diarisation_error, read_rttm

mpl.use("Agg")
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")  # Okabe and Ito 2008


def lanes(axes: mpl.axes.Axes, turns: list[Turn], title: str) -> None:
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


def measure(args: argparse.Namespace) -> None:
    """The `picture` command."""
    import matplotlib.pyplot as plt

    samples, reference = read_mono(args.audio), read_rttm(args.audio.with_suffix(".rttm"))
    events, length_s, _ = diarise(Pipeline(), args.audio)
    found = turns_of(events, revised=True)
    error = 100 * diarisation_error(reference, found).rate
    figure, (wave, ours, truth) = plt.subplots(
        3, 1, figsize=(11, 4.6), sharex=True, height_ratios=(1, 1.2, 1.2), layout="constrained"
    )
    step = SAMPLE_RATE // 50
    peaks = np.abs(samples[: len(samples) // step * step]).reshape(-1, step).max(axis=1)
    seconds = np.arange(len(peaks)) / 50
    wave.fill_between(seconds, -peaks, peaks, color="#666666", linewidth=0)
    wave.set_axis_off()
    wave.set_title("the bundled conversation", loc="left", fontsize=10)
    lanes(ours, found, f"what voicelane made of it (DER {error:.1f} %)")
    lanes(truth, reference, "what really happened")
    truth.set_xlim(0, length_s)
    truth.set_xlabel("seconds")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=110)
    print(args.out)
