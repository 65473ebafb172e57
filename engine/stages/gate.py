"""What is no voice is not passed on: a dog, a chainsaw, a crying baby make no speaker and no turn."""

from __future__ import annotations

from dataclasses import replace

from voicelane.base.timebase import FRAME_SAMPLES
from voicelane.stages.scale import Scale
from voicelane.stages.segmenter import Heard, Piece, Window


class VoiceGate:
    """Windows in and out, without the pieces that do not sound like anybody; nothing is delayed.

    A piece is left out, with every other one of the same moment, where the log-likelihood ratio that its
    embedding is a voice's lies below `least_llr`; nobody is taken to speak there. Pieces too short to be
    embedded share the fate of those that they touch.
    """

    longest_delay_samples = 0

    def __init__(self, scale: Scale, least_llr: float) -> None:
        self._scale, self._least_llr = scale, least_llr

    def reset(self) -> None:
        """Nothing is held."""

    def process(self, items: list[Heard]) -> list[Heard]:
        return [self._window(item) if isinstance(item, Window) else item for item in items]

    def flush(self) -> list[Heard]:
        return []

    def _window(self, window: Window) -> Window:
        noises = [p for p in window.pieces if self._is_noise(p)]
        if not noises:
            return window
        voices = [p for p in window.pieces if _tells(p) and p not in noises]
        people, kept = window.people.copy(), []
        for piece in window.pieces:
            lost = not _tells(piece) and _touches(piece, noises) and not _touches(piece, voices)
            if lost or piece in noises:
                first, last = ((x - window.start) // FRAME_SAMPLES for x in (piece.start, piece.end))
                people[max(0, first) : max(0, last)] = 0.0
            else:
                kept.append(piece)
        return replace(window, pieces=tuple(kept), people=people)

    def _is_noise(self, piece: Piece) -> bool:
        if piece.heard is None or not piece.first:
            return False
        return float(self._scale.voice_ratios(piece.heard.vector[None])[0]) < self._least_llr


def _tells(piece: Piece) -> bool:
    """Whether it is the clearest voice of its moment and long enough to be judged."""
    return piece.first and piece.heard is not None


def _touches(piece: Piece, others: list[Piece]) -> bool:
    """Whether it overlaps one of them or borders on it."""
    return any(piece.start <= o.end and piece.end >= o.start for o in others)
