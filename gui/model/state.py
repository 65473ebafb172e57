"""What the engine has said so far, as plain values: `reduce(state, event)` gives the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from voicelane import Event, SpeakerIdentified, SpeakerTurn, SpeechEnded, SpeechStarted, TurnRevised
from voicelane.events import (
    Caption,
    CaptionsBehind,
    CaptionsRemark,
    DeviceLost,
    DeviceOverflow,
    DeviceReturned,
    EnhancerFellBack,
    EventsDropped,
    InvalidSamples,
    ListeningPaused,
    ListeningResumed,
    Overrun,
    Redone,
    SoundDropped,
    SoundRemark,
    SpeakerRenamed,
    SpeakersMerged,
    SpeakerSplit,
    TurnAssigned,
    TurnInserted,
    TurnRemoved,
    Undone,
    Verification,
    VoiceMeasured,
)
from voicelane.gui.model.language import number, tr
from voicelane.gui.model.log import Log
from voicelane.labels import Relabelling

LOST, PAUSED, DEVICE = "lost", "paused", "device"


@dataclass(frozen=True)
class Gap:
    """Where nothing was heard, and why; `end` is None while it lasts."""

    start: int
    end: int | None
    kind: str


@dataclass(frozen=True)
class State:
    """A conversation as far as it is known. Positions are 16 kHz samples."""

    heard: int = 0
    finals: Log[SpeakerTurn] = field(default_factory=Log)
    """As the engine confirmed them; `labels` says whose they are after all corrections."""
    tentative: tuple[SpeakerTurn, ...] = ()
    labels: Relabelling = field(default_factory=Relabelling)
    speakers: tuple[str, ...] = ()
    """Labels in the order in which they were first seen."""
    speech: Log[tuple[int, int]] = field(default_factory=Log)
    speaking_since: int | None = None
    gaps: tuple[Gap, ...] = ()
    voices: Log[VoiceMeasured] = field(default_factory=Log)
    verdicts: Log[Verification] = field(default_factory=Log)
    captions: Log[Caption] = field(default_factory=Log)
    """Final words."""
    likely: tuple[Caption, ...] = ()
    """Words that may still change."""
    captions_problem: str = ""
    """Why words are missing, or late."""
    device_lost: str = ""
    """Why the microphone is gone, while it is."""
    remarks: tuple[str, ...] = ()
    """What is worth knowing of the sound itself, each once."""
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
    """The state after all `events`, in time that grows with their number.

    Voices, and tentative turns that the next ones replace, are most of a long conversation: the former are
    taken together, the latter tell no more than who was seen.
    """
    events = list(events)
    voices = [event for event in events if isinstance(event, VoiceMeasured)]
    rest = [event for event in events if not isinstance(event, VoiceMeasured)]
    for event, following in zip_longest(rest, rest[1:]):
        if _replaced(state, event, following):
            continue
        state = reduce(state, event)
    heard = max((event.sample for event in events), default=0)
    return replace(state, voices=state.voices.plus(voices), heard=max(state.heard, heard))


def _replaced(state: State, event: Event, following: Event | None) -> bool:
    """Whether a tentative turn of somebody seen before makes way for those of the next event."""
    return (
        isinstance(event, SpeakerTurn)
        and isinstance(following, SpeakerTurn)
        and not (event.final or following.final)
        and event.sample != following.sample
        and event.speaker in state.speakers
    )


def ended(state: State) -> State:
    """The state once nothing more comes: what is still open is closed."""
    gaps = tuple(replace(g, end=state.heard) if g.end is None else g for g in state.gaps)
    return replace(state, tentative=(), likely=(), speaking_since=None, gaps=gaps, device_lost="")


def _turn(state: State, turn: SpeakerTurn) -> State:
    """A final turn takes the place of its tentative one; tentative ones replace those of earlier samples."""
    if turn.final:
        kept = tuple(t for t in state.tentative if (t.speaker, t.start) != (turn.speaker, turn.start))
        return replace(_seen(state, turn.speaker), finals=state.finals.plus([turn]), tentative=kept)
    kept = tuple(t for t in state.tentative if t.sample == turn.sample)
    if turn.end <= turn.start:
        return replace(state, tentative=kept)
    return replace(_seen(state, turn.speaker), tentative=(*kept, turn))


def _seen(state: State, speaker: str) -> State:
    return state if speaker in state.speakers else replace(state, speakers=(*state.speakers, speaker))


def _corrected(state: State, event: Event) -> State:
    labels = state.labels.after(event)
    given = TurnAssigned | SpeakerSplit | TurnRevised | SpeakersMerged
    into = event.into if isinstance(event, given) else None
    into = event.speaker if isinstance(event, TurnInserted) else into
    state = _seen(state, into) if into else state
    return replace(state, labels=labels, n_undo=len(labels.states) - 1, n_redo=len(labels.undone))


def _speech_ended(state: State, event: SpeechEnded) -> State:
    return replace(state, speech=state.speech.plus([(event.start, event.end)]), speaking_since=None)


def _caption(state: State, event: Caption) -> State:
    """Tentative captions replace those of earlier samples, as tentative turns do."""
    if event.final:
        return replace(state, captions=state.captions.plus([event]))
    kept = tuple(c for c in state.likely if c.sample == event.sample)
    return replace(state, likely=(*kept, event) if event.words else kept)


def _behind(state: State, event: CaptionsBehind) -> State:
    parts = [tr("the words are {s} s behind", s=number(event.behind_s))] if event.behind_s else []
    parts += [tr("{s} s have none", s=number(event.left_out_s))] if event.left_out_s else []
    return replace(state, captions_problem="; ".join(parts))


def _remark(state: State, event: SoundRemark) -> State:
    said = event.remark in state.remarks
    return state if said else replace(state, remarks=(*state.remarks, event.remark))


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
    TurnInserted,
    TurnRemoved,
    TurnRevised,
    Undone,
    Redone,
)
REDUCERS: dict[type[Event], Callable[[State, Any], State]] = {
    **dict.fromkeys(CORRECTIONS, _corrected),
    SpeakerTurn: _turn,
    SpeechStarted: lambda s, e: replace(s, speaking_since=e.start),
    SpeechEnded: _speech_ended,
    VoiceMeasured: lambda s, e: replace(s, voices=s.voices.plus([e])),
    Verification: lambda s, e: s if e.speaker else replace(s, verdicts=s.verdicts.plus([e])),
    SoundRemark: _remark,
    Caption: _caption,
    CaptionsBehind: _behind,
    CaptionsRemark: lambda s, e: replace(s, captions_problem=e.remark),
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
