"""What a client says and what it is told: the live protocol in JSON."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Literal

import msgspec

from voicelane.base.errors import VoicelaneError
from voicelane.base.text import quoted

LONGEST_TEXT = 10_000
"""Characters of a message in JSON."""
BYTES_OF = {"pcm_s16le": 2, "f32le": 4}
"""Of one sample of one channel; of sound in a container nobody can tell."""


class Close(IntEnum):
    """Why the server closes a connection."""

    DONE = 1000
    RESTARTING = 1012
    BAD_MESSAGE = 4400
    NO_TOKEN = 4401
    NOT_THERE = 4404
    NOTHING_CAME = 4408
    TAKEN_OVER = 4409
    TOO_LONG = 4413
    BAD_SOUND = 4415
    NOT_READ = 4422
    TOO_MANY = 4429
    FAILED = 4500


class Refused(VoicelaneError):
    """A client is told `code` and a sentence, and the connection ends."""

    def __init__(self, code: Close, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Start(msgspec.Struct, tag="start", tag_field="type", forbid_unknown_fields=True, frozen=True):
    """The first message: what sound will come."""

    encoding: Literal["pcm_s16le", "f32le", "container"] = "pcm_s16le"
    rate: int = msgspec.field(default=16_000)
    """In Hz; not of containers, which tell it themselves."""
    channels: int = 1
    separate: bool = False
    """Whether every channel holds people of its own."""
    channel_names: tuple[str, ...] = ()
    """Who always speaks on each channel, one person each; empty where that is not known."""
    people: bool = False
    """Whether enrolled people are recognised."""
    max_speakers: int | None = None
    captions: bool = False
    language: str = ""
    """Of the captions, two letters; empty to find it out."""
    record: bool = False
    """Whether the session is kept."""

    def problem(self) -> str:
        """What is out of range, or nothing."""
        if not 1_000 <= self.rate <= 192_000:
            return f"a rate of {self.rate} Hz is not supported (1,000 … 192,000 Hz)"
        if not 1 <= self.channels <= 8:
            return f"{self.channels} channels are not supported (1 … 8)"
        if self.max_speakers is not None and not 1 <= self.max_speakers <= 1000:
            return f"max_speakers is {self.max_speakers}; expected 1 … 1000"
        if self.channel_names and len(self.channel_names) != self.channels:
            return f"{self.channels} channels have {len(self.channel_names)} channel_names"
        return "" if len(self.language) <= 8 else f"language is {quoted(self.language)}; expected two letters"

    @property
    def sides(self) -> int:
        """How many channels are heard apart."""
        return self.channels if self.separate or self.channel_names else 1


class Resume(msgspec.Struct, tag="resume", tag_field="type", forbid_unknown_fields=True, frozen=True):
    """The first message of a connection that goes on with a stream."""

    session: str
    after: int = 0
    """The `seq` of the last message that came through."""


class Watch(msgspec.Struct, tag="watch", tag_field="type", forbid_unknown_fields=True, frozen=True):
    """The first message of somebody who only reads: a stream's messages, or those of the newest one."""

    session: str = ""


class Rename(msgspec.Struct, tag="rename", tag_field="type", forbid_unknown_fields=True, frozen=True):
    """A speaker has a name from now on."""

    speaker: str
    name: str


class Merge(msgspec.Struct, tag="merge", tag_field="type", forbid_unknown_fields=True, frozen=True):
    """One speaker is no other than another."""

    speaker: str
    into: str


class End(msgspec.Struct, tag="end", tag_field="type", forbid_unknown_fields=True, frozen=True):
    """No more sound comes; what is left is told, then the server closes."""


Opening = Start | Resume | Watch
Later = Rename | Merge | End
_OPENING, _LATER = msgspec.json.Decoder(Opening), msgspec.json.Decoder(Later)


def opening(text: str) -> Opening:
    """The first message of a connection; raises `Refused`."""
    found: Opening = _decoded(_OPENING, text)
    if isinstance(found, Start) and (problem := found.problem()):
        raise Refused(Close.BAD_MESSAGE, problem)
    return found


def later(text: str) -> Later:
    """Any message after the first; raises `Refused`."""
    found: Later = _decoded(_LATER, text)
    return found


def _decoded(decoder: msgspec.json.Decoder, text: str) -> Any:
    if len(text) > LONGEST_TEXT:
        raise Refused(Close.BAD_MESSAGE, f"a message of {len(text)} characters; {LONGEST_TEXT} are the most")
    try:
        return decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise Refused(Close.BAD_MESSAGE, f"not a message of the live protocol ({problem})") from None
