"""Clients that do what they should not: each has a clear answer, and others do not notice."""

from __future__ import annotations

import json
import socket
import struct
import time

import numpy as np
import pytest

from tests.serve.test_live import chunks, heard, kinds

connect = pytest.importorskip("websockets.sync.client").connect
closed = pytest.importorskip("websockets.exceptions").ConnectionClosed
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve")]
START = json.dumps({"type": "start"})


def ended(server, *said: str | bytes, patience_s: float = 30.0) -> tuple[int, str]:
    """With which close code, and after which error, the server ends a connection on which this was said."""
    error = ""
    with connect(server.live, max_size=None) as ws:
        try:
            for message in said:
                ws.send(message)
            while True:
                message = json.loads(ws.recv(patience_s))
                error = message["message"] if message["type"] == "error" else error
        except closed as end:
            return end.rcvd.code, error


@pytest.mark.parametrize(
    ("said", "code", "word"),
    [
        ((b"\0" * 3200,), 4400, "before a start message"),
        (("garbage",), 4400, "live protocol"),
        (('{"type": "dance"}',), 4400, "live protocol"),
        (('{"type": "start", "rate": 5}',), 4400, "rate"),
        (('{"type": "start", "rate": 1e999}',), 4400, "live protocol"),
        (('{"type": "start", "channels": 999}',), 4400, "channels"),
        (('{"type": "start", "encoding": "mp3"}',), 4400, "encoding"),
        (('{"type": "start", "channel_names": ["a", "b"]}',), 4400, "channel_names"),
        (('{"type": "start", "folder": "/etc"}',), 4400, "folder"),
        (("[" * 5000,), 4400, "live protocol"),
        (('{"type": "start", "language": "' + "x" * 20_000 + '"}',), 4400, "characters"),
        (('{"type": "resume", "session": "../../etc/passwd"}',), 4404, "no such stream"),
        (('{"type": "watch", "session": "nobody"}',), 4404, "no such stream"),
        ((START, "garbage"), 4400, "live protocol"),
        ((START, '{"type": "start"}'), 4400, "live protocol"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, tuple) else None,
)
def test_a_wrong_message_has_a_clear_code(server, said, code, word):
    found, error = ended(server, *said)
    assert found == code and word in error


def test_a_container_that_is_none_has_a_clear_code(server):
    start = json.dumps({"type": "start", "encoding": "container"})
    garbage = np.random.default_rng(0).bytes(300_000)
    code, error = ended(
        server, start, *(garbage[i : i + 50_000] for i in range(0, 300_000, 50_000)), '{"type": "end"}'
    )
    assert code == 4415 and "the sound" in error


def test_a_frame_of_two_megabytes_is_refused(server):
    assert ended(server, START, bytes(2_000_000))[0] == 1009


def test_frames_of_nothing_and_of_one_byte_are_heard(server):
    with server.client.stream() as stream:
        for data in (b"", b"\1", b"", b"\0", b"\0\0" * 8000):
            stream.send(data) if data else stream._say(data)
        assert list(stream.finish())[-1]["heard_s"] == pytest.approx(0.5, abs=0.001)


def test_samples_that_are_no_numbers_count_as_silence_and_are_told(server, speech):
    broken = speech[: 3 * 16_000].copy()
    broken[::7] = np.nan
    broken[3::7] = np.inf
    found = heard(server, broken, encoding="f32le")
    told = [m for m in kinds(found, "remark") if m["event"] == "InvalidSamples"]
    assert sum(m["count"] for m in told) == np.count_nonzero(~np.isfinite(broken))
    assert found[-1]["heard_s"] == 3.0


def test_an_hour_of_sound_in_a_moment_holds_nobody_up(server):
    """Silence at that; the server stops reading, and others are heard meanwhile."""
    with connect(server.live, max_size=None) as flood:
        flood.send(START)
        flood.recv()
        flood.socket.settimeout(0.2)
        sent = 0
        try:
            for _ in range(2_000):
                flood.socket.sendall(_frame(bytes(32_000)))
                sent += 1
        except TimeoutError:
            pass
        assert sent < 2_000  # the server stopped reading
        began_s = time.monotonic()
        end = heard(server, np.zeros(16_000, np.float32))[-1]
        assert end["heard_s"] == 1.0 and time.monotonic() - began_s < 20.0
        vanish(flood)
    server.until("live_streams", 0)


def vanish(connection) -> None:
    """End a connection so that what the other side has not read is lost, too."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()


def _frame(data: bytes) -> bytes:
    """A masked binary frame, its mask zero."""
    return b"\x82\xff" + len(data).to_bytes(8, "big") + bytes(4) + data


def test_a_client_that_never_reads_does_not_disturb(server, speech):
    with connect(server.live, max_size=None) as deaf:
        deaf.send(START)
        deaf.recv_bufsize = 1
        for block in chunks(speech[: 5 * 16_000]):
            deaf.send((block * 32_767).astype("<i2").tobytes())
        end = heard(server, speech[: 5 * 16_000])[-1]
        assert end["turns"]


def test_whoever_does_not_read_is_let_go(tmp_path, monkeypatch):
    """The log is bounded, the send has a deadline, and the connection is cut for good."""
    import asyncio

    from voicelane.serve.live import Connection
    from voicelane.serve.log import Log
    from voicelane.serve.messages import Close, Refused
    from voicelane.serve.settings import ServeSettings

    class Deaf:
        async def send_text(self, text):
            await asyncio.sleep(3600)

    class Call:
        log = Log()

    async def write():
        Call.log = Log()
        Call.log.add({"type": "health"})
        await Connection(Deaf(), None, None, ServeSettings(unread_s=0.1))._write(Call, 0)

    with pytest.raises(Refused) as refused:
        asyncio.run(write())
    assert refused.value.code == Close.NOT_READ


@pytest.mark.parametrize(
    "data",
    [b"\0" * 10_000, b"GET / HTTP/1.1\r\n" * 100, b"GET /v1/live HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"],
    ids=["zeros", "requests", "half an upgrade"],
)
def test_a_socket_that_speaks_nonsense_is_closed_or_answered(server, data):
    address = server.url.removeprefix("http://").rsplit(":", 1)
    with socket.create_connection((address[0], int(address[1]))) as raw:
        raw.settimeout(10)
        raw.sendall(data)
        raw.shutdown(socket.SHUT_WR)
        try:
            while raw.recv(65_536):
                pass
        except OSError:
            pass
    assert server.client.get("/health")["status"] == "ok"


def test_many_streams_at_once_are_limited_and_all_go(server):
    server.until("live_streams", 0)  # those of earlier clients wait a while for them
    sockets = [server.client.stream() for _ in range(17)]
    opened = 0
    try:
        for stream in sockets:
            try:
                stream._connect()
                opened += 1
            except Exception as problem:
                assert "(4429)" in str(problem)
        assert opened == 16
    finally:
        for stream in sockets:
            if stream._socket:
                stream._socket.close()
    server.until("live_streams", 0)


def test_a_worker_that_dies_is_told_and_replaced(server, speech):
    """Last of all: the first stream ends with a code, the next one is heard by a new process."""
    import psutil

    ready = server.gauge("workers_ready")
    with server.client.stream() as stream:
        stream.send(speech[:16_000])
        (worker,) = [
            child
            for child in psutil.Process(server.process.pid).children()
            if "voicelane.serve.worker" in child.cmdline()
        ]
        worker.kill()
        with pytest.raises(Exception, match=r"no such stream|died"):
            list(stream.finish())
    server.until("workers_ready", ready, within_s=120.0)
    assert heard(server, speech[: 3 * 16_000])[-1]["heard_s"] == 3.0
