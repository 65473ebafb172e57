"""What the segmenter would say of made-up conversations: orthogonal voices with a little noise."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from voicelane.base.timebase import FRAME_SAMPLES
from voicelane.stages.encoder import Embedding, SegmentEnd, SegmentStart
from voicelane.stages.plda import Plda
from voicelane.stages.scale import Scale
from voicelane.stages.segmenter import Heard, Piece, Window

STEP, LENGTH, LINGER, CONFIRM, CONTEXT, LEAST = 24, 250, 120, 80, 60, 16  # frames
VOICES = np.linalg.qr(np.random.default_rng(0).standard_normal((192, 8)))[0].T
Said = tuple[int, float, float]
"""Voice, and from when to when it speaks in seconds."""


def flat_scale(dim: int) -> Scale:
    """Every direction alike, no channel; a cosine of 0.33 tells nothing, each 0.05 more is one of ratio."""
    plda = Plda(np.zeros(dim), np.sqrt(2 * dim) * np.eye(dim), np.ones(dim))
    weights = np.array([-6.6, 0.0, 0.0, 20.0, 0.0, 0.0])
    return Scale(plda, weights, (0.4, 30.0), np.eye(dim) / (2 * dim), 1e-9 * np.eye(dim))


SCALE = flat_scale(192)


def write_scale(folder: Path, scale: Scale, encoder_id: str) -> str:
    """`scale.npz` of an encoder, as its training writes it; the checksum."""
    np.savez(
        folder / "scale.npz",
        encoder_id=np.array(encoder_id),
        mean=scale.plda.mean,
        transform=scale.plda.transform,
        plda_between=scale.plda.between,
        weights=scale.weights,
        lengths_s=np.array(scale.lengths_s),
        between=scale.between,
        channel=scale.channel,
    )
    return hashlib.sha256((folder / "scale.npz").read_bytes()).hexdigest()


def embedding(vector: np.ndarray, start_s: float, end_s: float) -> Embedding:
    return Embedding(int(16_000 * start_s), int(16_000 * end_s), vector.astype(np.float32))


def conversation(said: Sequence[Said], noise: float = 0.03, seed: int = 1) -> list[Heard]:
    """Segment starts, windows and segment ends of voices that speak from … to … seconds."""
    rng = np.random.default_rng(seed)
    n = (int(50 * max(end for _, _, end in said)) + LINGER + STEP) // STEP * STEP + 1
    active = np.zeros((n, len(VOICES)), bool)
    for voice, start, end in said:
        active[round(50 * start) : round(50 * end), voice] = True
    speech = active.any(axis=1)
    items: list[Heard] = []
    settled = newest = 0
    for frame in range(1, n):
        if speech[frame] != speech[frame - 1]:
            items.append((SegmentStart if speech[frame] else SegmentEnd)(frame * FRAME_SAMPLES))
        if frame % STEP == 0 and frame >= 40 and speech[max(0, frame - LINGER) : frame].any():
            begin, last = max(0, frame - LENGTH), frame if frame == n - 1 else frame - CONFIRM
            regions = ((max(begin, settled), last), (max(begin, last, newest), frame))
            pieces = [p for a, b in regions for p in pieces_of(active, begin, frame, a, b, noise, rng)]
            people = active[begin:frame].sum(axis=1).astype(np.float32)
            items.append(
                Window(
                    begin * FRAME_SAMPLES,
                    frame * FRAME_SAMPLES,
                    last * FRAME_SAMPLES,
                    people,
                    tuple(pieces),
                )
            )
            settled, newest = max(settled, last), frame
    return items


def pieces_of(
    active: np.ndarray, begin: int, end: int, first: int, last: int, noise: float, rng: np.random.Generator
) -> Iterator[Piece]:
    """Runs of the same people in the frames `first` … `last` − 1, heard within `begin` … `end` − 1."""
    cuts = [first, *(f for f in range(first + 1, last) if (active[f] != active[f - 1]).any()), last]
    for a, b in itertools.pairwise(cuts):
        for rank, voice in enumerate(np.flatnonzero(active[a])[:2] if b > a else ()):
            lo, hi = max(begin, (a + b) // 2 - CONTEXT), min(end, (a + b) // 2 + CONTEXT)
            clean = active[lo:hi, voice] & (active[lo:hi].sum(axis=1) == 1)
            vector = VOICES[voice] + noise * rng.standard_normal(192)
            heard = Embedding(
                lo * FRAME_SAMPLES, hi * FRAME_SAMPLES, (vector / np.linalg.norm(vector)).astype("f4")
            )
            n = int(clean.sum())
            yield Piece(a * FRAME_SAMPLES, b * FRAME_SAMPLES, rank == 0, heard if n >= LEAST else None, n)
