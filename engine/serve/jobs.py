"""Recordings that are analysed while their clients do something else."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

from voicelane.base.errors import VoicelaneError
from voicelane.serve.lanes import Desk, Task, TaskCancelled, TaskFailed
from voicelane.serve.metrics import Metrics
from voicelane.serve.settings import ServeSettings
from voicelane.serve.tokens import Client
from voicelane.serve.uploads import Upload

ID_BYTES = 15


class Job:
    """One recording on its way to a result."""

    def __init__(self, client: Client, what: str, task: Task, upload: Upload) -> None:
        self.id, self.client, self.what = secrets.token_urlsafe(ID_BYTES), client, what
        self.name, self.created_s = upload.name, time.time()
        self.result: dict[str, Any] | None = None
        self.problem: TaskFailed | None = None
        self.cancelled = False
        self.done_s: float | None = None
        """`time.monotonic()` when it ended."""
        self._task, self._upload = task, upload
        self._following = asyncio.ensure_future(self._follow())

    @property
    def state(self) -> str:
        """`waiting`, `running`, `done`, `failed` or `cancelled`."""
        if self.done_s is not None:
            return "cancelled" if self.cancelled else "failed" if self.problem else "done"
        return "waiting" if self._task.lane is None else "running"

    def about(self) -> dict[str, Any]:
        """What its client may know."""
        progress = 1.0 if self.state == "done" else self._task.progress
        about = {"id": self.id, "task": self.what, "state": self.state, "progress": progress}
        about |= {"file": self.name, "created": int(self.created_s)}
        return about | ({"problem": str(self.problem)} if self.problem else {})

    async def wait(self) -> None:
        """Until it is over, whatever way."""
        await asyncio.shield(self._following)

    async def wait_at_most(self, timeout_s: float) -> None:
        """The same, or until so many seconds have passed."""
        await asyncio.wait((self._following,), timeout=timeout_s)

    def discard(self) -> None:
        """Its recording is not needed any more."""
        self._upload.close()

    async def _follow(self) -> None:
        try:
            self.result, _ = await self._task.answer()
        except TaskCancelled:
            self.cancelled = True
        except TaskFailed as problem:
            self.problem = problem
        finally:
            self.done_s = time.monotonic()
            self._upload.close()


class TooMany(VoicelaneError):
    """A client has as many jobs as it may."""


class Jobs:
    """All jobs of a server; results go after a while."""

    def __init__(self, settings: ServeSettings, desk: Desk, metrics: Metrics) -> None:
        self._settings, self._desk, self._metrics = settings, desk, metrics
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, Task] = {}

    def __len__(self) -> int:
        return sum(job.done_s is None for job in self._jobs.values())

    def of(self, client: Client) -> list[Job]:
        """Those of one client, the newest last."""
        self._forget()
        return [job for job in self._jobs.values() if job.client.id == client.id]

    def find(self, client: Client, id_: str) -> Job | None:
        """A job of this client."""
        return next((job for job in self.of(client) if job.id == id_), None)

    def submit(self, client: Client, what: str, upload: Upload, **asked: Any) -> Job:
        """A new one; raises `TooMany`, and the upload is let go then."""
        if len(self.of(client)) >= self._settings.max_jobs:
            upload.close()
            raise TooMany(f"{self._settings.max_jobs} jobs of yours are kept; delete some of them")
        most_h = self._settings.max_sound_h
        task = self._desk.submit(what, path=str(upload.path), most_h=most_h, **asked)
        job = Job(client, what, task, upload)
        self._jobs[job.id], self._tasks[job.id] = job, task
        self._metrics.jobs += 1
        return job

    async def remove(self, job: Job) -> None:
        """Stop it, if need be, and forget it."""
        self._jobs.pop(job.id, None)
        task = self._tasks.pop(job.id, None)
        if task and job.done_s is None:
            self._desk.cancel(task)
            await job.wait()
        self._metrics.failed_jobs += job.problem is not None

    async def end_all(self) -> None:
        """The server stops."""
        for job in list(self._jobs.values()):
            job.discard()
        self._jobs.clear()

    def _forget(self) -> None:
        """Results that are too old."""
        now = time.monotonic()
        for id_, job in list(self._jobs.items()):
            if job.done_s is not None and now - job.done_s > self._settings.keep_jobs_s:
                del self._jobs[id_], self._tasks[id_]
