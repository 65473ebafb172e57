"""What is left of others, and of the person, where one voice is kept, at every guidance and by turns."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from tqdm import tqdm

from voicelane import SAMPLE_RATE, ArraySource, Person, diarise
from voicelane.audio import muted
from voicelane.bench.clean import Change, at_a_level, denoised, range_db, si_sdr_db, unchanged
from voicelane.bench.options import CORPUS, add_command
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.sound import active_power, audio_files, read_mono
from voicelane.bench.trials import read_trials
from voicelane.config import DenoiserConfig
from voicelane.labels import others
from voicelane.profiles import FileEmbedder
from voicelane.stages import load_denoiser

GUIDANCE = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
LISTS = ("english", "multilingual")
RIVALS_DB, NOISE_DB = (0.0, 5.0), 15.0
PART = 4 * SAMPLE_RATE
N_REFERENCES, CLEAN_DB = 3, 35.0
MEASURES = {
    "gain_db": "SI-SDR gain dB",
    "estoi": "ESTOI",
    "others_db": "others alone, dB",
    "alone_db": "person alone, dB",
    "cosine": "cosine",
}
TITLE = (
    "{scenes} scenes of dev people and noises: {part:.0f} s of somebody else, of both, and of "
    "the person each, noise {noise:.0f} dB below the person. SI-SDR, ESTOI and cosine are of the middle part:"
)


@dataclass(frozen=True)
class Scene:
    """Somebody else, both, the person: sound float32 (12 s,), what the person says in it, and the voice."""

    heard: np.ndarray
    wanted: np.ndarray
    person: Person


def add(commands: Any) -> None:
    """The `keep` command."""
    text = "one person's voice kept out of two and noise: what is left of each, against the guidance"
    add = add_command(commands, "keep", measure, text).add_argument
    add("--root", type=Path, default=CORPUS, help="folder of dev speech, noise/dev and trials")
    add("--scenes", type=int, default=24, help="pairs of people, each at every level")
    add("--without-turns", action="store_true", help="leave out what hears the sound once before")
    add("--plot", type=Path, help="PNG of the measures against the guidance")


def measure(args: argparse.Namespace) -> Result:
    """The table."""
    embedder, found, cpu_s = FileEmbedder(), dict[str, Any](), dict[str, float]()
    rows: dict[str, list[dict[str, float]]] = {}
    for rival_db in RIVALS_DB:
        rows = {}
        drawn = islice(scenes(args.root, embedder, rival_db, args.seed), args.scenes)
        for scene in tqdm(drawn, total=args.scenes, desc=f"{rival_db:g} dB", disable=None):
            for name, change in systems(scene.person, not args.without_turns).items():
                began = time.process_time()
                left = change(scene.heard)
                cpu_s[name] = cpu_s.get(name, 0.0) + time.process_time() - began
                rows.setdefault(name, []).append(judged(left, scene, embedder))
        found[f"{rival_db:g}"] = {name: _means(each) for name, each in rows.items()}
    n_scenes = len(rows["as heard"])
    heard_s = len(RIVALS_DB) * n_scenes * 3 * PART / SAMPLE_RATE
    content = {"levels": found, "cpu": {n: s / heard_s for n, s in cpu_s.items()}, "scenes": n_scenes}
    if args.plot:
        plot(args.plot, found)
    return Result(content, (_table(content),))


def systems(person: Person, turns: bool) -> dict[str, Change]:
    """What is compared, with the engine's turns as well or without."""
    found = {"as heard": unchanged, "cleaned": denoised()}
    found |= {_guided(w): kept(person, w) for w in GUIDANCE}
    chosen = _guided(DenoiserConfig().guidance)
    by_turns = {f"{name}, turns": in_turns(found[name], person) for name in ("cleaned", chosen)}
    return found | by_turns if turns else found


def _guided(w: float) -> str:
    return f"kept, w = {w:g}"


def kept(person: Person, guidance: float) -> Change:
    """The person's voice alone."""
    denoiser = load_denoiser(DenoiserConfig("clean", guidance=guidance), person=person)
    assert denoiser is not None
    return lambda sound: np.concatenate((denoiser.process(sound), denoiser.flush()))


def in_turns(change: Change, person: Person) -> Change:
    """Softer where the engine is sure that somebody else speaks alone, which needs the whole sound first."""

    def heard(sound: np.ndarray) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            sf.write(path := Path(folder) / "sound.wav", sound, SAMPLE_RATE, "FLOAT")
            spans = others(diarise(path, [person]), person.name)
        return np.concatenate(list(muted(iter([change(sound)[:, None]]), SAMPLE_RATE, spans, 1.0)))[:, 0]

    return heard


