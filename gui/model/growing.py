"""An array that grows at its end, for one writer and any number of readers."""

from __future__ import annotations

from typing import Any

import numpy as np

FIRST_CAPACITY = 1024


class Growing:
    """Rows of one shape; a view stays valid, whatever is appended after it."""

    def __init__(self, shape: tuple[int, ...], dtype: Any, n: int = 0, value: float = 0) -> None:
        """`n` rows of `value` to begin with."""
        self._rows = np.full((max(FIRST_CAPACITY, 2 * n), *shape), value, dtype)
        self.n = n

    def fill(self, rows: np.ndarray) -> None:
        """Exactly these rows (n, *shape), whatever there was."""
        self._rows, self.n = rows, len(rows)

    def append(self, rows: np.ndarray) -> None:
        """Rows (n, *shape) at the end; only ever called by the writer."""
        end = self.n + len(rows)
        if end > len(self._rows):
            grown = np.empty((max(2 * len(self._rows), end), *self._rows.shape[1:]), self._rows.dtype)
            grown[: self.n] = self._rows[: self.n]
            self._rows = grown
        self._rows[self.n : end] = rows
        self.n = end

    def view(self) -> np.ndarray:
        """All rows so far, without a copy."""
        n = self.n  # read before the rows: they only ever get more
        return self._rows[:n]
