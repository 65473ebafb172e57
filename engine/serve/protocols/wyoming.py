"""A Wyoming proxy before any speech-to-text: its words get the name of who spoke, or are kept from it.

Home Assistant, or any client, speaks to the proxy; that hands everything on to the speech-to-text, and the
sound to `voicelane serve` as well, which knows the voices.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient as Upstream
from wyoming.error import Error
from wyoming.event import Event
from wyoming.server import AsyncEventHandler, AsyncServer

from voicelane.base.errors import VoicelaneError
from voicelane.client.connection import AsyncClient, AsyncStream, Message

UNKNOWN = ""
ENCODINGS = {2: "pcm_s16le"}
"""By bytes of a sample; Wyoming's sound is of two."""
HIDDEN = ("transcript-start", "transcript-chunk", "transcript-stop")
"""Pieces of a transcript that comes while somebody speaks; who that is will be known at the end."""
KNOWN_S = 30.0
"""So long a transcript waits for its name."""


@dataclass(frozen=True)
class Manner:
    """What becomes of a transcript."""

    form: str = "{name}: {text}"
    """The text for somebody who is known."""
    only: tuple[str, ...] = ()
    """Whose words are let through; everybody's where it is empty."""

    def told(self, transcript: Transcript, name: str) -> Transcript:
        """The transcript of what `name` said (empty: nobody who is known)."""
        context = {**(transcript.context or {}), "speaker": name or None}
        if self.only and name not in self.only:
            return replace(transcript, text="", context=context)
        text = (
            self.form.replace("{name}", name).replace("{text}", transcript.text) if name else transcript.text
        )
        return replace(transcript, text=text, context=context)


class Proxy(AsyncEventHandler):
    """One client's connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream: str,
        voicelane: AsyncClient,
        manner: Manner,
    ) -> None:
        super().__init__(reader, writer)
        self._upstream, self._voicelane, self._manner = Upstream.from_uri(upstream), voicelane, manner
        self._answers: asyncio.Task[None] | None = None
        self._stream: AsyncStream | None = None
        self._who: asyncio.Task[str] | None = None

    async def handle_event(self, event: Event) -> bool:
        """Everything goes on to the speech-to-text, sound to voicelane too."""
        try:
            if self._answers is None:
                await self._upstream.connect()
                self._answers = asyncio.create_task(self._answer())
            await self._upstream.write_event(event)
        except OSError as problem:
            await self.write_event(Error(f"the speech-to-text cannot be reached ({problem})").event())
            return False
        with suppress(VoicelaneError, OSError):  # without voicelane, words go on without a name
            await self._listen(event)
        return True

    async def disconnect(self) -> None:
        """The client is gone."""
        for task in (self._answers, self._who):
            if task:
                task.cancel()
        if self._answers:
            with suppress(OSError):
                await self._upstream.disconnect()
        await self._let_go()

    async def _listen(self, event: Event) -> None:
        if AudioStart.is_type(event.type):
            await self._begin(AudioStart.from_event(event))
        elif AudioChunk.is_type(event.type) and self._stream:
            await self._stream.send(AudioChunk.from_event(event).audio)
        elif AudioStop.is_type(event.type) and self._stream:
            await self._stream.end()

    async def _begin(self, start: AudioStart) -> None:
        await self._let_go()
        if start.width not in ENCODINGS:
            return
        self._stream = self._voicelane.stream(
            encoding=ENCODINGS[start.width], rate=start.rate, channels=start.channels, people=True
        )
        await self._stream.__aenter__()
        self._who = asyncio.create_task(_who(self._stream))

    async def _let_go(self) -> None:
        stream, self._stream = self._stream, None
        if stream:
            with suppress(OSError):
                await stream.__aexit__(None, None, None)

    async def _answer(self) -> None:
        """All that the speech-to-text says, back to the client."""
        while (event := await self._upstream.read_event()) is not None:
            if Transcript.is_type(event.type):
                event = self._manner.told(Transcript.from_event(event), await self._name()).event()
            if not (self._manner.only and event.type in HIDDEN):
                await self.write_event(event)
        self.writer.close()

    async def _name(self) -> str:
        """Who spoke, as soon as that is known."""
        if self._who is None:
            return UNKNOWN
        who, self._who = self._who, None
        try:
            return await asyncio.wait_for(who, KNOWN_S)
        except (VoicelaneError, OSError, TimeoutError):
            return UNKNOWN


async def _who(stream: AsyncStream) -> str:
    """The name of who spoke most of a stream, once it is over; empty for somebody without one."""
    async for message in stream:
        if message["type"] == "end":
            return most_heard(message["turns"])
    return UNKNOWN


def most_heard(turns: list[Message]) -> str:
    """The name of who spoke longest; empty where that is nobody known."""
    spoken: Counter[str] = Counter()
    for turn in turns:
        spoken[turn["name"] if turn["name"] != turn["speaker"] else UNKNOWN] += (
            turn["end_s"] - turn["start_s"]
        )
    return spoken.most_common(1)[0][0] if spoken else UNKNOWN


async def serve(
    listen: str,
    upstream: str,
    voicelane: AsyncClient,
    manner: Manner,
    listening: Callable[[], Any] = lambda: None,
) -> None:
    """A proxy at `listen`, as tcp://127.0.0.1:10301, until it is cancelled."""
    server = AsyncServer.from_uri(listen)
    await server.start(lambda reader, writer: Proxy(reader, writer, upstream, voicelane, manner))
    listening()
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()
