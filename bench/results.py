"""What a command measured: tables for people, JSON with stable keys for programs, and how both came about."""

from __future__ import annotations

import datetime
import json
import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np

import voicelane

Cell = str | int | float | None
"""Numbers with a fraction are shown with two digits, None as a dash."""


@dataclass(frozen=True)
class Table:
    """Rows of cells below a header, with a title above and sentences below, where there are any."""

    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        cells = [[shown(c) for c in row] for row in (self.header, *self.rows)]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.header))]
        padded = ([c.ljust(w) for c, w in zip(row, widths, strict=True)] for row in cells)
        head, *rows = ["| " + " | ".join(row) + " |" for row in padded]
        rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
        text = "\n".join([head, rule, *rows])
        return "\n\n".join([*([self.title] if self.title else []), text, *self.notes])


@dataclass(frozen=True)
class Result:
    """Of one command: all that it measured, as JSON holds it, and what people read of it."""

    content: dict[str, Any]
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        """The tables and notes as people read them."""
        return "\n\n".join([*(t.markdown() for t in self.tables), *self.notes])


def table(header: Sequence[str], rows: Sequence[Sequence[Cell]], title: str = "", *notes: str) -> Table:
    """A table of any sequences."""
    return Table(tuple(header), tuple(tuple(row) for row in rows), title, notes)


def shown(cell: Cell) -> str:
    """A cell as text."""
    if cell is None:
        return "–"
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def machine() -> str:
    """Processor, cores, system and Python in one line."""
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    cpu = names[0] if names else platform.processor()
    return f"{cpu}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def source() -> str:
    """The version, and the commit where it runs from a checkout."""
    describe = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    told = (
        subprocess.run(describe, capture_output=True, text=True, check=False).stdout if which("git") else ""
    )
    return " ".join(["voicelane", voicelane.__version__, told.strip()]).strip()


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def percentiles(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    """p50, p95, p99 and max, rounded to a microsecond where the unit is a millisecond."""
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    found = {"p50": p50, "p95": p95, "p99": p99, "max": np.max(values)}
    return {k: round(float(v), 4) for k, v in found.items()}


def write_result(path: Path, result: Result, arguments: Sequence[str]) -> None:
    """A JSON file of the result, with the command that made it, where and when."""
    today = datetime.datetime.now(tz=datetime.UTC).date()
    about = {"command": _command(arguments), "machine": machine(), "date": str(today), "source": source()}
    parts = {"tables": [asdict(t) for t in result.tables], "notes": result.notes}
    path.write_text(json.dumps(about | parts | result.content, indent=1) + "\n", encoding="utf-8")


def _command(arguments: Sequence[str]) -> str:
    """As anybody can type it: without where its result went, and with `$CORPUS` for that folder."""
    at = arguments.index("--json") if "--json" in arguments else len(arguments)
    words = map(shlex.quote, [*arguments[:at], *arguments[at + 2 :]])
    command = " ".join(["python -m voicelane.bench", *words])
    corpus = os.environ.get("CORPUS")
    return command.replace(f"{corpus}/", "$CORPUS/") if corpus else command


def read_result(path: Path) -> Result:
    """What `write_result` wrote; the content holds `command`, `machine` and `date`, too."""
    content = json.loads(path.read_text(encoding="utf-8"))
    tables = [table(t["header"], t["rows"], t["title"], *t["notes"]) for t in content.pop("tables")]
    return Result(content, tuple(tables), tuple(content.pop("notes")))
