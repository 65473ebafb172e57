"""Live streams as the server knows them: a call outlives its connection, and is heard by a worker."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import msgspec

from voicelane.base.errors import VoicelaneError
from voicelane.serve.lanes import Desk, Ears, TaskFailed
from voicelane.serve.log import Log
from voicelane.serve.messages import BYTES_OF, Close, Merge, Refused, Rename, Start
from voicelane.serve.metrics import Metrics
from voicelane.serve.settings import ServeSettings
from voicelane.serve.tokens import Client

ID_BYTES = 15
CONTAINER_BYTES = 1 << 20
"""Of a container that may wait: nobody knows how long they sound."""
OPEN_S, FINISH_S = 120.0, 120.0
HEALTH_S = 5.0
LEAST_WAIT_S = 0.02


class Holder(Protocol):
    """What holds a stream: a connection."""

    def dismiss(self) -> None:
        """Another one holds it now."""


class Call:
    """One live stream: what came of it, what was told, and whether somebody is connected."""

    def __init__(
        self, client: Client, start: Start, settings: ServeSettings, ears: Ears, metrics: Metrics
    ) -> None:
        self.id, self.client, self.start = secrets.token_urlsafe(ID_BYTES), client, start
        self.log, self.began_s = Log(), time.monotonic()
        self.heard_s, self.received = 0.0, 0
        """Bytes of sound that came."""
        self.connection: Holder | None = None
        """Who holds it now."""
        self.left_s: float | None = None
        """`time.monotonic()` when the connection was lost."""
        self.close = Close.DONE
        self.over = asyncio.Event()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settings, self._ears, self._metrics = settings, ears, metrics
        self._waiting_bytes, self._room = 0, asyncio.Event()
        self._held = False
        self._health_s = 0.0
        self._speakers: dict[str, str] = {}
        self._now: list[dict[str, Any]] = []
        self._number = ears.join(self._hear, self._lost)

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that the worker has not heard yet; 0 where nobody can tell."""
        per_second = self._bytes_per_s
        return self._waiting_bytes / per_second if per_second else 0.0

    @property
    def _bytes_per_s(self) -> int:
        return BYTES_OF.get(self.start.encoding, 0) * self.start.rate * self.start.channels

    def about(self) -> dict[str, Any]:
        """What others may know of it."""
        return {
            "id": self.id,
            "heard_s": round(self.heard_s, 3),
            "waiting_s": round(self.waiting_s, 3),
            "connected": self.connection is not None,
            "speakers": [{"speaker": s, "name": n} for s, n in sorted(self._speakers.items())],
            "speaking": self._now,
        }

    async def open(self, people: list[dict[str, Any]], voices: bytes, folder: Path | None) -> None:
        """Have a worker take it; raises `Refused`."""
        header = {"do": "open", "start": msgspec.to_builtins(self.start), "people": people}
        header["model"] = self._settings.words_model
        await self._send({**header, "folder": str(folder) if folder else ""}, voices)
        try:
            await asyncio.wait_for(asyncio.shield(self.opened), OPEN_S)
        except TimeoutError:
            raise Refused(Close.FAILED, "the engine did not take the stream in time; try again") from None

    async def hear(self, data: bytes, holder: Holder | None = None) -> None:
        """The next bytes of sound, from who holds the stream, if anybody; waits while too much of it waits.

        What was told to be received is heard, and nothing else: from one who holds it no more, nothing is.
        Raises `Refused`.
        """
        if self.heard_s > 3600.0 * self._settings.max_stream_h:
            hours = self._settings.max_stream_h
            raise Refused(Close.TOO_LONG, f"{hours:g} h are the longest stream here; begin a new one")
        await self._wait_for_room()
        if self.connection is not holder:
            return
        self.received += len(data)
        self._metrics.received_bytes += len(data)
        self._waiting_bytes += len(data)
        await self._send({"do": "sound"}, data)

    async def correct(self, asked: Rename | Merge) -> None:
        """A correction by hand; what is wrong with it is told as an `error` message."""
        kind = "rename" if isinstance(asked, Rename) else "merge"
        await self._send({"do": kind, **msgspec.structs.asdict(asked)})

    async def finish(self) -> None:
        """No more sound comes: wait until all is heard and told."""
        if not self.over.is_set():
            await self._send({"do": "finish"})
            try:
                await asyncio.wait_for(self.over.wait(), FINISH_S + self.waiting_s)
            except TimeoutError:
                self.fail(Close.FAILED, "the engine did not come to the end of the sound in time")

    async def drop(self) -> None:
        """Nobody wants it any more."""
        if not self.over.is_set():
            with suppress(ConnectionError):
                await self._ears.send(self._number, {"do": "close"})
            self._end(Close.DONE)

    def fail(self, code: Close, sentence: str) -> None:
        """Its reader is told, and it is over."""
        self.log.add({"type": "error", "code": int(code), "message": sentence})
        if not self.opened.done():
            self.opened.set_exception(Refused(code, sentence))
            self.opened.exception()
        self._end(code)

    async def _send(self, header: dict[str, Any], payload: bytes = b"") -> None:
        try:
            await self._ears.send(self._number, header, payload)
        except ConnectionError:
            if not self.over.is_set():
                self._lost()

    async def _wait_for_room(self) -> None:
        """Back-pressure: the client is told that it has to wait, and when it goes on."""
        while not self.over.is_set() and (reason := self._full()):
            if not self._held:
                self._held = True
                self._metrics.held += 1
                self._tell_health("wait", reason)
            self._room.clear()
            try:
                await asyncio.wait_for(self._room.wait(), 10 * LEAST_WAIT_S)
            except TimeoutError:
                continue
        if self._held:
            self._held = False
            self._tell_health("go", "there is room again")

    def _full(self) -> str:
        """Why no more sound is taken now, or nothing."""
        if self._bytes_per_s:
            if self.waiting_s >= self._settings.waiting_s:
                return "the engine is behind"
        elif self._waiting_bytes >= CONTAINER_BYTES:
            return "the engine is behind"
        passed_s = time.monotonic() - self.began_s
        allowed_s = self._settings.burst_s + self._settings.most_speed * passed_s
        if self.heard_s + self.waiting_s > allowed_s:
            return f"sound comes more than {self._settings.most_speed:g} times as fast as it sounds"
        return ""

    def _hear(self, header: dict[str, Any]) -> None:
        """What the worker says."""
        if "problem" in header:
            self._refuse(header)
            return
        if header.get("opened"):
            self.opened.set_result(None)
        self._waiting_bytes -= header["taken"]
        self._metrics.heard_s += header["heard_s"] - self.heard_s
        self.heard_s = header["heard_s"]
        self._room.set()
        for message in header["say"]:
            self._see(message)
            self.log.add(message)
        if time.monotonic() - self._health_s >= HEALTH_S and header["taken"]:
            self._tell_health("ok", "")
        if header.get("over"):
            self._end(Close.DONE)

    def _refuse(self, header: dict[str, Any]) -> None:
        if header["fatal"]:
            self.fail(Close.BAD_SOUND if header["sound"] else Close.BAD_MESSAGE, header["problem"])
        else:
            code = int(Close.BAD_MESSAGE)
            self.log.add({"type": "error", "code": code, "message": header["problem"]})

    def _see(self, message: dict[str, Any]) -> None:
        """What `about` tells, and how late labels are."""
        self._metrics.see(message, self.heard_s)
        if "speaker" in message:
            known = self._speakers.get(message["speaker"], message["speaker"])
            self._speakers[message["speaker"]] = message.get("name", known)
        if message["type"] == "tentative":
            late = [t for t in message["turns"] if t["end_s"] >= self.heard_s - 1.0]
            self._now = [{"speaker": t["speaker"], "name": t.get("name", t["speaker"])} for t in late]

    def _tell_health(self, state: str, reason: str) -> None:
        self._health_s = time.monotonic()
        health = {"state": state, "heard_s": round(self.heard_s, 3), "waiting_s": round(self.waiting_s, 3)}
        self.log.add({"type": "health", **health, **({"reason": reason} if reason else {})})

    def _lost(self) -> None:
        self._metrics.lost_streams += 1
        self.fail(Close.RESTARTING, "the process that heard this stream died; begin it anew")

    def _end(self, code: Close) -> None:
        self.close = code
        self._ears.leave(self._number)
        self.over.set()
        self._room.set()
        self.log.close()


