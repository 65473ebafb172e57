"""Pages for people: the microphone in a browser, an overlay for streaming programs, the interface."""

from __future__ import annotations

from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from voicelane.serve.openapi import openapi, page

TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}
POLICY = (
    "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; "
    "frame-ancestors 'none'"
)
"""Nothing comes from elsewhere, and no other page may show this one."""


def pages() -> list[Route]:
    """The routes; all files are read once, and asked for by their exact names."""
    shown = {
        f"/page/{f.name}": f.read_text(encoding="utf-8") for f in (files(__package__) / "page").iterdir()
    }
    found = [_route(path, text, TYPES[path.rsplit(".", 1)[1]]) for path, text in shown.items()]
    found.append(_route("/", shown["/page/index.html"], TYPES["html"]))
    found.append(_route("/overlay", shown["/page/overlay.html"], TYPES["html"]))
    return [*found, Route("/openapi.json", _openapi), Route("/docs", _docs)]


def _route(path: str, text: str, type_: str) -> Route:
    async def answer(request: Request) -> Response:
        return Response(text, media_type=type_, headers={"Content-Security-Policy": POLICY})

    return Route(path, answer)


async def _openapi(request: Request) -> Response:
    return JSONResponse(openapi())


async def _docs(request: Request) -> Response:
    return HTMLResponse(page(), headers={"Content-Security-Policy": POLICY})
