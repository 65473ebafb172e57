"""What the engine has said so far, as plain values: `reduce(state, event)` gives the next state. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine import (
    DeviceLost,
    DeviceOverflow,
    DeviceReturned,
    EnhancerFellBack,
    Event,
    EventsDropped,
    InvalidSamples,
    ListeningPaused,
    ListeningResumed,
    Overrun,
    Redone,
    Relabelling,
    SoundDropped,
    SpeakerIdentified,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerSplit,
    SpeakerTurn,
    SpeechEnded,
    SpeechStarted,
    TurnAssigned,
    TurnRevised,
    Undone,
    Verification,
    VoiceMeasured,
)

LOST, PAUSED, DEVICE = "lost", "paused", "device"


@dataclass(frozen=True)
class Gap:
    """Where nothing was heard, and why; `end` is None while it lasts."""

    start: int
    end: int | None
    kind: str


@dataclass(frozen=True)
class Voice:
    """One embedding: where it comes from, and its cosine to each speaker of that moment."""

    sample: int
    """Place in the stream at which it was measured; several voices may share it."""
    start: int
    end: int
    similarity: dict[str, float]
    vector: np.ndarray = field(compare=False, repr=False)
    """float32 (dim,); `raw` as well, the one before the enhancer."""
    raw: np.ndarray | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class State:
    """A conversation as far as it is known. Positions are 16 kHz samples."""

    heard: int = 0
    finals: tuple[SpeakerTurn, ...] = ()
    """As the engine confirmed them; `labels` says whose they are after all corrections."""
    tentative: tuple[SpeakerTurn, ...] = ()
    labels: Relabelling = field(default_factory=Relabelling)
    speakers: tuple[str, ...] = ()
    """Labels in the order in which they were first seen, which is the order of their colours."""
    speech: tuple[tuple[int, int], ...] = ()
    speaking_since: int | None = None
    gaps: tuple[Gap, ...] = ()
    voices: tuple[Voice, ...] = ()
    verdicts: tuple[Verification, ...] = ()
    device_lost: str = ""
    """Why the microphone is gone, while it is."""
    fell_back: str = ""
    """Why the enhancer does not work."""
    lost_samples: int = 0
    """Sound that the engine could not hear in time."""
    unrecorded_samples: int = 0
    """Sound that the disk was too slow for."""
    overflows: int = 0
    invalid_samples: int = 0
    dropped_events: int = 0
    n_undo: int = 0
    n_redo: int = 0
    """Corrections that can be taken back, and brought back."""


def reduce(state: State, event: Event) -> State:
    """The state after one more event."""
    act = REDUCERS.get(type(event))
    after = act(state, event) if act else state
    return replace(after, heard=event.sample) if event.sample > after.heard else after


def reduce_all(state: State, events: Iterable[Event]) -> State:
    """The state after all `events`."""
    for event in events:
        state = reduce(state, event)
    return state


def ended(state: State) -> State:
    """The state once nothing more comes: what is still open is closed."""
    gaps = tuple(replace(g, end=state.heard) if g.end is None else g for g in state.gaps)
    return replace(state, tentative=(), speaking_since=None, gaps=gaps, device_lost="")


def _turn(state: State, turn: SpeakerTurn) -> State:
    """A final turn takes the place of its tentative one; tentative ones replace those of earlier samples."""
    if turn.final:
        kept = tuple(t for t in state.tentative if (t.speaker, t.start) != (turn.speaker, turn.start))
        return replace(_seen(state, turn.speaker), finals=(*state.finals, turn), tentative=kept)
    kept = tuple(t for t in state.tentative if t.sample == turn.sample)
    if turn.end <= turn.start:
        return replace(state, tentative=kept)
    return replace(_seen(state, turn.speaker), tentative=(*kept, turn))


def _seen(state: State, speaker: str) -> State:
    return state if speaker in state.speakers else replace(state, speakers=(*state.speakers, speaker))


def _corrected(state: State, event: Event) -> State:
    labels = state.labels.after(event)
    into = event.into if isinstance(event, TurnAssigned | SpeakerSplit | TurnRevised) else None
    state = _seen(state, into) if into else state
    return replace(state, labels=labels, n_undo=len(labels.states) - 1, n_redo=len(labels.undone))


def _speech_ended(state: State, event: SpeechEnded) -> State:
    return replace(state, speech=(*state.speech, (event.start, event.end)), speaking_since=None)


def _voice(state: State, event: VoiceMeasured) -> State:
    vector, raw = np.array(event.vector, np.float32), event.raw
    raw_vector = None if raw is None else np.array(raw, np.float32)
    voice = Voice(event.sample, event.start, event.end, event.similarity, vector, raw_vector)
    return replace(state, voices=(*state.voices, voice))


def _overrun(state: State, event: Overrun) -> State:
    gap = Gap(event.sample, event.sample + event.lost_samples, LOST)
    return replace(state, gaps=(*state.gaps, gap), lost_samples=state.lost_samples + event.lost_samples)


def _gap_begins(state: State, event: Event, kind: str) -> State:
    return replace(state, gaps=(*state.gaps, Gap(event.sample, None, kind)))


def _gap_ends(state: State, event: Event, kind: str) -> State:
    """Closes the latest gap of a kind that still lasts."""
    gaps = list(state.gaps)
    for i in reversed(range(len(gaps))):
        if gaps[i].kind == kind and gaps[i].end is None:
            gaps[i] = replace(gaps[i], end=event.sample)
            break
    return replace(state, gaps=tuple(gaps))


CORRECTIONS: tuple[type[Event], ...] = (
    SpeakerIdentified,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerSplit,
    TurnAssigned,
    TurnRevised,
    Undone,
    Redone,
)
REDUCERS: dict[type[Event], Callable[[State, Any], State]] = {
    **dict.fromkeys(CORRECTIONS, _corrected),
    SpeakerTurn: _turn,
    SpeechStarted: lambda s, e: replace(s, speaking_since=e.start),
    SpeechEnded: _speech_ended,
    VoiceMeasured: _voice,
    Verification: lambda s, e: s if e.speaker else replace(s, verdicts=(*s.verdicts, e)),
    Overrun: _overrun,
    ListeningPaused: lambda s, e: _gap_begins(s, e, PAUSED),
    ListeningResumed: lambda s, e: _gap_ends(s, e, PAUSED),
    DeviceLost: lambda s, e: replace(_gap_begins(s, e, DEVICE), device_lost=e.reason),
    DeviceReturned: lambda s, e: replace(_gap_ends(s, e, DEVICE), device_lost=""),
    EnhancerFellBack: lambda s, e: replace(s, fell_back=e.reason),
    SoundDropped: lambda s, e: replace(s, unrecorded_samples=s.unrecorded_samples + e.lost_samples),
    DeviceOverflow: lambda s, e: replace(s, overflows=s.overflows + e.count),
    InvalidSamples: lambda s, e: replace(s, invalid_samples=s.invalid_samples + e.count),
    EventsDropped: lambda s, e: replace(s, dropped_events=s.dropped_events + e.count),
}
