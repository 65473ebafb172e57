"""voicelane as `bench peers` runs it: the whole engine, its detector and its encoder, each alone."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from voicelane import SAMPLE_RATE, Pipeline, Turn
from voicelane.base import FRAME_SAMPLES
from voicelane.bench.diarisation import turns_of
from voicelane.bench.encoders import ours
from voicelane.bench.sound import read_mono
from voicelane.bench.vad import voicelane as detector
from voicelane.config import VadConfig

FRAME_S = FRAME_SAMPLES / SAMPLE_RATE


def write(turns: list[Turn], path: Path) -> None:
    """RTTM."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        f"SPEAKER {path.stem} 1 {t.start:.3f} {t.end - t.start:.3f} <NA> <NA> {t.speaker} <NA> <NA>\n"
        for t in turns
    ]
    path.write_text("".join(lines))


def spans(speech: np.ndarray) -> list[Turn]:
    """Runs of speech in frames (n,)."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], speech, [False]))))
    return [Turn("speech", a * FRAME_S, b * FRAME_S) for a, b in edges.reshape(-1, 2)]


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("audio", type=Path, nargs="+")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--embed", type=Path, help="text file of sound files, one a line")
    args.add_argument("--root", type=Path, default=Path(), help="folder that they are below")
    options = args.parse_args()
    pipeline, detect = Pipeline(), detector(VadConfig())
    pipeline.warm_up()
    costs: dict[str, dict[str, dict[str, float]]] = {"voicelane": {}, "voicelane vad": {}}
    for path in options.audio:
        samples = read_mono(path)
        for name, folders in (("voicelane", ("emitted", "final")), ("voicelane vad", ("",))):
            began, wall, length_s = time.process_time(), time.perf_counter(), len(samples) / SAMPLE_RATE
            if name == "voicelane":
                pipeline.reset()
                events = pipeline.push(samples) + pipeline.flush()
                found = [turns_of(events, revised) for revised in (False, True)]
            else:
                found = [spans(detect(samples))]
            costs[name][path.stem] = {
                "cpu_per_s": (time.process_time() - began) / length_s,
                "wall_per_s": (time.perf_counter() - wall) / length_s,
            }
            for turns, folder in zip(found, folders, strict=True):
                write(turns, options.out / f"{name} {folder}".strip() / f"{path.stem}.rttm")
    for name, each in costs.items():
        (options.out / f"{name}.json").write_text(json.dumps(each, indent=1))
    if options.embed:
        embed(options.embed.read_text().splitlines(), options.root, options.out)


def embed(files: list[str], root: Path, out: Path) -> None:
    """Our encoder over whole recordings: unit vectors (n, 192), and CPU seconds per second of sound."""
    system, vectors, cpu_s, length_s = ours("conv_transformer"), [], 0.0, 0.0
    for name in files:
        samples = read_mono(root / name)
        began = time.process_time()
        vectors.append(system.embed(samples))
        cpu_s, length_s = cpu_s + time.process_time() - began, length_s + len(samples) / SAMPLE_RATE
    np.savez(out / "voicelane.npz", vectors=np.array(vectors), cpu_per_s=cpu_s / length_s)


if __name__ == "__main__":
    main()
