"""Refreshes the measured tables of README.md: each lies between markers that hold its command.

<!-- bench vad --seed 0 -->
…the table, its command, machine and date…
<!-- end -->
"""

from __future__ import annotations

import argparse
import datetime
import re
import shlex
import subprocess
import sys
from pathlib import Path

from bench.results import machine

SECTION = re.compile(r"(<!-- bench (?P<command>[^>]+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def refreshed(section: re.Match[str], only: str | None) -> str:
    """A section with what its command prints now."""
    command = section["command"]
    if only and only not in command:
        return section[0]
    print(f"python -m bench {command}", flush=True)
    printed = subprocess.run(
        [sys.executable, "-m", "bench", *shlex.split(command)], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    today = datetime.datetime.now(tz=datetime.UTC).date()
    return f"{section[1]}{printed}\n\n`python -m bench {command}` ({machine()}; {today})\n{section[3]}"


def measure(args: argparse.Namespace) -> None:
    """The `readme` command; each table is written as soon as it is there."""
    for number in range(len(SECTION.findall(args.readme.read_text(encoding="utf-8")))):
        new = refreshed(_section(args.readme, number), args.only)
        section = _section(args.readme, number)  # somebody may have written meanwhile
        text = section.string
        args.readme.write_text(text[: section.start()] + new + text[section.end() :], encoding="utf-8")


def _section(path: Path, number: int) -> re.Match[str]:
    return list(SECTION.finditer(path.read_text(encoding="utf-8")))[number]
