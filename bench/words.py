"""Who said what: wrong words alone and per speaker, how late captions are, and what they cost."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from voicelane import SAMPLE_RATE, ArraySource, Event, LiveSession, Pipeline, SpeakerTurn
from voicelane.base import seconds
from voicelane.bench.options import add_command
from voicelane.bench.results import Cell, Result, Table, percentiles, table
from voicelane.bench.scripted import Said, Scripted, conversation
from voicelane.events import Caption, CaptionsBehind, StreamStarted, Word
from voicelane.live import LatencySink, final_turns
from voicelane.words import (
    Captioner,
    CaptionSettings,
    Recogniser,
    Spoken,
    assign,
    normalised,
    pieces_of,
    recognise,
    shifted,
    speaker_word_errors,
    word_errors,
)

Assign = Callable[[Sequence[Word], Sequence[SpeakerTurn]], list[str]]
MODEL = os.environ.get("WHISPER", "base")
"""Where Whisper base lies, for a machine without a network."""
COLLAR_S = 5.0
"""Of tcpWER."""
NEAR_S = 0.3
"""A tentative word so near to a final one, with its text, is that word."""
OURS, THEIRS, TRUE = "voicelane", "all first, then by turns", "voicelane, true turns"


def add(commands: Any) -> None:
    """The `words` command."""
    text = "wrong words, alone and per speaker, and how late captions are"
    add = add_command(commands, "words", measure, text).add_argument
    add("--model", default=MODEL, help="a Whisper model, by name or folder")
    add("--language", default="en")
    add("--conversations", type=int, default=4, help="of two and three people in turn")
    add("--sentences", type=int, default=16, help="in each conversation")
    add("--overlap", type=float, default=0.2, help="chance that somebody begins too early")
    add("--live-s", type=float, default=60.0, help="seconds to play at real time, with and without captions")


def measure(args: argparse.Namespace) -> Result:
    """Errors in percent of the words, seconds of delay, seconds of CPU per second of sound."""
    talks = [
        conversation(2 + i % 2, args.sentences, np.random.default_rng([args.seed, i]), args.overlap)
        for i in range(args.conversations)
    ]
    recogniser = Recogniser(args.model, args.language)
    content = {
        "sound_s": round(sum(len(talk.sound) for talk in talks) / SAMPLE_RATE, 1),
        "words": sum(len(words(talk.said)) for talk in talks),
        "systems": offline(talks, recogniser),
        "live": live(talks[0], CaptionSettings(args.model, args.language), args.live_s),
    }
    return Result(content, tables(content))


@dataclass
class Tally:
    """Errors and cost of one system over all conversations."""

    n_words: int = 0
    wrong: int = 0
    wrong_per_speaker: int = 0
    wrong_in_time: int = 0
    cpu_s: float = 0.0
    sound_s: float = 0.0

    def add(self, said: Sequence[Said], heard: Sequence[Word], speakers: Sequence[str]) -> None:
        """Compare what was said with what was heard."""
        reference, hypothesis = spoken_words(said), by_speaker(heard, speakers)
        self.n_words += len(words(said))
        self.wrong += word_errors(words(said), [w for word in heard for w in recognised_words(word)])
        self.wrong_per_speaker += speaker_word_errors(reference, hypothesis)
        self.wrong_in_time += speaker_word_errors(reference, hypothesis, COLLAR_S)

    def result(self) -> dict[str, float]:
        """Percent of the words, and CPU seconds per second."""
        wrong = {"wer": self.wrong, "cpwer": self.wrong_per_speaker, "tcpwer": self.wrong_in_time}
        rates = {name: round(100 * n / max(1, self.n_words), 2) for name, n in wrong.items()}
        return rates | {"cpu_per_s": round(self.cpu_s / max(1e-9, self.sound_s), 3)}


def words(said: Iterable[Said]) -> list[Spoken]:
    """All words in order of the sentences' beginnings."""
    return [word for sentence in said for word in sentence_words(sentence)]


