"""A stream that outlives its connections: each byte is heard once, whoever sent it."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("starlette")

from voicelane.serve.calls import Call
from voicelane.serve.messages import Start
from voicelane.serve.metrics import Metrics
from voicelane.serve.settings import ServeSettings
from voicelane.serve.tokens import Client

BLOCK = bytes(3_200)


class Ears:
    """A worker that keeps what it is sent."""

    def __init__(self) -> None:
        self.heard = b""

    def join(self, listener: object, lost: object) -> int:
        return 1

    async def send(self, stream: int, header: dict, payload: bytes = b"") -> None:
        self.heard += payload if header["do"] == "sound" else b""


class Holding:
    def dismiss(self) -> None:
        """Nothing waits for it here."""


def test_what_a_lost_connection_still_has_is_not_heard_after_another_took_over():
    """The new one was told how many bytes came, and sends the others again."""

    async def talk() -> tuple[int, bytes]:
        ears, old, new = Ears(), Holding(), Holding()
        settings = ServeSettings()
        call = Call(Client("anna", "Anna", "", ""), Start(), settings, ears, Metrics())
        call.connection = old
        await call.hear(BLOCK, old)
        call._waiting_bytes = int(1e9)  # the worker is behind
        late = asyncio.create_task(call.hear(BLOCK, old))
        await asyncio.sleep(0.05)
        told, call.connection, call._waiting_bytes = call.received, new, 0
        await late
        await call.hear(BLOCK, old)
        assert call.received == told == len(BLOCK)
        await call.hear(BLOCK, new)
        return call.received, ears.heard

    assert asyncio.run(talk()) == (2 * len(BLOCK), 2 * BLOCK)
