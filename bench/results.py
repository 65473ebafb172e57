"""Results as JSON with stable keys and as tables, with the machine they were measured on."""

from __future__ import annotations

import datetime
import io
import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import numpy as np


def machine() -> str:
    """Processor, cores, system and Python in one line."""
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    cpu = names[0] if names else platform.processor()
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def percentiles(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    """p50, p95, p99 and max, rounded to a microsecond where the unit is a millisecond."""
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    found = {"p50": p50, "p95": p95, "p99": p99, "max": np.max(values)}
    return {k: round(float(v), 4) for k, v in found.items()}


def save(path: Path | None, content: dict[str, Any]) -> None:
    """Write a JSON file, if one was asked for."""
    if path is not None:
        path.write_text(json.dumps(content, indent=1) + "\n")


class _Tee(io.TextIOBase):
    """Writes through, and keeps what was written."""

    def __init__(self, through: TextIO, kept: list[str]) -> None:
        self._through, self._kept = through, kept

    def write(self, text: str) -> int:
        self._kept.append(text)
        return self._through.write(text)

    def flush(self) -> None:
        self._through.flush()


@contextmanager
def printed() -> Iterator[list[str]]:
    """What is printed while it lasts."""
    kept: list[str] = []
    with redirect_stdout(_Tee(sys.stdout, kept)):
        yield kept


def sign(path: Path, arguments: list[str], text: str) -> None:
    """Add to a result the command that made it, where and when, and what it printed."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    at = arguments.index("--json") if "--json" in arguments else len(arguments)
    command = " ".join(["python -m bench", *map(shlex.quote, arguments[:at] + arguments[at + 2 :])])
    today = datetime.datetime.now(tz=datetime.UTC).date()
    about = {"command": command, "machine": machine(), "date": str(today), "printed": text.strip()}
    save(path, about | {k: v for k, v in content.items() if k not in about})


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table; numbers get two digits."""
    cells = [[_text(c) for c in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _text(cell: object) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
