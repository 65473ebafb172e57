"""A recorded conversation with the voices of people who do not exist."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from voicelane.base.errors import AudioError, StoreError
from voicelane.base.files import whole_folder, write_private, write_through
from voicelane.base.space import OFF, Space
from voicelane.base.timebase import samples, seconds
from voicelane.config import PipelineConfig
from voicelane.events import Event, SpeakerIdentified, SpeakerTurn
from voicelane.live.outbox import Sound
from voicelane.sessions.exports import as_rttm
from voicelane.sessions.recorder import Recorder, free_folder
from voicelane.sessions.session import Session, open_session
from voicelane.voices.conversion import Change, Converter
from voicelane.voices.fitting import Fitter, Target
from voicelane.voices.schedule import Schedule, Stretch, overlaps, solos, stretches
from voicelane.voices.targets import drawing
from voicelane.voices.watermark import Marker
from voicelane.words.recording import cut_out
from voicelane.words.store import words_of, write_words

SOURCE = "an anonymised recording"
"""What a session says it was heard from: the name of a file may be a person's."""
TITLE = "anonymised by voicelane: the voices in it are synthetic"
OVERLAPS, TURNS = "overlaps.csv", "turns.rttm"
SAMPLE_S, LEAST_S = 6.0, 0.5
"""Speech of a speaker alone by which the change is chosen; shorter stretches only where there is nothing
else."""
APART = 0.5
"""How much it counts that the new voice is unlike the old one, beside that it is like the pseudo-voice."""
N_DRAWN = 24
"""Pseudo-voices among which each speaker's is chosen."""
Draw = Callable[[int, np.random.Generator], Sequence[Target]]
"""So many pseudo-voices."""


@dataclass(frozen=True)
class Anonymised:
    """What was done."""

    folder: Path
    speakers: tuple[str, ...]
    """As they are called now."""
    overlaps: tuple[Stretch, ...]
    muted: bool
    """Whether the overlaps are silent; else all voices in one have the pseudo-voice of the first of them."""
    left_out: tuple[str, ...] = ()
    """Speakers who never speak long enough alone; what they say is silent."""
    has_words: bool = False
    """Whether recognised words are in it."""

    @property
    def remarks(self) -> list[str]:
        """What is worth knowing of it, in sentences."""
        found = []
        if self.overlaps:
            total_s = seconds(sum(part.end - part.start for part in self.overlaps))
            what = "silent" if self.muted else "in the voice of whoever began first"
            found.append(
                f"{len(self.overlaps)} times several speak at once ({total_s:.1f} s): {what}; see {OVERLAPS}"
            )
        found += [f"{speaker} hardly speaks alone and is silent" for speaker in self.left_out]
        if self.has_words:
            found.append("words are kept as they were recognised; names that are said are still in them")
        return found


def anonymised_copy(
    session: Session,
    folder: Path,
    config: PipelineConfig,
    seed: int | None = None,
    mute_overlap: bool = False,
    keep_names: bool = False,
    *,
    plain: bool = False,
    progress: Callable[[int], object] = lambda sample: None,
) -> Anonymised:
    """As `anonymise`, in voices drawn for the encoder of the settings (with `plain` without the network that
    says them), with the turns as RTTM beside it."""
    fitter = Fitter(config, plain)
    draw, rng = drawing(fitter.encoder_id), np.random.default_rng(seed)
    found = anonymise(session, folder, draw, rng, fitter, mute_overlap, keep_names, progress)
    write_through(folder / TURNS, as_rttm(open_session(str(folder.resolve()))).encode())
    return found