def sentence_words(said: Said) -> list[Spoken]:
    """Words of a sentence, as if all took the same time."""
    texts = normalised(said.text)
    edges = np.linspace(seconds(said.start), seconds(said.end), len(texts) + 1).tolist()
    return [Spoken(text, a, b) for text, (a, b) in zip(texts, pairwise(edges), strict=True)]


def spoken_words(said: Iterable[Said]) -> dict[str, list[Spoken]]:
    """Words of each speaker."""
    found: dict[str, list[Spoken]] = {}
    for sentence in said:
        found.setdefault(sentence.speaker, []).extend(sentence_words(sentence))
    return found


def recognised_words(word: Word) -> list[Spoken]:
    """A recognised word as it is compared: none where it is punctuation only."""
    return [Spoken(text, seconds(word.start), seconds(word.end)) for text in normalised(word.text)]


def by_speaker(heard: Iterable[Word], speakers: Iterable[str]) -> dict[str, list[Spoken]]:
    """Recognised words of each speaker."""
    found: dict[str, list[Spoken]] = {}
    for word, speaker in zip(heard, speakers, strict=True):
        found.setdefault(speaker, []).extend(recognised_words(word))
    return found


def offline(talks: Sequence[Scripted], recogniser: Recogniser) -> dict[str, dict[str, float]]:
    """Every order of doing it, on every conversation."""
    tallies = {name: Tally() for name in (OURS, THEIRS, TRUE)}
    for talk in talks:
        turns = diarised(talk.sound)
        true = [SpeakerTurn(0, s.speaker, s.start, s.end, s.end, 1.0, True) for s in talk.said]
        run(tallies[OURS], talk, turns, pieces_of(turns, len(talk.sound)), recogniser, assign)
        run(tallies[THEIRS], talk, turns, [(0, len(talk.sound))], recogniser, most_overlap)
        run(tallies[TRUE], talk, true, pieces_of(true, len(talk.sound)), recogniser, assign)
    return {name: tally.result() for name, tally in tallies.items()}


def run(
    tally: Tally,
    talk: Scripted,
    turns: Sequence[SpeakerTurn],
    pieces: Sequence[tuple[int, int]],
    recogniser: Recogniser,
    assign_: Assign,
) -> None:
    """One conversation in one order."""
    began_s = time.process_time()
    found = recognise([talk.sound], pieces, recogniser.hear)
    heard = sorted((w for start, h in found for w in shifted(h.words, start)), key=lambda w: w.start)
    speakers = assign_(heard, turns)
    tally.cpu_s += time.process_time() - began_s
    tally.sound_s += seconds(len(talk.sound))
    tally.add(talk.said, heard, speakers)


def diarised(sound: np.ndarray) -> list[SpeakerTurn]:
    """The engine's turns after all revisions."""
    pipeline = Pipeline()
    return final_turns([*pipeline.push(sound), *pipeline.flush()])


