"""Manifests of labelled speech and a decoded, memory-mapped copy of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from voicelane.rt_models.training.caches import digest, keep

SAMPLE_RATE = 16_000
SOUND_SUFFIXES = {".wav", ".flac", ".opus", ".ogg", ".mp3"}


@dataclass(frozen=True)
class Utterance:
    """One recording of one speaker."""

    path: str
    speaker: str
    corpus: str = ""


def read_manifest(path: Path, split: str = "train") -> list[Utterance]:
    """Labelled utterances in any of the field's usual shapes, sorted as they stand or by path.

    - a TSV with `file, split, corpus, speaker` columns, of which those of `split` are taken;
    - lines of `<speaker> <path>` (SEED, VoxCeleb trainer);
    - a LibriSpeech folder, `<speaker>/<chapter>/<speaker>-<chapter>-<n>.flac`;
    - a VoxCeleb folder, `id<speaker>/<video>/<n>.wav` (or .m4a turned to .flac, .opus).

    Paths are relative to the folder that holds them. Speakers named `unknown` get a label per file, so
    that no loss takes them for one person.
    """
    if not path.exists():
        raise ValueError(f"{path}: no such manifest or folder")
    if path.is_dir():
        found = _folder(path)
    elif path.suffix == ".tsv":
        with path.open(newline="") as lines:
            table = csv.DictReader(lines, delimiter="\t")
            if missing := {"file", "split", "corpus", "speaker"} - set(table.fieldnames or ()):
                raise ValueError(f"{path}: expected columns {', '.join(sorted(missing))} in its first line")
            rows = [r for r in table if r["split"] == split]
        found = [Utterance(r["file"], _label(r["speaker"], r["file"]), r["corpus"]) for r in rows]
    else:
        pairs = [line.split(maxsplit=1) for line in path.read_text().splitlines() if line.strip()]
        if short := [" ".join(p) for p in pairs if len(p) != 2]:
            raise ValueError(f"{path}: expected lines of `<speaker> <path>`, got {short[0]!r}")
        found = [Utterance(file, _label(speaker, file)) for speaker, file in pairs]
    if not found:
        raise ValueError(f"{path}: no utterance of split {split!r}")
    return found


def _folder(root: Path) -> list[Utterance]:
    """Every sound three folders deep; the topmost of the three is the speaker."""
    files = sorted(p for p in root.glob("**/*/*/*") if p.suffix in SOUND_SUFFIXES)
    return [Utterance(str(p.relative_to(root)), p.parts[-3], root.name) for p in files]


def _label(speaker: str, file: str) -> str:
    return f"unknown:{file}" if speaker == "unknown" else speaker


def read_audio(path: Path) -> np.ndarray:
    """The whole file as mono float32 at 16 kHz, shape (n_samples,)."""
    samples, rate = sf.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    return mono if rate == SAMPLE_RATE else soxr.resample(mono, rate, SAMPLE_RATE)


def change_speed(samples: np.ndarray, speed: float) -> np.ndarray:
    """Tempo and pitch raised together by `speed` (1.1 is shorter and higher: another voice)."""
    return samples if speed == 1.0 else soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE)


def draw_speeds(count: int, seed: int) -> np.ndarray:
    """A speed per utterance: 1 everywhere for seed 0, else one of four that change the voice."""
    if seed == 0:
        return np.ones(count)
    return np.random.default_rng(seed).choice((0.87, 0.93, 1.07, 1.15), size=count)


class AudioCache:
    """All utterances of a manifest decoded once into one int16 file, read through a memory map."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        index = json.loads((folder / "index.json").read_text())
        self.utterances = [Utterance(*row) for row in index["utterances"]]
        self.bounds = np.array(index["bounds"], dtype=np.int64)
        self.sha256 = digest(index)
        self.samples = np.memmap(folder / "audio.i16", dtype=np.int16, mode="r")

    def __len__(self) -> int:
        return len(self.utterances)

    def __reduce__(self) -> tuple[type[AudioCache], tuple[Path]]:
        """Another process opens the file itself."""
        return AudioCache, (self.folder,)

    def audio(self, index: int) -> np.ndarray:
        """Utterance `index` as float32 in −1…1, shape (n_samples,)."""
        start, stop = self.bounds[index : index + 2]
        return self.samples[start:stop].astype(np.float32) / 32768.0

    @classmethod
    def build(cls, utterances: list[Utterance], root: Path, folder: Path) -> AudioCache:
        """Decode every file below `root` into `folder`; what is there already is kept.

        Raises `ConfigError` where `folder` holds other utterances, `ValueError` for a file without sound.
        """
        rows = [[u.path, u.speaker, u.corpus] for u in utterances]

        def make() -> None:
            bounds = [0]
            with (folder / "audio.i16").open("wb") as out:
                for samples in _decoded(utterances, root):
                    out.write((samples.clip(-1, 1) * 32767).astype(np.int16).tobytes())
                    bounds.append(bounds[-1] + len(samples))
            (folder / "index.json").write_text(json.dumps({"utterances": rows, "bounds": bounds}))

        folder.mkdir(parents=True, exist_ok=True)
        keep(folder / "audio.i16", {"utterances": digest(rows), "rate": SAMPLE_RATE}, make)
        return cls(folder)


def _decoded(utterances: list[Utterance], root: Path) -> Iterator[np.ndarray]:
    for utterance in utterances:
        samples = read_audio(root / utterance.path)
        if not len(samples):
            raise ValueError(f"{root / utterance.path}: no sound in it; take it out of the manifest")
        yield samples
