"""A client of `voicelane serve`, in two manners: `Client` waits, `AsyncClient` is awaited.

>>> with Client().stream() as stream:
...     for block in blocks:  # float32 or int16 samples, or bytes
...         stream.send(block)
...         for message in stream.messages():
...             print(message["type"], message.get("speaker"))
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from voicelane.base.errors import VoicelaneError

if TYPE_CHECKING:
    import httpx
    from websockets.asyncio.client import ClientConnection
    from websockets.sync.client import ClientConnection as SyncConnection

URL = "http://127.0.0.1:8765"
INSTALL = 'a client needs httpx and websockets; run `pip install "voicelane[client]"`'
KEPT_BYTES = 8 << 20
"""Of what was sent, for a server that did not get it all."""
TRIES, AGAIN_S = 20, 0.5
TIMEOUT_S = 24 * 3600.0
"""A long recording takes its time."""
OPEN_S = 30.0
Message = dict[str, Any]
DONE = 1000
LOST = {1001, 1005, 1006, 1011, 1012, 1013, 1014}
"""Close codes of a connection that was lost; with any other the server means it."""
MOST_BYTES = 1 << 16
"""Of one message: longer sound goes in several."""


class ServerError(VoicelaneError):
    """What a server refused, with its HTTP status or the close code of its WebSocket."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(f"{sentence} ({code})")
        self.code = code


class Sent:
    """The latest bytes of a stream, so that those that got lost can be sent again."""

    def __init__(self) -> None:
        self._parts, self._bytes, self._start = deque[bytes](), 0, 0

    def add(self, data: bytes) -> None:
        """What is sent now."""
        self._parts.append(data)
        self._bytes += len(data)
        while self._bytes - len(self._parts[0]) > KEPT_BYTES:
            gone = self._parts.popleft()
            self._bytes -= len(gone)
            self._start += len(gone)

    def behind(self, received: int) -> bytes:
        """All that comes after the first `received` bytes of the stream."""
        return b"".join(self._parts)[max(0, received - self._start) :]


class _Manner:
    """What both manners have in common."""

    def __init__(self, url: str = URL, token: str = "", verify: ssl.SSLContext | bool = True) -> None:
        """`verify` says how the certificate of an https server is checked."""
        self.url, self._token, self._verify = url.rstrip("/"), token, verify

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    @property
    def _live_url(self) -> str:
        return f"ws{self.url.removeprefix('http')}/v1/live"

    @property
    def _options(self) -> dict[str, Any]:
        """As websockets takes them."""
        tls = self._verify if isinstance(self._verify, ssl.SSLContext) else None
        return {"additional_headers": self._headers, "max_size": None, "open_timeout": OPEN_S, "ssl": tls}

    def _session(self) -> dict[str, Any]:
        """As httpx takes it."""
        return {"headers": self._headers, "base_url": self.url, "timeout": TIMEOUT_S, "verify": self._verify}


class Client(_Manner):
    """A server that answers while the program waits. All methods raise `ServerError`."""

    def diarise(self, path: Path | str, **asked: Any) -> Message:
        """Who speaks when in a recording: `turns` with `speaker`, `name`, `start_s`, `end_s`."""
        return dict(self._upload("/v1/audio/diarization", path, asked))

    def transcribe(self, path: Path | str, **asked: Any) -> Message:
        """Who says what, as OpenAI's `diarized_json`."""
        asked = {"response_format": "diarized_json", **asked}
        return dict(self._upload("/v1/audio/transcriptions", path, asked))

    def enrol(self, name: str, path: Path | str) -> Message:
        """A recording of one person."""
        return dict(self._upload("/v1/profiles", path, {"name": name}))

    def get(self, path: str) -> Message:
        """What lies at a path of the server, as /v1/sessions."""
        return self._request("GET", path)

    def delete(self, path: str) -> None:
        """Remove what lies there."""
        self._request("DELETE", path)

    def rename(self, session: str, speaker: str, name: str) -> Message:
        """Give a speaker of a recorded session a name."""
        content = {"speaker": speaker, "name": name}
        return self._request("PATCH", f"/v1/sessions/{quote(session, safe='')}", json=content)

    def stream(self, **start: Any) -> Stream:
        """A live stream, with the fields of the start message: `encoding`, `rate`, `channels`, …"""
        return Stream(self, {"type": "start", **start})

    def connect(self) -> SyncConnection:
        """A WebSocket of the live protocol."""
        try:
            from websockets.sync.client import connect
        except ImportError:
            raise VoicelaneError(INSTALL) from None
        return connect(self._live_url, **self._options)

    def _upload(self, url: str, path: Path | str, asked: dict[str, Any]) -> Message:
        with Path(path).open("rb") as file:
            return self._request("POST", url, files={"file": (Path(path).name, file)}, data=asked)

    def _request(self, method: str, url: str, **more: Any) -> Message:
        with _httpx().Client(**self._session()) as session:
            return _answered(session.request(method, url, **more))


