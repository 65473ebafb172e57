"""Which name is shown for a speaker: what the engine recognised, and what somebody said on top of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from engine.events import Event, SpeakerIdentified, SpeakerRenamed, SpeakersMerged, Undone


@dataclass(frozen=True)
class Corrections:
    """What somebody said: names of speakers, and speakers that are one."""

    names: dict[str, str] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)

    def root(self, speaker: str) -> str:
        """The speaker that stands for `speaker` after all mergers."""
        while speaker in self.merged:
            speaker = self.merged[speaker]
        return speaker


@dataclass(frozen=True)
class Relabelling:
    """Labels of the engine to shown names. It is never changed: `after` gives the next one."""

    recognised: dict[str, str] = field(default_factory=dict)
    states: tuple[Corrections, ...] = (Corrections(),)
    """Every state so far, the latest last; taking the latest away undoes it."""

    def shown(self, speaker: str) -> str:
        """A given name, else a recognised one, else the label."""
        now = self.states[-1]
        root = now.root(speaker)
        return now.names.get(root) or self.recognised.get(root) or root

    def speakers_shown_as(self, name: str, speakers: Iterable[str]) -> list[str]:
        """Those of `speakers` whose shown name is `name`; a label means its speaker, whatever it shows."""
        speakers = list(speakers)
        return [name] if name in speakers else [s for s in speakers if self.shown(s) == name]

    def after(self, event: Event) -> Relabelling:
        """What holds once `event` has happened: this very object where that changes nothing."""
        if isinstance(event, SpeakerIdentified):
            return replace(self, recognised=self.recognised | {event.speaker: event.name})
        if isinstance(event, SpeakerRenamed):
            return self._with(self._renamed(event))
        if isinstance(event, SpeakersMerged):
            return self._with(self._merged(event))
        return self._undone() if isinstance(event, Undone) else self

    def after_all(self, events: Iterable[Event]) -> Relabelling:
        """What holds after all `events`."""
        now = self
        for event in events:
            now = now.after(event)
        return now

    def _renamed(self, event: SpeakerRenamed) -> Corrections:
        now = self.states[-1]
        return replace(now, names=now.names | {now.root(event.speaker): event.name})

    def _merged(self, event: SpeakersMerged) -> Corrections:
        now = self.states[-1]
        root, into = now.root(event.speaker), now.root(event.into)
        return now if root == into else replace(now, merged=now.merged | {root: into})

    def _undone(self) -> Relabelling:
        return replace(self, states=self.states[:-1]) if len(self.states) > 1 else self

    def _with(self, state: Corrections) -> Relabelling:
        return self if state is self.states[-1] else replace(self, states=(*self.states, state))
