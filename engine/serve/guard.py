"""Who gets in: tokens, and browsers' pages only from this server itself."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from voicelane.serve.live import refuse
from voicelane.serve.messages import Close
from voicelane.serve.metrics import Metrics
from voicelane.serve.settings import NAMES_OF_HERE, ServeSettings
from voicelane.serve.tokens import OWNER, Client, Tokens

OPEN_PATHS = ("/health", "/", "/overlay", "/docs", "/openapi.json")
"""They tell nothing of anybody."""
OPEN_FOLDERS = ("/page/", "/v1/live/socket/")
"""Pictures and programs of the pages, and sockets whose address is a secret of its own."""
NO_TOKEN = "a token is needed here: `Authorization: Bearer vl_…`; `voicelane tokens add NAME` makes one"


class Guard:
    """ASGI middleware: puts the client into the scope's state, or refuses."""

    def __init__(self, app: ASGIApp, settings: ServeSettings, tokens: Tokens, metrics: Metrics) -> None:
        self._app, self._settings, self._tokens, self._metrics = app, settings, tokens, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if problem := self._foreign(headers):
            await self._refuse(scope, receive, send, 403, problem)
            return
        client = self._client(headers, scope)
        if client is None and not _is_open(scope["path"]):
            await self._refuse(scope, receive, send, 401, NO_TOKEN)
            return
        scope.setdefault("state", {})["client"] = client
        await self._app(scope, receive, send)

    def _foreign(self, headers: Headers) -> str:
        """Why a browser's request is not of a page of ours, or nothing."""
        host, origin = headers.get("host", ""), headers.get("origin")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        if self._settings.is_local and name not in (*NAMES_OF_HERE, self._settings.host):
            return "this server answers to the names of this machine alone"
        if origin is not None and urlsplit(origin).netloc != host:
            return "pages of other sites may not use this server"
        return ""

    def _client(self, headers: Headers, scope: Scope) -> Client | None:
        """Whose request it is; the owner's where nobody else can ask, whatever token programs must send."""
        if self._settings.is_local and not self._tokens.clients():
            return OWNER
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            token = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return self._tokens.client(token.strip()) if token else None

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, status: int, sentence: str) -> None:
        self._metrics.refused += 1
        if scope["type"] == "websocket":
            await refuse(WebSocket(scope, receive, send), Close.NO_TOKEN, sentence)
            return
        response = JSONResponse({"error": {"message": sentence, "code": status}}, status)
        await response(scope, receive, send)


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)
