"""The four words of a streaming stage, for frames and for events."""

from __future__ import annotations

from typing import Protocol, TypeVar

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)


class Stage(Protocol[In, Out]):
    """Whole frames in, results out; tests/laws.py states what every stage obeys."""

    def process(self, x: In, /) -> Out:
        """Results that the new input completes."""

    def flush(self) -> Out:
        """Results that still wait; the stream ends here."""

    def reset(self) -> None:
        """Forget the stream: indistinguishable from a new stage."""


class FrameStage(Stage[In, Out], Protocol[In, Out]):
    """Frames in and frames out, so many for each."""

    @property
    def latency_samples(self) -> int:
        """How many samples later than its input a result appears, exactly."""


class EventStage(Stage[In, Out], Protocol[In, Out]):
    """Frames or events in, and events out when there is something to tell."""

    @property
    def longest_delay_samples(self) -> int:
        """How many samples of its input may be heard, at most, after one that nothing was told of yet."""
