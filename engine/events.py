"""What the engine says while it listens. Every position is a 16 kHz sample index of the stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any

import msgspec

from voicelane.base.errors import VoicelaneError
from voicelane.base.text import is_text, quoted
from voicelane.base.timebase import seconds

LARGEST = 1 << 53
LABELS = ("speaker", "name", "into")
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
Number = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]


@dataclass(frozen=True)
class Event:
    """Base of all events; `sample` is the place in the stream that brought it about."""

    sample: Count

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON: the fields, the kind, and every position once more in seconds."""
        content: dict[str, Any] = {"event": type(self).__name__, **asdict(self)}
        for name in ("sample", "start", "end", "confirmed_end"):
            if name in content:
                content[f"{name}_s"] = round(seconds(content[name]), 4)
        return content


@dataclass(frozen=True)
class StreamStarted(Event):
    """The first sound came in."""

    source: str
    rate: Count
    """Of the source, in Hz."""
    clock_s: Number
    """`time.monotonic()` of sample 0."""


@dataclass(frozen=True)
class SpeechStarted(Event):
    """Somebody began to speak at `start`."""

    start: Count


@dataclass(frozen=True)
class SpeechEnded(Event):
    """Nobody speaks any more from `end` on."""

    start: Count
    end: Count


@dataclass(frozen=True)
class SpeakerTurn(Event):
    """`speaker` spoke from `start` to `end`, as far as is known at `sample`.

    A provisional turn (`final` false) may grow, and its part behind `confirmed_end` may still go to somebody
    else. The provisional turns of one `sample` are the whole picture: they replace those of every earlier
    one; an empty turn (`end` = `start`) says that there are none. A final turn is complete, takes the place
    of the provisional one of its speaker and `start`, and the stream never changes it. Where people speak
    at once, their final turns overlap.
    """

    speaker: str
    start: Count
    end: Count
    confirmed_end: Count
    confidence: Number
    """0 … 1."""
    final: bool
    voice_confidence: Number | None = None
    """How cleanly the voice was heard, 0 … 1: the cosine that the enhancer expects between its embeddings
    and those of clean speech; None without an enhancer."""


@dataclass(frozen=True)
class TurnRevised(Event):
    """All speech so far was compared anew: what `speaker` was said to speak from `start` to `end` is of
    `into`."""

    speaker: str
    into: str
    start: Count
    end: Count


@dataclass(frozen=True)
class VoiceMeasured(Event):
    """The voice from `start` to `end`, for curves and maps; only where the pipeline was asked for it."""

    start: Count
    end: Count
    similarity: dict[str, Number]
    """Cosine to each speaker so far."""
    vector: Sequence[Number]
    """The unit vector as the diariser got it (dim,)."""
    raw: Sequence[Number] | None = None
    """The one before the enhancer, where there is one."""


@dataclass(frozen=True)
class SpeakerIdentified(Event):
    """The voice of `speaker` is that of the enrolled person `name`; a later such event replaces this one."""

    speaker: str
    name: str
    score: Number
    """Cosine between the two voices."""


@dataclass(frozen=True)
class Verification(Event):
    """Whether the speech up to `sample` of `speaker` (empty: all speech) is that of the enrolled person
    `name`; a later one of the same speaker replaces it."""

    name: str
    score: Number
    """Cosine; where the calibration is by a cohort, in standard deviations above its strangers."""
    llr: Number
    """Natural logarithm of how much likelier the speech is if it is that person's."""
    heard_s: Number
    """Seconds of speech behind it."""
    accepted: bool
    speaker: str = ""


@dataclass(frozen=True)
class Word:
    """One word as it was recognised, from `start` to `end`."""

    start: Count
    end: Count
    text: str
    """With the blank before it, where the language has one: the texts of words join to a line."""
    confidence: Number
    """Probability that the recogniser gives it, 0 … 1."""


@dataclass(frozen=True)
class Caption(Event):
    """`speaker` (empty: nobody whose turn it is) says `words`, as far as is known at `sample`.

    The tentative captions (`final` false) of one `sample` are the whole picture: they replace those of every
    earlier one, and one without words says that there are none. A final caption's words stay; whose they are
    follows the turns (`voicelane.words.assign`).
    """

    speaker: str
    start: Count
    end: Count
    words: tuple[Word, ...]
    final: bool
    language: str = ""
    """As a code of two or three letters."""


@dataclass(frozen=True)
class Translated(Event):
    """What is said from `start` to `end`, in English; nothing changes it."""

    start: Count
    end: Count
    text: str


@dataclass(frozen=True)
class CaptionsBehind(Event):
    """The recogniser of words is `behind_s` late; `left_out_s` of speech have no captions for it."""

    behind_s: Number
    left_out_s: Number = 0.0


@dataclass(frozen=True)
class CaptionsRemark(Event):
    """What a reader of captions should know, in one sentence: why some are missing, or all."""

    remark: str


@dataclass(frozen=True)
class SpeakerRenamed(Event):
    """Somebody said that `speaker` is called `name`."""

    speaker: str
    name: str


@dataclass(frozen=True)
class SpeakersMerged(Event):
    """Somebody said that `speaker` is no other than `into`."""

    speaker: str
    into: str


@dataclass(frozen=True)
class TurnAssigned(Event):
    """Somebody said that what `speaker` was said to speak from `start` to `end` is of `into`."""

    speaker: str
    into: str
    start: Count
    end: Count


@dataclass(frozen=True)
class TurnInserted(Event):
    """Somebody said that `speaker` speaks from `start` to `end` in one turn, whatever the engine says of them
    there."""

    speaker: str
    start: Count
    end: Count


