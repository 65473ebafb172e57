"""What the denoiser is worth: sound quality beside others, EER and DER with and without it, and its cost."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from voicelane import SAMPLE_RATE, ArraySource, Pipeline, PipelineConfig
from voicelane.bench import diarisation
from voicelane.bench.comparison import Condition, heard
from voicelane.bench.options import CORPUS, add_command
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.rivals.denoisers import RIVALS
from voicelane.bench.sound import (
    AUDIO_ENDINGS,
    active_power,
    add_noise,
    audio_files,
    read_mono,
    read_reference,
)
from voicelane.bench.trials import error_rates, read_trials
from voicelane.config import DenoiserConfig
from voicelane.profiles import FileEmbedder
from voicelane.stages import load_denoiser

SNRS_DB = (0.0, 5.0, 10.0)
CONDITIONS: tuple[dict[str, Any], ...] = (
    {},
    {"noise_db": 5.0},
    {"babble_db": 5.0},
)
CLEAN_DB, SECONDS, FILES_EACH = 40.0, (2.0, 5.0), 4
FOLDERS = ("conversations", "meetings")
STEPS = (1, 2, 4, 10, 30)
"""Of diffusion, besides none."""
MEASURES = {"si_sdr": "SI-SDR dB", "stoi": "STOI", "estoi": "ESTOI", "pesq": "PESQ"}
Change = Callable[[np.ndarray], np.ndarray]


def add(commands: Any) -> None:
    """The `clean` command."""
    text = "sound quality, EER, DER and cost with and without the denoiser, beside others"
    command = add_command(commands, "clean", measure, text)
    add = command.add_argument
    add("--root", type=Path, default=CORPUS, help="folder of dev speech, noise/dev and trials")
    add("--utterances", type=int, default=60, help="clean recordings, each in every noise level")
    add("--trials", default="english", help="a list of --root's trials, whose files are taken")
    add("--speakers", type=int, default=30, help="people, with four files each, all compared with all")
    add("--steps", type=int, default=2, help="of diffusion, in the tables of EER and DER (default 2)")
    add("--plot", type=Path, help="PNG of quality against steps")
    add(
        "--conversations",
        type=Path,
        action="append",
        metavar="FOLDER/PATTERN",
        help="sound beside RTTM files: dev/*noisy*",
    )


def denoised(steps: int = 0) -> Change:
    """Ours, one sound at a time, refined in so many steps."""
    denoiser = load_denoiser(DenoiserConfig("clean", steps=steps))
    assert denoiser is not None
    return lambda samples: np.concatenate((denoiser.process(samples), denoiser.flush()))


def unchanged(samples: np.ndarray) -> np.ndarray:
    return samples


def systems() -> tuple[dict[str, Change], list[str]]:
    """What is compared, and what is not installed."""
    found: dict[str, Change] = {"noisy": unchanged, "voicelane": denoised()}
    found |= {_refined(steps): denoised(steps) for steps in STEPS}
    missing = []
    for name, load in RIVALS.items():
        try:
            found[name] = load()
        except ImportError as problem:
            missing.append(f"{name} is not installed ({problem}).")
    return found, missing


def _refined(steps: int) -> str:
    return f"voicelane, {steps} step{'s' * (steps > 1)}"


def clean_speech(root: Path, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Recordings of dev whose floor lies 40 dB below their speech, at most five seconds of each."""
    names = sorted({name for pair in _pairs(root) for name in pair})
    for name in rng.permutation(names):
        samples = read_mono(root / name)[: int(SECONDS[1] * SAMPLE_RATE)]
        if len(samples) >= SECONDS[0] * SAMPLE_RATE and range_db(samples) >= CLEAN_DB:
            yield samples
            count -= 1
        if not count:
            return


def _pairs(root: Path) -> list[tuple[str, str]]:
    lists = (root / f"trials/{name}.trials" for name in ("english", "multilingual"))
    return [pair for path in lists for pair in read_trials(path)[1]]


def range_db(samples: np.ndarray) -> float:
    """Level of the loud frames over that of the still ones."""
    frames = samples[: len(samples) - len(samples) % 320].reshape(-1, 320)
    levels = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-10)
    return float(np.percentile(levels, 90) - np.percentile(levels, 5))


