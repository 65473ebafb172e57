"""Sound for measurements: reading, mixing at a given SNR, references on the 20 ms grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile as sf

from voicelane import SAMPLE_RATE, Turn, read_rttm
from voicelane.audio import Resampler
from voicelane.base import FRAME_SAMPLES

AUDIO_ENDINGS = (".wav", ".flac", ".opus", ".ogg", ".mp3")
ACTIVE_RANGE_DB = 35.0


def read_mono(path: Path) -> np.ndarray:
    """A whole file as float32 at 16 kHz."""
    samples, rate = sf.read(path, dtype="float32", always_2d=True)
    resampler = Resampler(rate)
    return np.concatenate((resampler.process(samples), resampler.flush()))


def audio_files(folder: Path) -> list[Path]:
    """The sound files of a folder, by name."""
    found = sorted(p for p in folder.iterdir() if p.suffix.lower() in AUDIO_ENDINGS)
    if not found:
        raise SystemExit(f"{folder}: no sound files ({', '.join(AUDIO_ENDINGS)})")
    return found


def read_reference(path: Path) -> list[Turn]:
    """The turns of an RTTM file that must be there."""
    if not path.is_file():
        raise SystemExit(f"{path}: the reference is missing; every sound file needs an RTTM of its name")
    return read_rttm(path)


def whole_frames(samples: np.ndarray) -> np.ndarray:
    """Frames (n, 320), the remainder cut off."""
    return samples[: len(samples) - len(samples) % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


def active_power(samples: np.ndarray) -> float:
    """Mean square over the 20 ms frames within 35 dB of the loud ones."""
    level = np.mean(whole_frames(samples).astype(np.float64) ** 2, axis=1)
    return float(level[level > np.percentile(level, 95) * 10 ** (-ACTIVE_RANGE_DB / 10)].mean())


def add_noise(speech: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Noise, looped, under the speech at `snr_db` over the speech's active frames."""
    bed = np.resize(noise, len(speech))
    power = float(np.mean(bed.astype(np.float64) ** 2)) + 1e-12
    gain = np.sqrt(active_power(speech) / power * 10 ** (-snr_db / 10))
    return (speech + gain * bed).astype(np.float32)


def speech_frames(turns: list[Turn], n_frames: int) -> np.ndarray:
    """Whether anyone speaks in the middle of each 20 ms frame, (n_frames,)."""
    middle = (np.arange(n_frames) + 0.5) * FRAME_SAMPLES / SAMPLE_RATE
    spoken = np.zeros(n_frames, bool)
    for turn in turns:
        spoken |= (middle >= turn.start) & (middle < turn.end)
    return spoken
