"""Frame error of voice activity detectors against exact references, per condition."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from voicelane import SAMPLE_RATE, read_config
from voicelane.base import FRAME_SAMPLES
from voicelane.bench.options import CORPUS, add_command, add_config, add_conversations
from voicelane.bench.results import Cell, Result, Table, table
from voicelane.bench.sound import (
    add_noise,
    audio_files,
    read_mono,
    read_reference,
    speech_frames,
    whole_frames,
)
from voicelane.config import VadConfig
from voicelane.inference import Model, find_model
from voicelane.stages import Vad, levelled

Detector = Callable[[np.ndarray], np.ndarray]


def add(commands: Any) -> None:
    """The `vad` command."""
    command = add_command(commands, "vad", measure, "frame error of our detector, webrtcvad and silero-vad")
    add_conversations(command)
    add_config(command)
    add = command.add_argument
    add("--noise", type=Path, default=CORPUS / "noise/dev", help="folder of noise recordings")
    add("--snr", type=float, nargs="*", default=[20, 10, 5, 0], help="dB, for clean files")
    add("--without-silero", action="store_true")


def voicelane(config: VadConfig) -> Detector:
    """Our detector as the live engine runs it."""
    vad = Vad(config, Model(find_model(config.model, "vad")))

    def detect(samples: np.ndarray) -> np.ndarray:
        vad.reset()
        return np.concatenate((vad.process(levelled(samples)).speech, vad.flush().speech))

    return detect


def webrtc(mode: int) -> Detector:
    """webrtcvad on the same 20 ms frames."""
    import webrtcvad

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


def measure(args: argparse.Namespace) -> Result:
    """Percent of wrong frames, missed ones and false alarms, for each condition and detector."""
    config = read_config(args.config).vad if args.config else VadConfig()
    detectors = {"voicelane": voicelane(config), **{f"webrtcvad {m}": webrtc(m) for m in range(4)}}
    if not args.without_silero:
        detectors["silero-vad"] = silero()
    wrong: dict[str, dict[str, np.ndarray]] = defaultdict(lambda: defaultdict(lambda: np.zeros(3, int)))
    for condition, samples, reference in material(args):
        for name, detect in detectors.items():
            wrong[condition][name] += mistakes(detect(samples), reference)
    found = {c: {name: _rates(n) for name, n in each.items()} for c, each in wrong.items()}
    return Result({"conditions": found}, tables(found))


def material(args: argparse.Namespace) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Condition, samples, and which frames are speech: every recording as it is and in noise, and the noise
    alone."""
    noises = [read_mono(p) for p in audio_files(args.noise)]
    for path in audio_files(args.audio):
        turns = read_reference(path.with_suffix(".rttm"))
        for condition, samples in conditions(path, noises, args.snr, args.seed).items():
            yield condition, samples, speech_frames(turns, len(samples) // FRAME_SAMPLES)
    for noise in noises:
        yield "noise alone", noise, np.zeros(len(noise) // FRAME_SAMPLES, bool)


def mistakes(found: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Frames missed, false alarms, and all frames."""
    return np.array([(reference & ~found).sum(), (found & ~reference).sum(), len(reference)])


def _rates(wrong: np.ndarray) -> dict[str, float]:
    miss, false, n = wrong.tolist()
    shares = {"frame_error": miss + false, "miss": miss, "false_alarm": false}
    return {k: round(100 * v / n, 3) for k, v in shares.items()}


def tables(found: dict[str, dict[str, dict[str, float]]]) -> tuple[Table, ...]:
    """Frame error of every detector in every condition."""
    detectors = list(next(iter(found.values())))
    rows: list[list[Cell]] = [[c, *(each[d]["frame_error"] for d in detectors)] for c, each in found.items()]
    return (table(["frame error %", *detectors], rows),)
