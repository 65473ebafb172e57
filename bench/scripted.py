"""Conversations whose words are known: sentences of a text-to-speech voice, read by people of other sizes.

The voice is hibari's (Apache-2.0); played faster or slower it is that of a smaller or larger person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from voicelane import SAMPLE_RATE, Turn
from voicelane.audio import Resampler
from voicelane.base import samples, seconds

SIZES = (1.0, 0.75, 1.33)
"""How much faster each of the people speaks than the voice, and so how much higher."""
NOISE = 0.002
PAUSE_S, OVERLAP_S = (0.3, 0.9), (0.3, 0.8)
SENTENCES = (
    "Good morning everybody, shall we begin with the budget for next year?",
    "I think the travel costs are far too high and nobody looks at them.",
    "The train to London leaves early, so we have to be quick today.",
    "My neighbour has bought a small boat and paints it in the garden.",
    "Please send me the report before Friday, the client is waiting for it.",
    "Nobody told me that the meeting was moved to another room.",
    "We could ask the people in the office upstairs whether they have a printer.",
    "The weather was so bad that the children stayed inside all day.",
    "It would be cheaper to repair the old machine than to buy a new one.",
    "Yes, that is a very good idea.",
    "Who is going to write down what we decide?",
    "I called the doctor this morning but he was not there.",
    "There is a new bakery at the corner, and their bread is excellent.",
    "Can you explain again how the second part is supposed to work?",
    "The numbers in this table do not agree with those from last month.",
    "After lunch we will visit the factory and talk to the workers.",
    "My sister plays the piano every evening, even when she is tired.",
    "I would rather wait until we know what the others want.",
    "The bridge was closed, so we had to drive around the lake.",
    "Let us stop here and continue tomorrow morning.",
)


@dataclass(frozen=True)
class Said:
    """One sentence in a conversation."""

    speaker: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Scripted:
    """A conversation and what is said in it."""

    sound: np.ndarray
    """float32 (n,) at 16 kHz."""
    said: tuple[Said, ...]

    def turns(self) -> list[Turn]:
        """Who speaks when, in seconds."""
        return [Turn(s.speaker, seconds(s.start), seconds(s.end)) for s in self.said]


@cache
def _voice() -> Any:
    """The synthesiser, which takes a second to load."""
    try:
        from hibari import Hibari
    except ImportError:
        raise SystemExit('no text-to-speech voice; run `pip install "voicelane[bench]"`') from None
    return Hibari()


@cache
def spoken(text: str, size: float) -> np.ndarray:
    """A sentence as a person of that size says it, float32 (n,) at 16 kHz, without silence around it."""
    voice = _voice()
    faster = Resampler(round(voice.sample_rate * size))
    sound = np.concatenate((faster.process(np.asarray(voice(text), np.float32)[:, None]), faster.flush()))
    loud = np.flatnonzero(np.abs(sound) > 0.01)
    return sound[loud[0] : loud[-1] + 1]


def conversation(n_people: int, n_sentences: int, rng: np.random.Generator, overlap: float = 0.2) -> Scripted:
    """People who take turns; with a chance of `overlap` somebody begins before the other has ended."""
    said = list(_turns(n_people, n_sentences, rng, overlap))
    sound = NOISE * rng.standard_normal(said[-1][0].end + SAMPLE_RATE).astype(np.float32)
    for sentence, voice in said:
        sound[sentence.start : sentence.end] += voice
    return Scripted(sound, tuple(sentence for sentence, _ in said))


def _turns(
    n_people: int, n_sentences: int, rng: np.random.Generator, overlap: float
) -> Iterator[tuple[Said, np.ndarray]]:
    """Sentences with their sound, none twice before all were said."""
    at, who = samples(0.5), 0
    order = rng.permutation(len(SENTENCES)).tolist()
    for number in range(n_sentences):
        who = (who + 1 + int(rng.integers(n_people - 1))) % n_people if n_people > 1 else 0
        voice = spoken(SENTENCES[order[number % len(order)]], SIZES[who])
        yield Said(f"P{who + 1}", at, at + len(voice), SENTENCES[order[number % len(order)]]), voice
        early = rng.random() < overlap
        at += len(voice) + samples(-rng.uniform(*OVERLAP_S) if early else rng.uniform(*PAUSE_S))