def anonymise(
    session: Session,
    folder: Path,
    draw: Draw,
    rng: np.random.Generator,
    fitter: Fitter,
    mute_overlap: bool = False,
    keep_names: bool = False,
    progress: Callable[[int], object] = lambda sample: None,
) -> Anonymised:
    """A new session in `folder` with the same turns, every speaker of which has a pseudo-voice of its own.

    `progress` is told up to which sample the sound is there. Raises `StoreError` where something lies there
    already, `AudioError` where nobody speaks.
    """
    free_folder(folder)
    turns = session.turns()
    if not turns:
        raise AudioError(f"{session.name}: nobody was heard to speak in it, so there is no voice to replace")
    parts = stretches(turns)
    changes = _changes(session, parts, draw, rng, fitter)
    labels = {speaker: f"S{n}" for n, speaker in enumerate(dict.fromkeys(t.speaker for t in turns), 1)}
    named = [replace(p, speakers=tuple(labels[s] for s in p.speakers)) for p in overlaps(parts)]
    spoken = _spoken(session.sound(), Schedule(parts, changes, mute_overlap))
    with whole_folder(folder) as scratch:
        _record(scratch, spoken, _told(turns, labels, session if keep_names else None), progress)
        if (words := words_of(session)) is not None:
            write_words(scratch, words)
        write_private(scratch / OVERLAPS, listed(named, mute_overlap).encode())
    left_out = tuple(labels[s] for s in labels if s not in changes)
    told = tuple(labels.values()), tuple(named)
    return Anonymised(folder, *told, mute_overlap, left_out, words is not None)


def _record(
    folder: Path,
    sounds: Iterable[tuple[int, np.ndarray]],
    events: Iterable[Event],
    progress: Callable[[int], object],
) -> None:
    """A session of sound and events, whole or with an error."""
    recorder = Recorder(folder, SOURCE, Space("", OFF, "none"), TITLE)
    try:
        for at, sound in sounds:
            recorder.hear(Sound(at, sound))
            progress(at + len(sound))
        for event in events:
            recorder.put(event)
    finally:
        recorder.close()


def listed(parts: Iterable[Stretch], muted: bool) -> str:
    """Where several spoke at once, and what became of it, as CSV."""
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(("start_s", "end_s", "speakers", "done"))
    for part in parts:
        span = (f"{seconds(part.start):.3f}", f"{seconds(part.end):.3f}")
        table.writerow((*span, " ".join(part.speakers), "muted" if muted else "converted"))
    return file.getvalue()


def _changes(
    session: Session, parts: Sequence[Stretch], draw: Draw, rng: np.random.Generator, fitter: Fitter
) -> dict[str, Change]:
    """Each speaker's change to a pseudo-voice; those who never speak alone have none."""
    speakers = list(dict.fromkeys(name for part in parts for name in part.speakers))
    alone = {s: solos(parts, s, samples(SAMPLE_S), samples(LEAST_S)) for s in speakers}
    chosen, found = list[np.ndarray](), dict[str, Change]()
    for speaker, sound in cut_out(session.sound(), alone, samples(SAMPLE_S)).items():
        try:
            reach = fitter.reach(sound)
        except AudioError:
            continue
        target = most_apart(draw(N_DRAWN, rng), [reach.own, *chosen])
        chosen.append(target.embedding)
        found[speaker] = fitter.change(reach, target, APART)
    if not found:
        raise AudioError(f"{session.name}: nobody speaks long enough alone to be given another voice")
    return found


def most_apart(voices: Sequence[Target], others: Sequence[np.ndarray]) -> Target:
    """The voice that is least like the most like of the others."""
    if not voices:
        raise StoreError("no pseudo-voice could be drawn; make some", " with `voicelane voices new`")
    rows = np.stack(others)
    return min(voices, key=lambda voice: float((rows @ voice.embedding).max()))


def _spoken(blocks: Iterable[np.ndarray], schedule: Schedule) -> Iterator[tuple[int, np.ndarray]]:
    """The converted and marked sound, and where each piece of it begins."""
    converter, marker, at = Converter(schedule), Marker(), 0

    def pieces() -> Iterator[np.ndarray]:
        for block in blocks:
            yield marker.process(converter.process(block))
        yield marker.process(converter.flush())
        yield marker.flush()

    for piece in pieces():
        if len(piece):
            yield at, piece
            at += len(piece)


def _told(turns: Iterable[SpeakerTurn], labels: Mapping[str, str], named: Session | None) -> Iterator[Event]:
    """The turns with labels that say nothing, and the names of a session where they are kept."""
    if named:
        for speaker, label in labels.items():
            if (name := named.labels.shown(speaker)) != speaker:
                yield SpeakerIdentified(0, label, name, 0.0)
    for turn in turns:
        yield replace(turn, speaker=labels[turn.speaker], final=True, voice_confidence=None)
