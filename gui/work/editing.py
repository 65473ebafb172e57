"""Turns by hand: edges, division, joining, deletion, insertion. Each is one correction, and one undo."""

from __future__ import annotations

from collections.abc import Callable

from voicelane import LabelDesk, SpeakerTurn
from voicelane.base import samples
from voicelane.gui.model.conversation import Conversation
from voicelane.gui.model.language import tr

LEAST = samples(0.05)
"""Shorter turns cannot be made."""
NEW = samples(1.0)
"""What is inserted, where there is room."""


class Editing:
    """What can be done with turns of a conversation; each tells whether it was done."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def move_edge(self, turn: SpeakerTurn, start: bool, to: int) -> bool:
        """Let a turn begin, or end, at another sample; it keeps a least length."""
        if start:
            to = min(max(0, to), turn.end - LEAST)
            return self._resized(turn, to, turn.end, (turn.start, to))
        to = max(min(to, self._conversation.n_samples), turn.start + LEAST)
        return self._resized(turn, turn.start, to, (to, turn.end))

    def divide(self, turn: SpeakerTurn, at: int) -> bool:
        """Make two turns of one; the second is chosen."""
        if not turn.start + LEAST <= at <= turn.end - LEAST:
            self._conversation.refused.emit(tr("a turn can be divided only within it; put the cursor there"))
            return False
        return self._insert(turn.speaker, at, turn.end)

    def join(self, turn: SpeakerTurn) -> bool:
        """Make one turn of this and the next of its speaker."""
        lane = self._conversation.lane(turn.speaker)
        following = next((t for t in lane.turns if t.start >= turn.end), None) if lane else None
        if following is None:
            self._conversation.refused.emit(tr("there is no later turn of this speaker to join it with"))
            return False
        return self._insert(turn.speaker, turn.start, following.end)

    def remove(self, turn: SpeakerTurn) -> bool:
        """Nobody speaks there, or not this speaker."""
        return self._correct(lambda desk: desk.remove(turn.speaker, turn.start, turn.end))

    def confirm(self, turn: SpeakerTurn) -> bool:
        """It is right, and sure from now on."""
        return self._insert(turn.speaker, turn.start, turn.end)

    def insert(self, speaker: str | None, at: int) -> bool:
        """A turn of a speaker, or of somebody new, from a sample on: a second, less before the next one."""
        lane = self._conversation.lane(speaker) if speaker else None
        if lane and (there := lane.at(at)):
            return self.divide(there, at)
        later = [turn.start for turn in (lane.turns if lane else ()) if turn.start > at]
        end = min(at + NEW, self._conversation.n_samples, *later)
        return self._insert(speaker, max(0, min(at, end - LEAST)), end)

    def _resized(self, turn: SpeakerTurn, start: int, end: int, left_out: tuple[int, int]) -> bool:
        if left_out[0] < left_out[1]:
            return self._correct(lambda desk: desk.remove(turn.speaker, *left_out))
        return left_out[0] > left_out[1] and self._insert(turn.speaker, start, end)

    def _insert(self, speaker: str | None, start: int, end: int) -> bool:
        conversation, labels = self._conversation, list[str]()
        done = self._correct(lambda desk: labels.append(desk.insert(speaker, start, end)))
        lane = conversation.lane(labels[0]) if done and labels else None
        if lane is not None:
            conversation.select(lane.at(start))
        return done

    def _correct(self, request: Callable[[LabelDesk], object]) -> bool:
        return self._conversation.correct(request)
