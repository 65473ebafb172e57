"""Rows that come out later than they went in."""

from __future__ import annotations

import numpy as np


class Delay:
    """Rows (n, …) in, as many out, `rows` later."""

    def __init__(self, rows: int, before: np.ndarray) -> None:
        """`before` (…) is what comes out before the first row."""
        self.rows, self._before = rows, before
        self.reset()

    def reset(self) -> None:
        self._kept = np.tile(self._before, (self.rows, *(1 for _ in self._before.shape)))

    def process(self, rows: np.ndarray) -> np.ndarray:
        known = np.concatenate((self._kept, rows))
        self._kept = known[len(rows) :]
        return known[: len(rows)]