def most_overlap(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> list[str]:
    """As whisperX does it: each word by itself to the turn that shares most of it, or is nearest."""

    def shared(word: Word, turn: SpeakerTurn) -> int:
        return min(word.end, turn.end) - max(word.start, turn.start)

    return [max(turns, key=lambda turn: shared(word, turn)).speaker if turns else "" for word in words]


@dataclass
class Watch:
    """A sink that notes when each caption came, and how late the engine and the captions are."""

    began_s: float = 0.0
    """`time.monotonic()` of sample 0."""
    captions: list[tuple[float, Caption]] = field(default_factory=list)
    behind_s: float = 0.0
    left_out_s: float = 0.0

    def put(self, event: Event) -> None:
        if isinstance(event, StreamStarted):
            self.began_s = event.clock_s
        elif isinstance(event, Caption):
            self.captions.append((time.monotonic() - self.began_s, event))
        elif isinstance(event, CaptionsBehind):
            self.behind_s = max(self.behind_s, event.behind_s)
            self.left_out_s += event.left_out_s

    def close(self) -> None:
        """Nothing is held."""

    def final(self) -> list[tuple[float, Word, str]]:
        """When each word was final, the word, and whose it was said to be."""
        return [(at, word, c.speaker) for at, c in self.captions if c.final for word in c.words]

    def first_s(self, word: Word) -> float | None:
        """When a word was first shown."""
        return next(
            (
                at
                for at, caption in self.captions
                for shown in caption.words
                if normalised(shown.text) == normalised(word.text)
                and abs(seconds(shown.start - word.start)) <= NEAR_S
            ),
            None,
        )

    def delays_s(self) -> dict[str, list[float]]:
        """From the end of each word to its tentative and its final caption."""
        final = self.final()
        first = [(self.first_s(word), word) for _, word, _ in final]
        return {
            "tentative": [at - seconds(word.end) for at, word in first if at is not None],
            "final": [at - seconds(word.end) for at, word, _ in final],
        }


def live(talk: Scripted, settings: CaptionSettings, live_s: float) -> dict[str, Any]:
    """A conversation at its own speed, alone and with captions."""
    sound = talk.sound[: int(live_s * SAMPLE_RATE)]
    said = [s for s in talk.said if s.end <= len(sound)]
    _, alone, _ = played(sound, [])
    watch, captioner = Watch(), Captioner(settings)
    cpu_s, together, lost = played(sound, [captioner, watch], captioner.process.pid)
    tally, final = Tally(cpu_s=cpu_s, sound_s=seconds(len(sound))), watch.final()
    tally.add(said, [word for _, word, _ in final], [speaker for *_, speaker in final])
    return tally.result() | {
        "delays_s": {name: percentiles(delays) for name, delays in watch.delays_s().items() if delays},
        "labels_ms": {"alone": alone, "with captions": together},
        "lost_samples": lost,
        "most_behind_s": watch.behind_s,
        "left_out_s": watch.left_out_s,
    }


def played(
    sound: np.ndarray, sinks: list[Any], pid: int | None = None
) -> tuple[float, dict[str, dict[str, float]], int]:
    """CPU seconds of the process `pid`, the engine's delays in ms, and how many samples it lost."""
    import psutil

    pipeline, latency = Pipeline(), LatencySink()
    pipeline.warm_up()
    process, cpu_s = psutil.Process(pid) if pid else None, 0.0
    before_s = sum(process.cpu_times()[:2]) if process else 0.0
    with LiveSession(ArraySource(sound, realtime=True), pipeline, [latency, *sinks]) as session:
        while not session.wait(0.2):
            if process and process.is_running():
                cpu_s = sum(process.cpu_times()[:2]) - before_s
    delays = {k: percentiles(v) for k, v in latency.delays_ms().items() if len(v)}
    return cpu_s, delays, session.lost_samples


def tables(found: dict[str, Any]) -> tuple[Table, ...]:
    """Errors and cost of each order, then the delays of live captions."""
    rates, now = ("wer", "cpwer", "tcpwer", "cpu_per_s"), found["live"]
    systems = found["systems"] | {"voicelane, live": now}
    rows: list[list[Cell]] = [[name, *(row[k] for k in rates)] for name, row in systems.items()]
    header = ["order", "WER %", "cpWER %", "tcpWER %", "CPU s per s"]
    errors = table(header, rows, "", f"{found['words']} words in {found['sound_s']:.0f} s of conversations")
    delays: list[list[Cell]] = [
        [f"end of a word to {name} caption, s", row["p50"], row["p95"]]
        for name, row in now["delays_s"].items()
    ]
    delays += [
        [f"sound to {name} label, ms, {when}", row["p50"], row["p95"]]
        for when, labels in now["labels_ms"].items()
        for name, row in labels.items()
    ]
    note = (
        f"lost samples: {now['lost_samples']}; captions at most {now['most_behind_s']:.0f} s behind, "
        f"{now['left_out_s']:.0f} s of speech without"
    )
    return errors, table(["delay", "p50", "p95"], delays, "Live", note)
