"""Live diarisation in the shape of pyannoteAI's streaming: POST /v1/live gives the URL of a WebSocket that
takes 100 ms of float samples a message, and tells who starts and ends to speak.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from voicelane.serve.calls import Call
from voicelane.serve.house import House
from voicelane.serve.http import told
from voicelane.serve.live import refuse
from voicelane.serve.messages import Close, Refused, Start
from voicelane.serve.tokens import Client

CHUNK_BYTES = 6_400
"""100 ms of 16 kHz float samples."""
START = Start(encoding="f32le")
OPENED_S = 600.0
"""A URL that nobody opens is of no use after that."""
MOST_WAITING = 1_000
TOKEN_BYTES = 24


class Booking:
    """A URL that was given out, to be opened once."""

    def __init__(self, client: Client) -> None:
        self.id, self.client = secrets.token_urlsafe(15), client
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.until_s = time.monotonic() + OPENED_S
        self.status = "created"


class PyannoteLive:
    """The endpoints."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._bookings: dict[str, Booking] = {}

    def routes(self) -> list[Any]:
        """All of them."""
        return [
            Route("/v1/live", told(self.book), methods=["POST"]),
            Route("/v1/live/{id}", told(self.show), methods=["GET"]),
            WebSocketRoute("/v1/live/socket/{id}", self.live),
        ]

    async def book(self, request: Request) -> Response:
        """A new stream: its URL holds a token that is good once."""
        self._forget()
        if len(self._bookings) >= MOST_WAITING:
            raise Refused(Close.TOO_MANY, "too many streams wait to be opened")
        booking = Booking(request.state.client)
        self._bookings[booking.id] = booking
        url = request.url
        scheme = "wss" if url.scheme == "https" else "ws"
        path = f"/v1/live/socket/{booking.id}?token={booking.token}"
        return JSONResponse({"id": booking.id, "url": f"{scheme}://{url.netloc}{path}"}, 201)

    async def show(self, request: Request) -> Response:
        """Whether it was opened, and is over."""
        booking = self._bookings.get(request.path_params["id"])
        if booking is None or booking.client.id != request.state.client.id:
            raise Refused(Close.NOT_THERE, "there is no such stream (any more)")
        return JSONResponse({"id": booking.id, "status": booking.status})

    async def live(self, socket: WebSocket) -> None:
        """Sound in, starts and ends out."""
        booking = self._bookings.get(socket.path_params["id"])
        token = socket.query_params.get("token", "")
        given = booking and secrets.compare_digest(booking.token.encode(), token.encode("utf-8", "replace"))
        if not (booking and given) or booking.status != "created":
            await refuse(
                socket, Close.NO_TOKEN, "this URL is not (any more) good; POST /v1/live gives a new one"
            )
            return
        booking.status = "running"
        try:
            await self._stream(socket, booking)
        finally:
            booking.status = "done"

    async def _stream(self, socket: WebSocket, booking: Booking) -> None:
        await socket.accept()
        call = None
        try:
            call = await self._house.calls.open(booking.client, START)
            await _both(socket, call, self._house.settings.idle_s)
            await socket.close(1000)
        except Refused as problem:
            with suppress(WebSocketDisconnect, RuntimeError):
                await socket.send_json({"type": "error", "message": str(problem)})
                await socket.close(int(problem.code))
        except WebSocketDisconnect:
            return
        finally:
            if call:
                await self._house.calls.end(call)

    def _forget(self) -> None:
        now = time.monotonic()
        over = [b.id for b in self._bookings.values() if now > b.until_s and b.status != "running"]
        for id_ in over:
            del self._bookings[id_]


async def _both(socket: WebSocket, call: Call, idle_s: float) -> None:
    """Until all is told, or the client is gone."""
    reading = asyncio.ensure_future(_read(socket, call, idle_s))
    writing = asyncio.ensure_future(_write(socket, call))
    try:
        await asyncio.wait((reading, writing), return_when="FIRST_COMPLETED")
        if reading.done():
            reading.result()
        await writing
    finally:
        reading.cancel()
        writing.cancel()
        await asyncio.gather(reading, writing, return_exceptions=True)


async def _read(socket: WebSocket, call: Call, idle_s: float) -> None:
    while not call.over.is_set():
        try:
            message = await asyncio.wait_for(socket.receive(), idle_s)
        except TimeoutError:
            raise Refused(Close.NOTHING_CAME, f"nothing came for {idle_s:g} s") from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        if (data := message.get("bytes")) is None:
            await _told(call, message["text"])
        elif len(data) > CHUNK_BYTES or len(data) % 4:
            raise Refused(Close.BAD_MESSAGE, f"Invalid chunk size: {len(data)} bytes, expected {CHUNK_BYTES}")
        else:
            await call.hear(data)


async def _told(call: Call, text: str) -> None:
    """The one message that a client has."""
    try:
        ends = json.loads(text)["type"] == "end_of_stream"
    except (ValueError, TypeError, KeyError, RecursionError):
        ends = False
    if not ends:
        raise Refused(Close.BAD_MESSAGE, 'expected {"type": "end_of_stream"}')
    await call.finish()


async def _write(socket: WebSocket, call: Call) -> None:
    async for text in call.log.read(0):
        for event in shaped(json.loads(text)):
            await socket.send_json(event)


def shaped(message: dict[str, Any]) -> list[dict[str, Any]]:
    """A message of the live protocol in pyannoteAI's shape; most have none."""
    if message["type"] == "error":
        return [{"type": "error", "message": message["message"]}]
    if message["type"] not in ("speaker_start", "speaker_end"):
        return []
    at_s = message["start_s" if message["type"] == "speaker_start" else "end_s"]
    data = {"timestamp": at_s, "speaker": label(message["speaker"])}
    return [{"type": f"diarization_{message['type']}", "data": data}]


def label(speaker: str) -> str:
    """S1 is SPEAKER_00."""
    number = speaker[1:]
    return f"SPEAKER_{int(number) - 1:02d}" if number.isdigit() else speaker