@dataclass(frozen=True)
class TurnRemoved(Event):
    """Somebody said that `speaker` does not speak from `start` to `end`."""

    speaker: str
    start: Count
    end: Count


@dataclass(frozen=True)
class SpeakerSplit(Event):
    """Somebody said that what `speaker` was said to speak from `start` on is of the new speaker `into`."""

    speaker: str
    into: str
    start: Count


@dataclass(frozen=True)
class Undone(Event):
    """The latest correction by hand that still holds was taken back."""


@dataclass(frozen=True)
class Redone(Event):
    """The correction that was taken back last holds again."""


@dataclass(frozen=True)
class ListeningPaused(Event):
    """From `sample` on nobody listens: silence stands for what the microphone hears."""


@dataclass(frozen=True)
class ListeningResumed(Event):
    """From `sample` on the microphone is heard again."""


@dataclass(frozen=True)
class DeviceLost(Event):
    """The microphone is gone from `sample` on; silence stands for what it would have heard.

    As many samples are missing as lie between this and the next `DeviceReturned`, or the end.
    """

    reason: str


@dataclass(frozen=True)
class DeviceReturned(Event):
    """From `sample` on a microphone is heard again."""

    source: str


@dataclass(frozen=True)
class Overrun(Event):
    """`lost_samples` of sound from `sample` on were overwritten unheard; silence stands for them."""

    lost_samples: Count


@dataclass(frozen=True)
class DeviceOverflow(Event):
    """The device itself lost sound, `count` times since the last such event; it does not say how much."""

    count: Count


@dataclass(frozen=True)
class InvalidSamples(Event):
    """`count` samples were no numbers, or beyond all sound, and were taken as zero."""

    count: Count


@dataclass(frozen=True)
class SoundRemark(Event):
    """What a listener should know of the sound itself, in one sentence: how it is heard, what is wrong."""

    remark: str


@dataclass(frozen=True)
class EventsDropped(Event):
    """A slow sink missed `count` events; the sound itself was heard completely."""

    count: Count


@dataclass(frozen=True)
class SoundDropped(Event):
    """A slow recording missed `lost_samples` of sound before `sample`; the engine heard it completely."""

    lost_samples: Count


@dataclass(frozen=True)
class SinkFailed(Event):
    """A recording or another sink takes no more, as when the disk is full; the others go on."""

    reason: str


@dataclass(frozen=True)
class EnhancerFellBack(Event):
    """The enhancer that was asked for cannot work; from here on embeddings stay as the encoder gives them."""

    reason: str


@dataclass(frozen=True)
class StageTiming(Event):
    """Time that one push of `n_frames` frames took, per stage, in milliseconds."""

    n_frames: Count
    wall_ms: dict[str, Number]
    stage_cpu_ms: dict[str, Number]
    """Of the pushing thread alone."""


def event_kinds() -> dict[str, type[Event]]:
    """Every class of events, by its name."""
    return {kind.__name__: kind for kind in Event.__subclasses__()}


def event_from_dict(content: dict[str, Any]) -> Event:
    """The event that `as_dict` made `content` of; raises `VoicelaneError` for anything else."""
    kind = event_kinds().get(str(content.get("event")))
    if kind is None:
        raise VoicelaneError(f"not an event of this version: {quoted(content.get('event'))}")
    try:
        found = msgspec.convert(content, kind)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as problem:
        raise VoicelaneError(f"not a whole event ({problem})") from None
    if isinstance(found, VoiceMeasured):
        found = replace(
            found, vector=tuple(found.vector), raw=None if found.raw is None else tuple(found.raw)
        )
    if wrong := events_problem([found]):
        raise VoicelaneError(f"not a whole event ({wrong})")
    return found


def events_problem(events: Sequence[Event]) -> str:
    """Why one of some events of one kind cannot be, whose fields are of the right types, or nothing."""
    if not events:
        return ""
    kind = type(events[0])
    texts, labels, is_span = _CHECKED[kind]
    for name in texts:
        for value in set(map(attrgetter(name), events)):
            if not _is_whole(value):
                return f"{name} is {quoted(value)}"
    for name in labels:
        for value in set(map(attrgetter(name), events)):
            of_nobody = kind in (Verification, Caption) and name == "speaker" and not value
            if not (of_nobody or _is_label(value)):
                return f"{name} is {quoted(value)}"
    if wrong := next(
        (w for e in events if isinstance(e, Caption) for w in map(word_problem, e.words) if w), ""
    ):
        return wrong
    backwards = is_span and any(start > end for start, end in map(_span, events))
    return "it ends before it starts" if backwards else ""


def word_problem(word: Word) -> str:
    """Why a word cannot be, or nothing."""
    if not _is_whole(word.text):
        return f"a word is {quoted(word.text)}"
    return "a word ends before it starts" if word.start > word.end else ""


def _to_check(kind: type[Event]) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Fields of a class of events that are any text, and those that are labels; whether it is a span."""
    types = {name: str(field.type) for name, field in kind.__dataclass_fields__.items()}
    labels = tuple(name for name in types if name in LABELS)
    texts = tuple(name for name, type_ in types.items() if type_ == "str" and name not in LABELS)
    return texts, labels, {"start", "end"} <= types.keys()


_CHECKED = {kind: _to_check(kind) for kind in Event.__subclasses__()}
_span = attrgetter("start", "end")


@lru_cache(maxsize=4096)
def _is_whole(text: str) -> bool:
    """Whether UTF-8 can hold it."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


@lru_cache(maxsize=4096)
def _is_label(text: str) -> bool:
    """Whether somebody can be called so."""
    return bool(text.strip()) and is_text(text)
