"""What was said of one stream, numbered, for readers at their own pace; never more than so much."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

MOST_MESSAGES, MOST_BYTES = 4_000, 4 << 20


class Log:
    """Messages with their numbers, from 1; the oldest go where they are too many."""

    def __init__(self, most_messages: int = MOST_MESSAGES, most_bytes: int = MOST_BYTES) -> None:
        self._most_messages, self._most_bytes = most_messages, most_bytes
        self._kept = deque[str]()
        self._bytes = 0
        self.latest = 0
        """The number of the latest message."""
        self._news, self._over = asyncio.Event(), False

    def add(self, message: dict[str, Any]) -> None:
        """The next message, which gets its `seq`."""
        self.latest += 1
        text = json.dumps({**message, "seq": self.latest}, ensure_ascii=False)
        self._kept.append(text)
        self._bytes += len(text)
        while len(self._kept) > self._most_messages or self._bytes > self._most_bytes:
            self._bytes -= len(self._kept.popleft())
        self._tell()

    def close(self) -> None:
        """No more messages come."""
        self._over = True
        self._tell()

    async def read(self, after: int) -> AsyncIterator[str]:
        """All messages behind number `after`, as they come; who was too slow is told how many are gone."""
        while True:
            oldest = self.latest - len(self._kept) + 1
            if after + 1 < oldest:
                yield json.dumps({"type": "missed", "count": oldest - 1 - after})
                after = oldest - 1
            elif after < self.latest:
                after += 1
                yield self._kept[after - oldest]
            elif self._over:
                return
            else:
                await self._news.wait()

    def _tell(self) -> None:
        """Wake all readers."""
        news, self._news = self._news, asyncio.Event()
        news.set()
