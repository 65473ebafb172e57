"""Stretches of a sound made softer, with short fades."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

FADE_S, MUTED = 0.03, 0.1


def muted(
    blocks: Iterator[np.ndarray], rate: int, spans: Sequence[tuple[float, float]], strength: float
) -> Iterator[np.ndarray]:
    """What is inside the spans (in seconds, in order, apart) made softer: by 20 dB at strength 1."""
    spans = [(start, end) for start, end in spans if end - start > 2 * FADE_S]
    edges = np.array([edge for start, end in spans for edge in (start, start + FADE_S, end - FADE_S, end)])
    softer = 1.0 - strength * (1.0 - MUTED)
    gains, at = np.tile([1.0, softer, softer, 1.0], len(spans)), 0
    for block in blocks:
        times_s = (at + np.arange(len(block))) / rate
        yield block * np.interp(times_s, edges, gains).astype(np.float32)[:, None] if spans else block
        at += len(block)
