"""Four digits drawn at random, to be said at once: what was recorded before cannot answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voicelane.events import Verification
from voicelane.profiles.enrolment import Enrolment, verification_of
from voicelane.stages.recogniser import Person
from voicelane.stages.verifier import Verifier
from voicelane.voices.digits import DigitReader, pictures_of, words_in
from voicelane.voices.watermark import heard_mark

N_DIGITS = 4
ANSWER_S = 8.0
"""To say them."""
LEAST_MEAN = -1.0
"""Mean log-probability of the asked digits from which they were said. Chosen on the dev people, where other
digits had it once in a thousand times (`python -m voicelane.bench digits`)."""


@dataclass(frozen=True)
class Answer:
    """What was heard of the digits that were asked for."""

    n_words: int
    heard: tuple[int, ...]
    """The likeliest digit of each word; as many as were asked for, or none."""
    mean_log_probability: float
    """Of the asked digits; −inf where the number of words is another."""

    @property
    def right(self) -> bool:
        """Whether they were the digits that were asked for."""
        return self.mean_log_probability >= LEAST_MEAN

    def sentence(self) -> str:
        """What was heard, for people."""
        if not self.heard:
            return f"heard {self.n_words} words where {N_DIGITS} digits were asked for, with pauses between"
        return f"heard {' '.join(map(str, self.heard))}, digits {'right' if self.right else 'wrong'}"


@dataclass(frozen=True)
class Outcome:
    """What an answer is worth: the digits and the voice."""

    answer: Answer
    voice: Verification
    synthetic: bool
    """Whether it carries the mark of speech that a computer made or changed."""

    @property
    def accepted(self) -> bool:
        """Whether the right person said the right digits."""
        return self.voice.accepted and self.answer.right

    @property
    def replayed(self) -> bool:
        """Whether the voice is right alone, as with a recording."""
        return self.voice.accepted and not self.answer.right


def draw_digits(rng: np.random.Generator) -> list[int]:
    """Four different digits."""
    return [int(d) for d in rng.permutation(10)[:N_DIGITS]]


def outcome(
    heard: Enrolment, asked: list[int], language: str, person: Person, verifier: Verifier, reader: DigitReader
) -> Outcome:
    """What an answer that was listened to is worth."""
    voice = verification_of(heard, person, verifier)
    return Outcome(judge(heard.sound, asked, reader, language), voice, heard_mark([heard.sound]).found)


def judge(sound: np.ndarray, asked: list[int], reader: DigitReader, language: str) -> Answer:
    """Whether a recording, 16 kHz mono (n,), says the digits that were asked for and nothing else."""
    words = words_in(sound, len(asked))
    if len(words) != len(asked):
        return Answer(len(words), (), float("-inf"))
    logs = reader.read(pictures_of(words), language)
    heard = tuple(int(d) for d in logs.argmax(axis=1))
    return Answer(len(words), heard, float(logs[np.arange(len(asked)), asked].mean()))
