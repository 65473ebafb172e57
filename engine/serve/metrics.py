"""What a server counts, as Prometheus reads it."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

BUCKETS_S = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Of how late confirmed labels are."""


@dataclass
class Metrics:
    """Counts since the start."""

    streams: int = 0
    lost_streams: int = 0
    heard_s: float = 0.0
    received_bytes: int = 0
    held: int = 0
    refused: int = 0
    jobs: int = 0
    failed_jobs: int = 0
    confirmed: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    """Labels by how late they were confirmed."""
    confirmed_sum_s: float = 0.0

    def see(self, message: dict[str, Any], heard_s: float) -> None:
        """A message of a stream of which so much was heard."""
        if message["type"] == "confirmed":
            late_s = max(0.0, heard_s - message["end_s"])
            self.confirmed[bisect_left(BUCKETS_S, late_s)] += 1
            self.confirmed_sum_s += late_s

    def text(self, gauges: dict[str, float]) -> str:
        """The exposition format of Prometheus, with what is true now."""
        counters = {
            "streams_total": (self.streams, "live streams that began"),
            "streams_lost_total": (self.lost_streams, "live streams whose worker died"),
            "heard_seconds_total": (round(self.heard_s, 3), "sound that was heard"),
            "received_bytes_total": (self.received_bytes, "bytes of sound that came"),
            "held_total": (self.held, "times that a client had to wait"),
            "refused_total": (self.refused, "requests without the right token or origin"),
            "jobs_total": (self.jobs, "recordings that were taken"),
            "jobs_failed_total": (self.failed_jobs, "recordings that could not be analysed"),
        }
        rows = [_row(name, "counter", about, value) for name, (value, about) in counters.items()]
        rows += [_row(name, "gauge", name.replace("_", " "), value) for name, value in gauges.items()]
        return "".join([*rows, self._histogram()])

    def _histogram(self) -> str:
        name, total, lines = "voicelane_confirmed_late_seconds", 0, list[str]()
        for edge, count in zip((*BUCKETS_S, "+Inf"), self.confirmed, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{edge}"}} {total}\n')
        head = f"# HELP {name} sound heard behind a label when it was confirmed\n# TYPE {name} histogram\n"
        return f"{head}{''.join(lines)}{name}_sum {self.confirmed_sum_s:.3f}\n{name}_count {total}\n"


def _row(name: str, kind: str, about: str, value: float) -> str:
    name = f"voicelane_{name}"
    return f"# HELP {name} {about}\n# TYPE {name} {kind}\n{name} {value}\n"
