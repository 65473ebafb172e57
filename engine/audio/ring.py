"""A preallocated ring of samples for one producer and one consumer, addressed by absolute index."""

from __future__ import annotations

import numpy as np


class Ring:
    """The producer never waits: what it overwrites unread is lost, and the consumer is told how much.

    Every sample is stored twice, `capacity` apart, so that any window is one contiguous view. The
    producer announces what it is about to overwrite (`_claimed`) before it writes and what is there
    (`_written`) after; a consumer that copies first and looks at `_claimed` afterwards therefore never
    takes torn sound for whole.
    """

    def __init__(self, capacity: int, channels: int = 1) -> None:
        if capacity < 1:
            raise ValueError(f"expected a capacity of at least 1 sample, got {capacity}")
        self.capacity = capacity
        self._samples = np.zeros((2 * capacity, channels), np.float32)
        self._claimed = self._written = self._read = 0

    @property
    def written(self) -> int:
        """Index behind the newest sample."""
        return self._written

    @property
    def waiting(self) -> int:
        """Samples written and not yet read or lost, at most the capacity."""
        return min(self._written - self._read, self.capacity)

    def write(self, block: np.ndarray) -> None:
        """Append `block` float32 (n, channels); only ever called by the producer."""
        start = self._written
        self._claimed = start + len(block)
        kept = block[-self.capacity :]
        begin = (start + len(block) - len(kept)) % self.capacity
        first = min(len(kept), self.capacity - begin)
        for offset in (0, self.capacity):
            self._samples[begin + offset : begin + offset + first] = kept[:first]
            self._samples[offset : offset + len(kept) - first] = kept[first:]
        self._written = self._claimed

    def view(self, start: int, length: int) -> np.ndarray:
        """Samples `start` … `start + length` as one view (length, channels), valid until overwritten."""
        if not self._oldest() <= start <= start + length <= self._written:
            raise IndexError(
                f"samples {start} … {start + length} are not in the ring ({self._oldest()} … {self._written})"
            )
        begin = start % self.capacity
        return self._samples[begin : begin + length]

    def read(self, most: int) -> tuple[np.ndarray, int]:
        """Up to `most` unread samples, copied, and how many before them were lost.

        Only ever called by the consumer. Lost ones are reported exactly once.
        """
        lost = max(0, self._oldest() - self._read)
        start = self._read + lost
        length = max(0, min(most, self._written - start))
        begin = start % self.capacity
        copied = self._samples[begin : begin + length].copy()
        torn = min(length, max(0, self._oldest() - start))
        self._read = start + length
        return copied[torn:], lost + torn

    def _oldest(self) -> int:
        return max(0, self._claimed - self.capacity)
