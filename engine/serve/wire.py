"""Between the server and its worker processes: messages of a header in JSON and a payload of bytes."""

from __future__ import annotations

import json
import select
import socket
import struct
from typing import Any

LENGTHS = struct.Struct("<II")
"""Bytes of the header and of the payload."""
Header = dict[str, Any]


def packed(header: Header, payload: bytes = b"") -> bytes:
    """A message as it is sent."""
    head = json.dumps(header, ensure_ascii=False).encode("utf-8", "replace")
    return LENGTHS.pack(len(head), len(payload)) + head + payload


class Wire:
    """The worker's end; only its one thread uses it."""

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(True)

    def poll(self, timeout_s: float | None) -> bool:
        """Whether a message, or the end, is there within `timeout_s`; None waits for it."""
        return bool(select.select([self._socket], [], [], timeout_s)[0])

    def receive(self) -> tuple[Header, bytes]:
        """The next message; raises `EOFError` where the server is gone."""
        head, payload = LENGTHS.unpack(self._exactly(LENGTHS.size))
        return json.loads(self._exactly(head)), self._exactly(payload)

    def send(self, header: Header, payload: bytes = b"") -> None:
        """Raises `OSError` where the server is gone."""
        self._socket.sendall(packed(header, payload))

    def _exactly(self, n_bytes: int) -> bytes:
        found = bytearray(n_bytes)
        view, done = memoryview(found), 0
        while done < n_bytes:
            got = self._socket.recv_into(view[done:])
            if not got:
                raise EOFError
            done += got
        return bytes(found)
