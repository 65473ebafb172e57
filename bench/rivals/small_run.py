"""silero-vad, webrtcvad and Resemblyzer, in the environment of `python -m voicelane.bench environment small`.

The detectors write what they take for speech as RTTM; Resemblyzer writes the embeddings of the trial files.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile as sf
import torch
import webrtcvad
from resemblyzer import VoiceEncoder, preprocess_wav
from silero_vad import get_speech_timestamps, load_silero_vad

RATE, FRAME = 16_000, 320
Spans = list[tuple[float, float]]


def silero() -> Callable[[np.ndarray], Spans]:
    """Its own segmentation at its default settings, by ONNX Runtime on one thread."""
    model = load_silero_vad(onnx=True)
    return lambda samples: [
        (p["start"] / RATE, p["end"] / RATE) for p in get_speech_timestamps(samples, model)
    ]


def webrtc(samples: np.ndarray) -> Spans:
    """Mode 2, frame by frame."""
    detector = webrtcvad.Vad(2)
    pcm = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
    frames = pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME)
    on = np.array([detector.is_speech(frame.tobytes(), RATE) for frame in frames])
    edges = np.flatnonzero(np.diff(np.concatenate(([False], on, [False]))))
    return [(a * FRAME / RATE, b * FRAME / RATE) for a, b in edges.reshape(-1, 2)]


def detect(name: str, detector: Callable[[np.ndarray], Spans], audio: list[Path], out: Path) -> None:
    """Spans of speech as RTTM, and what they cost."""
    (out / name).mkdir(parents=True, exist_ok=True)
    costs = {}
    for path in audio:
        samples = sf.read(path, dtype="float32", always_2d=True)[0].mean(axis=1)
        began, wall, length_s = time.process_time(), time.perf_counter(), len(samples) / RATE
        spans = detector(samples)
        costs[path.stem] = {
            "cpu_per_s": (time.process_time() - began) / length_s,
            "wall_per_s": (time.perf_counter() - wall) / length_s,
        }
        lines = [f"SPEAKER {path.stem} 1 {a:.3f} {b - a:.3f} <NA> <NA> speech <NA> <NA>\n" for a, b in spans]
        (out / name / f"{path.stem}.rttm").write_text("".join(lines))
    (out / f"{name}.json").write_text(json.dumps(costs, indent=1))


def embed(files: list[str], root: Path, out: Path) -> None:
    """Resemblyzer over whole recordings: unit vectors (n, 256), and CPU seconds per second of sound."""
    network = VoiceEncoder("cpu", verbose=False).requires_grad_(False)
    vectors, cpu_s, length_s = [], 0.0, 0.0
    for name in files:
        samples = sf.read(root / name, dtype="float32", always_2d=True)[0].mean(axis=1)
        began = time.process_time()
        trimmed = preprocess_wav(samples, source_sr=RATE)
        vectors.append(network.embed_utterance(trimmed if len(trimmed) else samples))
        cpu_s, length_s = cpu_s + time.process_time() - began, length_s + len(samples) / RATE
    np.savez(out / "Resemblyzer.npz", vectors=np.array(vectors), cpu_per_s=cpu_s / length_s)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("audio", type=Path, nargs="+")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--embed", type=Path, help="text file of sound files, one a line")
    args.add_argument("--root", type=Path, default=Path(), help="folder that they are below")
    options = args.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    detect("silero-vad", silero(), options.audio, options.out)
    detect("webrtcvad", webrtc, options.audio, options.out)
    if options.embed:
        embed(options.embed.read_text().splitlines(), options.root, options.out)


if __name__ == "__main__":
    main()
