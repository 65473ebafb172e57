"""senko in batch mode on whole recordings; runs in the environment of `python -m bench environment senko`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import senko
import soundfile as sf
import torch


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("audio", type=Path, nargs="+")
    args.add_argument("--out", type=Path, required=True)
    options = args.parse_args()
    torch.set_num_threads(1)
    diarizer = senko.Diarizer(device="cpu", warmup=False, quiet=True)
    folder = options.out / "senko batch"
    folder.mkdir(parents=True, exist_ok=True)
    costs = {}
    for path in options.audio:
        samples, rate = sf.read(path, dtype="float32", always_2d=True)
        began, wall, length_s = time.process_time(), time.perf_counter(), len(samples) / rate
        found = diarizer.diarize_samples(samples.mean(axis=1), sample_rate=rate)
        costs[path.stem] = {
            "cpu_per_s": (time.process_time() - began) / length_s,
            "wall_per_s": (time.perf_counter() - wall) / length_s,
        }
        with (folder / f"{path.stem}.rttm").open("w") as out:
            for s in found["merged_segments"] if found else []:
                length = s["end"] - s["start"]
                name = s["speaker"]
                out.write(f"SPEAKER {path.stem} 1 {s['start']:.3f} {length:.3f} <NA> <NA> {name} <NA> <NA>\n")
    (options.out / "senko.json").write_text(json.dumps(costs, indent=1))


if __name__ == "__main__":
    main()
