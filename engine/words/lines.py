"""Words with their speakers as lines that can be read: paragraphs of a transcript, subtitles of a film."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from voicelane.base.text import one_line
from voicelane.base.timebase import samples
from voicelane.events import SpeakerTurn, Word
from voicelane.words.alignment import ENDS, assign

PAUSE_SAMPLES = samples(1.5)
LONGEST_SUBTITLE_SAMPLES, LONGEST_SUBTITLE_LETTERS = samples(6.0), 84
"""Two rows of 42 letters, read in six seconds."""


@dataclass(frozen=True)
class Line:
    """What one speaker says without a break."""

    speaker: str
    """A label, empty for nobody."""
    words: tuple[Word, ...]
    translation: str = ""
    """The same in English, where that was asked for."""

    @property
    def start(self) -> int:
        return self.words[0].start

    @property
    def end(self) -> int:
        return max(word.end for word in self.words)

    @property
    def text(self) -> str:
        return joined(self.words)


def joined(words: Iterable[Word]) -> str:
    """Words as a line of text."""
    return one_line("".join(word.text for word in words))


def paragraphs(words: Sequence[Word], turns: Iterable[SpeakerTurn]) -> list[Line]:
    """What everybody says, in order of time, up to a pause or until somebody else has spoken."""
    return lines(words, assign(words, turns), lambda line, word: False)


def subtitles(words: Sequence[Word], turns: Iterable[SpeakerTurn]) -> list[Line]:
    """The same in pieces that can be read while they are spoken."""
    return joined_lines(words, assign(words, turns))


def joined_lines(words: Sequence[Word], speakers: Sequence[str]) -> list[Line]:
    """Subtitles of words whose speakers are known."""
    return lines(words, speakers, _is_full)


def lines(
    words: Sequence[Word], speakers: Sequence[str], is_full: Callable[[list[Word], Word], bool]
) -> list[Line]:
    """Words of one speaker together, until there is a pause, another speaks, or a line is full."""
    found: list[tuple[str, list[Word]]] = []
    for word, speaker in zip(words, speakers, strict=True):
        last = found[-1] if found else None
        if last and last[0] == speaker and _follows(last[1][-1], word) and not is_full(last[1], word):
            last[1].append(word)
        else:
            found.append((speaker, [word]))
    return [Line(speaker, tuple(said)) for speaker, said in found]


def _follows(word: Word, then: Word) -> bool:
    return then.start - word.end < PAUSE_SAMPLES


def _is_full(said: list[Word], word: Word) -> bool:
    """Whether a subtitle ends before `word`: at its longest, or sooner at the end of a sentence."""
    letters = len(joined([*said, word]))
    lasts = word.end - said[0].start
    ends = said[-1].text.rstrip().endswith(ENDS)
    share = 0.5 if ends else 1.0
    return letters > share * LONGEST_SUBTITLE_LETTERS or lasts > share * LONGEST_SUBTITLE_SAMPLES


def with_translations(
    found: Sequence[Line], translations: Sequence[tuple[int, int, str]], turns: Iterable[SpeakerTurn]
) -> list[Line]:
    """The lines with those that were translated, by their times, in pieces as they were: one line for each,
    of whoever says most of it."""
    words = sorted((word for line in found for word in line.words), key=lambda word: (word.start, word.end))
    speakers, pieces = assign(words, list(turns)), list[Line]()
    left = list(range(len(words)))
    for start, end, text in translations:
        own = [i for i in left if start <= (words[i].start + words[i].end) // 2 <= end]
        left = [i for i in left if i not in set(own)]
        if own:
            who = Counter(speakers[i] for i in own).most_common(1)[0][0]
            pieces.append(Line(who, tuple(words[i] for i in own), text))
    rest = lines([words[i] for i in left], [speakers[i] for i in left], _is_full)
    return sorted([*pieces, *rest], key=lambda line: line.start)