def voices(root: Path, rng: np.random.Generator) -> Iterator[list[np.ndarray]]:
    """Clean recordings of everybody in the trial lists who has enough of them, one after the other."""
    of: dict[Path, set[str]] = {}
    pairs = (pair for kind in LISTS for pair in read_trials(root / f"trials/{kind}.trials")[1])
    for name in (name for pair in pairs for name in pair):
        of.setdefault(Path(name).parent, set()).add(name)
    for k in rng.permutation(len(of)):
        sounds = [read_mono(root / name) for name in sorted(list(of.values())[k])]
        if len(clean := [x for x in sounds if range_db(x) >= CLEAN_DB]) > N_REFERENCES:
            yield clean


def scenes(root: Path, embedder: FileEmbedder, rival_db: float, seed: int) -> Iterator[Scene]:
    """Different pairs, the same at every level."""
    rng, noises = np.random.default_rng(seed), audio_files(root / "noise/dev")
    people = voices(root, np.random.default_rng(seed))
    for own, second in zip(people, people, strict=False):
        voice = Person("person", np.stack([embedder.embed(ArraySource(x)) for x in own[:N_REFERENCES]]))
        noise = read_mono(noises[int(rng.integers(len(noises)))])
        bed = np.resize(np.roll(noise, int(rng.integers(len(noise)))), 3 * PART)
        rival = talk(second) * np.float32(10 ** (-rival_db / 20))
        yield _scene(talk(own[N_REFERENCES:]), rival, bed, voice)


def talk(recordings: list[np.ndarray]) -> np.ndarray:
    """Two parts of what somebody says, of power 1 while speaking."""
    found: list[np.ndarray] = []
    while sum(map(len, found)) < 2 * PART:
        sound = recordings[len(found) % len(recordings)]
        found.append(sound / np.sqrt(active_power(sound)))
    return np.concatenate(found)[: 2 * PART]


def _scene(said: np.ndarray, rival: np.ndarray, noise: np.ndarray, person: Person) -> Scene:
    silence = np.zeros(PART, np.float32)
    wanted, other = np.concatenate((silence, said)), np.concatenate((rival, silence))
    bed = noise / np.sqrt(np.mean(noise**2) + 1e-12) * 10 ** (-NOISE_DB / 20)
    return Scene(*at_a_level(wanted + other + bed, wanted), person)


def judged(left: np.ndarray, scene: Scene, embedder: FileEmbedder) -> dict[str, float]:
    """All measures of what is left of a scene."""
    from pystoi import stoi

    (others, both, alone), (_, wanted, own), (before, mixed, _) = (
        np.split(x, 3) for x in (left, scene.wanted, scene.heard)
    )
    voice = scene.person.embeddings.mean(axis=0)
    return {
        "gain_db": si_sdr_db(both, wanted) - si_sdr_db(mixed, wanted),
        "estoi": float(stoi(wanted, both, SAMPLE_RATE, extended=True)),
        "others_db": _db(np.mean(others**2) / np.mean(before**2)),
        "alone_db": _db((alone @ own / (own @ own)) ** 2),
        "cosine": float(embedder.embed(ArraySource(both)) @ voice / np.linalg.norm(voice)),
    }


def _db(ratio: float) -> float:
    return float(10 * np.log10(ratio + 1e-6))


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {m: round(float(np.mean([row[m] for row in rows])), 4) for m in MEASURES}


def _table(found: dict[str, Any]) -> Table:
    rows: list[list[Cell]] = []
    for level, of in found["levels"].items():
        for name, row in of.items():
            cells = [f"{row[m]:.3f}" if m in ("estoi", "cosine") else row[m] for m in MEASURES]
            rows.append([f"{level} dB", name, *cells, f"{found['cpu'][name]:.3f}"])
    title = TITLE.format(scenes=found["scenes"], part=PART / SAMPLE_RATE, noise=NOISE_DB)
    return table(["person over other", "system", *MEASURES.values(), "CPU s per s"], rows, title)


def plot(path: Path, levels: dict[str, Any]) -> None:
    """SI-SDR gain, ESTOI and what is left of others against the guidance, a line for each level."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    for axes, name in zip(figure.subplots(1, 3), ("gain_db", "estoi", "others_db"), strict=True):
        for level, of in levels.items():
            axes.plot(GUIDANCE, [of[_guided(w)][name] for w in GUIDANCE], "o-", label=f"{level} dB")
        axes.set(xlabel="guidance w", ylabel=MEASURES[name])
    axes.legend(fontsize=8, title="person over other")
    figure.savefig(path, dpi=110)
