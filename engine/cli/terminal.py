"""What a person sees in the terminal while the engine listens."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from tqdm import tqdm

from voicelane.base.text import one_line
from voicelane.base.timebase import seconds
from voicelane.cli.endings import Outlet
from voicelane.events import (
    Caption,
    CaptionsBehind,
    CaptionsRemark,
    DeviceLost,
    DeviceOverflow,
    DeviceReturned,
    EnhancerFellBack,
    Event,
    EventsDropped,
    InvalidSamples,
    Overrun,
    SinkFailed,
    SoundRemark,
    SpeakerIdentified,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerTurn,
    SpeechEnded,
    Translated,
    Undone,
    Verification,
)
from voicelane.labels.corrections import Relabelling
from voicelane.words.alignment import ENDS


class TerminalSink:
    """Turns as lines while they happen, under them what is being said, and a bar where a file ends."""

    def __init__(self, duration_s: float | None) -> None:
        layout = "{l_bar}{bar}| {n:.0f}/{total:.0f} s" if duration_s else "{desc}"
        self._bar = tqdm(total=duration_s, unit="s", bar_format=layout, leave=False, disable=None)
        self.turns: list[SpeakerTurn] = []
        self.labels = Relabelling()
        self._lost_at = 0
        self._line: list[Caption] = []

    def put(self, event: Event) -> None:
        self.labels = self.labels.after(event)
        if isinstance(event, SpeakerTurn) and event.final:
            self.turns.append(event)
            self._say(
                f"{_clock(event.start)} – {_clock(event.end)}  {self.labels.shown(event.speaker):<12} "
                f"{100 * event.confidence:3.0f} % sure"
            )
        elif isinstance(event, Caption):
            self._caption(event)
        elif isinstance(event, Translated):
            self._end_line()
            self._say(f"{_clock(event.start)}  in English: {one_line(event.text)}")
        elif isinstance(event, CaptionsBehind):
            self._say(f"{_clock(event.sample)}  captions are {lateness(event)}")
        elif isinstance(event, CaptionsRemark):
            self._say(f"{_clock(event.sample)}  {event.remark}")
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
        elif isinstance(event, SoundRemark):
            self._say(f"{_clock(event.sample)}  {event.remark}")
        elif isinstance(event, SinkFailed):
            self._say(f"{_clock(event.sample)}  {event.reason}; listening goes on without it")
        elif isinstance(event, EnhancerFellBack):
            self._say(f"{_clock(event.sample)}  no enhancer: {event.reason}")
        elif isinstance(event, EventsDropped):
            self._say(f"{_clock(event.sample)}  {event.count} events came too fast to show")

    def _caption(self, caption: Caption) -> None:
        """Final words as a line, a sentence each; tentative ones where the running turn is shown."""
        if not caption.final:
            if caption.words:
                self._bar.set_description_str(self._as_line([caption], " …"), refresh=False)
            return
        if self._line and self._line[-1].speaker != caption.speaker:
            self._end_line()
        self._line.append(caption)
        if caption.words and caption.words[-1].text.rstrip().endswith(ENDS):
            self._end_line()

    def _end_line(self) -> None:
        line, self._line = self._line, []
        if line:
            self._say(self._as_line(line))

    def _as_line(self, line: list[Caption], mark: str = "") -> str:
        """When, who, and the words."""
        name = self.labels.shown(line[0].speaker) if line[0].speaker else "somebody"
        text = one_line("".join(word.text for caption in line for word in caption.words))
        return f"{_clock(line[0].start)}{mark}  {name}: {text}"

    def progress(self, heard_samples: int) -> None:
        """Move the bar to what was heard so far."""
        self._bar.n = min(seconds(heard_samples), self._bar.total or 0.0)
        self._bar.refresh()

    def close(self) -> None:
        self._end_line()
        self._bar.close()

    def _say(self, line: str) -> None:
        tqdm.write(line, file=sys.stdout)
        sys.stdout.flush()


def lateness(event: CaptionsBehind) -> str:
    """How late captions are, and what has none for it, as the end of a sentence."""
    late = f"{event.behind_s:.0f} s behind" if event.behind_s else "in time"
    return f"{late}; {event.left_out_s:.0f} s of speech have none" if event.left_out_s else late


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
    sys.stderr = Outlet(os.fdopen(own, "wb"), sys.stderr.encoding, "replace", line_buffering=True)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)


def _clock(sample: int) -> str:
    minutes, rest = divmod(seconds(sample), 60)
    return f"{int(minutes):3d}:{rest:05.2f}"


def print_shares(turns: list[SpeakerTurn], labels: Relabelling) -> None:
    """Who spoke how long in some turns, which have their speakers already."""
    spoken: dict[str, int] = {}
    for turn in turns:
        name = labels.shown(turn.speaker)
        spoken[name] = spoken.get(name, 0) + turn.end - turn.start
    total = sum(spoken.values())
    if not total:
        print("no speech was found")
    for name, n_samples in sorted(spoken.items()):
        print(f"{name:<12} {seconds(n_samples):7.1f} s  {100 * n_samples / total:3.0f} %")
