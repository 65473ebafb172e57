"""What the segmenter would say of made-up conversations: orthogonal voices with a little noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.stages.encoder import Embedding, SegmentEnd, SegmentStart
from engine.stages.segmenter import Heard, Window
from engine.timebase import FRAME_SAMPLES

STEP, LENGTH, LINGER, LEAST = 24, 250, 120, 20  # frames
VOICES = np.linalg.qr(np.random.default_rng(0).standard_normal((192, 8)))[0].T
Said = tuple[int, float, float]
"""Voice, and from when to when it speaks in seconds."""


def conversation(said: Sequence[Said], noise: float = 0.03, seed: int = 1) -> list[Heard]:
    """Segment starts, windows and segment ends of voices that speak from … to … seconds."""
    rng = np.random.default_rng(seed)
    n = int(50 * max(end for _, _, end in said)) + LINGER + STEP
    active = np.zeros((n, len(VOICES)), bool)
    for voice, start, end in said:
        active[round(50 * start) : round(50 * end), voice] = True
    speech = active.any(axis=1)
    items: list[Heard] = []
    for frame in range(1, n):
        if speech[frame] != speech[frame - 1]:
            items.append((SegmentStart if speech[frame] else SegmentEnd)(frame * FRAME_SAMPLES))
        if frame % STEP == 0 and frame >= 40 and speech[max(0, frame - LINGER) : frame].any():
            items.append(window(active[max(0, frame - LENGTH) : frame], frame, noise, rng))
    return items


def window(active: np.ndarray, end: int, noise: float, rng: np.random.Generator) -> Window:
    """The frames bool (n, n_voices) up to frame `end`, the three busiest voices in any order."""
    chosen = rng.permutation(np.argsort(-active.sum(axis=0), kind="stable")[:3])
    local = active[:, chosen]
    clean = local & (active.sum(axis=1) == 1)[:, None]
    begin = (end - len(active)) * FRAME_SAMPLES
    heard = tuple(_embedding(VOICES[v], c, begin, noise, rng) for v, c in zip(chosen, clean.T, strict=True))
    return Window(begin, end * FRAME_SAMPLES, local.astype(np.float32), heard, clean)


def _embedding(
    voice: np.ndarray, clean: np.ndarray, begin: int, noise: float, rng: np.random.Generator
) -> Embedding | None:
    where = np.flatnonzero(clean)
    if len(where) < LEAST:
        return None
    vector = voice + noise * rng.standard_normal(len(voice))
    start, end = (begin + FRAME_SAMPLES * int(i) for i in (where[0], where[-1] + 1))
    return Embedding(start, end, (vector / np.linalg.norm(vector)).astype(np.float32))
