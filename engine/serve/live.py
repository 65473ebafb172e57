"""The live WebSocket: sound in, messages out, until one of the two is over."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from voicelane.base.errors import VoicelaneError
from voicelane.serve.calls import Call, Calls
from voicelane.serve.messages import Close, End, Refused, Resume, Start, later, opening
from voicelane.serve.settings import ServeSettings
from voicelane.serve.tokens import Client

LONGEST_REASON = 120
"""Bytes that a close frame has for it."""


class Connection:
    """One WebSocket of the live protocol."""

    def __init__(self, socket: WebSocket, client: Client, calls: Calls, settings: ServeSettings) -> None:
        self._socket, self._client, self._calls, self._settings = socket, client, calls, settings
        self._dismissed = asyncio.Event()

    def dismiss(self) -> None:
        """Another connection goes on with the stream."""
        self._dismissed.set()

    async def run(self) -> None:
        """From the first message to the close frame; whatever is wrong is told with a code."""
        await self._socket.accept()
        try:
            await self._run()
        except Refused as refusal:
            await self._refuse(refusal)
        except (WebSocketDisconnect, ConnectionError):
            return

    async def _run(self) -> None:
        first = opening(await self._first())
        if isinstance(first, Start):
            call = await self._calls.open(self._client, first)
            await self._serve(call, 0, "ready")
        elif isinstance(first, Resume):
            call = self._calls.find(self._client, first.session)
            await self._serve(call, min(first.after, call.log.latest), "resumed")
        else:
            found = self._calls.find(self._client, first.session) if first.session else None
            await self._watch(found or self._calls.newest(self._client))

    async def _serve(self, call: Call, after: int, greeting: str) -> None:
        """Sound and messages of a stream that this connection holds from now on."""
        self._calls.hold(call, self)
        try:
            await self._greet(call, greeting)
            done = await self._both(call, after)
        finally:
            self._calls.let_go(call, self)
        if done:
            await self._calls.end(call)
            await self._close(call.close, _last_words(call))

    async def _watch(self, call: Call) -> None:
        await self._greet(call, "watching")
        await self._until_written(self._write(call, call.log.latest), self._until_gone())
        await self._close(Close.DONE, "the stream is over")

    async def _both(self, call: Call, after: int) -> bool:
        """Whether the stream is over, or only this connection."""
        await self._until_written(self._write(call, after), self._read(call), self._until_dismissed())
        return call.over.is_set()

    async def _until_written(self, writing: Awaitable[None], *meanwhile: Awaitable[None]) -> None:
        """Until all is written; raises what happens meanwhile."""
        last, *others = (asyncio.ensure_future(task) for task in (writing, *meanwhile))
        try:
            while not last.done():
                at_work = [last, *(task for task in others if not task.done())]
                await asyncio.wait(at_work, return_when="FIRST_COMPLETED")
                for task in others:
                    if task.done():
                        task.result()
            last.result()
        finally:
            for task in (last, *others):
                task.cancel()
            await asyncio.gather(last, *others, return_exceptions=True)

    async def _until_dismissed(self) -> None:
        await self._dismissed.wait()
        raise Refused(Close.TAKEN_OVER, "another connection goes on with this stream")

    async def _read(self, call: Call) -> None:
        """All that the client sends, until it ends its sound."""
        while not call.over.is_set():
            message = await self._next(self._settings.idle_s, "nothing came for {:g} s; resume when there is")
            if (data := message.get("bytes")) is not None:
                await call.hear(data, self)
            elif isinstance(said := later(message["text"]), End):
                await call.finish()
            else:
                await call.correct(said)

    async def _write(self, call: Call, after: int) -> None:
        """All messages to the client, as fast as it reads."""
        async for text in call.log.read(after):
            try:
                await asyncio.wait_for(self._socket.send_text(text), self._settings.unread_s)
            except TimeoutError:
                raise Refused(Close.NOT_READ, "messages are not read; read them, and resume") from None

    async def _first(self) -> str:
        message = await self._next(self._settings.start_s, "say within {:g} s what will come")
        if message.get("text") is None:
            raise Refused(Close.BAD_MESSAGE, "sound came before a start message; send that first, as JSON")
        return str(message["text"])

    async def _next(self, patience_s: float, sentence: str) -> dict:
        try:
            message = await asyncio.wait_for(self._socket.receive(), patience_s)
        except TimeoutError:
            raise Refused(Close.NOTHING_CAME, sentence.format(patience_s)) from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        return dict(message)

    async def _until_gone(self) -> None:
        """Who watches has nothing to say."""
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1005))

    async def _greet(self, call: Call, greeting: str) -> None:
        about = {"session": call.id, "received_bytes": call.received, "heard_s": round(call.heard_s, 3)}
        await self._socket.send_json(
            {"type": greeting, **about, "resume_s": self._settings.resume_s, "seq": call.log.latest}
        )

    async def _refuse(self, refusal: Refused) -> None:
        """An error message, then the close frame; whoever does not read gets neither."""
        if refusal.code == Close.NOT_READ:
            return
        said = {"type": "error", "code": int(refusal.code), "message": str(refusal)}
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await asyncio.wait_for(self._socket.send_json(said), self._settings.unread_s)
        await self._close(refusal.code, str(refusal))

    async def _close(self, code: Close, reason: str) -> None:
        cut = reason.encode()[:LONGEST_REASON].decode("utf-8", "ignore")
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            await asyncio.wait_for(self._socket.close(int(code), cut), self._settings.unread_s)


def _last_words(call: Call) -> str:
    return "done" if call.close == Close.DONE else "see the error message"


async def refuse(socket: WebSocket, code: Close, sentence: str) -> None:
    """Accept a WebSocket, so that its client sees why, and close it."""
    await socket.accept()
    with suppress(VoicelaneError, WebSocketDisconnect, RuntimeError):
        await socket.send_json({"type": "error", "code": int(code), "message": sentence})
        await socket.close(int(code), sentence[:LONGEST_REASON])
