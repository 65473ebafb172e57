"""The server as an ASGI application, and how it is run."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from voicelane.base.errors import ConfigError, VoicelaneError
from voicelane.config import PipelineConfig
from voicelane.serve.guard import Guard
from voicelane.serve.house import House
from voicelane.serve.http import Http
from voicelane.serve.live import Connection
from voicelane.serve.pages import pages
from voicelane.serve.protocols.pyannote import PyannoteLive
from voicelane.serve.settings import ServeSettings
from voicelane.serve.tokens import Tokens

MOST_FRAME_BYTES = 1 << 20
"""Of one WebSocket message."""
CLOSING_S = 5.0
"""So long a connection may take to go, once it is over."""
PING_S = 20.0
BACKLOG = 2048


class Socket(WebSocketsSansIOProtocol):
    """uvicorn's, that lets nobody hold a connection who does not read."""

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        self.loop.call_later(CLOSING_S, self.transport.abort)


def build(house: House) -> Starlette:
    """The application; its processes begin and end with it."""

    @asynccontextmanager
    async def living(app: Starlette) -> AsyncIterator[None]:
        await house.start()
        try:
            yield
        finally:
            await house.stop()

    async def live(socket: WebSocket) -> None:
        await Connection(socket, socket.state.client, house.calls, house.settings).run()

    routes = [
        *Http(house).routes(),
        *PyannoteLive(house).routes(),
        WebSocketRoute("/v1/live", live),
        *pages(),
    ]
    guard = Middleware(Guard, settings=house.settings, tokens=house.tokens, metrics=house.metrics)
    return Starlette(routes=routes, lifespan=living, middleware=[guard])


class Server(uvicorn.Server):
    """One that says where it listens once it does, and tells live clients that it stops."""

    def __init__(self, config: uvicorn.Config, house: House, listening: Callable[[str], None]) -> None:
        super().__init__(config)
        self._house, self._listening = house, listening

    async def shutdown(self, sockets: Any = None) -> None:
        await self._house.calls.end_all()
        await super().shutdown(sockets)

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            name, port = self.servers[0].sockets[0].getsockname()[:2]
            kind = "https" if self.config.is_ssl else "http"
            self._listening(f"{kind}://{f'[{name}]' if ':' in name else name}:{port}")


def run(
    settings: ServeSettings,
    config: PipelineConfig,
    tokens: Tokens,
    certificate: Path | None,
    key: Path | None,
    listening: Callable[[str], None],
) -> None:
    """As `voicelane.serve.serve`, with settings that were checked."""
    house = House(settings, config, tokens)
    loaded = _settings(house, certificate, key)
    loaded.load()
    if loaded.ssl:
        # A client that writes in one thread while another reads loses what OpenSSL sends after the handshake
        # of TLS 1.3, or its own request: websockets' synchronous one does so.
        loaded.ssl.num_tickets = 0
    server = Server(loaded, house, listening)
    server.run()
    if not server.started:
        raise VoicelaneError(
            f"the server could not begin at {settings.host}, port {settings.port}; see above"
        )


def _settings(house: House, certificate: Path | None, key: Path | None) -> uvicorn.Config:
    """uvicorn's own."""
    if certificate:
        _check_certificate(certificate, key)
    return uvicorn.Config(
        build(house),
        host=house.settings.host,
        port=house.settings.port,
        ws=Socket,
        ws_max_size=MOST_FRAME_BYTES,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        ws_per_message_deflate=False,
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=5,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def _check_certificate(certificate: Path, key: Path | None) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as problem:
        raise ConfigError(f"{certificate}: no certificate with its key ({problem})") from None
