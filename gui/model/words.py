"""The words of a conversation as a text that can be read: who says what, and which word is where in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from voicelane import SpeakerTurn
from voicelane.base import samples, seconds
from voicelane.events import Word
from voicelane.gui.model.language import tr
from voicelane.gui.model.viewport import clock
from voicelane.words import Line, paragraphs

CHIP = "■ "
"""Before every name, in the speaker's colour."""
SETTLED = samples(60.0)
"""Words so long before the newest are read no other way by what comes."""


@dataclass(frozen=True)
class Said:
    """One paragraph: where its words begin in the whole text, and which words these are."""

    line: Line
    begins: int
    """Letter of the text where the heading begins."""
    first: int
    """Number of its first word."""


@dataclass(frozen=True)
class Page:
    """A transcript as text: a line of name and time, then a line of words, for each paragraph."""

    text: str = ""
    said: tuple[Said, ...] = ()
    starts: tuple[int, ...] = ()
    """Letter of the text at which each word begins, in the order of the page."""
    words: tuple[Word, ...] = ()
    """In the order of the page."""
    labels: frozenset[str] = field(default_factory=frozenset)

    def word_at(self, letter: int) -> int | None:
        """Number of the word that holds a letter; None for what is no word."""
        number = bisect_right(self.starts, letter) - 1
        if number < 0:
            return None
        return number if letter <= self.starts[number] + len(self.words[number].text.strip()) else None

    def word_of(self, sample: int) -> int | None:
        """Number of the word that is spoken at a sample."""
        near = (i for i, word in enumerate(self.words) if word.start <= sample < word.end)
        return next(near, None)

    def span(self, number: int) -> tuple[int, int]:
        """First letter of a word and the one behind its last."""
        start = self.starts[number]
        return start, start + len(self.words[number].text.strip())

    def speaker_at(self, number: int) -> str:
        """Whose paragraph begins with the heading of that number."""
        return self.said[number].line.speaker

    def copied(self, shown: Callable[[str], str]) -> str:
        """All of it to be put elsewhere: `name: words` a paragraph."""
        return "\n".join(f"{name_of(said.line, shown)}: {said.line.text}" for said in self.said)


def name_of(line: Line, shown: Callable[[str], str]) -> str:
    """Who says a line, by the name that is shown."""
    return shown(line.speaker) if line.speaker else tr("somebody")


def laid_out(lines: Sequence[Line], shown: Callable[[str], str]) -> Page:
    """The page of some paragraphs."""
    parts, said, starts, words, at = list[str](), list[Said](), list[int](), list[Word](), 0
    for line in lines:
        heading = f"{CHIP}{name_of(line, shown)}  {clock(seconds(line.start))}\n"
        said.append(Said(line, at, len(words)))
        parts.append(heading)
        at += len(heading)
        for number, word in enumerate(line.words):
            text = word.text.strip()
            starts.append(at)
            gap = " " if _apart(line.words, number) else ""
            parts.append(text + gap)
            at += len(text) + len(gap)
        parts.append("\n")
        at += 1
        words += line.words
    return Page("".join(parts), tuple(said), tuple(starts), tuple(words), frozenset(x.speaker for x in lines))


def _apart(words: Sequence[Word], number: int) -> bool:
    """Whether a blank follows a word: where the next has one before it."""
    return number + 1 < len(words) and words[number + 1].text.startswith(" ")


def lines_of(words: Sequence[Word], turns: Sequence[SpeakerTurn], before: Sequence[Line] = ()) -> list[Line]:
    """Paragraphs of all words; `before` are those of fewer words and the same turns, of which the settled
    ones stay."""
    newest = words[-1].end if words else 0
    kept = [line for line in before if line.end < newest - SETTLED][:-1]
    n_kept = sum(len(line.words) for line in kept)
    if [w for line in kept for w in line.words] != list(words[:n_kept]):
        kept, n_kept = [], 0
    from_ = words[n_kept].start - SETTLED if n_kept < len(words) else newest
    near = [turn for turn in turns if turn.end > from_] if kept else turns
    return [*kept, *paragraphs(words[n_kept:], near)]


def changed(words: Sequence[Word], word: Word, text: str) -> tuple[Word, ...]:
    """The words with one of them written otherwise; without it where the text is empty."""
    at = next(i for i, other in enumerate(words) if other is word or other == word)
    gap = " " if word.text.startswith(" ") else ""
    new = (replace(word, text=gap + text.strip(), confidence=1.0),) if text.strip() else ()
    return (*words[:at], *new, *words[at + 1 :])
