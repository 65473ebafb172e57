"""Who speaks, as MQTT messages: for home automation and anything else that listens to a broker."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any, Protocol

from voicelane.base.errors import VoicelaneError
from voicelane.client.connection import AsyncClient, Message, ServerError

AGAIN_S = 1.0
KINDS = ("speaker_start", "speaker_end", "name", "revision")
NOBODY_STREAMS = 4404


class Broker(Protocol):
    """What `paho.mqtt.client.Client` does here."""

    def publish(self, topic: str, payload: str, qos: int = 0, retain: bool = False) -> Any:
        """Send a message."""


class Teller:
    """Messages of a live stream to messages of MQTT, below one topic.

    `TOPIC/speaking` holds the names of all who speak now, retained; `TOPIC/speaker_start` and so on have each
    message as JSON.
    """

    def __init__(self, broker: Broker, topic: str) -> None:
        self._broker, self._topic = broker, topic.rstrip("/")
        self._speaking: dict[str, str] = {}

    def hear(self, message: Message) -> None:
        """One message of the live protocol."""
        kind = message["type"]
        if kind not in KINDS:
            return
        self._broker.publish(f"{self._topic}/{kind}", json.dumps(message, ensure_ascii=False), qos=1)
        before = dict(self._speaking)
        speaker: str = message["speaker"]
        name: str = message.get("name", speaker)
        if kind == "speaker_end":
            self._speaking.pop(speaker, None)
        elif kind == "speaker_start" or speaker in self._speaking:
            self._speaking[speaker] = name
        if self._speaking != before:
            self._tell()

    def fall_silent(self) -> None:
        """The stream is over."""
        self._speaking.clear()
        self._tell()

    def _tell(self) -> None:
        names = sorted(self._speaking.values())
        self._broker.publish(f"{self._topic}/speaking", json.dumps(names, ensure_ascii=False), 1, retain=True)


async def tell(voicelane: AsyncClient, teller: Teller) -> None:
    """The newest live stream of the server, then the next one, until it is cancelled."""
    while True:
        try:
            await _follow(voicelane, teller)
        except ServerError as problem:
            if problem.code != NOBODY_STREAMS:
                raise
        except (VoicelaneError, OSError):
            pass  # the server may come back
        await asyncio.sleep(AGAIN_S)


async def _follow(voicelane: AsyncClient, teller: Teller) -> None:
    """One stream to its end."""
    stream = voicelane.watch()
    async with stream:
        try:
            async for message in stream:
                teller.hear(message)
        finally:
            with suppress(VoicelaneError, OSError):
                teller.fall_silent()
