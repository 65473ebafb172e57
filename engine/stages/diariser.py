"""Online diarisation: whose the pieces of speech are that the segmenter cuts.

A piece holds one voice. It goes to the speaker whose cached embeddings are nearest; voices that are near to
nobody are gathered until there is enough of one to make a speaker of it. What the segmenter gives for good
becomes final, and everything said is compared anew now and then (`reclustering`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from voicelane.base.timebase import FRAME_SAMPLES, samples
from voicelane.config import DiariserConfig, ReclusteringConfig
from voicelane.events import Event, SpeechEnded, SpeechStarted, VoiceMeasured
from voicelane.stages.encoder import Embedding, SegmentEnd, SegmentStart
from voicelane.stages.reclustering import Reclustering, Revision
from voicelane.stages.recogniser import Person, Recogniser
from voicelane.stages.scale import Scale
from voicelane.stages.segmenter import Heard, Piece, Window
from voicelane.stages.turns import Turns, Votes
from voicelane.stages.verifier import LiveVerifier
from voicelane.stages.voices import Speaker, Voices, choose, similarity

MAX_UNCLAIMED = 64


class Diariser:
    """Segment starts, windows and segment ends in, events out."""

    def __init__(
        self,
        config: DiariserConfig,
        reclustering: ReclusteringConfig,
        scale: Scale,
        people: Sequence[Person] = (),
        measuring: bool = False,
        verifier: LiveVerifier | None = None,
    ) -> None:
        """`scale` is that of the encoder; `measuring` adds a `VoiceMeasured` for every new piece,
        `verifier` the evidence of who each speaker is."""
        self._config, self._global, self._scale, self._measuring = config, reclustering, scale, measuring
        self._recogniser, self._verifier = Recogniser(people, scale, config.known_llr), verifier
        self._enough = samples(config.enough_s)
        self.longest_delay_samples = samples(config.shortest_s)  # a turn is told of when it is that long
        self.reset()

    def reset(self) -> None:
        self._recogniser.reset()
        if self._verifier:
            self._verifier.reset()
        self._voices = Voices(self._scale)
        self._unclaimed: list[Piece] = []
        self._makeshift = False  # the only speaker is a sound too short to tell a voice by
        self._n_names = 0  # speakers that ever were
        self._windows: list[Window] = []
        self._likely: list[Piece] = []  # pieces that are not final
        self._turns = Turns(self._config)
        self._memory = Reclustering(self._global, self._scale, self._config.max_speakers)
        self._before = -1  # the speaker of the latest final piece
        self._done = self._met = 0  # samples up to which all is final, and up to which voices were met
        self._compared = self._began = 0  # samples at which all was compared, and at which speech began

    @property
    def _speakers(self) -> list[Speaker]:
        return self._voices.speakers

    def distrust(self) -> None:
        """Name and verify nobody until `reset`: the embeddings have left the people's space."""
        self._recogniser.distrust()
        if self._verifier:
            self._verifier.distrust()

    def process(self, items: list[Heard]) -> list[Event]:
        return [event for item in items for event in self._take(item)]

    def flush(self) -> list[Event]:
        """The turns that are open end, and all is compared once more."""
        events: list[Event] = list(self._turns.close(self._done))
        return events + (self._revise(self._done) if self._global.every_s else [])

    def _take(self, item: Heard) -> Iterator[Event]:
        if isinstance(item, SegmentStart):
            self._began = item.start
            yield SpeechStarted(item.start, item.start)
        elif isinstance(item, SegmentEnd):
            yield SpeechEnded(item.end, self._began, item.end)
        else:
            yield from self._glance(item) if item.glance else self._hear(item)

    def _glance(self, window: Window) -> Iterator[Event]:
        """Say who seems to speak now; nothing is learned from it."""
        votes = self._cast(
            self._label([*self._likely, *window.pieces], self._before),
            self._done,
            window.end,
            [*self._windows, window],
        )
        yield from self._turns.likely(votes, window.end)

    def _hear(self, window: Window) -> Iterator[Event]:
        final = [p for p in window.pieces if p.end <= window.settled]
        fresh = [p for p in window.pieces if p.end > window.settled]
        self._windows = [w for w in self._windows if w.end > self._done] + [window]
        left = [
            replace(p, start=max(p.start, window.settled)) for p in self._likely if p.end > window.settled
        ]
        self._likely = left + fresh
        for piece in window.pieces:
            if piece.end > self._met:
                self._meet(piece)
        self._voices.settle(window.end)
        self._met = window.end
        yield from self._measure(window.end, fresh)
        yield from self._settle(final, window)
        if not self._makeshift:  # which may still vanish
            yield from self._recogniser.hear(window.end, self._speakers, self._voices.offset)
            yield from self._verifier.hear(window.end, self._speakers) if self._verifier else ()
        yield from self._turns.likely(self._votes(self._likely, window.settled, window.end), window.end)
        if self._global.every_s and window.end - self._compared >= samples(self._global.every_s):
            yield from self._revise(window.end)

    # Who speaks?

    def _meet(self, piece: Piece) -> None:
        """Gather a voice that is nobody's, and found a speaker once there is enough of it."""
        c, heard = self._config, piece.heard
        if heard is None or not piece.first:
            return
        if not self._speakers or self._makeshift:
            self._improvise(piece)
        elif self._voices.ratios(piece).max() < c.new_speaker_llr and len(self._speakers) < c.max_speakers:
            alike = self._alike(self._unclaimed, piece)
            if sum(u.end - u.start for u in [*alike, piece]) >= self._enough:
                self._meet_again([*alike, piece])
                self._unclaimed = [u for u in self._unclaimed if u not in alike]
            else:
                self._unclaimed = [*self._unclaimed, piece][-MAX_UNCLAIMED:]

    def _meet_again(self, pieces: Sequence[Piece]) -> None:
        """Who is like nobody piece by piece may be somebody long absent by all of them."""
        speaker = self._voices.returning(pieces, self._config.new_speaker_llr)
        if speaker:
            speaker.latest = pieces[-1].end
        else:
            self._found(pieces)

    def _improvise(self, piece: Piece) -> None:
        """The first sound is somebody at once; what is too short for a voice gives its name away."""
        if self._makeshift:
            self._voices.speakers, self._n_names = [], 0
        kept = [*self._unclaimed, piece]
        alike = self._alike(kept, piece)
        self._found(alike)
        self._makeshift = sum(u.end - u.start for u in alike) < self._enough
        self._unclaimed = kept if self._makeshift else []

    def _alike(self, pieces: Sequence[Piece], piece: Piece) -> list[Piece]:
        least = self._config.agreement_llr
        return [p for p in pieces if self._voices.alike(p, piece) >= least]

    def _found(self, pieces: Iterable[Piece]) -> None:
        pieces = list(pieces)
        name, now = self._mint([s.name for s in self._speakers]), pieces[-1].end
        speaker = Speaker(name, self._config.max_embeddings, self._scale.dim, now)
        for piece in pieces:
            if piece.heard:
                speaker.learn(piece.heard.vector, piece.heard_samples)
        self._voices.speakers.append(speaker)
        self._voices.settle(now)

    def _mint(self, taken: Container[str]) -> str:
        """A name for a new speaker: the next one, or of those that are all given, one that became free."""
        if self._n_names < self._config.max_speakers:
            self._n_names += 1
            return f"S{self._n_names}"
        given = [f"S{k + 1}" for k in range(self._n_names)]
        return min((n for n in given if n not in taken), key=self._recogniser.knows)

    def _label(self, pieces: Sequence[Piece], before: int) -> list[tuple[Piece, int, float]]:
        """The speaker of each piece, −1 for nobody, and how sure that is; first voices before second ones."""
        labelled: list[tuple[Piece, int, float]] = []
        for piece in sorted(pieces, key=lambda p: (not p.first, p.start)):
            scores = self._voices.ratios(piece)
            if piece.first:
                before = choose(scores, before, self._config.continuity_llr)
                labelled.append((piece, before, confidence(scores, before, self._config.new_speaker_llr)))
            else:
                owners = [
                    k for p, k, _ in labelled if p.first and p.start < piece.end and p.end > piece.start
                ]
                other = choose(scores, -1, 0.0, taken=owners[0] if owners else -1)
                labelled.append((piece, other, 0.5 * confidence(scores, other, self._config.new_speaker_llr)))
        return labelled

    # What is said of it?

    def _settle(self, final: Sequence[Piece], window: Window) -> Iterator[Event]:
        """Make what the segmenter gives for good final, and learn from it."""
        c, labelled = self._config, self._label(final, self._before)
        for piece, owner, _ in labelled:
            if owner < 0:
                continue
            scores = self._voices.ratios(piece)
            rival = np.delete(scores, owner).max(initial=-np.inf)
            if piece.first:
                self._before = owner
                self._speakers[owner].latest = piece.end
            if (
                piece.heard
                and scores[owner] >= c.update_llr
                and scores[owner] - rival >= c.margin_llr
                and not self._makeshift
            ):
                self._speakers[owner].learn(piece.heard.vector, piece.heard_samples, piece.end - piece.start)
            self._memory.hear(piece, self._speakers[owner].name)
        votes = self._cast(labelled, self._done, window.settled, self._windows)
        yield from self._turns.extend(votes, window.end)
        self._done = max(self._done, window.settled)

    def _votes(self, pieces: Sequence[Piece], start: int, end: int) -> Votes:
        return self._cast(self._label(pieces, self._before), start, end, self._windows)

    def _cast(
        self,
        labelled: Sequence[tuple[Piece, int, float]],
        start: int,
        end: int,
        windows: Sequence[Window],
    ) -> Votes:
        """How surely each speaker speaks in the frames between two samples, and how many people do."""
        first, n = start // FRAME_SAMPLES, max(0, end - start) // FRAME_SAMPLES
        each, clear = np.zeros((n, len(self._speakers))), np.full((n, len(self._speakers)), np.nan)
        for piece, owner, sure in labelled:
            if owner >= 0:
                a, b = (max(0, x // FRAME_SAMPLES - first) for x in (piece.start, piece.end))
                each[a:b, owner] = np.maximum(each[a:b, owner], sure)
                if piece.heard and piece.heard.confidence is not None:
                    clear[a:b, owner] = piece.heard.confidence
        people, weight = np.zeros(n), np.full(n, 1e-9)
        for window in windows:
            begin = window.start // FRAME_SAMPLES
            a, b = max(first, begin), min(first + n, begin + len(window.people))
            if a < b:
                people[a - first : b - first] += window.people[a - begin : b - begin]
                weight[a - first : b - first] += 1.0
        return Votes([s.name for s in self._speakers], first, each, people / weight, clear)

    def _revise(self, now: int) -> list[Event]:
        """Compare everything; speakers that are one after all become one, and new ones join."""
        self._compared = now
        revision = self._memory.revise(now, self._turns.open_from(now), self._mint)
        if not revision.voices or self._makeshift:
            return list(revision.changes)
        before = self._speakers[self._before].name if self._before >= 0 else ""
        self._voices.speakers = self._staying(revision)
        there = {s.name for s in self._speakers}
        heard = [self._speaker(n, v, now) for n, v in revision.voices.items()]
        self._speakers.extend(s for s in heard if s.name not in there)
        self._voices.settle(now)
        names = [s.name for s in self._speakers]
        self._before = names.index(before) if before in names else -1
        strangers = [s for s in heard if not self._recogniser.knows(s.name)]
        return [*revision.changes, *self._recogniser.hear(now, strangers, self._voices.offset)]

    def _staying(self, revision: Revision) -> list[Speaker]:
        """Who is still a speaker: who was heard long ago or lately, or so lately that it was not compared
        yet; not the one who had a name that is somebody else's now."""
        names = (
            revision.voices.keys()
            | set(revision.past)
            | {s.name for s in self._speakers if s.latest > self._done}
        )
        return [s for s in self._speakers if s.name in names - revision.minted]

    def _speaker(self, name: str, voices: Sequence[tuple[np.ndarray, int]], now: int) -> Speaker:
        speaker = Speaker(name, self._config.max_embeddings, self._scale.dim, now)
        for vector, spoken_samples in voices:
            speaker.learn(vector, spoken_samples, spoken_samples)
        return speaker

    def _measure(self, now: int, pieces: Sequence[Piece]) -> Iterator[VoiceMeasured]:
        for piece in pieces if self._measuring else ():
            if piece.first and piece.heard:
                yield measured(now, piece, piece.heard, self._speakers)


def measured(now: int, piece: Piece, heard: Embedding, speakers: Sequence[Speaker]) -> VoiceMeasured:
    """How much a piece's voice is like each speaker's."""
    alike = dict(zip((s.name for s in speakers), similarity(heard, speakers).tolist(), strict=True))
    raw = None if heard.raw is None else tuple(heard.raw.tolist())
    return VoiceMeasured(now, piece.start, piece.end, alike, tuple(heard.vector.tolist()), raw)


def confidence(scores: np.ndarray, chosen: int, floor: float) -> float:
    """Logistic function of the lead, in log-likelihood ratios, over the next best speaker, or over `floor` if
    that is higher."""
    if chosen < 0:
        return 0.0
    rival = max(floor, float(np.delete(scores, chosen).max(initial=floor)))
    return float(1.0 / (1.0 + np.exp(rival - scores[chosen])))
