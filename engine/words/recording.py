"""The words of a recording that is there as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import attrgetter

import numpy as np

from voicelane.events import SpeakerTurn, Word
from voicelane.sessions.session import Session
from voicelane.words.pieces import Span, pieces_of, short_enough
from voicelane.words.recogniser import Heard, Recogniser
from voicelane.words.store import Recognised, Translation
from voicelane.words.timing import shifted


class Reel:
    """Sound that comes in blocks, of which spans are taken in order of time."""

    def __init__(self, blocks: Iterable[np.ndarray]) -> None:
        self._blocks, self._kept, self._at = iter(blocks), np.zeros(0, np.float32), 0

    def cut(self, start: int, end: int) -> np.ndarray:
        """The samples of a span, shorter where the sound ends; nothing before it is kept."""
        while self._at + len(self._kept) < end and (block := next(self._blocks, None)) is not None:
            done = min(max(0, start - self._at), len(self._kept))
            self._kept, self._at = np.concatenate((self._kept[done:], block)), self._at + done
        return self._kept[max(0, start - self._at) : max(0, end - self._at)]


def cut_out(
    blocks: Iterable[np.ndarray], spans: Mapping[str, Sequence[Span]], most: int
) -> dict[str, np.ndarray]:
    """What each speaker says in their spans, `most` samples of each, float32 (n,), in one pass through the
    sound."""
    reel, found = Reel(blocks), {who: [np.zeros(0, np.float32)] for who in spans}
    for start, end, who in sorted((start, end, who) for who, own in spans.items() for start, end in own):
        found[who].append(reel.cut(start, min(end, start + most)))
    return {who: np.concatenate(parts) for who, parts in found.items()}


def recognise(
    blocks: Iterable[np.ndarray], spans: Iterable[Span], hear: Callable[[np.ndarray], Heard]
) -> Iterator[tuple[int, Heard]]:
    """Span by span, the sample where it begins and what is said in it."""
    reel = Reel(blocks)
    for span in spans:
        sound = reel.cut(*span)
        for start, end in short_enough((span[0], span[0] + len(sound)), sound):
            yield start, hear(sound[start - span[0] : end - span[0]])


def recognise_session(
    session: Session,
    recogniser: Recogniser,
    model: str,
    progress: Callable[[int], object] = lambda sample: None,
    pieces: Callable[[Iterable[SpeakerTurn], int], list[Span]] = pieces_of,
    translate: bool = False,
) -> Recognised:
    """All words of a recorded session; `progress` is told up to which sample they are there.

    With `translate` each piece is told in English as well.
    """
    length = session.heard_samples()
    words, languages, english = list[Word](), Counter[str](), list[Translation]()
    hear = partial(recogniser.hear, translate=translate)
    for start, heard in recognise(session.sound(), pieces(session.turns(), length), hear):
        new = [*shifted(heard.words, start)]
        words += new
        english += [Translation(new[0].start, new[-1].end, heard.translation)] if heard.translation else []
        languages[heard.language] += len(heard.words)
        progress(start)
    progress(length)
    language = languages.most_common(1)[0][0] if words else ""
    in_order = tuple(sorted(words, key=attrgetter("start", "end")))
    return Recognised(in_order, language, model, translations=tuple(english))
