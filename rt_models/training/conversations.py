"""Simulated conversations with exact references, for training, tuning and the bundled demo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve

from voicelane import SAMPLE_RATE
from voicelane.base import FRAME_SAMPLES
from voicelane.rt_models.training.augment import mix, power

ACTIVE_RANGE_DB = 35.0
FILLED_GAP_FRAMES = 15
SHORTEST_FRAMES = 10


def activity(dry: np.ndarray) -> np.ndarray:
    """Speech per 20 ms frame of a dry recording; pauses under 0.3 s belong to it, clicks do not."""
    frames = dry[: len(dry) - len(dry) % FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    level = 10 * np.log10(np.mean(frames.astype(np.float64) ** 2, axis=1) + 1e-12)
    active = level > max(np.percentile(level, 95) - ACTIVE_RANGE_DB, -70.0)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(int), [0]))))
    for stop, start in zip(edges[1:-1:2], edges[2::2], strict=True):
        if start - stop < FILLED_GAP_FRAMES:
            active[stop:start] = True
    edges = np.flatnonzero(np.diff(np.concatenate(([0], active.astype(int), [0]))))
    for start, stop in edges.reshape(-1, 2):
        if stop - start < SHORTEST_FRAMES:
            active[start:stop] = False
    return active


@dataclass(frozen=True)
class ConversationConfig:
    """How people take turns."""

    gap_s: tuple[float, float] = (0.1, 1.2)
    overlap: float = 0.15
    """Chance that the next turn starts before the last one ends."""
    overlap_s: tuple[float, float] = (0.2, 1.0)
    keep_turn: float = 0.25
    """Chance that the same person goes on after a pause."""
    level_db: float = 3.0
    """Spread of the speakers' levels."""


@dataclass
class Conversation:
    """Sound (n_samples,), and per speaker the active 20 ms frames (n_frames,) of the dry sound."""

    samples: np.ndarray
    active: dict[str, np.ndarray]


def converse(
    voices: dict[str, list[np.ndarray]],
    length_s: float,
    config: ConversationConfig,
    rng: np.random.Generator,
    rooms: dict[str, np.ndarray] | None = None,
) -> Conversation:
    """A conversation of about `length_s` from recordings per speaker, each in its place of the room."""
    names = sorted(voices)
    length = int(length_s * SAMPLE_RATE)
    gains = {n: 10 ** (rng.normal(0, config.level_db) / 20) for n in names}
    wet = np.zeros(length, np.float32)
    active = {n: np.zeros(length // FRAME_SAMPLES, bool) for n in names}
    queues = {n: [voices[n][i] for i in rng.permutation(len(voices[n]))] for n in names}
    cursor, speaker = int(0.5 * SAMPLE_RATE), names[int(rng.integers(len(names)))]
    while any(queues.values()):
        others = [n for n in names if queues[n] and n != speaker]
        if others and (not queues[speaker] or rng.random() > config.keep_turn):
            speaker = others[int(rng.integers(len(others)))]
        dry = queues[speaker].pop()
        dry = dry * (gains[speaker] * 0.05 / np.sqrt(power(dry) + 1e-12))
        start = cursor - cursor % FRAME_SAMPLES
        if start + len(dry) > length - SAMPLE_RATE // 2:
            break
        heard = fftconvolve(dry, rooms[speaker]) if rooms else dry
        stop = min(length, start + len(heard))
        wet[start:stop] += heard[: stop - start]
        frames = activity(dry)
        first = start // FRAME_SAMPLES
        active[speaker][first : first + len(frames)] |= frames
        last = start + (int(np.flatnonzero(frames)[-1]) + 1) * FRAME_SAMPLES if frames.any() else start
        step = (
            -rng.uniform(*config.overlap_s) if rng.random() < config.overlap else rng.uniform(*config.gap_s)
        )
        cursor = max(start + FRAME_SAMPLES, last + int(step * SAMPLE_RATE))
    return Conversation(wet, active)


def noisy(conversation: Conversation, noise: np.ndarray, snr_db: float) -> Conversation:
    """The same conversation over a noise bed at `snr_db` below its speech."""
    spoken = np.repeat(np.any(list(conversation.active.values()), axis=0), FRAME_SAMPLES)
    speech = conversation.samples[: len(spoken)][spoken] if spoken.any() else conversation.samples
    offset_db = 10 * np.log10(power(conversation.samples) / (power(speech) + 1e-12) + 1e-12)
    return Conversation(mix(conversation.samples, noise, snr_db + offset_db), conversation.active)
