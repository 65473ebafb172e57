"""Labels must not hang on chance: how far DER moves when the same conversation begins a few milliseconds
later, comes at another level, or is judged by a threshold a little higher or lower."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from voicelane import Pipeline, PipelineConfig, Turn, diarisation_error, read_config
from voicelane.base import SAMPLE_RATE
from voicelane.bench.diarisation import turns_of
from voicelane.bench.options import DEMO, add_command, add_config
from voicelane.bench.results import Result, Table, table
from voicelane.bench.sound import audio_files, read_mono, read_reference
from voicelane.events import Event
from voicelane.stages import Scale, load_encoder, load_scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHIFTS_MS = tuple(float(ms) for ms in np.linspace(1.0, 19.0, 12).round(1))
LEVELS_DB = (-50.0, -44.0, -38.0, -32.0, -26.0, -20.0, -13.0, -6.0)
"""Of the loudest sample, below full scale."""
FACTORS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3)
"""Of the cosine at which a voice is new."""
HEARD_S = KNOWN_S = 3.0
"""Speech on both sides, for which that cosine is told."""
Rates = list[list[float]]
"""DER in percent, as emitted and final, of each variation."""


def add(commands: Any) -> None:
    """The `steady` command."""
    text = "how far DER moves with tiny shifts, levels and thresholds"
    command = add_command(commands, "steady", measure, text)
    add_config(command)
    command.add_argument("--audio", type=Path, help="sound and RTTM files (default: the bundled demo)")
    command.add_argument("--plot", type=Path, help="PNG of the thresholds to write")


def shifted(sound: np.ndarray, ms: float) -> np.ndarray:
    """The sound (n,) with so many milliseconds of silence in front."""
    return np.concatenate((np.zeros(round(ms * SAMPLE_RATE / 1000), np.float32), sound))


def at_level(sound: np.ndarray, db: float) -> np.ndarray:
    """The sound (n,) with its loudest sample at `db` below full scale."""
    return np.asarray(sound * np.float32(10 ** (db / 20) / np.abs(sound).max()))


def threshold(scale: Scale, llr: float, factor: float) -> float:
    """The log-likelihood ratio at `factor` times the cosine that `llr` stands at."""
    lengths = np.log2([HEARD_S, KNOWN_S])
    bias, slope = (a + b * lengths[0] + c * lengths[1] for a, b, c in scale.weights.reshape(2, 3))
    return float(bias + slope * factor * (llr - bias) / slope)


def error(events: Sequence[Event], reference: Sequence[Turn], late_s: float = 0.0) -> list[float]:
    """DER in percent, as emitted and final, of labels that are all `late_s` behind the reference."""
    rates = []
    for revised in (False, True):
        said = [Turn(t.speaker, t.start - late_s, t.end - late_s) for t in turns_of(list(events), revised)]
        rates.append(100 * diarisation_error(list(reference), said).rate)
    return rates


def varied(pipeline: Pipeline, sound: np.ndarray, reference: Sequence[Turn]) -> dict[str, Rates]:
    """Of one conversation, at every shift and every level."""

    def heard(samples: np.ndarray, late_s: float = 0.0) -> list[float]:
        pipeline.reset()
        return error([*pipeline.push(samples), *pipeline.flush()], reference, late_s)

    return {
        "shifts": [heard(shifted(sound, ms), ms / 1000) for ms in SHIFTS_MS],
        "levels": [heard(at_level(sound, db)) for db in LEVELS_DB],
    }


def judged(pipeline: Pipeline, scale: Scale, sound: np.ndarray, reference: Sequence[Turn]) -> Rates:
    """Of one conversation, with every threshold."""
    items, config = pipeline.split(sound), pipeline.config
    found = []
    for factor in FACTORS:
        llr = threshold(scale, config.diariser.new_speaker_llr, factor)
        diariser = pipeline.diariser(replace(config.diariser, new_speaker_llr=llr), config.reclustering)
        found.append(error([*diariser.process(items), *diariser.flush()], reference))
    return found


def measure(args: argparse.Namespace) -> Result:
    """DER as emitted and final of every variation, by file."""
    config = read_config(args.config) if args.config else PipelineConfig()
    pipeline, scale = Pipeline(config), load_scale(config.encoder, load_encoder(config.encoder))
    files = {}
    for path in tqdm(audio_files(args.audio) if args.audio else [DEMO], unit="file", disable=None):
        sound, reference = read_mono(path), read_reference(path.with_suffix(".rttm"))
        files[path.stem] = {
            **varied(pipeline, sound, reference),
            "thresholds": judged(pipeline, scale, sound, reference),
        }
    llrs = [round(threshold(scale, config.diariser.new_speaker_llr, f), 3) for f in FACTORS]
    about = {"shifts_ms": SHIFTS_MS, "levels_db": LEVELS_DB, "factors": FACTORS, "llr": llrs}
    content = {**about, "files": files}
    if args.plot:
        draw(content).savefig(args.plot, dpi=110)
    return Result(content, tables(content))


def tables(content: dict[str, Any]) -> tuple[Table, ...]:
    """How far DER moves in each file, and in the mean of all files with every threshold."""
    kinds = ("shifts", "levels", "thresholds")
    header = ["highest − lowest DER", *(f"{k}, {what}" for k in kinds for what in ("as emitted", "final"))]
    rows = [
        [n, *(x for k in kinds for x in np.ptp(f[k], axis=0).tolist())] for n, f in content["files"].items()
    ]
    means = _means(content)
    swept = [[f, llr, *m] for f, llr, m in zip(content["factors"], content["llr"], means, strict=True)]
    emitted, final = np.ptp(means, axis=0).tolist()
    note = f"the mean over the files moves by {emitted:.2f} (as emitted) and {final:.2f} (final)"
    return (
        table(header, rows),
        table(["× the cosine", "new_speaker_llr", "as emitted", "final"], swept, "", note),
    )


def _means(content: dict[str, Any]) -> list[list[float]]:
    """Mean DER over the files with every threshold (n_factors, 2)."""
    means: list[list[float]] = np.mean([f["thresholds"] for f in content["files"].values()], axis=0).tolist()
    return means


def draw(content: dict[str, Any]) -> Figure:
    """DER against the threshold of a new speaker."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, rates in zip(("as emitted", "final"), np.transpose(_means(content)), strict=True):
        axes.plot(100 * (np.array(content["factors"]) - 1), rates, marker="o", label=name)
    axes.set(xlabel="cosine at which a voice is new, % from the default", ylabel="DER, %")
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure
