"""The four words of a streaming stage."""

from __future__ import annotations

from typing import Protocol, TypeVar

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Stage(Protocol[In, Out]):
    """Whole frames in, results out; tests/laws.py states what every stage obeys."""

    @property
    def latency_samples(self) -> int:
        """How many samples later than its input a result appears, exactly."""

    def process(self, x: In, /) -> Out:
        """Results that the new input completes."""

    def flush(self) -> Out:
        """Results that still wait; the stream ends here."""

    def reset(self) -> None:
        """Forget the stream: indistinguishable from a new stage."""