def si_sdr_db(found: np.ndarray, wanted: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019), dB."""
    found, wanted = found.astype(np.float64), wanted.astype(np.float64)
    target = (found @ wanted) / (wanted @ wanted) * wanted
    return float(10 * np.log10(target @ target / ((found - target) @ (found - target) + 1e-20)))


def judged(found: np.ndarray, wanted: np.ndarray) -> dict[str, float | None]:
    """All measures of one sound."""
    from pystoi import stoi

    return {
        "si_sdr": si_sdr_db(found, wanted),
        "stoi": float(stoi(wanted, found, SAMPLE_RATE)),
        "estoi": float(stoi(wanted, found, SAMPLE_RATE, extended=True)),
        "pesq": _pesq(found, wanted),
    }


def _pesq(found: np.ndarray, wanted: np.ndarray) -> float | None:
    """Wide-band PESQ, where that is installed and finds speech."""
    try:
        import pesq
    except ImportError:
        return None
    value = pesq.pesq(SAMPLE_RATE, wanted, found, "wb", on_error=pesq.PesqError.RETURN_VALUES)
    return float(value) if value > 0 else None


def quality(args: argparse.Namespace, changes: dict[str, Change]) -> dict[str, Any]:
    """Per level and system the means of all measures, and CPU seconds per second of sound."""
    rng = np.random.default_rng(args.seed)
    noises = [read_mono(path) for path in audio_files(args.root / "noise/dev")]
    found: dict[str, dict[str, list[dict[str, float | None]]]] = {}
    cpu_s, heard_s = dict.fromkeys(changes, 0.0), 0.0
    speech = tqdm(clean_speech(args.root, args.utterances, rng), total=args.utterances, disable=None)
    for clean in speech:
        noise = noises[int(rng.integers(len(noises)))]
        noise = np.roll(noise, int(rng.integers(len(noise))))
        for snr_db in SNRS_DB:
            noisy, wanted = at_a_level(add_noise(clean, noise, snr_db), clean)
            heard_s += len(noisy) / SAMPLE_RATE
            for name, change in changes.items():
                began = time.process_time()
                cleaned = change(noisy)
                cpu_s[name] += time.process_time() - began
                kept = found.setdefault(f"{snr_db:g}", {}).setdefault(name, [])
                kept.append(judged(cleaned, wanted))
    means = {snr: {name: _means(each) for name, each in of.items()} for snr, of in found.items()}
    return {"quality": means, "cpu": {name: s / heard_s for name, s in cpu_s.items()}}


def at_a_level(noisy: np.ndarray, clean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as loud as a microphone would have them: speech at −26 dB of full scale, nothing clipped."""
    gain = 0.05 / np.sqrt(active_power(clean))
    gain = min(gain, 0.99 / float(np.abs(noisy).max()))
    return (gain * noisy).astype(np.float32), (gain * clean).astype(np.float32)


def _means(rows: list[dict[str, float | None]]) -> dict[str, float | None]:
    columns = {m: [v for row in rows if (v := row[m]) is not None] for m in MEASURES}
    return {m: round(float(np.mean(v)), 4) if v else None for m, v in columns.items()}


def verification(args: argparse.Namespace) -> dict[str, dict[str, dict[str, float]]]:
    """EER and minDCF of the light encoder in each condition, of the sound as it is and cleaned on both
    sides."""
    names = some_files(args.root / f"trials/{args.trials}.trials", args.speakers, args.seed)
    pairs = list(combinations(names, 2))
    labels = np.array([Path(a).parent == Path(b).parent for a, b in pairs])
    embedder = FileEmbedder(PipelineConfig())
    changes: dict[str, Change] = {"raw": unchanged}
    changes |= {"cleaned": denoised(), "refined": denoised(args.steps)}
    found: dict[str, dict[str, dict[str, float]]] = {}
    for condition in [Condition(args.trials, **kind) for kind in CONDITIONS]:
        vectors: dict[str, dict[str, np.ndarray]] = {name: {} for name in changes}
        for file in tqdm(names, desc=str(condition), disable=None):
            samples = heard(args.root, condition, file)
            for name, change in changes.items():
                vectors[name][file] = embedder.embed(ArraySource(change(samples)))
        found[str(condition)] = {name: _rates(v, labels, pairs) for name, v in vectors.items()}
    return found


def some_files(trials: Path, speakers: int, seed: int) -> list[str]:
    """Four files of each of so many people, drawn from those of a trial list."""
    rng, of = np.random.default_rng(seed), dict[Path, list[str]]()
    for name in sorted({name for pair in read_trials(trials)[1] for name in pair}):
        of.setdefault(Path(name).parent, []).append(name)
    enough = [files for files in of.values() if len(files) >= FILES_EACH]
    chosen = rng.permutation(len(enough))[:speakers]
    return [str(name) for i in chosen for name in rng.choice(enough[i], FILES_EACH, replace=False)]


def _rates(
    vectors: dict[str, np.ndarray], labels: np.ndarray, pairs: list[tuple[str, str]]
) -> dict[str, float]:
    scores = np.array([vectors[a] @ vectors[b] for a, b in pairs])
    return error_rates(scores[labels], scores[~labels])


