"""A sink of one's own, which tells who interrupts whom: `python examples/sink_of_your_own.py talk.wav`.

A sink has a thread of its own and may be slow; the sound never waits for it. `mic` in the place of the file
listens live.
"""

from __future__ import annotations

import sys

from voicelane import SAMPLE_RATE, Event, FileSource, LiveSession, MicrophoneSource, Pipeline, SpeakerTurn


class Interruptions:
    """Prints each final turn that begins while somebody else's goes on."""

    def __init__(self) -> None:
        self._turns: list[SpeakerTurn] = []
        self.n_told = 0

    def put(self, event: Event) -> None:
        """One event, in order; a final turn is never changed afterwards."""
        if isinstance(event, SpeakerTurn) and event.final:
            for other in self._turns:
                if other.speaker != event.speaker and other.start < event.start < other.end:
                    self._tell(event, other)
            self._turns.append(event)

    def _tell(self, turn: SpeakerTurn, other: SpeakerTurn) -> None:
        self.n_told += 1
        print(f"{turn.start / SAMPLE_RATE:8.2f} s  {turn.speaker} comes in on {other.speaker}", flush=True)

    def close(self) -> None:
        """No more events come; called exactly once."""
        print(f"{len(self._turns)} turns, {self.n_told} of them begun while somebody else spoke")


def main() -> None:
    source = MicrophoneSource() if sys.argv[1] == "mic" else FileSource(sys.argv[1])
    with LiveSession(source, Pipeline(), [Interruptions()]) as session:
        session.wait()


if __name__ == "__main__":
    main()
