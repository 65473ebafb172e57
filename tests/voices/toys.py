"""Voices of nobody, drawn by chance: what the tests take where it does not matter how good they are."""

from __future__ import annotations

import numpy as np

from voicelane.voices import Voice


def draw(count: int, rng: np.random.Generator) -> list[Voice]:
    """Unit vectors of 192 numbers, and pitches between 90 and 260 Hz."""
    rows = rng.standard_normal((count, 192)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    pitches = rng.uniform(90.0, 260.0, count).tolist()
    return [
        Voice(f"toy {n}", row, hz, "pseudo", "toy")
        for n, (row, hz) in enumerate(zip(rows, pitches, strict=True))
    ]
