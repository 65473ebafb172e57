"""What a client makes of a server that refuses it, however early; no voicelane runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from voicelane.client import AsyncClient, Client, ServerError

server_of = pytest.importorskip("websockets.sync.server")


@pytest.fixture(params=[0.0, 0.3], ids=["at once", "after the start message"])
def refusing(request) -> Iterator[str]:
    """The address of a server that closes every connection for want of a token."""
    late = threading.Event()

    def refuse(socket) -> None:
        late.wait(request.param)
        socket.close(4401, "a token is needed here")

    with server_of.serve(refuse, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()


@pytest.fixture
def slow_to_speak(monkeypatch):
    """The server's close frame is there before the client says its first word."""
    import time

    from voicelane.client.connection import _Story

    opening = _Story._opening

    def late(story):
        time.sleep(0.1)
        return opening(story)

    monkeypatch.setattr(_Story, "_opening", late)


def test_a_refused_client_is_told_why(refusing, slow_to_speak):
    with pytest.raises(ServerError, match=r"token.*4401"), Client(refusing).stream():
        pass


def test_a_refused_asynchronous_client_is_told_why(refusing, slow_to_speak):
    async def talk() -> None:
        async with AsyncClient(refusing).stream():
            pass

    with pytest.raises(ServerError, match=r"token.*4401"):
        asyncio.run(talk())
