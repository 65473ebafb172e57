"""Online diarisation: the voices of each window are matched with the speakers so far.

Every moment lies in several windows; each of them says which of its voices speak, and the matching says
whose they are (Coria et al. 2021). What they agree on becomes final `confirm_s` after the moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from engine.config import DiariserConfig, ReclusteringConfig
from engine.events import Event, SpeakerTurn, SpeechEnded, SpeechStarted, VoiceMeasured
from engine.people import Person, Recogniser
from engine.stages.encoder import Embedding, SegmentEnd, SegmentStart
from engine.stages.reclustering import Point, Reclustering
from engine.stages.segmenter import Heard, Window
from engine.stages.turns import Turns, Votes
from engine.stages.voices import Speaker, assign, similarities
from engine.timebase import FRAME_SAMPLES, samples

EDGE_FRAMES = 25.0
"""Towards its end a window knows less: its word weighs less in the last half second."""


class Diariser:
    """Segment starts, windows and segment ends in, events out."""

    latency_samples = 0

    def __init__(
        self,
        config: DiariserConfig,
        reclustering: ReclusteringConfig,
        people: Sequence[Person] = (),
        measuring: bool = False,
    ) -> None:
        """`measuring` adds a `VoiceMeasured` for every voice of every window."""
        self._config, self._global, self._measuring = config, reclustering, measuring
        self.recogniser = Recogniser(people, config.known)
        self._confirm = samples(config.confirm_s) // FRAME_SAMPLES
        self._enough = samples(config.enough_s) // FRAME_SAMPLES
        self.reset()

    def reset(self) -> None:
        self.recogniser.reset()
        self._speakers: list[Speaker] = []
        self._windows: list[Window] = []
        self._turns = Turns(self._config)
        self._memory = Reclustering(self._global)
        self._n_names = 0  # speakers that ever were
        self._revised = 0  # frames heard when everything was last compared
        self._done = 0  # frames that are final
        self._began = 0  # sample at which the running speech began
        self._makeshift = False  # the only speaker is a sound too short to tell a voice by

    def process(self, items: list[Heard]) -> list[Event]:
        return [event for item in items for event in self._take(item)]

    def flush(self) -> list[Event]:
        """All that waits is final."""
        end = self._windows[-1].end if self._windows else self._done * FRAME_SAMPLES
        events = list(self._settle(end // FRAME_SAMPLES, end)) + self._keep(self._turns.close(end))
        return events + (self._revise(end) if self._global.every_s else [])

    def _take(self, item: Heard) -> Iterator[Event]:
        if isinstance(item, SegmentStart):
            self._began = item.start
            yield SpeechStarted(item.start, item.start)
        elif isinstance(item, SegmentEnd):
            yield SpeechEnded(item.end, self._began, item.end)
        else:
            yield from self._hear(item)

    def _hear(self, window: Window) -> Iterator[Event]:
        self._windows.append(window)
        self._learn(window)
        if not self._makeshift:  # which may still vanish
            yield from self.recogniser.hear(window.end, self._speakers)
        yield from self._measure(window) if self._measuring else ()
        yield from self._settle(window.end // FRAME_SAMPLES - self._confirm, window.end)
        if self._global.every_s and window.end - self._revised >= samples(self._global.every_s):
            yield from self._revise(window.end)

    # Who speaks?

    def _learn(self, window: Window) -> None:
        """Let the voices of a window add to what is known of their speakers, or found new ones."""
        if self._makeshift:
            self._speakers, self._makeshift, self._n_names = [], False, 0
        c, clean = self._config, window.clean.sum(axis=0)
        scores, owners = self._match(window, founding=True)
        for voice in np.flatnonzero(owners >= 0):
            heard, owner = window.embeddings[voice], int(owners[voice])
            if heard is None:
                continue
            if owner >= scores.shape[1]:
                self._found(heard, int(clean[voice]))
            elif scores[voice, owner] >= c.update and clean[voice] >= self._enough:
                self._speakers[owner].learn(heard, int(clean[voice]))
        known = [(int(n), heard) for n, heard in zip(clean, window.embeddings, strict=True) if heard]
        if known and not self._speakers:
            n_frames, heard = max(known, key=lambda k: k[0])
            self._found(heard, n_frames)
            self._makeshift = True

    def _found(self, heard: Embedding, n_frames: int) -> None:
        self._n_names += 1
        self._speakers.append(Speaker(f"S{self._n_names}", self._config.cache))
        self._speakers[-1].learn(heard, n_frames)

    def _match(self, window: Window, founding: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Cosines (n_voices, n_speakers) and the speaker of each voice (n_voices,), −1 for nobody."""
        scores = similarities(window.embeddings, self._speakers)
        room = self._config.max_speakers - len(self._speakers)
        new = (
            (window.clean.sum(axis=0) >= self._enough)
            if founding and room > 0
            else np.zeros(len(scores), bool)
        )
        return scores, assign(scores, self._config.new_speaker, new)

    def _votes(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """For the frames `first` … `last` − 1 how surely each speaker speaks, (n_frames, n_speakers), and how
        many people do, (n_frames,)."""
        votes, count = np.zeros((last - first, len(self._speakers))), np.zeros(last - first)
        weight = np.full(last - first, 1e-9)
        for window in self._windows:
            begin, n = window.start // FRAME_SAMPLES, len(window.activity)
            a, b = max(first, begin), min(last, begin + n)
            if a >= b:
                continue
            trust = np.minimum(1.0, (begin + n - np.arange(a, b)) / EDGE_FRAMES)
            said = window.activity[a - begin : b - begin] * trust[:, None]
            _, owners = self._match(window)
            for voice in np.flatnonzero(owners >= 0):
                votes[a - first : b - first, owners[voice]] += said[:, voice]
            count[a - first : b - first] += said.sum(axis=1)
            weight[a - first : b - first] += trust
        return votes / weight[:, None], count / weight

    # What is said of it?

    def _settle(self, limit: int, now: int) -> Iterator[Event]:
        """Make the frames before `limit` final, and say what is likely of those behind it."""
        end = now // FRAME_SAMPLES
        begin = min((w.start for w in self._windows), default=0) // FRAME_SAMPLES
        self._done = max(self._done, begin)
        limit = max(limit, self._done)
        names, votes = [s.name for s in self._speakers], self._votes(self._done, end)
        final, rest = slice(limit - self._done), slice(limit - self._done, None)
        yield from self._keep(self._turns.extend(Votes(names, *(v[final] for v in votes)), self._done, now))
        if end > limit:
            yield from self._turns.likely(Votes(names, *(v[rest] for v in votes)), limit, now)
        self._done = limit
        for window in [w for w in self._windows if w.end <= limit * FRAME_SAMPLES]:
            self._remember(window)
            self._windows.remove(window)

    # What is made of it afterwards?

    def _keep(self, turns: Iterable[SpeakerTurn]) -> list[Event]:
        """Turns on their way out; the final ones may be revised."""
        events: list[Event] = []
        for turn in turns:
            events.append(turn)
            if turn.final:
                self._memory.take(turn)
        return events

    def _remember(self, window: Window) -> None:
        _, owners = self._match(window)
        for heard, owner, clean in zip(window.embeddings, owners, window.clean.sum(axis=0), strict=True):
            if heard and owner >= 0:
                self._memory.hear(Point(heard, int(clean), window.end, self._speakers[owner].name))

    def _revise(self, now: int) -> list[Event]:
        """Compare everything; speakers become what the clusters are."""
        self._revised = now
        changes, clusters = self._memory.revise(now, self._n_names + 1)
        if clusters and not self._makeshift:
            self._speakers = [self._speaker(name, points) for name, points in clusters.items()]
            self._n_names = max(self._n_names, *(int(name[1:]) for name in clusters))
        return list(changes)

    def _speaker(self, name: str, points: list[Point]) -> Speaker:
        speaker = Speaker(name, self._config.cache)
        for p in points:
            speaker.learn(p.heard, p.n_frames)
        return speaker

    def _measure(self, window: Window) -> Iterator[VoiceMeasured]:
        scores = similarities(window.embeddings, self._speakers)
        for heard, row in zip(window.embeddings, scores, strict=True):
            if heard is not None:
                alike = {s.name: float(x) for s, x in zip(self._speakers, row, strict=True)}
                raw = None if heard.raw is None else tuple(heard.raw.tolist())
                vector = tuple(heard.vector.tolist())
                yield VoiceMeasured(window.end, heard.start, heard.end, alike, vector, raw)
