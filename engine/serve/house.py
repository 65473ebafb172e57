"""All that one server has: workers, streams, jobs, tokens, counts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from voicelane.config import PipelineConfig
from voicelane.serve.calls import Calls
from voicelane.serve.jobs import Jobs
from voicelane.serve.lanes import Desk, Ears
from voicelane.serve.metrics import Metrics
from voicelane.serve.settings import ServeSettings
from voicelane.serve.tokens import Tokens


@dataclass
class House:
    """It begins with `start` and ends with `stop`."""

    settings: ServeSettings
    config: PipelineConfig
    tokens: Tokens = field(default_factory=Tokens)
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        self.ears = Ears(self.settings.workers, self.config)
        self.captioned = Ears(1, self.config)
        self.desk = Desk(self.settings.job_workers, self.config)
        self.clerk = Desk(1, self.config)
        self.calls = Calls(self.settings, self.ears, self.captioned, self.clerk, self.metrics)
        self.jobs = Jobs(self.settings, self.desk, self.metrics)

    async def start(self) -> None:
        """All processes; raises `VoicelaneError`."""
        await asyncio.gather(self.ears.start(), self.desk.start(), self.clerk.start())

    async def stop(self) -> None:
        """Whatever runs ends."""
        await self.calls.end_all()
        await self.jobs.end_all()
        await asyncio.gather(self.ears.stop(), self.captioned.stop(), self.desk.stop(), self.clerk.stop())

    def gauges(self) -> dict[str, float]:
        """What is true now, for the metrics."""
        pools = (self.ears, self.captioned, self.desk, self.clerk)
        return {
            "live_streams": len(self.calls),
            "jobs_unfinished": len(self.jobs),
            "workers_ready": sum(lane.ready for pool in pools for lane in pool.lanes),
            "worker_deaths": sum(pool.deaths for pool in pools),
        }
