"""What the engine says while it listens. Every position is a 16 kHz sample index of the stream."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, get_args, get_origin, get_type_hints

from engine.errors import VoicelaneError
from engine.names import is_text, quoted
from engine.timebase import seconds

LARGEST = 1 << 53
LABELS = ("speaker", "name", "into")


@dataclass(frozen=True)
class Event:
    """Base of all events; `sample` is the place in the stream that brought it about."""

    sample: int

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
    rate: int
    """Of the source, in Hz."""
    clock_s: float
    """`time.monotonic()` of sample 0."""


@dataclass(frozen=True)
class SpeechStarted(Event):
    """Somebody began to speak at `start`."""

    start: int


@dataclass(frozen=True)
class SpeechEnded(Event):
    """Nobody speaks any more from `end` on."""

    start: int
    end: int


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
    start: int
    end: int
    confirmed_end: int
    confidence: float
    """0 … 1."""
    final: bool
    voice_confidence: float | None = None
    """How cleanly the voice was heard, 0 … 1: the cosine that the enhancer expects between its embeddings
    and those of clean speech; None without an enhancer."""


@dataclass(frozen=True)
class TurnRevised(Event):
    """All speech so far was compared anew: what `speaker` was said to speak from `start` to `end` is of
    `into`."""

    speaker: str
    into: str
    start: int
    end: int


@dataclass(frozen=True)
class VoiceMeasured(Event):
    """The voice from `start` to `end`, for curves and maps; only where the pipeline was asked for it."""

    start: int
    end: int
    similarity: dict[str, float]
    """Cosine to each speaker so far."""
    vector: tuple[float, ...]
    """The unit vector as the diariser got it (dim,)."""
    raw: tuple[float, ...] | None = None
    """The one before the enhancer, where there is one."""


@dataclass(frozen=True)
class SpeakerIdentified(Event):
    """The voice of `speaker` is that of the enrolled person `name`; a later such event replaces this one."""

    speaker: str
    name: str
    score: float
    """Cosine between the two voices."""


@dataclass(frozen=True)
class Verification(Event):
    """Whether the speech up to `sample` of `speaker` (empty: all speech) is that of the enrolled person
    `name`; a later one of the same speaker replaces it."""

    name: str
    score: float
    """Cosine; where the calibration is by a cohort, in standard deviations above its strangers."""
    llr: float
    """Natural logarithm of how much likelier the speech is if it is that person's."""
    heard_s: float
    """Seconds of speech behind it."""
    accepted: bool
    speaker: str = ""


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
    start: int
    end: int


@dataclass(frozen=True)
class SpeakerSplit(Event):
    """Somebody said that what `speaker` was said to speak from `start` on is of the new speaker `into`."""

    speaker: str
    into: str
    start: int


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

    lost_samples: int


@dataclass(frozen=True)
class DeviceOverflow(Event):
    """The device itself lost sound, `count` times since the last such event; it does not say how much."""

    count: int


@dataclass(frozen=True)
class InvalidSamples(Event):
    """`count` samples were no numbers, or beyond all sound, and were taken as zero."""

    count: int


@dataclass(frozen=True)
class EventsDropped(Event):
    """A slow sink missed `count` events; the sound itself was heard completely."""

    count: int


@dataclass(frozen=True)
class SoundDropped(Event):
    """A slow recording missed `lost_samples` of sound before `sample`; the engine heard it completely."""

    lost_samples: int


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

    n_frames: int
    wall_ms: dict[str, float]
    stage_cpu_ms: dict[str, float]
    """Of the pushing thread alone."""


def event_from_dict(content: dict[str, Any]) -> Event:
    """The event that `as_dict` made `content` of; raises `VoicelaneError` for anything else."""
    kinds = {kind.__name__: kind for kind in Event.__subclasses__()}
    kind = kinds.get(str(content.get("event")))
    if kind is None:
        raise VoicelaneError(f"not an event of this version: {quoted(content.get('event'))}")
    try:
        given = {f.name: content[f.name] for f in fields(kind) if f.name in content}
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
        found = kind(**values)
    except TypeError as problem:
        raise VoicelaneError(f"not a whole event ({problem})") from None
    types = get_type_hints(kind)
    if wrong := next((n for n, v in vars(found).items() if not _can_be(n, v, types[n])), None):
        raise VoicelaneError(f"not a whole event ({wrong} is {quoted(given[wrong])})")
    if getattr(found, "start", 0) > getattr(found, "end", LARGEST):
        raise VoicelaneError("not a whole event (it ends before it starts)")
    return found


def _can_be(name: str, value: Any, kind: Any) -> bool:
    """Whether a value read from a file is one of the field `name` of type `kind`."""
    if name in LABELS and not (isinstance(value, str) and value.strip() and is_text(value)):
        return False
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (tuple, dict):
        numbers = value.values() if isinstance(value, dict) else value
        return isinstance(value, origin) and all(_can_be("", x, float) for x in numbers)
    if inner:  # float | None and the like
        return any(_can_be(name, value, one) for one in inner)
    if kind in (int, float):
        least = 0 if kind is int else -LARGEST
        return type(value) in (int, kind) and least <= value <= LARGEST
    return type(value) is kind and (kind is not str or not any("\ud800" <= c <= "\udfff" for c in value))
