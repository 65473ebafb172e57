"""Worker processes as the server's event loop sees them: started, asked, heard, replaced when they die."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import Any

from voicelane.base.errors import VoicelaneError
from voicelane.config import PipelineConfig
from voicelane.serve.wire import LENGTHS, Header, packed

READY_S = 180.0
"""The very first start compiles; a worker that is not ready by then never will be."""
MOST_DEATHS = 3
"""In a row, without having been ready, before nobody tries any more."""
LOW_PRIORITY = 5


class Lane:
    """One worker process; `heard` gets its messages, `died` hears that it is gone."""

    def __init__(
        self,
        module: str,
        config: PipelineConfig,
        heard: Callable[[Header, bytes], None],
        died: Callable[[], None],
        nice: int = 0,
    ) -> None:
        self._module, self._config, self._nice = module, config, nice
        self._heard, self._died = heard, died
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._life: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self.deaths = 0
        """How often the process died."""

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return self._process.pid if self._process else None

    @property
    def ready(self) -> bool:
        """Whether it has its models and can be asked."""
        return self._ready.is_set()

    async def start(self) -> None:
        """Returns when it is ready; raises `VoicelaneError` where it never will be."""
        self._life = asyncio.create_task(self._live())
        waiting = asyncio.create_task(self._ready.wait())
        await asyncio.wait((self._life, waiting), timeout=READY_S, return_when="FIRST_COMPLETED")
        if not self.ready:
            waiting.cancel()
            await self.stop()
            raise VoicelaneError("a worker process could not be started; see above what it said")

    async def send(self, header: Header, payload: bytes = b"") -> None:
        """Waits while the worker has too much to do; raises `ConnectionError` where it is gone."""
        if self._writer is None:
            raise ConnectionError("the worker process is gone")
        self._writer.write(packed(header, payload))
        await self._writer.drain()

    async def stop(self) -> None:
        """End the process and whatever watched it."""
        life, self._life = self._life, None
        if life:
            life.cancel()
            with suppress(asyncio.CancelledError):
                await life
        self._end()

    async def _live(self) -> None:
        """One process after the other, while they get ready."""
        in_a_row = 0
        while in_a_row < MOST_DEATHS:
            self._ready.clear()
            async for header, payload in self._messages():
                if header.get("ready"):
                    in_a_row = 0
                    self._ready.set()
                else:
                    self._heard(header, payload)
            self._ready.clear()
            self._end()
            in_a_row += 1
            self.deaths += 1
            self._died()

    async def _messages(self) -> AsyncIterator[tuple[Header, bytes]]:
        """All that a new process says, until it is gone."""
        reader = await self._begin()
        try:
            while True:
                head, payload = LENGTHS.unpack(await reader.readexactly(LENGTHS.size))
                yield json.loads(await reader.readexactly(head)), await reader.readexactly(payload)
        except (asyncio.IncompleteReadError, ConnectionError):
            return

    async def _begin(self) -> asyncio.StreamReader:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-m", self._module, str(theirs.fileno())]
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=os.environ | threads
        )
        theirs.close()
        if self._nice and hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, self._nice)
        reader, self._writer = await asyncio.open_connection(sock=ours)
        await self.send({"config": asdict(self._config)})
        return reader

    def _end(self) -> None:
        writer, self._writer = self._writer, None
        if writer:
            writer.close()
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()


class Pool:
    """Some lanes of one kind."""

    def __init__(self, module: str, n_workers: int, config: PipelineConfig, nice: int = 0) -> None:
        self._starting, self._started = asyncio.Lock(), False
        self.lanes = [
            Lane(module, config, self._hear, partial(self._lost, which), nice) for which in range(n_workers)
        ]

    @property
    def deaths(self) -> int:
        """Of all processes."""
        return sum(lane.deaths for lane in self.lanes)

    async def ensure(self) -> None:
        """As `start`, the first time that somebody needs it."""
        async with self._starting:
            if not self._started:
                await self.start()
                self._started = True

    async def start(self) -> None:
        """Raises `VoicelaneError`."""
        await asyncio.gather(*(lane.start() for lane in self.lanes))

    async def stop(self) -> None:
        """All processes end."""
        await asyncio.gather(*(lane.stop() for lane in self.lanes))

    def _hear(self, header: Header, payload: bytes) -> None:
        """A lane has said something."""

    def _lost(self, which: int) -> None:
        """The process of a lane died."""


class Ears(Pool):
    """The workers of live streams; a new stream goes to the one that has fewest."""

    def __init__(self, n_workers: int, config: PipelineConfig) -> None:
        self._listeners: dict[int, tuple[int, Callable[[Header], None], Callable[[], None]]] = {}
        self._numbers = 0
        super().__init__("voicelane.serve.worker", n_workers, config)

    def join(self, heard: Callable[[Header], None], lost: Callable[[], None]) -> int:
        """The number of a new stream; `heard` gets what its worker says of it, `lost` that it died.

        Raises `ConnectionError` where no worker is ready.
        """
        there = [i for i, lane in enumerate(self.lanes) if lane.ready]
        if not there:
            raise ConnectionError("no worker process is ready")
        loads = [which for which, *_ in self._listeners.values()]
        self._numbers += 1
        self._listeners[self._numbers] = min(there, key=loads.count), heard, lost
        return self._numbers

    async def send(self, stream: int, header: Header, payload: bytes = b"") -> None:
        """To the worker of a stream; raises `ConnectionError` where it is gone."""
        if stream not in self._listeners:
            raise ConnectionError("the worker process of this stream is gone")
        which = self._listeners[stream][0]
        await self.lanes[which].send({"stream": stream, **header}, payload)

    def leave(self, stream: int) -> None:
        """Nothing more of a stream is of interest."""
        self._listeners.pop(stream, None)

    def _hear(self, header: Header, payload: bytes) -> None:
        if listener := self._listeners.get(header["stream"]):
            listener[1](header)

    def _lost(self, which: int) -> None:
        for number, (lane, _, lost) in list(self._listeners.items()):
            if lane == which:
                self.leave(number)
                lost()


class Desk(Pool):
    """Workers of tasks that end: one task each at a time, the others wait."""

    def __init__(self, n_workers: int, config: PipelineConfig) -> None:
        self._tasks: dict[int, Task] = {}
        self._numbers = 0
        super().__init__("voicelane.serve.clerk", n_workers, config, LOW_PRIORITY)
        self._free = list(range(n_workers))

    def submit(self, what: str, **arguments: Any) -> Task:
        """Ask for a task; it begins when a worker is free."""
        self._numbers += 1
        task = Task(self._numbers, what, arguments)
        self._tasks[task.number] = task
        self._next()
        return task

    async def ask(self, what: str, **arguments: Any) -> tuple[Any, bytes]:
        """The answer of a task; raises what `Task.answer` raises."""
        return await self.submit(what, **arguments).answer()

    def cancel(self, task: Task) -> None:
        """Stop a task that waits or runs; nothing where it is over."""
        if task.done.done():
            return
        if task.lane is None:
            self._finish(task, TaskCancelled())
        else:
            self._send(task.lane, {"cancel": task.number})

    def _next(self) -> None:
        """Give what waits to who is free."""
        waiting = [t for t in self._tasks.values() if t.lane is None]
        while waiting and (free := next((i for i in self._free if self.lanes[i].ready), None)) is not None:
            task = waiting.pop(0)
            self._free.remove(free)
            task.lane = free
            self._send(free, {"task": task.number, "what": task.what, "with": task.arguments})

    def _send(self, which: int, header: Header) -> None:
        async def send() -> None:
            with suppress(ConnectionError):
                await self.lanes[which].send(header)

        task = asyncio.ensure_future(send())
        _RUNNING.add(task)
        task.add_done_callback(_RUNNING.discard)

    def _hear(self, header: Header, payload: bytes) -> None:
        task = self._tasks.get(header["task"])
        if task is None:
            return
        if "progress" in header:
            task.progress = header["progress"]
        elif header.get("cancelled"):
            self._finish(task, TaskCancelled())
        elif "problem" in header:
            self._finish(task, TaskFailed(header["problem"], header["kind"]))
        else:
            self._finish(task, (header["answer"], payload))

    def _finish(self, task: Task, outcome: tuple[Any, bytes] | Exception) -> None:
        del self._tasks[task.number]
        if task.lane is not None:
            self._free.append(task.lane)
        if isinstance(outcome, Exception):
            task.done.set_exception(outcome)
            task.done.exception()  # whoever awaits it gets it, and nobody is warned where nobody does
        else:
            task.done.set_result(outcome)
        self._next()

    def _lost(self, which: int) -> None:
        for task in [t for t in self._tasks.values() if t.lane == which]:
            self._finish(task, TaskFailed("the process that worked on it died; is there memory?", "died"))
        asyncio.get_running_loop().call_later(1.0, self._again)

    def _again(self) -> None:
        """A new process may be ready by now."""
        self._next()
        if any(t.lane is None for t in self._tasks.values()):
            asyncio.get_running_loop().call_later(1.0, self._again)


_RUNNING = set[asyncio.Future]()
"""Messages on their way; a task that nobody holds may vanish."""


class Task:
    """A question to a worker, and its answer."""

    def __init__(self, number: int, what: str, arguments: dict[str, Any]) -> None:
        self.number, self.what, self.arguments = number, what, arguments
        self.lane: int | None = None
        """Which worker is at it; None while it waits."""
        self.progress = 0.0
        """0 … 1."""
        self.done: asyncio.Future[tuple[Any, bytes]] = asyncio.get_running_loop().create_future()

    async def answer(self) -> tuple[Any, bytes]:
        """JSON and bytes; raises `TaskFailed` or `TaskCancelled`."""
        return await asyncio.shield(self.done)


class TaskFailed(VoicelaneError):
    """A worker says why it cannot be done; `kind` is the error's class."""

    def __init__(self, sentence: str, kind: str) -> None:
        super().__init__(sentence)
        self.kind = kind


class TaskCancelled(VoicelaneError):
    """Somebody did not want it any more."""

    def __init__(self) -> None:
        super().__init__("cancelled")
