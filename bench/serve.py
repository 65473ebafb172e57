"""How many live clients a server carries, what one costs, and what is left when a thousand have gone."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from voicelane import SAMPLE_RATE
from voicelane.bench.latency import PERCENTILES
from voicelane.bench.options import DEMO, add_command
from voicelane.bench.results import Result, Table, percentiles, table
from voicelane.bench.sound import read_mono
from voicelane.client import AsyncClient

if TYPE_CHECKING:
    import psutil

CHUNK = SAMPLE_RATE // 10
APART_S = 7.3
"""Clients hear the same recording, so far apart."""
DEADLINE_S = 2.0
MEGABYTE = 1e6
SETTLED_S = 3.0


def add(commands: Any) -> None:
    """The `serve` command."""
    add = add_command(commands, "serve", measure, "what a server of live clients carries").add_argument
    add("--audio", type=Path, default=DEMO, help="sound file")
    add("--clients", type=int, nargs="+", default=[1, 2, 4, 8, 12], help="numbers to try, in this order")
    add("--length-s", type=float, default=15.0, help="of each try, in real time")
    add("--connects", type=int, default=1000, help="clients that come and go")


class Server:
    """`voicelane serve` with one worker, and what its processes hold."""

    def __init__(self, home: str) -> None:
        command = [sys.executable, "-m", "voicelane", "serve", "--port", "0", "--workers", "1"]
        command += ["--resume-s", "1", "--max-streams", "1000", "--max-streams-per-client", "1000"]
        environ = os.environ | {"VOICELANE_HOME": home}
        self._process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().split()[2].rstrip(";")

    def processes(self) -> list[psutil.Process]:
        """The server and its workers."""
        import psutil

        found = psutil.Process(self._process.pid)
        return [found, *found.children(recursive=True)]

    def holds(self) -> dict[str, float]:
        """Memory in MB, open files and threads of all of them together."""
        alive = self.processes()
        return {
            "memory_mb": round(sum(p.memory_info().rss for p in alive) / MEGABYTE, 2),
            "files": sum(p.num_fds() for p in alive),
            "threads": sum(p.num_threads() for p in alive),
        }

    def cpu_s(self) -> float:
        """Processor time of all of them together so far, in seconds."""
        times = [p.cpu_times() for p in self.processes()]
        return float(sum(t.user + t.system for t in times))

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=60)


async def client(url: str, sound: np.ndarray, length_s: float, late_s: list[float], starts_s: float) -> None:
    """One client in real time; by how much each confirmed label comes behind its sound."""
    async with AsyncClient(url).stream() as stream:
        await asyncio.sleep(starts_s)
        began_s = time.monotonic()
        hearing = asyncio.create_task(_hear(stream, began_s, late_s))
        for k in range(int(length_s * SAMPLE_RATE / CHUNK)):
            await asyncio.sleep(max(0.0, began_s + (k + 1) * CHUNK / SAMPLE_RATE - time.monotonic()))
            at = (k * CHUNK) % (len(sound) - CHUNK)
            await stream.send(sound[at : at + CHUNK])
        hearing.cancel()
        await stream.end()


async def _hear(stream: Any, began_s: float, late_s: list[float]) -> None:
    async for message in stream:
        if message["type"] == "confirmed":
            late_s.append(time.monotonic() - began_s - message["end_s"])


async def carried(server: Server, sound: np.ndarray, n_clients: int, length_s: float) -> dict[str, float]:
    """Percentiles of how late confirmed labels come with so many clients; memory of all, CPU of each."""
    late_s: list[float] = []
    shifts = [round(i * APART_S * SAMPLE_RATE) % len(sound) for i in range(n_clients)]
    clients = [
        client(server.url, np.roll(sound, -shift), length_s, late_s, 0.1 * i / n_clients)
        for i, shift in enumerate(shifts)
    ]
    cpu_s = server.cpu_s()
    running = asyncio.gather(*clients)
    await asyncio.sleep(0.8 * length_s)
    memory_mb = server.holds()["memory_mb"]
    await running
    cpu_ms = 1e3 * (server.cpu_s() - cpu_s) / (n_clients * length_s)
    about = {"labels": len(late_s), "memory_mb": memory_mb, "cpu_ms": round(cpu_ms, 2)}
    return {**percentiles(late_s), **about}


async def come_and_go(server: Server, n_times: int) -> None:
    """Clients that connect, start, say a little and vanish without a word."""
    block = np.zeros(CHUNK, np.int16)
    for _ in range(n_times):
        stream = AsyncClient(server.url).stream()
        await stream._connect()
        await stream.send(block)
        stream._socket.transport.abort()  # type: ignore[union-attr]


@asynccontextmanager
async def beside(server: Server) -> AsyncIterator[None]:
    """Clients that flood, send nonsense, and never read, for as long as the block lasts."""
    tasks = [asyncio.create_task(again(server, bad)) for bad in (flood, nonsense, deaf)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def again(server: Server, bad: Callable[[Server], Awaitable[None]]) -> None:
    """One bad client after the other."""
    while True:
        try:
            await bad(server)
        except asyncio.CancelledError:
            raise
        except Exception:
            await asyncio.sleep(0.2)


async def flood(server: Server) -> None:
    """Sound as fast as the socket takes it."""
    async with AsyncClient(server.url).stream() as stream:
        while True:
            await stream.send(np.zeros(SAMPLE_RATE, np.int16))


async def nonsense(server: Server) -> None:
    """A message that is none, and sound that is none."""
    async with AsyncClient(server.url).stream(encoding="container") as stream:
        await stream.send(np.random.default_rng(0).bytes(50_000))
        await stream._say("nonsense")
        await asyncio.sleep(0.5)


async def deaf(server: Server) -> None:
    """Somebody who sends and never reads."""
    socket = await AsyncClient(server.url).connect()
    await socket.send(json.dumps({"type": "start"}))
    while True:
        await socket.send(bytes(2 * CHUNK))
        await asyncio.sleep(0.1)


async def _measure(args: argparse.Namespace, server: Server) -> dict[str, Any]:
    sound = (np.clip(read_mono(args.audio), -1, 1) * 32_767).astype(np.int16)
    empty, load = server.holds(), os.getloadavg()[0]
    await carried(server, sound, 1, 3.0)
    first = server.holds()
    trials: dict[str, dict[str, float]] = {}
    for n_clients in args.clients:
        trials[str(n_clients)] = await carried(server, sound, n_clients, args.length_s)
        if trials[str(n_clients)]["p50"] > DEADLINE_S:
            break  # more would only be later
    good = max((int(n) for n, late in trials.items() if late["p99"] <= DEADLINE_S), default=0)
    async with beside(server):
        hostile = await carried(server, sound, max(1, good // 2), args.length_s)
    await asyncio.sleep(SETTLED_S)
    before = server.holds()
    await come_and_go(server, args.connects)
    await asyncio.sleep(SETTLED_S)
    held = {"empty": empty, "first": first, "left": {"before": before, "after": server.holds()}}
    return {"trials": trials, "most": good, "hostile": hostile, "load": load, **held}


def measure(args: argparse.Namespace) -> Result:
    """Clients of one worker, beside hostile ones, and what is left when many have gone."""
    with tempfile.TemporaryDirectory() as home:
        server = Server(home)
        try:
            content = asyncio.run(_measure(args, server))
        finally:
            server.stop()
    return Result(content, tables(content, args.connects))


def tables(found: dict[str, Any], connects: int) -> tuple[Table, ...]:
    """What was tried, and what is left."""
    rows = [[n, *_row(late)] for n, late in found["trials"].items()]
    rows.append([f"{max(1, found['most'] // 2)}, beside hostile ones", *_row(found["hostile"])])
    one, many = (found["trials"][n] for n in (min(found["trials"], key=int), max(found["trials"], key=int)))
    apart = max(1, int(max(found["trials"], key=int)) - int(min(found["trials"], key=int)))
    each = (many["memory_mb"] - one["memory_mb"]) / apart
    notes = (
        f"{found['most']} clients of one worker have their labels confirmed within {DEADLINE_S:g} s at p99",
        f"a further client adds {each:.1f} MB",
        f"load of the machine before, by other programs: {found['load']:.1f} on {os.cpu_count()} cores",
    )
    head = ["clients of one worker", "confirmed late by s, p50", *PERCENTILES[1:]]
    head += ["labels", "memory, MB", "CPU of a client, ms/s"]
    left = [[when, *held.values()] for when, held in found["left"].items()]
    gone = table([f"{connects} connects", "memory, MB", "open files", "threads"], left)
    return table(head, rows, "", *notes), gone


def _row(late: dict[str, float]) -> list[float]:
    return [*(late[k] for k in PERCENTILES), late["labels"], late["memory_mb"], late["cpu_ms"]]