class AsyncClient(_Manner):
    """The same to be awaited."""

    async def diarise(self, path: Path | str, **asked: Any) -> Message:
        """As `Client.diarise`."""
        return dict(await self._upload("/v1/audio/diarization", path, asked))

    async def transcribe(self, path: Path | str, **asked: Any) -> Message:
        """As `Client.transcribe`."""
        asked = {"response_format": "diarized_json", **asked}
        return dict(await self._upload("/v1/audio/transcriptions", path, asked))

    async def get(self, path: str) -> Message:
        """As `Client.get`."""
        return await self._request("GET", path)

    async def patch(self, path: str, content: Message) -> Message:
        """Change what lies at a path of the server."""
        return await self._request("PATCH", path, json=content)

    def watch(self, session: str = "") -> AsyncStream:
        """Only the messages of a stream that another client sends, or of the newest one."""
        return AsyncStream(self, {"type": "watch", "session": session})

    def stream(self, **start: Any) -> AsyncStream:
        """As `Client.stream`."""
        return AsyncStream(self, {"type": "start", **start})

    async def connect(self) -> ClientConnection:
        """A WebSocket of the live protocol."""
        try:
            from websockets.asyncio.client import connect
        except ImportError:
            raise VoicelaneError(INSTALL) from None
        return await connect(self._live_url, **self._options)

    async def _upload(self, url: str, path: Path | str, asked: dict[str, Any]) -> Message:
        content = Path(path).read_bytes()
        return await self._request("POST", url, files={"file": (Path(path).name, content)}, data=asked)

    async def _request(self, method: str, url: str, **more: Any) -> Message:
        async with _httpx().AsyncClient(**self._session()) as session:
            return _answered(await session.request(method, url, **more))


class _Story:
    """What a stream remembers, to go on where it was cut."""

    def __init__(self, start: Message) -> None:
        self._start, self._sent = start, Sent()
        self.session = ""
        """The server's name of the stream."""
        self._seq, self._ended = 0, False

    def _opening(self) -> Message:
        """The first message of a connection."""
        if not self.session or self._start["type"] == "watch":
            return self._start
        return {"type": "resume", "session": self.session, "after": self._seq}

    def _greeted(self, text: str | bytes) -> list[bytes | str]:
        """What has to be sent after the server's first message."""
        said = _message(text)
        self.session = said["session"]
        lost = self._sent.behind(said["received_bytes"])
        return [*_pieces(lost), *([json.dumps({"type": "end"})] if self._ended else [])]

    def _read(self, text: str | bytes) -> Message:
        said = _message(text)
        self._seq = said.get("seq", self._seq)
        return said


class Stream(_Story):
    """Live sound to a server, that goes on by itself when the connection is lost."""

    def __init__(self, client: Client, start: Message) -> None:
        super().__init__(start)
        self._client = client
        self._socket: SyncConnection | None = None

    def __enter__(self) -> Stream:
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket:
            self._socket.close()

    def send(self, sound: np.ndarray | bytes) -> None:
        """The next sound, in the encoding of the start message."""
        for data in _pieces(encoded(sound, self._start)):
            self._sent.add(data)
            self._say(data)

    def rename(self, speaker: str, name: str) -> None:
        """Give a speaker a name."""
        self._say(json.dumps({"type": "rename", "speaker": speaker, "name": name}))

    def messages(self, wait_s: float = 0.0) -> Iterator[Message]:
        """What the server has said by now; raises `ServerError` where it ended the stream."""
        while (said := self._next(wait_s)) is not None:
            yield said

    def finish(self) -> Iterator[Message]:
        """No more sound comes: all messages that are left, the last of them of type `end`."""
        self._ended = True
        self._say(json.dumps({"type": "end"}))
        while (said := self._next(None)) is not None:
            yield said

    def _next(self, wait_s: float | None) -> Message | None:
        from websockets.exceptions import ConnectionClosed

        while True:
            assert self._socket
            try:
                return self._read(self._socket.recv(wait_s))
            except TimeoutError:
                return None
            except ConnectionClosed as closed:
                if _is_over(closed):
                    return None
                self._connect()

    def _say(self, data: bytes | str) -> None:
        from websockets.exceptions import ConnectionClosed

        assert self._socket
        try:
            self._socket.send(data)
        except ConnectionClosed as closed:
            if not _is_over(closed):
                self._connect()  # which sends again what got lost

    def _connect(self) -> None:
        """A new connection; raises `ServerError`, or `OSError` after some tries."""
        from websockets.exceptions import ConnectionClosed

        left = TRIES
        while True:
            try:
                return self._connect_once()
            except (OSError, ConnectionClosed) as lost:
                if isinstance(lost, ConnectionClosed):
                    _is_over(lost)
                left -= 1
                if not (left and self.session):
                    raise
                time.sleep(AGAIN_S)

    def _connect_once(self) -> None:
        self._socket = self._client.connect()
        self._socket.send(json.dumps(self._opening()))
        for data in self._greeted(self._socket.recv()):
            self._socket.send(data)


