"""Frame error of voice activity detectors against exact references, per condition."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import webrtcvad

from bench.results import machine, save, table
from bench.sound import add_noise, audio_files, read_mono, read_reference, speech_frames, whole_frames
from engine import (
    FRAME_SAMPLES,
    SAMPLE_RATE,
    FeatureExtractor,
    Model,
    Stft,
    Vad,
    VadConfig,
    VadInput,
    find_model,
    read_config,
)

Detector = Callable[[np.ndarray], np.ndarray]


def voicelane(config: VadConfig) -> Detector:
    """Our detector as the live engine runs it."""
    vad = Vad(config, Model(find_model(config.model, "vad")))

    def detect(samples: np.ndarray) -> np.ndarray:
        vad.reset()
        frames = whole_frames(samples)
        columns = FeatureExtractor(phase=False).process(Stft().process(frames)).log_mel
        return np.concatenate((vad.process(VadInput(frames, columns)).speech, vad.flush().speech))

    return detect


def webrtc(mode: int) -> Detector:
    """webrtcvad on the same 20 ms frames."""

    def detect(samples: np.ndarray) -> np.ndarray:
        detector = webrtcvad.Vad(mode)
        pcm = (np.clip(whole_frames(samples), -1, 1) * 32767).astype(np.int16)
        return np.array([detector.is_speech(frame.tobytes(), SAMPLE_RATE) for frame in pcm])

    return detect


def silero() -> Detector:
    """silero-vad with its own segmentation at its default settings, by ONNX Runtime on one thread."""
    from silero_vad import get_speech_timestamps, load_silero_vad

    model = load_silero_vad(onnx=True)

    def detect(samples: np.ndarray) -> np.ndarray:
        speech = np.zeros(len(whole_frames(samples)), bool)
        for part in get_speech_timestamps(samples, model):
            speech[round(part["start"] / FRAME_SAMPLES) : round(part["end"] / FRAME_SAMPLES)] = True
        return speech

    return detect


def conditions(path: Path, noises: list[np.ndarray], snrs: list[float], seed: int) -> dict[str, np.ndarray]:
    """The recording as it is and, where it is a clean one, with noise at each SNR."""
    samples = read_mono(path)
    kind = path.stem.rsplit("-", 1)[-1]
    found = {kind: samples}
    if kind == "clean":
        rng = np.random.default_rng((seed, *path.stem.encode()))
        for snr_db in snrs:
            bed = np.concatenate([noises[int(i)] for i in rng.integers(len(noises), size=8)])
            found[f"{snr_db:g} dB"] = add_noise(samples, bed, snr_db)
    return found


def measure(args: argparse.Namespace) -> None:
    """The `vad` command."""
    config = read_config(args.config).vad if args.config else VadConfig()
    detectors = {"voicelane": voicelane(config), **{f"webrtcvad {m}": webrtc(m) for m in range(4)}}
    if not args.without_silero:
        detectors["silero-vad"] = silero()
    noises = [read_mono(p) for p in audio_files(args.noise)]
    wrong: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)

    def count(condition: str, samples: np.ndarray, reference: np.ndarray) -> None:
        for name, detect in detectors.items():
            found = detect(samples)
            wrong[condition, name].append(
                np.array([(reference & ~found).sum(), (found & ~reference).sum(), len(reference)])
            )

    for path in audio_files(args.audio):
        turns = read_reference(path.with_suffix(".rttm"))
        for condition, samples in conditions(path, noises, args.snr, args.seed).items():
            count(condition, samples, speech_frames(turns, len(samples) // FRAME_SAMPLES))
    for noise in noises:
        count("noise alone", noise, np.zeros(len(noise) // FRAME_SAMPLES, bool))
    _report({key: np.sum(counts, axis=0) for key, counts in wrong.items()}, list(detectors), args.json)


def _report(wrong: dict[tuple[str, str], np.ndarray], detectors: list[str], path: Path | None) -> None:
    names = list(dict.fromkeys(condition for condition, _ in wrong))
    result = {
        condition: {
            detector: {
                "frame_error": round(100 * (miss + false) / n, 3),
                "miss": round(100 * miss / n, 3),
                "false_alarm": round(100 * false / n, 3),
            }
            for detector in detectors
            for miss, false, n in [wrong[condition, detector].tolist()]
        }
        for condition in names
    }
    rows = [[c, *(result[c][d]["frame_error"] for d in detectors)] for c in names]
    print(table(["frame error %", *detectors], rows))
    save(path, {"machine": machine(), "conditions": result})
