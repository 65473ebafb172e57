"""The time base: an integer index of 16 kHz samples. Seconds appear only at the edges."""

SAMPLE_RATE = 16_000
"""Samples per second of everything behind the source."""

FRAME_SAMPLES = 320
"""Samples of one pipeline frame (20 ms)."""

HOP_SAMPLES = 160
"""Samples between two spectral columns (10 ms); a frame holds two columns."""


def seconds(n_samples: int) -> float:
    """Duration of `n_samples` in seconds."""
    return n_samples / SAMPLE_RATE


def samples(duration_s: float) -> int:
    """Samples nearest to `duration_s` seconds."""
    return round(duration_s * SAMPLE_RATE)