def conversations(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    """DER in percent, with and without the denoiser, of each folder; and CPU per second of sound."""
    found: dict[str, dict[str, float]] = {}
    for pattern in args.conversations or [CORPUS / folder / "dev/*" for folder in FOLDERS]:
        files = [p for p in sorted(pattern.parent.glob(pattern.name)) if p.suffix in AUDIO_ENDINGS]
        for name, denoiser in _denoisers(args.steps).items():
            pipeline = Pipeline(replace(PipelineConfig(), denoiser=denoiser))
            pipeline.warm_up()
            rows = [_diarised(pipeline, path) for path in tqdm(files, desc=name, disable=None)]
            total_s = sum(length_s for _, length_s, _ in rows)
            place = found.setdefault("/".join(pattern.parts[-3:]), {"files": len(files)})
            place[name] = sum(der * length_s for der, length_s, _ in rows) / total_s
            place[f"{name}, cpu"] = sum(cpu for _, _, cpu in rows) / total_s
    return found


def _denoisers(steps: int) -> dict[str, DenoiserConfig]:
    clean = DenoiserConfig("clean")
    return {"raw": DenoiserConfig(), "cleaned": clean, "refined": replace(clean, steps=steps)}


def _diarised(pipeline: Pipeline, path: Path) -> tuple[float, float, float]:
    """DER, length and CPU seconds of a file."""
    events, length_s, cpu_s = diarisation.diarise(pipeline, path)
    reference, turns = read_reference(path.with_suffix(".rttm")), diarisation.turns_of(events, revised=True)
    return diarisation.score(reference, turns, length_s)["der"], length_s, cpu_s


def measure(args: argparse.Namespace) -> Result:
    """All tables."""
    changes, missing = systems()
    content = quality(args, changes)
    content |= {"verification": verification(args), "der": conversations(args)}
    content |= {"utterances": args.utterances, "speakers": args.speakers, "missing": missing}
    if args.plot:
        plot(args.plot, content)
    return Result(content, tables(content), tuple(missing))


def plot(path: Path, found: dict[str, Any]) -> None:
    """ESTOI and SI-SDR gain against the steps of diffusion, a line for each noise level."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for snr, of in found["quality"].items():
        rows = [of["voicelane"], *(of[_refined(steps)] for steps in STEPS)]
        noisy = of["noisy"]
        for axes, measure in ((left, "si_sdr"), (right, "estoi")):
            axes.plot(range(len(rows)), [r[measure] - noisy[measure] for r in rows], "o-", label=f"{snr} dB")
    for axes, what in ((left, "SI-SDR gain, dB"), (right, "ESTOI gain")):
        axes.set(xlabel="steps of diffusion", ylabel=what)
        axes.set_xticks(range(len(STEPS) + 1), ["none", *map(str, STEPS)])
        axes.axhline(0.0, color="#999999", lw=0.8)
    left.legend(fontsize=8, title="noise")
    figure.savefig(path, dpi=110)


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """As people read them."""
    return _quality_table(found), _verification_table(found), _der_table(found)


def _quality_table(found: dict[str, Any]) -> Table:
    measures = [
        m
        for m in MEASURES
        if any(row[m] is not None for of in found["quality"].values() for row in of.values())
    ]
    rows: list[list[Cell]] = []
    for snr, of in found["quality"].items():
        for name, row in of.items():
            gain = row["si_sdr"] - of["noisy"]["si_sdr"]
            cells = [f"{row[m]:.3f}" if m in ("stoi", "estoi") else row[m] for m in measures]
            rows.append([f"{snr} dB", name, *cells, gain, f"{found['cpu'][name]:.3f}"])
    head = ["noise", "system", *(MEASURES[m] for m in measures), "SI-SDR gain dB", "CPU s per s"]
    return table(head, rows, f"{found['utterances']} clean dev recordings, each under a noise of noise/dev:")


def _verification_table(found: dict[str, Any]) -> Table:
    systems = list(next(iter(found["verification"].values())))
    rows = [
        [condition, *(v for name in systems for v in (of[name]["eer"], of[name]["min_dcf_p01"]))]
        for condition, of in found["verification"].items()
    ]
    head = ["condition", *(f"{name}: {what}" for name in systems for what in ("EER %", "minDCF 0.01"))]
    return table(
        head,
        rows,
        f"The light encoder, {found['speakers']} people, {FILES_EACH} files each, both sides alike:",
    )


def _der_table(found: dict[str, Any]) -> Table:
    systems = ("raw", "cleaned", "refined")
    keys = ("files", *systems, *(f"{name}, cpu" for name in systems))
    rows = [[folder, *(of[k] for k in keys)] for folder, of in found["der"].items()]
    head = ("recordings", "files", *(f"{m} {name}" for m in ("DER %", "CPU s per s") for name in systems))
    return table(head, rows, "Diarisation:")
