"""What a person sees in the terminal while the engine listens."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from tqdm import tqdm

from engine.events import (
    DeviceLost,
    DeviceOverflow,
    DeviceReturned,
    EnhancerFellBack,
    Event,
    EventsDropped,
    InvalidSamples,
    Overrun,
    SinkFailed,
    SpeakerIdentified,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerTurn,
    SpeechEnded,
    Undone,
    Verification,
)
from engine.relabelling import Relabelling
from engine.timebase import seconds


class TerminalSink:
    """Turns as lines while they happen, under them what is being said, and a bar where a file ends."""

    def __init__(self, duration_s: float | None) -> None:
        layout = "{l_bar}{bar}| {n:.0f}/{total:.0f} s" if duration_s else "{desc}"
        self._bar = tqdm(total=duration_s, unit="s", bar_format=layout, leave=False, disable=None)
        self.turns: list[SpeakerTurn] = []
        self.labels = Relabelling()
        self._lost_at = 0

    def put(self, event: Event) -> None:
        self.labels = self.labels.after(event)
        if isinstance(event, SpeakerTurn) and event.final:
            self.turns.append(event)
            self._say(
                f"{_clock(event.start)} – {_clock(event.end)}  {self.labels.shown(event.speaker):<12} "
                f"{100 * event.confidence:3.0f} % sure"
            )
        elif isinstance(event, SpeakerTurn):
            self._bar.set_description_str(
                f"{_clock(event.start)} …  {self.labels.shown(event.speaker)} is speaking", refresh=False
            )
        elif isinstance(event, SpeakerIdentified):
            self._say(f"{_clock(event.sample)}  {event.speaker} is {event.name} (cosine {event.score:.2f})")
        elif isinstance(event, Verification) and event.speaker:
            self._say(
                f"{_clock(event.sample)}  {event.speaker} is {'' if event.accepted else 'not '}accepted as "
                f"{event.name} after {event.heard_s:.1f} s of speech (log-likelihood ratio {event.llr:+.2f})"
            )
        elif isinstance(event, SpeakerRenamed):
            self._say(f"{_clock(event.sample)}  {event.speaker} is now called {event.name}")
        elif isinstance(event, SpeakersMerged):
            self._say(f"{_clock(event.sample)}  {event.speaker} is the same as {event.into}")
        elif isinstance(event, Undone):
            self._say(f"{_clock(event.sample)}  the latest change of names was taken back")
        elif isinstance(event, SpeechEnded):
            self._bar.set_description_str("", refresh=False)
        elif isinstance(event, DeviceLost):
            self._lost_at = event.sample
            self._say(f"{_clock(event.sample)}  {event.reason}; waiting for more, Ctrl-C ends")
        elif isinstance(event, DeviceReturned):
            missing_s = seconds(event.sample - self._lost_at)
            self._say(f"{_clock(event.sample)}  {event.source} is heard again; {missing_s:.2f} s are missing")
        elif isinstance(event, DeviceOverflow):
            self._say(f"{_clock(event.sample)}  the microphone lost some sound by itself")
        elif isinstance(event, Overrun):
            self._say(
                f"{_clock(event.sample)}  {seconds(event.lost_samples):.2f} s of sound were lost: "
                "the machine is too busy"
            )
        elif isinstance(event, InvalidSamples):
            self._say(f"{_clock(event.sample)}  {event.count} samples were not numbers; taken as silence")
        elif isinstance(event, SinkFailed):
            self._say(f"{_clock(event.sample)}  {event.reason}; listening goes on without it")
        elif isinstance(event, EnhancerFellBack):
            self._say(f"{_clock(event.sample)}  no enhancer: {event.reason}")
        elif isinstance(event, EventsDropped):
            self._say(f"{_clock(event.sample)}  {event.count} events came too fast to show")

    def progress(self, heard_samples: int) -> None:
        """Move the bar to what was heard so far."""
        self._bar.n = min(seconds(heard_samples), self._bar.total or 0.0)
        self._bar.refresh()

    def close(self) -> None:
        self._bar.close()

    def _say(self, line: str) -> None:
        tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()


def keep_errors_readable() -> None:
    """From now on only Python writes to the error stream.

    ALSA and PortAudio write riddles there, every second while a microphone is away; what matters of them
    comes as an error with a sentence.
    """
    if sys.stderr is not sys.__stderr__ or not isinstance(sys.stderr, TextIOWrapper):
        return  # somebody else has it already
    try:
        own = os.dup(2)
    except OSError:  # there is no such stream
        return
    sys.stderr.flush()
    sys.stderr = os.fdopen(own, "w", buffering=1, encoding=sys.stderr.encoding, errors="replace")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)


def _clock(sample: int) -> str:
    minutes, rest = divmod(seconds(sample), 60)
    return f"{int(minutes):3d}:{rest:05.2f}"


def print_shares(turns: list[SpeakerTurn], labels: Relabelling) -> None:
    """Who spoke how long."""
    spoken: dict[str, int] = {}
    for turn in labels.turns(turns):
        name = labels.shown(turn.speaker)
        spoken[name] = spoken.get(name, 0) + turn.end - turn.start
    total = sum(spoken.values())
    if not total:
        print("no speech was found")
    for name, n_samples in sorted(spoken.items()):
        print(f"{name:<12} {seconds(n_samples):7.1f} s  {100 * n_samples / total:3.0f} %")
