"""A recording whose sides hold different people: a pipeline for each side, one stream of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from voicelane.base.errors import ModelError
from voicelane.base.timebase import seconds
from voicelane.config import PipelineConfig
from voicelane.events import (
    Event,
    InvalidSamples,
    Overrun,
    SpeakerTurn,
    SpeechEnded,
    SpeechStarted,
    StageTiming,
    TurnRevised,
    VoiceMeasured,
)
from voicelane.labels.corrections import Relabelling
from voicelane.pipeline import Pipeline
from voicelane.stages.calibration import find_calibration
from voicelane.stages.recogniser import Person

LABELS = ("speaker", "into")
OTHER_SIDE_LLR, SAME_SIDE_LLR = 7.0, -2.0
"""Two voices are one person's from this log-likelihood ratio on: hardly ever on two sides, mostly on one,
where whoever shares a telephone is the exception."""


class SidesPipeline:
    """What `Pipeline` is for mono sound, for blocks (n, sides) of 16 kHz sound without cross-talk.

    Nobody is taken for one person with somebody of another side while the sound runs; at the end those are
    whose voices are surely the same.
    """

    def __init__(
        self,
        sides: int,
        config: PipelineConfig | None = None,
        people: Sequence[Person] = (),
        voices: bool = False,
        timing: bool = False,
    ) -> None:
        """`people`, `voices` and `timing` as for `Pipeline`; times are those of all sides together."""
        self.sides, self.config, self._voices = sides, config or PipelineConfig(), voices
        self._pipelines = [Pipeline(self.config, timing, people, voices=True) for _ in range(sides)]
        self.space = self._pipelines[0].space
        self._start_anew()

    @property
    def heard_samples(self) -> int:
        """Length of the stream so far."""
        return self._pipelines[0].heard_samples

    @property
    def final_latency_samples(self) -> int:
        """As `Pipeline.final_latency_samples`."""
        return self._pipelines[0].final_latency_samples

    @property
    def latency_samples(self) -> int:
        """As of one pipeline."""
        return self._pipelines[0].latency_samples

    @property
    def cleaned(self) -> np.ndarray | None:
        """As `Pipeline.cleaned`, the mean of all sides."""
        each = [clean for p in self._pipelines if (clean := p.cleaned) is not None]
        return np.stack(each).mean(axis=0, dtype=np.float32) if each else None

    def push(self, block: np.ndarray) -> list[Event]:
        """Events that a block float (n, sides) brings about; (n,) is the same on every side."""
        block = np.asarray(block)
        columns = [block] * self.sides if block.ndim == 1 else list(block.T)
        return self._told([p.push(column) for p, column in zip(self._pipelines, columns, strict=True)])

    def side_of(self, speaker: str) -> int:
        """The side, from 0, on which a speaker was heard."""
        return next(side for (side, _), name in self._names.items() if name == speaker)

    def skip(self, n_samples: int) -> list[Event]:
        """As `Pipeline.skip`."""
        return self._told([p.skip(n_samples) for p in self._pipelines])

    def flush(self) -> list[Event]:
        """The end of the stream."""
        events = self._told([p.flush() for p in self._pipelines])
        return events + self._same_people()

    def reset(self) -> None:
        for pipeline in self._pipelines:
            pipeline.reset()
        self._start_anew()

    def warm_up(self) -> None:
        """As `Pipeline.warm_up`."""
        for pipeline in self._pipelines:
            pipeline.warm_up()
        self._start_anew()

    def _start_anew(self) -> None:
        self._names: dict[tuple[int, str], str] = {}
        self._speaking: dict[int, int] = {}
        self._timing = StageTiming(0, 0, {}, {})
        self._latest: list[list[SpeakerTurn]] = [[] for _ in range(self.sides)]
        self._measured: list[list[VoiceMeasured]] = [[] for _ in range(self.sides)]
        self._final: list[SpeakerTurn] = []
        self._moves = Relabelling()

    def _told(self, found: Sequence[list[Event]]) -> list[Event]:
        """The sides' events in order of time, as of one stream."""
        marked = [(e.sample, side, e) for side, events in enumerate(found) for e in events]
        marked.sort(key=lambda item: item[0])
        return [e for _, side, event in marked for e in self._one(side, self._renamed(side, event))]

    def _one(self, side: int, event: Event) -> list[Event]:
        if isinstance(event, SpeechStarted):
            self._speaking[side] = event.start
            return [event] if len(self._speaking) == 1 else []
        if isinstance(event, SpeechEnded):
            began = min(self._speaking.values(), default=event.start)
            self._speaking.pop(side, None)
            return [] if self._speaking else [replace(event, start=min(began, event.start))]
        if isinstance(event, SpeakerTurn):
            return self._turn(side, event)
        if isinstance(event, VoiceMeasured):
            return self._voice(side, event)
        if isinstance(event, StageTiming):
            return self._timed(side, event)
        if isinstance(event, Overrun | InvalidSamples) and side:
            return []
        self._moves = self._moves.after(event) if isinstance(event, TurnRevised) else self._moves
        return [event]

    def _turn(self, side: int, turn: SpeakerTurn) -> list[Event]:
        """A final turn as it is; provisional ones with those of the other sides."""
        if turn.final:
            self._final.append(turn)
            return [turn]
        before = self._latest[side]
        own = [t for t in before if t.sample == turn.sample] + ([turn] if turn.end > turn.start else [])
        self._latest[side] = own
        shown = [replace(t, sample=turn.sample) for turns in self._latest for t in turns]
        return list(shown) or [turn]

    def _voice(self, side: int, event: VoiceMeasured) -> list[Event]:
        self._measured[side].append(event)
        return [event] if self._voices else []

    def _timed(self, side: int, event: StageTiming) -> list[Event]:
        """The time that all sides took, told with the last of them; each is pushed the same length."""
        if side:
            event = replace(
                event,
                wall_ms=_summed(self._timing.wall_ms, event.wall_ms),
                stage_cpu_ms=_summed(self._timing.stage_cpu_ms, event.stage_cpu_ms),
            )
        self._timing = event
        return [event] if side == self.sides - 1 else []

    def _renamed(self, side: int, event: Event) -> Event:
        """The event with labels that no other side has."""
        names = {f.name for f in fields(event)}
        given: dict[str, Any] = {
            name: self._name(side, getattr(event, name))
            for name in LABELS
            if name in names and getattr(event, name)
        }
        if isinstance(event, VoiceMeasured):
            given["similarity"] = {self._name(side, s): v for s, v in event.similarity.items()}
        return replace(event, **given) if given else event

    def _name(self, side: int, label: str) -> str:
        return self._names.setdefault((side, label), f"S{len(self._names) + 1}")

    def _same_people(self) -> list[Event]:
        """Everybody whose voice is that of somebody who was heard before."""
        try:
            calibration = find_calibration(self.config.encoder.model, self.space)
        except ModelError:
            return []
        turns = self._moves.turns(self._final)
        of_side = {name: side for (side, _), name in self._names.items()}
        spoken = {n: seconds(sum(t.end - t.start for t in turns if t.speaker == n)) for n in of_side}
        heard = {n: self._voice_of(n, side, turns) for n, side in of_side.items()}
        voices = {n: voice for n, voice in heard.items() if voice is not None}
        known = [n for n in of_side if n in voices]
        events: list[Event] = []
        for n, name in enumerate(known):
            for other in known[:n]:
                least = SAME_SIDE_LLR if of_side[name] == of_side[other] else OTHER_SIDE_LLR
                pair = voices[other], voices[name]
                if calibration.compare(*pair, min(spoken[name], spoken[other])).llr > least:
                    events += [
                        TurnRevised(self.heard_samples, name, other, t.start, t.end)
                        for t in turns
                        if t.speaker == name
                    ]
                    break
        return events

    def _voice_of(self, name: str, side: int, turns: Sequence[SpeakerTurn]) -> np.ndarray | None:
        """The mean of the voices that were measured while somebody spoke; None where none was."""
        spans = [(t.start, t.end) for t in turns if t.speaker == name]
        found = [
            np.asarray(m.vector)
            for m in self._measured[side]
            if any(start <= (m.start + m.end) / 2 < end for start, end in spans)
        ]
        if not found:
            return None
        total = np.sum(found, axis=0)
        return np.asarray(total / (np.linalg.norm(total) + 1e-9), np.float32)


def _summed(times: dict[str, float], more: dict[str, float]) -> dict[str, float]:
    return {stage: times.get(stage, 0.0) + more.get(stage, 0.0) for stage in times | more}