class Calls:
    """All live streams of a server."""

    def __init__(
        self, settings: ServeSettings, ears: Ears, captioned: Ears, desk: Desk, metrics: Metrics
    ) -> None:
        """`captioned` hear streams with captions, whose models take long to load; `desk` knows people."""
        self._settings, self._ears, self._captioned = settings, ears, captioned
        self._desk, self._metrics = desk, metrics
        self._calls: dict[str, Call] = {}
        self._leaving = set[asyncio.Task[None]]()

    def __len__(self) -> int:
        return len(self._calls)

    def of(self, client: Client) -> list[Call]:
        """Those of one client, the newest last."""
        return [c for c in self._calls.values() if c.client.id == client.id]

    def find(self, client: Client, id_: str) -> Call:
        """A call of this client; raises `Refused`."""
        call = self._calls.get(id_)
        if call is None or call.client.id != client.id:
            raise Refused(Close.NOT_THERE, "there is no such stream (any more); begin a new one")
        return call

    def newest(self, client: Client) -> Call:
        """The one that began last; raises `Refused`."""
        if not (calls := self.of(client)):
            raise Refused(Close.NOT_THERE, "nobody streams now; begin, then watch")
        return calls[-1]

    async def open(self, client: Client, start: Start) -> Call:
        """A new stream; raises `Refused`."""
        self._check_limits(client, start)
        try:
            ears = await self._ears_for(start)
            call = Call(client, start, self._settings, ears, self._metrics)
        except (ConnectionError, VoicelaneError) as problem:
            raise Refused(Close.RESTARTING, f"{problem}; try again in a moment") from None
        self._calls[call.id] = call
        try:
            people, voices = await self._people(client) if start.people else ([], b"")
            await call.open(people, voices, self._folder(client) if start.record else None)
        except BaseException:
            await self.end(call)
            raise
        self._metrics.streams += 1
        return call

    def hold(self, call: Call, connection: Holder) -> None:
        """A connection takes a stream, from another one if need be."""
        if call.connection is not None:
            call.connection.dismiss()
        call.connection, call.left_s = connection, None

    def let_go(self, call: Call, connection: Holder) -> None:
        """A connection is gone; the stream waits for another one for a while."""
        if call.connection is connection:
            call.connection, call.left_s = None, time.monotonic()
            task = asyncio.ensure_future(self._expire(call))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def end(self, call: Call) -> None:
        """The stream is no more."""
        self._calls.pop(call.id, None)
        await call.drop()

    async def end_all(self) -> None:
        """The server stops."""
        for call in list(self._calls.values()):
            call.fail(Close.RESTARTING, "the server stops")
            await self.end(call)
        for task in self._leaving:
            task.cancel()

    async def _expire(self, call: Call) -> None:
        left_s = call.left_s
        await asyncio.sleep(self._settings.resume_s)
        if call.connection is None and call.left_s == left_s:
            await self.end(call)

    async def _ears_for(self, start: Start) -> Ears:
        """Whoever can hear it."""
        if not start.captions:
            return self._ears
        await self._captioned.ensure()
        return self._captioned

    async def _people(self, client: Client) -> tuple[list[dict[str, Any]], bytes]:
        try:
            rows, voices = await self._desk.ask("people", home=str(client.home()))
        except TaskFailed as problem:
            raise Refused(Close.FAILED, str(problem)) from None
        return rows, voices

    def _folder(self, client: Client) -> Path:
        """Where a session is recorded; its name is the server's."""
        return client.home() / "sessions" / f"live-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"

    def _check_limits(self, client: Client, start: Start) -> None:
        settings = self._settings
        if len(self._calls) >= settings.max_streams:
            raise Refused(Close.TOO_MANY, f"{settings.max_streams} streams run already; try again later")
        if len(self.of(client)) >= settings.max_streams_per_client:
            most = settings.max_streams_per_client
            raise Refused(Close.TOO_MANY, f"{most} streams of yours run already; end one first")
        captioned = sum(c.start.captions for c in self._calls.values())
        if start.captions and captioned >= settings.max_captioned:
            raise Refused(Close.TOO_MANY, f"{captioned} streams have captions already; ask for none")