class AsyncStream(_Story):
    """The same to be awaited; `async for message in stream` reads while another task sends."""

    def __init__(self, client: AsyncClient, start: Message) -> None:
        super().__init__(start)
        self._client = client
        self._socket: ClientConnection | None = None
        self._sending = asyncio.Lock()

    async def __aenter__(self) -> AsyncStream:
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._socket:
            await self._socket.close()

    async def send(self, sound: np.ndarray | bytes) -> None:
        """As `Stream.send`."""
        for data in _pieces(encoded(sound, self._start)):
            async with self._sending:
                self._sent.add(data)
                await self._say(data)

    async def rename(self, speaker: str, name: str) -> None:
        """Give a speaker a name."""
        async with self._sending:
            await self._say(json.dumps({"type": "rename", "speaker": speaker, "name": name}))

    async def end(self) -> None:
        """No more sound comes; the messages that are left follow, the last of them of type `end`."""
        async with self._sending:
            self._ended = True
            await self._say(json.dumps({"type": "end"}))

    async def __aiter__(self) -> AsyncIterator[Message]:
        """All messages, to the end of the stream; only one task may read, which resumes."""
        from websockets.exceptions import ConnectionClosed

        while self._socket:
            try:
                yield self._read(await self._socket.recv())
            except ConnectionClosed as closed:
                if _is_over(closed):
                    return
                await self._connect()

    async def _say(self, data: bytes | str) -> None:
        from websockets.exceptions import ConnectionClosed

        assert self._socket
        try:
            await self._socket.send(data)
        except ConnectionClosed as closed:
            _is_over(closed)  # the task that reads connects again, and sends what got lost

    async def _connect(self) -> None:
        """A new connection; nothing else is sent before what got lost."""
        async with self._sending:
            self._socket = await self._connected()

    async def _connected(self) -> ClientConnection:
        from websockets.exceptions import ConnectionClosed

        left = TRIES
        while True:
            try:
                return await self._connected_once()
            except (OSError, ConnectionClosed) as lost:
                if isinstance(lost, ConnectionClosed):
                    _is_over(lost)
                left -= 1
                if not (left and self.session):
                    raise
                await asyncio.sleep(AGAIN_S)

    async def _connected_once(self) -> ClientConnection:
        socket = await self._client.connect()
        await socket.send(json.dumps(self._opening()))
        for data in self._greeted(await socket.recv()):
            await socket.send(data)
        return socket


def encoded(sound: np.ndarray | bytes, start: Message) -> bytes:
    """Samples, floats in −1 … 1 or integers of 16 bits, as the start message says."""
    if isinstance(sound, bytes):
        return sound
    samples = np.asarray(sound)
    if start.get("encoding") == "f32le":
        return samples.astype("<f4").tobytes()
    if samples.dtype.kind == "f":
        samples = np.clip(samples, -1.0, 1.0) * 32_767.0
    return samples.astype("<i2").tobytes()


def _pieces(data: bytes) -> Iterator[bytes]:
    """The same in messages that any server takes."""
    return (data[i : i + MOST_BYTES] for i in range(0, len(data), MOST_BYTES))


def _message(text: str | bytes) -> Message:
    """A message of the server; raises `ServerError` where it is one."""
    said: Message = json.loads(text)
    if said["type"] == "error" and "seq" not in said:
        raise ServerError(said["code"], said["message"])
    return said


def _is_over(closed: Any) -> bool:
    """Whether all went well; False where the connection was lost, `ServerError` where the server refused."""
    code = closed.rcvd.code if closed.rcvd else 1006
    if code not in (*LOST, DONE):
        raise ServerError(code, closed.rcvd.reason)
    return code == DONE


def _answered(response: httpx.Response) -> Message:
    """The JSON of an answer; raises `ServerError`."""
    if response.status_code == 204:
        return {}
    content: Message = response.json()
    if response.is_error:
        raise ServerError(response.status_code, content["error"]["message"])
    return content


def _httpx() -> Any:
    """httpx, loaded only when it is needed."""
    try:
        import httpx
    except ImportError:
        raise VoicelaneError(INSTALL) from None
    return httpx
